--- LuaSocket's methods of a socket: `send`, `receive` and the others, with LuaSocket's results.
local api = ...
local core, host_with_scope = api.core, api.part "address".host_with_scope
local error, math_type, tonumber, tostring, type = error, math.type, tonumber, tostring, type
local find, format, gsub, sub = string.find, string.format, string.gsub, string.sub

local methods = {}

local INTEGER_MAX = math.maxinteger

-- A text or a number as text, as luaL_checkstring takes it.
local function text_of(value, argument, name, level)
  local kind = type(value)
  if kind == "string" then return value end
  if kind == "number" then return tostring(value) end
  error(format("bad argument #%d to '%s' (string expected, got %s)", argument, name,
    value == nil and "no value" or kind), level + 1)
end

-- A number or its text, as luaL_optnumber takes it, as a whole number: C converts with a cast.
local function whole_of(value, default, argument, name)
  if value == nil then return default end
  local number = tonumber(value)
  if not number or type(value) == "boolean" then
    error(format("bad argument #%d to '%s' (number expected, got %s)", argument, name, type(value)), 3)
  end
  if math_type(number) == "integer" then return number end
  if not (number > -0x1p63 and number < 0x1p63) then return number < 0 and -INTEGER_MAX or INTEGER_MAX end
  return (number < 0 and -1 or 1) * (number < 0 and -number // 1 or number // 1) | 0
end

--- What `send` and `receive` of LuaSocket do, by functions of the core. `core_send(self, text, skipped,
-- count)` returns how many bytes it has sent, and a word if that is not all; `core_receive(self, what)` a
-- text, and a word if that is not whole. Both return nil, "closed" for a closed socket.
local function make(core_send, core_receive)
  local function send(self, data, first, last)
    data = text_of(data, 1, "send", 2)
    local size = #data
    first, last = whole_of(first, 1, 2, "send"), whole_of(last, -1, 3, "send")
    if first < 0 then first = size + first + 1 end
    if last < 0 then last = size + last + 1 end
    if first < 1 then first = 1 end
    if last > size then last = size end
    if first > last then return first - 1.0, nil, nil end
    local sent, word = core_send(self, data, first - 1, last - first + 1)
    sent = (sent or 0) + first - 1.0
    if word then return nil, word, sent end
    return sent, nil, nil
  end

  local function receive(self, pattern, prefix)
    if pattern == nil then
      pattern = "*l"
    elseif type(pattern) == "string" then
      pattern = tonumber(pattern) or pattern
    end
    prefix = prefix == nil and "" or text_of(prefix, 2, "receive", 2)
    local is_line = false
    local text, word
    if type(pattern) == "number" then
      if pattern < 0 or pattern ~= pattern then
        error("bad argument #1 to 'receive' (invalid receive pattern)", 2)
      end
      local wanted = whole_of(pattern, 0, 1, "receive")
      local size = #prefix
      if size > 0 and wanted <= size then return prefix, nil, nil end
      text, word = core_receive(self, wanted - size)
    else
      local kind = sub(text_of(pattern, 1, "receive", 2), 1, 2)
      if kind ~= "*l" and kind ~= "*a" then
        error("bad argument #1 to 'receive' (invalid receive pattern)", 2)
      end
      is_line = kind == "*l"
      text, word = core_receive(self, is_line and "l" or "a")
    end
    text = text or ""
    -- LuaSocket drops every CR, not only the one before the LF.
    if is_line and find(text, "\r", 1, true) then text = gsub(text, "\r", "") end
    if prefix ~= "" then text = prefix .. text end
    if word then return nil, word, text end
    return text, nil, nil
  end

  return send, receive
end

local socket = core.methods "socket"
local is_open, stats, connected_address = socket.is_open, socket.stats, socket.connected_address

methods.send, methods.receive = make(socket.send, socket.receive)

-- What `getpeername` and `getsockname` return of an address: host, port, family.
local function name_of(address, _, code)
  if not address then return nil, core.error_word(code) end
  return host_with_scope(address), address.port, address.family
end

function methods:getpeername()
  if not is_open(self) then return nil, "closed" end
  return name_of(connected_address(self))
end

function methods:getsockname()
  if not is_open(self) then return nil, "closed" end
  local host, port, family = name_of(self:local_address())
  -- LuaSocket gives the port as text here, and as a number in `getpeername`.
  if host and port then port = tostring(port) end
  return host, port, family
end

function methods:getstats() return stats(self) end

function methods:setstats(received, sent, age)
  local result, word = stats(self, received, sent, age)
  if not result then return nil, word end
  return 1.0
end

--- For connectbylist.luasocket: `send` and `receive` of an object that is closed.
local function closed() return nil, "closed" end
methods.closed = { make(closed, closed) }

return methods
