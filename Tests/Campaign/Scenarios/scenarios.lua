--- Does with the module what a program does, and says how it ended. Other programs make system calls of this
-- process fail, or limit it.
--
--   HOST scenarios.lua NAME          the endpoints of server.lua are in the environment, ENDPOINTS
--   HOST scenarios.lua --names       prints the names of all scenarios
--
-- Prints `RESULT outcome late busy descriptors threads`. The outcome is `ok` or an errno name; `late`: by how
-- many milliseconds a call ended after its timeout, at most; `busy`: milliseconds of processor time;
-- `descriptors` and `threads`: how many more there are than before. Two system calls mark the beginning and the
-- end of the work in a trace: `openat` of BEGIN and END.
local net = require "connectbylist"
local testing = require "connectbylist.testing"
local luasocket = require "connectbylist.luasocket"
local wait = require "connectbylist.wait"

local BEGIN, END = "/connectbylist-begins", "/connectbylist-ends"

-- Seconds: the timeout of each call. A scenario with a silent endpoint often ends there when something fails.
local TIMEOUT = 0.2

-- Milliseconds, and descriptors that the work could not close.
local late, kept = 0, 0

local function note(began, timeout) late = math.max(late, net.now() - began - timeout) end

--- Ends the scenario with a code; without one the stream has ended early.
local function fail(code) error({ code = code or "END" }, 0) end

local function connect(list, options)
  options = options or {}
  options.timeout = options.timeout or TIMEOUT
  options.attempt_delay = options.attempt_delay or 0.01
  local began = net.now()
  local sock, _, code = net.connect_by_list(list, options)
  note(began, options.timeout)
  if not sock then fail(code) end
  return sock
end

-- Calls a method whose results are those of `io`, within the timeout.
local function call(sock, method, ...)
  sock:settimeout(TIMEOUT)
  local began = net.now()
  local results = table.pack(sock[method](sock, ...))
  note(began, TIMEOUT)
  if not results[1] then fail(results[3]) end
  return table.unpack(results, 1, results.n)
end

local function ask(sock, text)
  call(sock, "write", text, "\n")
  local line = call(sock, "read")
  if line ~= text then error(("sent %q, received %q"):format(text, line)) end
end

--- An endpoint in this process; its own system calls may fail too.
local function endpoint(kind, ...)
  local ok, made = pcall(testing[kind], ...)
  if not ok then fail "ENDPOINT" end
  return made
end

-- What an endpoint of this process may make of a fault of its own.
local BROKEN = { "ENDPOINT", "END", "ECONNRESET", "ECONNREFUSED", "ETIMEDOUT", "EPIPE", "ENOTCONN" }

-- What getaddrinfo may make of a fault of its own; the other family of the name may refuse.
local RESOLVER = {
  "ECONNREFUSED", "EAI_AGAIN", "EAI_FAIL", "EAI_MEMORY", "EAI_NONAME", "EAI_SYSTEM", "EAI_SERVICE",
}

-- LuaSocket's texts.
local LUASOCKET = {
  "luasocket:closed", "luasocket:timeout", "luasocket:connection-refused", "luasocket:already-connected",
}

-- Each is {name, the codes that its own endpoints and checks give when the fault has taken the good one away,
-- the work}.
local scenarios = {
  { "one", {}, function(at)
    local sock <close> = connect { at.echo }
    ask(sock, "one")
  end },
  { "refused-then-one", { "ECONNREFUSED" }, function(at)
    local sock <close> = connect({ at.refused, at.echo }, { order = "given" })
    ask(sock, "two")
  end },
  { "silent-then-one", { "ETIMEDOUT" }, function(at)
    local sock <close> = connect({ at.silent, at.echo }, { order = "given" })
    ask(sock, "three")
  end },
  { "nobody-answers", { "ETIMEDOUT", "ECONNREFUSED" }, function(at) connect { at.silent, at.refused } end },
  { "all-at-once", { "ETIMEDOUT", "ECONNREFUSED" }, function(at)
    local sock <close> = connect({ at.silent, at.refused, at.echo, at.echo6 }, { pace = "parallel" })
    ask(sock, "four")
  end },
  { "likeliest-first", { "ECONNREFUSED" }, function(at)
    local list = net.address_list { at.refused, at.echo, at.echo6 }
    for _ = 1, 2 do
      local sock <close> = connect(list)
      ask(sock, "five")
    end
  end },
  { "ipv6", {}, function(at)
    local sock <close> = connect { at.echo6 }
    ask(sock, "six")
  end },
  { "name", RESOLVER, function(at)
    local sock <close> = connect { { host = "localhost", port = at.echo:match ":(%d+)$" + 0 } }
    ask(sock, "seven")
  end },
  { "sources", { "ETIMEDOUT" }, function(at)
    local sock <close> = connect({ at.silent, at.echo }, { local_addresses = { "127.0.0.9", "127.0.0.8" } })
    ask(sock, "eight")
  end },
  { "cancel", { "ECANCELED", "ETIMEDOUT" }, function(at)
    local op <close> = net.start({ at.silent, at.silent2 }, { timeout = TIMEOUT, attempt_delay = 0.01 })
    local steps = 0
    while true do
      local sock, _, code = op:step()
      if sock ~= false then fail(code) end
      steps = steps + 1
      if steps == 2 then op:cancel() end
      wait.blocking(op)
    end
  end },
  { "event-loop", { "ETIMEDOUT" }, function(at)
    local began = net.now()
    local op <close> = net.start({ at.silent, at.echo }, { timeout = TIMEOUT, attempt_delay = 0.01 })
    while true do
      local sock, _, code = op:step()
      if sock then
        ask(sock, "nine")
        return sock:close()
      end
      if sock == nil then
        note(began, TIMEOUT)
        fail(code)
      end
      wait.blocking(op)
    end
  end },
  { "socket-of-the-caller", {}, function(at)
    local sock <close>, _, code = net.socket()
    if not sock then fail(code) end
    local ok, _, problem = net.connect_by_list(sock, { at.echo }, { timeout = TIMEOUT })
    if not ok then fail(problem) end
    ask(sock, "ten")
  end },
  { "validate", { "ECONNABORTED", "ETIMEDOUT" }, function(at)
    local count = 0
    local sock <close> = connect({ at.echo, at.echo6 }, {
      validate = function(sock)
        count = count + 1
        sock:settimeout(TIMEOUT)
        sock:write "check\n"
        return sock:read() == "check" and count > 1
      end,
    })
    ask(sock, "eleven")
  end },
  { "hedge", { "ETIMEDOUT" }, function(at)
    local sock <close> = connect({ at.slow }, { hedge = 0.01 })
    ask(sock, "twelve")
  end },
  { "retry", { "ECONNREFUSED", "ETIMEDOUT" }, function(at)
    connect({ at.refused }, { retry = 0.02, timeout = 0.1 })
  end },
  { "options", {}, function(at)
    local sock <close> = connect({ at.echo }, {
      socket = { keepalive = true, nodelay = true, recvbuf = 65536, sendbuf = 65536, linger = 0 },
    })
    sock:getoption "recvbuf"
    ask(sock, "thirteen")
  end },
  { "buffered-writes", {}, function(at)
    local sock <close> = connect { at.echo }
    sock:setvbuf("full", 4096)
    for _ = 1, 10 do call(sock, "write", "0123456789\n") end
    call(sock, "flush")
    for _ = 1, 10 do
      if call(sock, "read") ~= "0123456789" then error "another line" end
    end
  end },
  { "end-of-stream", {}, function(at)
    local sock <close> = connect { at.echo }
    call(sock, "write", "tail")
    call(sock, "shutdown", "write")
    if call(sock, "read", "a") ~= "tail" then error "another end" end
  end },
  { "large", {}, function(at)
    local sock <close> = connect { at.echo }
    local block = ("x"):rep(100000)
    call(sock, "write", block)
    if call(sock, "read", #block) ~= block then error "another block" end
  end },
  { "read-timeout", { "ETIMEDOUT" }, function(at)
    local sock <close> = connect { at.echo }
    call(sock, "read")
  end },
  { "hand-over", {}, function(at)
    local sock = connect { at.echo }
    local number, _, code = sock:detach()
    if not number then fail(code) end
    local again <close>, _, problem = net.wrap(number)
    if not again then
      -- The descriptor is still the caller's.
      kept = net.wrap(number) and 0 or 1
      fail(problem)
    end
    ask(again, "fourteen")
  end },
  { "unix", {}, function(at)
    local sock <close> = connect { { unix = at.unix } }
    ask(sock, "fifteen")
  end },
  { "coroutines", { "ETIMEDOUT" }, function(at)
    local thread = coroutine.create(function()
      local sock <close> = connect({ at.silent, at.echo }, { order = "given", wait = wait.coroutines() })
      sock:setwait(wait.coroutines())
      ask(sock, "sixteen")
    end)
    while coroutine.status(thread) ~= "dead" do
      local ok, object = coroutine.resume(thread)
      if not ok then error(object, 0) end
      if object then wait.blocking(object) end
    end
  end },
  { "luasocket", LUASOCKET, function(at)
    local tcp = luasocket.tcp()
    tcp:settimeout(TIMEOUT)
    local host, port = at.echo:match "^(.*):(%d+)$"
    local ok, problem = tcp:connect(host, port)
    if ok then ok, problem = tcp:send "seventeen\n" end
    if ok then ok, problem = tcp:receive() end
    tcp:close()
    if not ok then fail("luasocket:" .. problem:lower():gsub(" ", "-")) end
    if ok ~= "seventeen" then error "another line" end
  end },
  { "explain", {}, function(at)
    local plan, _, code = net.explain { at.echo, at.echo6, at.silent }
    if not plan then fail(code) end
    local addresses, _, problem = net.local_addresses()
    if not addresses then fail(problem) end
  end },
  { "endpoint-echo", BROKEN, function()
    local echo <close> = endpoint "echo"
    local sock <close> = connect { echo }
    ask(sock, "eighteen")
  end },
  { "endpoint-proxy", BROKEN, function(at)
    local proxy <close> = endpoint("proxy", at.echo, { latency = 0.001 })
    local sock <close> = connect { proxy }
    ask(sock, "nineteen")
  end },
  { "endpoint-script", BROKEN, function()
    local script <close> = endpoint("script", { testing.steps.expect_line(), testing.steps.send "done\n" })
    local sock <close> = connect { script }
    call(sock, "write", "begin\n")
    if call(sock, "read") ~= "done" then error "another line" end
  end },
  { "endpoint-silent", BROKEN, function()
    local silent <close> = endpoint "silent"
    connect({ silent }, { timeout = 0.05 })
  end },
}

if arg[1] == "--names" then
  for _, scenario in ipairs(scenarios) do print(scenario[1], table.concat(scenario[2], " ")) end
  return
end

local at = {}
for name, where in os.getenv("ENDPOINTS"):gmatch "(%S+)=(%S+)" do at[name] = where end

-- A system call that fails here fails once.
local function opened(path) return io.open(path) or io.open(path) end

local function descriptors()
  local count = 0
  for number = 0, 99 do
    local file = opened("/proc/self/fdinfo/" .. number)
    if file then
      count = count + 1
      file:close()
    end
  end
  return count
end

local function threads()
  local file = opened "/proc/self/status"
  if not file then return 1 end
  local text = file:read "a" or ""
  file:close()
  return tonumber(text:match "Threads:%s*(%d+)") or 1
end

local function run(scenario)
  local before = descriptors()
  local began = os.clock()
  io.open(BEGIN)
  local ok, problem = pcall(scenario[3], at)
  io.open(END)
  local busy = os.clock() - began
  collectgarbage()
  collectgarbage()
  local outcome = ok and "ok" or type(problem) == "table" and problem.code or "RAISED " .. tostring(problem)
  -- Threads that look a name up end when that ends.
  local limit = net.now() + 2
  while threads() > 1 and net.now() < limit do net.sleep(0.002) end
  local line = ("RESULT %s\t%d\t%d\t%d\t%d\n"):format(
    outcome:gsub("%s+", " "), late * 1000 // 1, busy * 1000 // 1, descriptors() - before - kept, threads() - 1)
  io.stdout:setvbuf "no"
  repeat until io.stdout:write(line)
end

for _, scenario in ipairs(scenarios) do
  if scenario[1] == arg[1] then return run(scenario) end
end
error("no scenario " .. tostring(arg[1]))
