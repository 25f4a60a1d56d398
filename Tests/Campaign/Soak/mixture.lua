--- Random pieces of work with the module, one after another, against endpoints that misbehave. Each checks
-- what it gets, and raises where that is wrong. All endpoints are in this process.
--
--   round(seed)   does one piece, and returns its name, the bytes that came back, and by how many seconds its
--                 latest timeout was late
--   rest()        collects all garbage
local net = require "connectbylist"
local testing = require "connectbylist.testing"
local luasocket = require "connectbylist.luasocket"
local simulation = require "connectbylist.simulation"
local wait = require "connectbylist.wait"

-- Seconds. What must end, ends long before.
local LONG = 30

-- Of the current round.
local random, bytes_back, latest

local function generator(seed)
  local state = seed * 2654435761 % 4294967296
  return function(low, high)
    state = (state * 1664525 + 1013904223) % 4294967296
    return low + (state >> 8) % (high - low + 1)
  end
end

local function one_of(values) return values[random(1, #values)] end

local function chance(percent) return random(1, 100) <= percent end

local function equal(got, wanted, what)
  if got ~= wanted then
    error(("%s: got %q, wanted %q"):format(what, tostring(got):sub(1, 200), tostring(wanted):sub(1, 200)), 2)
  end
end

local function among(got, wanted, what)
  for _, one in ipairs(wanted) do
    if got == one then return end
  end
  error(("%s: got %s, wanted one of %s"):format(what, tostring(got), table.concat(wanted, ", ")), 2)
end

--- Notes that something with a timeout ended in ETIMEDOUT. It may be late on a busy machine, never early.
local function timed_out(began, timeout, code)
  equal(code, "ETIMEDOUT", "code at a timeout")
  local late = net.now() - began - timeout
  if late < 0 then error(("a timeout of %.3f s ended %.6f s early"):format(timeout, -late), 2) end
  latest = math.max(latest, late)
end

local function text(size)
  local parts = {}
  for i = 1, size // 64 + 1 do parts[i] = ("%08x"):rep(8):format(
    random(0, 0xffffff), i, size, random(0, 99), i, i, size, i) end
  return table.concat(parts):sub(1, size)
end

--- Sends texts and compares what comes back.
local function converse(sock, count, size)
  sock:settimeout(LONG)
  for _ = 1, count do
    local block = text(random(1, size))
    local way = random(1, 4)
    if way == 1 then
      assert(sock:write(block, "\n"))
      equal(sock:read(one_of { "l", "*l", "c" }), block, "line")
    elseif way == 2 then
      assert(sock:write(block))
      equal(sock:read(#block), block, "block")
    elseif way == 3 then
      assert(sock:write(block))
      local got = {}
      local left = #block
      while left > 0 do
        got[#got + 1] = assert(sock:receive_any(random(1, left)))
        left = left - #got[#got]
      end
      equal(table.concat(got), block, "pieces")
    else
      assert(sock:write(#block, " ", block, "\n"))
      local number, rest = sock:read("n", "L")
      equal(number, #block, "number")
      equal(rest, " " .. block .. "\n", "rest of the line")
    end
    bytes_back = bytes_back + #block
  end
end

--- A report must agree with itself.
local function check_report(report, is_connected)
  local winners = 0
  for i = 1, #report.attempts do
    local attempt = report.attempts[i]
    if attempt.outcome == "connected" then winners = winners + 1 end
    if attempt.started and attempt.ended and attempt.ended < attempt.started then
      error("an attempt ended before it started\n" .. tostring(report))
    end
    if attempt.started and attempt.started > report.elapsed then
      error("an attempt started after the end\n" .. tostring(report))
    end
  end
  equal(winners, is_connected and 1 or 0, "winners")
  equal(report.winner ~= nil, is_connected, "report.winner")
  local shown = one_of { tostring, report.json, report.svg, report.table }(report)
  assert(#shown > 0 or next(shown))
end

local function options_for(timeout)
  local options = {
    timeout = timeout,
    order = one_of { "likely", "given", "random" },
    pace = one_of { "accelerating", "steady", "parallel", "accelerating" },
    attempt_delay = random(10, 40) / 1000,
    seed = random(1, 1000),
    in_flight = random(4, 64),
  }
  if chance(20) then options.hedge = 0.01 end
  if chance(20) then options.local_addresses = false end
  if chance(20) then options.socket = { nodelay = true, keepalive = true, recvbuf = 65536 } end
  if chance(10) then options.on_event = function(event) assert(event.time >= 0 and event.event) end end
  return options
end

local work = {}

function work.race()
  local good = chance(30) and testing.slow(0.01) or testing.echo(chance(30) and "::1" or nil)
  local entries = { good }
  for _ = 1, random(0, 4) do
    local bad = one_of { testing.refused, testing.silent }()
    table.insert(entries, random(1, #entries + 1), bad)
  end
  if chance(30) then table.insert(entries, 1, { host = "localhost", port = good:address().port }) end
  local list = assert(net.address_list(entries))
  for _ = 1, random(1, 3) do
    local sock <close> = assert(net.connect_by_list(list, options_for(LONG)))
    check_report(sock:report(), true)
    equal(sock:remote_address().port, good:address().port, "the good endpoint")
    converse(sock, random(1, 3), 2000)
  end
  for _, entry in ipairs(entries) do
    if entry.close and chance(80) then entry:close() end
  end
end

function work.nobody_answers()
  local silent <close> = testing.silent()
  local refused <close> = testing.refused()
  local entries = { silent, silent }
  for _ = 1, random(0, 3) do entries[#entries + 1] = refused end
  local timeout = random(20, 120) / 1000
  local began = net.now()
  local sock, message, code, report = net.connect_by_list(entries, options_for(timeout))
  equal(sock, nil, "connect")
  timed_out(began, timeout, code)
  equal(report.deadline, true, "report.deadline")
  check_report(report, false)
  assert(message:find "timed out")
end

function work.all_refuse()
  local entries = {}
  for i = 1, random(1, 8) do entries[i] = testing.refused() end
  local _, _, code, report = net.connect_by_list(entries, options_for(LONG))
  equal(code, "ECONNREFUSED", "code")
  check_report(report, false)
  for i = 1, #entries do entries[i]:close() end
end

function work.validate()
  local function server(role)
    return testing.script { testing.steps.expect_line "ROLE", testing.steps.send(role .. "\n") }
  end
  local replica <close> = server "replica"
  local primary <close> = server "primary"
  local mute <close> = testing.accepting()
  local way = random(1, 3)
  local function validate(sock)
    assert(sock:write "ROLE\n")
    sock:settimeout(sock:remote_address() == mute:address() and 0.02 or LONG)
    local role = sock:read()
    if role ~= "primary" then return false, role end
    if way == 1 then error "no more" end
    return true, way == 2 and "instead" or nil
  end
  local options = options_for(LONG)
  options.validate, options.hedge = validate, nil
  local ok, sock = pcall(net.connect_by_list, { replica, mute, primary }, options)
  if way == 1 then
    equal(ok, false, "a check that raises")
  elseif way == 2 then
    equal(sock, "instead", "replacement")
  else
    equal(sock:remote_address(), primary:address(), "the primary")
    sock:close()
  end
end

function work.operation()
  local silent <close> = testing.silent()
  local echo <close> = testing.echo()
  local other <close> = testing.silent()
  local with_echo, ending = chance(60), random(1, 4)
  local op = net.start(with_echo and { silent, echo } or { silent, other }, options_for(LONG))
  while true do
    local sock, _, code = op:step()
    if sock then
      converse(sock, 1, 500)
      if ending ~= 1 then sock:close() end
      return
    elseif sock == nil then
      return equal(code, "ECANCELED", "code")
    end
    if not with_echo then
      if chance(50) then net.sleep(0.015) end
      -- The operation becomes garbage in the middle of its race.
      if ending == 2 then return end
      if ending == 3 then return op:close() end
      op:cancel()
    end
    wait.blocking(op)
  end
end

-- What `wait.blocking` waits for: a millisecond.
local moment = {
  pollfd = function() end, events = function() return "r" end, timeout = function() return 0.001 end,
}

--- Runs functions as coroutines until all have ended; closes those that `abandons` names in the third turn.
local function schedule(bodies, abandons)
  local threads = {}
  for i, body in ipairs(bodies) do threads[i] = coroutine.create(body) end
  local turn = 0
  while #threads > 0 do
    local left = {}
    turn = turn + 1
    for i, thread in ipairs(threads) do
      if turn == 3 and abandons(i) then
        assert(coroutine.close(thread))
      else
        assert(coroutine.resume(thread))
        if coroutine.status(thread) ~= "dead" then left[#left + 1] = thread end
      end
    end
    threads = left
    if #threads > 0 then wait.blocking(moment) end
  end
end

function work.coroutines()
  local silent <close> = testing.silent()
  local echo <close> = testing.echo()
  local slow <close> = testing.slow(0.02)
  local bodies = {}
  for i = 1, random(2, 20) do
    local options = options_for(LONG)
    bodies[i] = function()
      local sock <close> = assert(net.connect_by_list({ silent, i % 3 == 0 and slow or echo }, options))
      sock:settimeout(LONG)
      for j = 1, 3 do
        assert(sock:write(i, ":", j, "\n"))
        equal(sock:read(), i .. ":" .. j, "line of a coroutine")
      end
      net.sleep(0.001)
    end
  end
  net.setwait(wait.coroutines())
  local ok, problem = pcall(schedule, bodies, function(i) return i % 5 == 0 end)
  net.setwait(nil)
  if not ok then error(problem, 0) end
end

function work.lines()
  local echo <close> = testing.echo()
  local sock <close> = assert(net.connect_by_list { echo })
  sock:settimeout(LONG)
  if chance(50) then sock:setvbuf("full", random(1, 5000)) end
  local count = random(1, 200)
  for i = 1, count do assert(sock:write("line ", i, "\n")) end
  assert(sock:flush())
  assert(sock:shutdown "write")
  local got = 0
  for line in sock:lines() do
    got = got + 1
    equal(line, "line " .. got, "line")
    bytes_back = bytes_back + #line
  end
  equal(got, count, "lines")
end

function work.blocks()
  local echo <close> = testing.echo()
  local proxy <close> = testing.proxy(echo, { slice = random(100, 5000), latency = random(0, 2) / 1000 })
  local sock <close> = assert(net.connect_by_list { proxy })
  converse(sock, random(1, 4), 30000)
end

function work.bad_network()
  local echo <close> = testing.echo()
  local proxy <close> = testing.proxy(echo, one_of {
    { cut_after = random(1, 3000) }, { hang_after = random(1, 3000) }, { drop = 0.5, seed = random(1, 99) },
    { rate = 100000, jitter = 0.002 },
  })
  local sock <close> = net.connect_by_list({ proxy }, { timeout = LONG })
  if not sock then return end
  sock:settimeout(0.05)
  for _ = 1, 50 do
    local began = net.now()
    local block = text(random(1, 400))
    local ok, _, code = sock:write(block)
    if not ok then return among(code, { "ECONNRESET", "EPIPE", "ETIMEDOUT" }, "write") end
    local back
    back, _, code = sock:read(#block)
    if back == nil then
      if code == "ETIMEDOUT" then timed_out(began, 0.05, code) end
      return among(code or "end", { "end", "ECONNRESET", "EPIPE", "ETIMEDOUT" }, "read")
    end
    equal(block:sub(1, #back), back, "what came through")
    if #back < #block then return end
    bytes_back = bytes_back + #back
  end
end

function work.ends()
  local kind = one_of { "reset", "closing" }
  local peer <close> = testing[kind] { after_bytes = random(0, 1) == 1 and random(1, 100) or nil }
  local sock <close> = net.connect_by_list({ peer }, { timeout = LONG })
  if not sock then return end
  sock:settimeout(LONG)
  sock:write(text(100))
  local back, _, code = sock:read("a")
  -- Bytes that were left unread make the kernel's close a reset.
  if back == nil then among(code, { "ECONNRESET", "EPIPE" }, "read") end
  sock:write "more"
  sock:alive()
end

function work.timeouts()
  local peer <close> = testing.accepting()
  local sock <close> = assert(net.connect_by_list { peer })
  local timeout = random(1, 30) / 1000
  sock:settimeout(timeout)
  for _ = 1, 3 do
    local began = net.now()
    local _, _, code = sock:read(one_of { "l", "a", "n", 5 })
    timed_out(began, timeout, code)
  end
end

function work.names()
  local echo <close> = testing.echo()
  local port = echo:address().port
  local sock <close> = assert(net.connect_by_name("localhost", port, options_for(LONG)))
  equal(sock:name(), "localhost", "name")
  converse(sock, 1, 1000)
  -- The caller leaves while the name is looked up.
  local op = net.start({ { host = "localhost", port = port } }, { timeout = LONG })
  op:step()
  if chance(50) then op:close() end
end

function work.unix()
  local name = ("@connectbylist-soak-%s-%d"):format(tostring(work):match "0x(%x+)", random(1, 1 << 20))
  local echo <close> = testing.echo { unix = name }
  local sock <close> = assert(net.connect_by_list({ { unix = name }, echo }, { timeout = LONG }))
  converse(sock, 2, 2000)
end

function work.hand_over()
  local echo <close> = testing.echo()
  local sock <close> = assert(net.connect_by_list { echo })
  local fd = sock:detach()
  local again <close> = assert(net.wrap(fd))
  converse(again, 1, 500)
  local own <close> = assert(net.socket "inet")
  assert(net.connect_by_list(own, { echo }, { timeout = LONG }))
  converse(own, 1, 500)
end

function work.garbage()
  local echo, silent = testing.echo(), testing.silent()
  local sock = assert(net.connect_by_list({ silent, echo }, options_for(LONG)))
  sock:setvbuf "full"
  assert(sock:write "never flushed")
  net.start({ silent }, {}):step()
  net.explain { echo, silent }
  if chance(20) then collectgarbage() end
end

function work.retry()
  local late <close> = testing.echo { after = random(1, 60) / 1000 }
  local sock <close> = assert(net.connect_by_list({ late }, { timeout = LONG, retry = 0.01 }))
  check_report(sock:report(), true)
  converse(sock, 1, 100)
end

function work.luasocket()
  local echo <close> = testing.echo()
  local refused <close> = testing.refused()
  local tcp = luasocket.tcp()
  tcp:settimeout(LONG)
  equal(tcp:connect("127.0.0.1", echo:address().port), 1, "connect")
  equal(tcp:send "a line\n", 7, "send")
  equal(tcp:receive "*l", "a line", "receive")
  tcp:settimeout(0.01)
  local _, problem, partial = tcp:receive(5)
  equal(problem, "timeout", "receive")
  equal(partial, "", "partial")
  tcp:close()
  _, problem = luasocket.tcp():connect("127.0.0.1", refused:address().port)
  equal(problem, "connection refused", "refused")
end

function work.mistakes()
  local silent <close> = testing.silent()
  assert(not pcall(net.connect_by_list, { silent }, { timeuot = 1 }))
  equal(select(3, net.connect_by_list { "127.1:80" }), "EINVAL", "a malformed entry")
  local ok, problem = pcall(net.connect_by_list, { silent, silent }, {
    timeout = LONG, attempt_delay = 0.01, on_event = function() error "an observer that raises" end,
  })
  assert(not ok and tostring(problem):find "an observer that raises")
end

function work.simulation()
  local script = "local 10.0.0.5/24\nremote 192.0.2.1:80 refuses 12ms\nremote 192.0.2.2:80 answers 30ms\n"
  local _, transcript = simulation.simulate(script)
  work.transcript = work.transcript or tostring(transcript)
  equal(tostring(transcript), work.transcript, "transcript")
end

local kinds = {}
for kind, body in pairs(work) do
  if type(body) == "function" then kinds[#kinds + 1] = kind end
end
table.sort(kinds)

function round(seed) -- luacheck: ignore 111
  random, bytes_back, latest = generator(seed), 0, 0
  for _ = 1, 4 do random(0, 1) end
  local kind = one_of(kinds)
  local ok, problem = xpcall(work[kind], debug.traceback)
  if not ok then error(("%s, seed %d: %s"):format(kind, seed, problem), 0) end
  return kind, bytes_back, latest
end

function rest() -- luacheck: ignore 111
  collectgarbage()
  collectgarbage()
end
