-- The same random sequences of sends, receives and timeouts on a socket of this module and on LuaSocket's:
-- same results. The peer of each connection is played by LuaSocket, in this thread, so that each operation
-- finds the same bytes, or none.
local support = require "Tests.Lua.support"
local net = require "connectbylist"
local found, luasocket = pcall(require, "socket")

-- CONNECTBYLIST_SEQUENCES: how many; 10,000 take a minute.
local SEQUENCES = tonumber(os.getenv "CONNECTBYLIST_SEQUENCES") or 400

local function shown(values)
  local texts = {}
  for i = 1, values.n do
    local value = values[i]
    if type(value) == "string" then
      local ends = value:sub(1, 20) .. "…" .. value:sub(-20)
      texts[i] = #value > 200 and #value .. " bytes, " .. ends or ("%q"):format(value)
    else
      texts[i] = ("%s %s"):format(math.type(value) or "", tostring(value))
    end
  end
  return table.concat(texts, ", ")
end

-- Two connections, of which the first end of each is driven alike: { ours, its peer }, { LuaSocket's, its
-- peer }.
local function connections(make)
  local listener = assert(luasocket.bind("127.0.0.1", 0))
  local host, port = listener:getsockname()
  local pairs_made = {}
  for i, connect in ipairs { make, luasocket.connect } do
    local sock = assert(connect(host, tonumber(port)))
    local peer = assert(listener:accept())
    peer:settimeout(5)
    peer:setoption("tcp-nodelay", true)
    pairs_made[i] = { sock, peer }
  end
  listener:close()
  return pairs_made[1], pairs_made[2]
end

local TEXTS = { "", "a", "line\n", "line\r\n", "\r\n", "\n", "a\rb\r\nc", "\r", "no end", "12345",
  ("x"):rep(100), ("y"):rep(8192), ("z"):rep(8193), ("long "):rep(4000) .. "\r\n", "\0\n\0",
  "two\nlines\n", "\r\r\n\n" }
local PATTERNS = { "*l", "*a", "*line", "*all", 0, 1, 2, 5, 10, 100, 5000, 9000, 3.0, 2.5, "3", "0x10" }
local PREFIXES = { "", "p", "prefix", "pre\r\n", ("q"):rep(50), 12, 1.5 }

-- An operation: its name and what to call.
local function operation(random, state)
  local kind = random(1, 100)
  if kind <= 30 then
    local text = TEXTS[random(1, #TEXTS)]
    if state.closed then text = "" end
    return "peer sends " .. #text, function(pair)
      -- Fails where the driven end is closed.
      if text ~= "" then pair[2]:send(text) end
    end, #text
  elseif kind <= 65 then
    local pattern = random(1, 8) > 1 and PATTERNS[random(1, #PATTERNS)] or nil
    local prefix = random(1, 4) == 1 and PREFIXES[random(1, #PREFIXES)] or nil
    return ("receive(%s, %s)"):format(pattern, prefix), function(pair)
      if prefix ~= nil then return pair[1]:receive(pattern, prefix) end
      if pattern ~= nil then return pair[1]:receive(pattern) end
      return pair[1]:receive()
    end
  elseif kind <= 80 then
    local text = TEXTS[random(1, #TEXTS)]
    local first = random(1, 3) == 1 and random(-8, 8) or nil
    local last = first and random(1, 2) == 1 and random(-8, 8) or nil
    return ("send(%d bytes, %s, %s)"):format(#text, first, last), function(pair)
      return pair[1]:send(text, first, last)
    end
  elseif kind <= 84 then
    return "peer receives", function(pair)
      pair[2]:settimeout(0.0)
      local _, word = pair[2]:receive(1e6)
      pair[2]:settimeout(5)
      return word
    end
  elseif kind <= 88 then
    local seconds, mode = ({ 0, 0.001, 0.002 })[random(1, 3)], ({ "b", "t" })[random(1, 2)]
    return ("settimeout(%s, %s)"):format(seconds, mode), function(pair)
      pair[1]:settimeout(seconds, mode)
    end
  elseif kind <= 90 then
    return "getpeername, getsockname", function(pair)
      local _, _, family = pair[1]:getpeername()
      local host, port, own = pair[1]:getsockname()
      return family, host, type(port), own, math.type(select(2, pair[1]:getpeername()))
    end
  elseif kind <= 93 then
    return "getstats", function(pair)
      local received, sent, age = pair[1]:getstats()
      return received, sent, age >= 0 and age < 60
    end
  elseif kind <= 95 then
    local received, sent = random(0, 5), random(0, 5)
    return "setstats", function(pair)
      local result = pair[1]:setstats(received, sent, 1)
      return result, pair[1]:getstats() == received
    end
  elseif kind <= 97 then
    if state.closed then return "nothing", function() end end
    state.closed = true
    return "peer closes", function(pair) pair[2]:shutdown("send") end
  elseif kind <= 98 then
    return "shutdown", function(pair) return pair[1]:shutdown("send") end
  elseif kind <= 99 then
    return "class", function(pair) return pair[1].class, pair[1]:getfamily() end
  else
    return "close", function(pair)
      -- LuaSocket's receive finds after a close what its buffer of 8 KiB held; ours is closed.
      pair[1]:settimeout(0)
      repeat
        local _, word = pair[1]:receive(1e6)
      until word
      return pair[1]:close()
    end
  end
end

-- The bytes that were sent have to be there before the next operation.
local function settle(pair, total)
  if total == 0 or pair[1]:getfd() < 0 then return end
  luasocket.select({ pair[1] }, nil, 0.05)
end

local function play(seed, make, native)
  local random = support.random(seed)
  local ours, theirs = connections(make)
  local log, state = {}, {}
  for _, pair in ipairs { ours, theirs } do pair[1]:settimeout(0.002) end
  for _ = 1, random(3, 14) do
    local name, call, sends = operation(random, state)
    if native and (name == "close" or name == "setstats" or name:find "shutdown" or name == "class") then
      name, call = "nothing", function() end
    end
    log[#log + 1] = name
    local mine, other = table.pack(call(ours)), table.pack(call(theirs))
    if sends then
      settle(ours, sends)
      settle(theirs, sends)
    end
    if shown(mine) ~= shown(other) then
      error(("seed %d, after %s:\n  ours      %s\n  LuaSocket %s"):format(seed,
        table.concat(log, "; "), shown(mine), shown(other)), 0)
    end
  end
  for _, pair in ipairs { ours, theirs } do
    pair[1]:close()
    pair[2]:close()
  end
end

describe("LuaSocket's methods", function()
  if not found then
    pending("LuaSocket is not installed")
    return
  end
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  it("give LuaSocket's results in random sequences, on the objects of connectbylist.luasocket", function()
    local ours = require "connectbylist.luasocket"
    for seed = 1, SEQUENCES do play(seed, ours.connect, false) end
  end)

  it("give them on the sockets of a connect", function()
    local function connect(host, port)
      return net.connect_by_list({ { host = host, port = port } }, { timeout = 5 })
    end
    for seed = 1, SEQUENCES // 4 do play(seed, connect, true) end
  end)
end)
