-- Makes each allocation fail in turn, each in a forked child; see Tests/Campaign/allocations.
--
-- Arguments: the shared object of failing_malloc.c, the file with the server's addresses, the step between the
-- allocations that fail, the kinds, and the one scenario that is wanted, if not all are.
local shim_path, address_path, step, kinds, only = arg[1], arg[2], math.tointeger(arg[3]), arg[4], arg[5]
local shim = assert(package.loadlib(shim_path, "luaopen_failing_malloc"))()
local net = require "connectbylist"
local luasocket = require "connectbylist.luasocket"

local peers = {}
for line in io.lines(address_path) do
  local name, address = line:match "^(%S+) (%S+)$"
  if name then peers[name] = name == "unix" and { unix = address } or address end
end

-- Raises what was returned in place of a value.
local function need(value, message, code)
  if value == nil then error({ code = code, message = message }, 0) end
  return value
end

-- Returns a socket that reads with a limit.
local function connected(entries, options)
  options = options or {}
  options.timeout = options.timeout or 5
  local sock = need(net.connect_by_list(entries, options))
  sock:settimeout(5)
  return sock
end

local scenarios = {
  { "connect", function() connected({ peers.echo }):close() end },
  { "connect past a refusal", function() connected({ peers.refused, peers.echo }, { order = "given" }):close() end },
  { "connect past a silent one", function()
    connected({ peers.silent, peers.echo }, { order = "given", attempt_delay = 0.01 }):close()
  end },
  { "all at once", function()
    connected({ peers.silent, peers.refused, peers.echo6, peers.echo }, { pace = "parallel" }):close()
  end },
  { "fail", function()
    local sock, message, code, report = net.connect_by_list({ peers.refused }, { timeout = 5 })
    if code ~= "ECONNREFUSED" then error({ code = code, message = message }, 0) end
    assert(sock == nil and #report.attempts >= 1)
  end },
  { "what fails before it begins", function()
    -- Their initializers throw: the memory of the objects that they were to make was lost.
    for _, case in ipairs { { {}, nil, "EINVAL" }, { { peers.echo }, { family = "inet6" }, "EAFNOSUPPORT" },
      { { peers.echo }, { interface = "nonesuch" }, "ENODEV" } } do
      local _, message, code = net.connect_by_list(case[1], case[2])
      if code ~= case[3] then error({ code = code, message = message }, 0) end
    end
  end },
  { "time out", function()
    local _, message, code = net.connect_by_list({ peers.silent }, { timeout = 0.01 })
    if code ~= "ETIMEDOUT" then error({ code = code, message = message }, 0) end
  end },
  { "a name", function()
    local port = tonumber(peers.echo:match ":(%d+)$")
    need(net.connect_by_name("localhost", port, { timeout = 5, family = "inet" })):close()
  end },
  { "a name that does not exist", function()
    local _, message, code = net.connect_by_name("localhost", "no-such-service", { timeout = 5 })
    if code ~= "EAI_SERVICE" then error({ code = code, message = message }, 0) end
  end },
  { "a Unix socket", function() connected({ peers.unix }):close() end },
  { "sources and options", function()
    connected({ peers.echo }, { local_addresses = { "127.0.0.1" }, socket = { tos = 16, keepalive = true },
      hedge = 1, retry = 2, interface = "lo" }):close()
  end },
  { "a socket made before", function()
    local sock <close> = need(net.socket())
    need(net.connect_by_list(sock, { peers.echo }, { timeout = 5 }))
  end },
  { "steps", function()
    local op <close> = need(net.start({ peers.refused, peers.echo }, { order = "given" }))
    local result, message, code
    repeat
      net.sleep(0.0001)
      result, message, code = op:step()
    until result ~= false
    need(result, message, code):close()
  end },
  { "a check and events", function()
    local words = 0
    local sock = need(net.connect_by_list({ peers.refused, peers.echo }, { timeout = 5,
      validate = function(candidate)
        candidate:settimeout(5)
        need(candidate:write "who\n")
        local line, message, code = candidate:read "l"
        return need(line, message, code) == "who"
      end,
      on_event = function() words = words + 1 end }))
    sock:close()
    assert(words > 0)
  end },
  { "read formats", function()
    local sock <close> = connected { peers.echo }
    need(sock:write("one\n2 0x10 three", ("x"):rep(3000), "\n", "tail"))
    need(sock:shutdown "write")
    local line, two, sixteen = sock:read("l", "n", "n")
    need(line, two, sixteen)
    assert(line == "one" and two == 2 and sixteen == 16)
    local text, message, code = sock:read("l")
    assert(#need(text, message, code) == 3006)
    local rest
    rest, message, code = sock:read("a")
    assert(need(rest, message, code) == "tail")
    rest, message, code = sock:read(1)
    if message then error({ code = code, message = message }, 0) end
    assert(rest == nil)
  end },
  { "a long read", function()
    local sock <close> = connected { peers.echo }
    local text = ("0123456789"):rep(30000)
    need(sock:write(text))
    need(sock:shutdown "write")
    local got, message, code = sock:read(#text)
    if not got then
      -- Nothing of it is lost.
      collectgarbage()
      shim.disarm()
      assert(sock:read(#text) == text, "bytes are lost after a read without memory")
      error({ code = code, message = message }, 0)
    end
    assert(got == text)
  end },
  { "buffered writes", function()
    local sock <close> = connected { peers.echo }
    need(sock:setvbuf("full", 100000))
    for _ = 1, 100 do need(sock:write(("y"):rep(900), "\n")) end
    need(sock:flush())
    local next_line = sock:lines()
    assert(#next_line() == 900)
  end },
  { "report", function()
    local _, _, code, report = net.connect_by_list({ peers.refused, peers.silent },
      { timeout = 0.02, pace = "parallel" })
    if not report or code ~= "ETIMEDOUT" then error({ code = code, message = "no report" }, 0) end
    assert(#tostring(report) > 100 and #report:json() > 100 and #report:svg() > 100)
  end },
  { "explain", function()
    local plan = need(net.explain({ peers.echo, peers.echo6, "192.0.2.1:80", "[2001:db8::1]:80" }))
    assert(#plan >= 4 and #tostring(plan) > 100)
  end },
  { "a list", function()
    local list = need(net.address_list { peers.echo })
    for i = 1, 60 do need(list:add("192.0.2." .. i, 80)) end
    need(list:add("name.test:https"))
    assert(#list == 62 and #tostring(list) > 50 and #list:history() == 0)
    need(net.local_addresses())
  end },
  { "LuaSocket's methods", function()
    local host, port = peers.echo:match "^(.*):(%d+)$"
    local sock = need(luasocket.tcp())
    sock:settimeout(5)
    local connects, word = sock:connect(host, tonumber(port))
    if not connects then error({ code = word, message = word }, 0) end
    local sent
    sent, word = sock:send("line\r\n")
    if not sent then error({ code = word, message = word }, 0) end
    local line
    line, word = sock:receive("*l")
    if not line then error({ code = word, message = word }, 0) end
    assert(line == "line")
    sock:close()
  end },
}

-- What an allocation that failed may become: Lua's error, ours, or, from the C library's own, what it makes of it.
local function is_right(problem)
  -- The second is what an iterator raises.
  if type(problem) == "string" then
    return problem:find "not enough memory" ~= nil or problem:find "read: out of memory" ~= nil
  end
  if type(problem) ~= "table" then return false end
  local code = tostring(problem.code):lower() .. " " .. tostring(problem.message):lower()
  if code:find "enomem" or code:find "memory" or code:find "enobufs" then return true end
  -- getaddrinfo's codes for what its own lookups could not do.
  return kinds:find "system" ~= nil and (code:find "eai_" ~= nil or code:find "eagain" ~= nil)
end

local WENT_ON, RIGHT, WRONG = 0, 1, 2


-- What a child does: the scenario with failing allocations, and then without.
local function attempt(body, first, last)
  collectgarbage()
  collectgarbage()
  shim.live()
  body()
  collectgarbage()
  collectgarbage()
  local before = shim.live()
  shim.arm(kinds, first, last)
  local ok, problem = pcall(body)
  shim.disarm()
  if not ok and not is_right(problem) then
    local what = type(problem) == "table" and tostring(problem.code) .. ": " .. tostring(problem.message)
    io.stderr:write("  ", what or tostring(problem), "\n")
    return WRONG
  end
  problem = nil -- luacheck: ignore
  local again, second = pcall(body)
  if not again then
    local what = type(second) == "table" and tostring(second.message) or tostring(second)
    io.stderr:write("  with memory again: ", what, "\n")
    return WRONG
  end
  second = nil -- luacheck: ignore
  -- Threads of lookups end by themselves.
  for _ = 1, 200 do
    collectgarbage()
    collectgarbage()
    if shim.live() <= before then break end
    net.sleep(0.005)
  end
  if shim.live() > before then
    io.stderr:write("  ", shim.live() - before, " blocks stay allocated\n")
    return WRONG
  end
  return ok and WENT_ON or RIGHT
end

local function open_count()
  local count = 0
  for number = 0, 63 do
    local file = io.open("/proc/self/fdinfo/" .. number)
    if file then
      file:close()
      count = count + 1
    end
  end
  return count
end

-- What is wrong once is mostly wrong everywhere.
local WRONG_MAX = 10

local totals = { runs = 0, went_on = 0, right = 0, ended = 0, wrong = 0 }

local function run(name, body, first, last)
  totals.runs = totals.runs + 1
  local status, signal = shim.in_child(function()
    local before = open_count()
    local result = attempt(body, first, last)
    if open_count() ~= before then
      io.stderr:write("  a descriptor stays open\n")
      return WRONG
    end
    return result
  end)
  if status == WENT_ON then
    totals.went_on = totals.went_on + 1
  elseif status == RIGHT then
    totals.right = totals.right + 1
  elseif signal and signal ~= 14 and shim.failed "swift" > 0 then
    totals.ended = totals.ended + 1
  else
    totals.wrong = totals.wrong + 1
    io.stdout:write(("allocations: %s, from number %d to %d of %s: %s\n"):format(name, first, last, kinds,
      signal and "ended by signal " .. signal or "wrong, see above"))
  end
end

local wanted = {}
for _, scenario in ipairs(scenarios) do
  if not only or scenario[1] == only then wanted[#wanted + 1] = scenario end
end

for _, scenario in ipairs(wanted) do
  local name, body = scenario[1], scenario[2]
  -- What is made once in a process is made here.
  body()
  body()
  local most = 0
  shim.arm(kinds, math.maxinteger, math.maxinteger)
  body()
  most = shim.disarm()
  collectgarbage()
  for number = 1, most, step do
    if totals.wrong >= WRONG_MAX then break end
    run(name, body, number, number)
    run(name, body, number, math.maxinteger)
  end
end
io.stdout:write(("allocations: %s: %d scenarios, %d runs: %d went on, %d failed with the right error, %d ended at " ..
  "an object of Swift, %d wrong\n"):format(kinds, #wanted, totals.runs, totals.went_on, totals.right, totals.ended,
  totals.wrong))
os.exit(totals.wrong == 0 and 0 or 1)
