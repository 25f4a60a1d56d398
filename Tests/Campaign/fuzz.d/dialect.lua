-- LuaSocket's methods: the same operations on a socket of this module and on one of LuaSocket's have the same
-- results. Both are one end of a pair in this process.
--
-- The input: operations of two bytes each.
local net = require "connectbylist"
local luasocket = require "socket"

local TEXTS = { "", "a", "line\n", "line\r\n", "\r\n", "\n", "a\rb\r\nc", "\r", "no end", "12345",
  ("x"):rep(100), ("y"):rep(8192), ("z"):rep(8193), ("long "):rep(4000) .. "\r\n", "\0\n\0",
  "two\nlines\n", "\r\r\n\n" }
local PATTERNS = { "*l", "*a", "l", "a", "*line", "*all", 0, 1, 2, 5, 10, 100, 5000, 9000, 3.0, 2.5, "3", "0x10", -1,
  "*n", "x", "" }
local PREFIXES = { "", "p", "prefix", "pre\r\n", ("q"):rep(50), 12, 1.5 }

local function shown(values)
  local texts = {}
  for i = 1, values.n do
    local value = values[i]
    texts[i] = type(value) == "string" and ("%q"):format(value) or
      ("%s %s"):format(math.type(value) or "", value)
  end
  return table.concat(texts, ", ")
end

-- LuaSocket makes connected sockets by connecting alone: this gives one a descriptor and the class of such.
local function theirs_of(fd)
  local sock = luasocket.tcp4 and luasocket.tcp4() or luasocket.tcp()
  local created = sock:getfd()
  if created >= 0 then fuzz.close(created) end
  sock:setfd(fd)
  debug.setmetatable(sock, debug.getregistry()["tcp{client}"])
  return sock
end

-- An operation of two bytes. `pair`: the driven end, and the descriptor of the other one.
local function perform(kind, detail, state, pair)
  local sock, peer = pair[1], pair[2]
  -- A closed socket of this module raises, but for what LuaSocket's own say "closed" to.
  if state.closed and kind >= 200 and not (kind >= 240 and kind < 243) then return end
  if kind < 70 then
    local text = TEXTS[detail % #TEXTS + 1]
    -- All of it has to fit: how much of the rest does depends on how the other end reads.
    if state.ended or state.sent[pair] + #text > 60000 then return end
    state.sent[pair] = state.sent[pair] + #text
    fuzz.send(peer, text)
  elseif kind < 160 then
    local pattern = PATTERNS[detail % #PATTERNS + 1]
    if kind < 80 then return sock:receive() end
    if kind < 130 then return sock:receive(pattern) end
    return sock:receive(pattern, PREFIXES[kind % #PREFIXES + 1])
  elseif kind < 200 then
    local text = TEXTS[detail % #TEXTS + 1]
    -- How much the kernel takes of what does not fit depends on the sizes of the pieces.
    if state.unread[pair] + #text > 60000 then return end
    state.unread[pair] = state.unread[pair] + #text
    if kind < 180 then return sock:send(text) end
    if kind < 190 then return sock:send(text, kind - 185) end
    return sock:send(text, kind - 195, detail % 16 - 8)
  elseif kind < 210 then
    state.unread[pair] = 0
    local bytes = fuzz.receive(peer)
    -- In one piece or in several.
    for more in fuzz.receive, peer do
      if more == "" then break end
      bytes = bytes .. more
    end
    return bytes
  elseif kind < 220 then
    sock:settimeout(0, kind % 2 == 0 and "b" or "t")
  elseif kind < 225 then
    local received, sent, age = sock:getstats()
    return received, sent, age >= 0
  elseif kind < 230 then
    return sock:setstats(detail, kind, 1), (select(2, sock:getstats()))
  elseif kind < 235 then
    if not state.ended then fuzz.finish(peer) end
  elseif kind < 240 then
    -- This module's own result, here and of `close`.
    return not sock:shutdown(({ "send", "receive", "both" })[detail % 3 + 1])
  elseif kind < 243 then
    -- What is buffered beyond what was read is each one's own choice.
    return state.closed and sock:dirty()
  elseif kind < 246 then
    -- LuaSocket's receive finds after a close what its buffer held; ours is closed.
    repeat
      local _, word = sock:receive(1e6)
    until word
    return not sock:close()
  end
end

return function(input)
  local lowest = fuzz.lowest_free()
  local first, first_peer = fuzz.pair()
  local second, second_peer = fuzz.pair()
  local ours, theirs = { assert(net.wrap(first)), first_peer }, { theirs_of(second), second_peer }
  for _, pair in ipairs { ours, theirs } do pair[1]:settimeout(0) end
  local state, log = { ended = false, closed = false, unread = { [ours] = 0, [theirs] = 0 },
    sent = { [ours] = 0, [theirs] = 0 } }, {}
  for position = 1, math.min(#input - 1, 80), 2 do
    local kind, detail = input:byte(position, position + 1)
    log[#log + 1] = kind .. "/" .. detail
    local mine = table.pack(pcall(perform, kind, detail, state, ours))
    local other = table.pack(pcall(perform, kind, detail, state, theirs))
    if kind >= 230 and kind < 235 then state.ended = true end
    if kind >= 243 and kind < 246 then state.closed = true end
    -- Of what is raised the position may differ, and the argument's description.
    if not mine[1] and not other[1] then mine, other = table.pack "raised", table.pack "raised" end
    if shown(mine) ~= shown(other) then
      error(("after %s:\n  ours      %s\n  LuaSocket %s"):format(table.concat(log, " "), shown(mine),
        shown(other)))
    end
  end
  for _, pair in ipairs { ours, theirs } do
    pair[1]:close()
    fuzz.close(pair[2])
  end
  assert(fuzz.lowest_free() == lowest, "a descriptor stays open")
end
