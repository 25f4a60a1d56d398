-- Tables of entries and of options from bytes, for everything that takes one: a connect in steps, which is never
-- waited for, an explanation, a list. What comes back is what the reference says, and prints as clean text.
--
-- The input: two bytes of what to do, eight answers of the kernel, then values (see `value`).
local net = require "connectbylist"
package.path = "Tests/Lua/?.lua;" .. package.path
local json = require "json_reader"

local KEYS = { "timeout", "attempt_delay", "minimum_delay", "attempt_timeout", "pace", "order", "seed",
  "hedge", "retry", "interleave", "in_flight", "family", "local_addresses", "interface", "socket",
  "mptcp", "validate", "on_event", "wait", "host", "port", "unix", "srv", "addr", "scope", "nodelay", "tos",
  "linger", "on", "keepalive", "recvbuf", "mark", "ttl", "congestion", "bindtodevice", "user_timeout",
  "fastopen_connect", "family", "socktype", "ip", "timout", "service", "name" }
local TEXTS = { "127.0.0.1:9", "[::1]:9", "192.0.2.1:80", "[fe80::1%lo]:80", "fe80::1", "localhost:http",
  "name.test:80", "accelerating", "steady", "parallel", "sequential", "likely", "given", "random", "inet",
  "inet6", "unix", "any", "lo", "@abstract", "/run/x.sock", "127.0.0.1", "::1", "80", "https", "", "\0", "a\27[2Jb:1",
  "\u{202e}x:1", "\xff:1", "_redis._tcp.example.net", "cubic", "http://a.test/", "a.test:1,b.test:2" }
local NUMBERS = { 0, 1, 80, 65535, 65536, -1, 0.01, 0.15, 0.009, 2.5, 60, 61, 1e300, math.huge, -math.huge, 0 / 0,
  math.maxinteger, math.mininteger, 2 ^ 53, 1e-9, 3.0, -0.0 }

-- A value from the bytes at `state.position`.
local function value(state, depth)
  local function take()
    local byte = state.input:byte(state.position) or 0
    state.position = state.position + 1
    return byte
  end
  local kind = take()
  if kind < 70 then return TEXTS[take() % #TEXTS + 1] end
  if kind < 110 then return NUMBERS[take() % #NUMBERS + 1] end
  if kind < 120 then
    local count = take() % 64
    local text = state.input:sub(state.position, state.position + count - 1)
    state.position = state.position + count
    return text
  end
  if kind < 130 then return take() % 2 == 0 end
  if kind < 135 then return take() * 256 + take() end
  if kind < 138 then return net.address(TEXTS[take() % #TEXTS + 1]) end
  if kind < 140 then return state.list end
  if kind < 142 then return print end
  if kind < 146 then
    local verdict = take() % 4
    return function()
      if verdict == 3 then error("raised on purpose", 0) end
      return verdict == 1, verdict == 2 and "reason" or nil
    end
  end
  if kind < 148 then return setmetatable({}, { __index = function() error("raised on purpose", 0) end }) end
  if kind < 150 then return nil end
  if depth > 4 then return "deep" end
  local made = {}
  for _ = 1, take() % 8 do
    local how = take()
    local key = how < 128 and KEYS[how % #KEYS + 1] or how < 200 and #made + 1 or value(state, depth + 1)
    local held = value(state, depth + 1)
    if key ~= nil and key == key then made[key] = held end
  end
  return made
end

-- No control character but a newline, and valid UTF-8: it is printed on terminals.
local function check_text(text, what)
  assert(not text:find "[\0-\9\11-\31\127]", what .. " has a control character")
  assert(utf8.len(text), what .. " is not UTF-8")
  for _, code in utf8.codes(text) do
    assert(not (code >= 0x80 and code < 0xa0 or code >= 0x202a and code <= 0x202e or
      code >= 0x2066 and code <= 0x2069), what .. " has a C1 control or an override of direction")
  end
end

local function check_report(report)
  check_text(tostring(report), "a report")
  local text = report:json()
  check_text(text, "the JSON of a report")
  local read = json(text)
  assert(type(read) == "table" and #read.attempts == #report.attempts, "the JSON has other attempts")
  check_text(report:svg(), "a picture")
  for _, attempt in ipairs(report.attempts) do assert(attempt.outcome, "an attempt without an outcome") end
end

-- What a call returns that may fail: a value, or nil, a message and a code.
local function check_failure(found, message, code, report)
  if found ~= nil then return found end
  assert(type(message) == "string" and type(code) == "string" and code:find "^E[A-Z0-9_]+$",
    "a failure without message and code")
  check_text(message, "a message")
  if report then check_report(report) end
end

-- Lua's own errors for what the script did wrong: text.
local function call(body, ...)
  local results = table.pack(pcall(body, ...))
  if not results[1] then
    assert(type(results[2]) == "string", "an error that is no text")
    assert(results[2] ~= "not enough memory", "out of memory")
    return nil
  end
  return table.unpack(results, 2, results.n)
end

local function drive(op)
  for _ = 1, 20 do
    local done, result, message, code, report = pcall(op.step, op)
    if not done then
      assert(type(result) == "string")
      return
    end
    if result ~= false then
      local sock = check_failure(result, message, code, report)
      if type(sock) == "userdata" then
        check_text(tostring(sock), "a socket")
        sock:close()
      end
      return
    end
    assert(op:pollfd() and op:events())
  end
  op:cancel()
  local done, result, _, code = pcall(op.step, op)
  assert(not done or result == nil and code == "ECANCELED" or result ~= nil, "a cancel that does not end it")
  op:close()
end

return function(input)
  local lowest = fuzz.lowest_free()
  local what = input:byte(1) or 0
  fuzz.answers(input:sub(2, 9))
  local list = net.address_list { "127.0.0.1:9", "[::1]:9" }
  local state = { input = input, position = 10, list = list }
  local entries, options = value(state, 0), value(state, 0)
  if what % 4 == 0 then
    local made = call(net.address_list, entries, options)
    if made then
      check_text(tostring(made), "a list")
      for i = 1, math.min(#made, 20) do check_text(tostring(made[i]), "an entry") end
    end
  elseif what % 4 == 1 then
    local count = #list
    local added, message, code = call(list.add, list, entries, options)
    if added == nil and message then
      check_failure(added, message, code)
      assert(#list == count, "a malformed entry has changed the list")
    end
    check_text(tostring(list), "a list")
  elseif what % 4 == 2 then
    local plan, message, code = call(net.explain, entries, options)
    if plan then
      check_text(tostring(plan), "an explanation")
    elseif message then
      check_failure(plan, message, code)
    end
  else
    -- A cap, so that a list of the input cannot ask for hundreds of sockets.
    local op, message, code, report = call(net.start, entries, options)
    if op then drive(op) elseif message then check_failure(op, message, code, report) end
  end
  list, state, entries, options = nil, nil, nil, nil
  collectgarbage()
  collectgarbage()
  fuzz.answers ""
  -- A lookup that was given up may have a file of the system's resolver open for a moment more.
  for _ = 1, 200 do
    if fuzz.lowest_free() == lowest then break end
    net.sleep(0.005)
  end
  assert(fuzz.lowest_free() == lowest, "a descriptor stays open")
end
