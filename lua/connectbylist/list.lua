--- Address lists, and the options that hold addresses.
local api = ...
local core, addresses = api.core, api.part "address"
local make_address, is_address = addresses.make, addresses.is_address
local getmetatable, ipairs, next, rawget, tostring, type =
  getmetatable, ipairs, next, rawget, tostring, type
local math_type, min, tointeger = math.type, math.min, math.tointeger
local concat, format = table.concat, string.format

local SHOWN_MAX = 20 -- entries in a list's text

local lists = {}

local list = core.methods "address list"
local list_type, test_endpoint_type = core.types["address list"], core.types["test endpoint"]
local add, count, get, remove, history = list.add, list.count, list.get, list.remove, list.history
list.count, list.get = nil, nil

-- The path of an entry that is a Unix address; nil if it is none, with a message if it is malformed.
-- Only the field `unix` and an address can mean a path: text, which may come from outside, never does.
local function unix_path_of(entry)
  local path = entry.unix
  if path == nil then
    return is_address(entry) and entry.family == "unix" and entry.host or nil
  end
  if type(path) ~= "string" then return nil, "the Unix path is not a string" end
  if entry.host or entry.port then return nil, "a Unix address has no host and no port" end
  return path
end

-- Host and port of an entry that is a table; nil and a message if it is malformed.
local function host_and_port_of(entry, port)
  -- Field names of an address, of luv's and luaposix's resolvers, and of LuaSocket's.
  local host, scope = entry.host or entry.addr or entry.ip, entry.scope
  if type(host) ~= "string" then return nil, "a table without a host" end
  if type(scope) == "string" or math_type(scope) == "integer" then
    host = host .. "%" .. scope
  elseif scope then
    return nil, "the scope is neither the name of an interface nor its number"
  end
  port = entry.port or port
  if type(port) == "number" then port = tointeger(port) or false end
  if port ~= nil and type(port) ~= "string" and type(port) ~= "number" then
    return nil, "the port is neither a whole number nor text"
  end
  return host, port
end

-- Adds an entry that is not text.
local function add_table(self, entry, port)
  if type(entry) ~= "table" then
    return nil, "string or table expected, got " .. type(entry), "EINVAL"
  end
  local path, problem = unix_path_of(entry)
  if problem then return nil, problem, "EINVAL" end
  if path then return add(self, path, nil, true) end
  local service = entry.srv
  if service ~= nil then
    if type(service) ~= "string" or entry.host or entry.port then
      return nil, "an SRV entry has the text `srv`, and no host and no port", "EINVAL"
    end
    return add(self, service, nil, false)
  end
  local host, entry_port = host_and_port_of(entry, port)
  if not host then return nil, entry_port, "EINVAL" end
  return add(self, host, entry_port)
end

--- Adds one entry: text, an address, a table with a host and a port or with a Unix path, or a test
-- endpoint, which stays open as long as the list.
-- Returns the list, or `nil, message, "EINVAL"` with the list unchanged.
function list:add(entry, port)
  if type(entry) == "table" then return add_table(self, entry, port) end
  return add(self, entry, port)
end

--- Removes the entry at a position and returns it.
function list:remove(position) return make_address(remove(self, position)) end

--- The results of earlier connects with this list: an array, in the list's order, of {address,
-- connected, successes, failures, round_trip, code, age}.
function list:history()
  local known = history(self)
  for _, item in ipairs(known) do addresses.adopt(item.address) end
  return known
end

list_type.__len = count

function list_type:__index(key)
  local position = type(key) == "number" and tointeger(key)
  if position then return make_address(get(self, position)) end
  return list[key]
end

function list_type:__tostring()
  local total, texts = count(self), {}
  for i = 1, min(total, SHOWN_MAX) do texts[i] = tostring(self[i]) end
  if total > SHOWN_MAX then texts[SHOWN_MAX + 1] = format("… (%d in all)", total) end
  return "address list: " .. concat(texts, ", ")
end

--- Adds entries, one text or an array, to a new list and returns it; `nil, message, "EINVAL"` if one is
-- malformed.
function lists.fill(new_list, entries)
  if type(entries) == "string" then entries = { entries } end
  for i = 1, #entries do
    local entry = entries[i]
    local is_plain = type(entry) == "string" or getmetatable(entry) == test_endpoint_type
    local ok, message = (is_plain and add or add_table)(new_list, entry)
    if not ok then return nil, format("entry %d: %s", i, message), "EINVAL" end
  end
  return new_list
end

--- A copy of a connect's options with its local addresses as text, because the core reads no address
-- objects. A port of 0 is left out: the kernel chooses one.
function lists.plain_options(options)
  if type(options) ~= "table" then return options end
  local given = rawget(options, "local_addresses")
  if type(given) ~= "table" then return options end
  local texts, copy = {}, {}
  for i, item in ipairs(given) do
    if is_address(item) then
      item = item.port == 0 and addresses.host_with_scope(item) or tostring(item)
    end
    texts[i] = item
  end
  for key, value in next, options do copy[key] = value end
  copy.local_addresses = texts
  return copy
end

return lists
