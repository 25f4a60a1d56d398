--- Address lists, and the options that hold addresses.
local api = ...
local core, addresses = api.core, api.part "address"
local entry_of, is_address = addresses.entry, addresses.is_address
local error, getmetatable, ipairs, next, pairs, rawget, tostring, type =
  error, getmetatable, ipairs, next, pairs, rawget, tostring, type
local math_type, min, tointeger = math.type, math.min, math.tointeger
local concat, format = table.concat, string.format

local SHOWN_MAX = 20 -- entries in a list's text

local lists = {}

-- The part is not loaded with this one, because only messages need it.
local function printable(given) return api.part "text".printable(given) end

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
  if type(host) ~= "string" then
    if type(entry[1]) == "string" then
      return nil, "a table without a host; write { host = 'a.example', port = 80 } or 'a.example:80'"
    end
    return nil, "a table without a host"
  end
  if type(scope) == "string" or math_type(scope) == "integer" then
    host = host .. "%" .. scope
  elseif scope then
    return nil, "the scope is neither the name of an interface nor its number"
  end
  if entry.port ~= nil then port = entry.port end
  if port ~= nil and type(port) ~= "string" and type(port) ~= "number" then
    return nil, "the port is neither a whole number nor text"
  end
  return host, port
end

-- The keys of a table that is an entry: ours, and what the resolvers of LuaSocket, luv and luaposix add.
local ENTRY_KEYS = {}
for _, key in ipairs { "host", "port", "scope", "unix", "srv", "addr", "ip", "family", "socktype", "protocol",
  "canonname", "flags" } do ENTRY_KEYS[key] = true end

-- Raises for a key that an entry cannot have: a misspelt one would be ignored.
local function check_keys(entry)
  for key in pairs(entry) do
    if type(key) == "string" and not ENTRY_KEYS[key] then
      error(format("an entry has no key '%s'; its keys are host, port and scope, or unix, or srv",
        printable(key)), 0)
    end
  end
end

-- Adds an entry that is not text.
local function add_table(self, entry, port)
  if type(entry) ~= "table" then
    return nil, "string or table expected, got " .. type(entry), "EINVAL"
  end
  local path, problem = unix_path_of(entry)
  if problem then return nil, problem, "EINVAL" end
  if path then return add(self, path, nil, true) end
  if not is_address(entry) then
    check_keys(entry)
    local service = entry.srv
    if service ~= nil then
      if type(service) ~= "string" or entry.host or entry.port then
        return nil, "an SRV entry has the text `srv`, and no host and no port", "EINVAL"
      end
      return add(self, service, nil, false)
    end
  end
  local host, entry_port = host_and_port_of(entry, port)
  if not host then return nil, entry_port, "EINVAL" end
  return add(self, host, entry_port)
end

--- Adds one entry: text, an address, a table with a host and a port or with a Unix path, a test
-- endpoint, which stays open as long as the list, or another list, whose entries are added.
-- Returns the list, or `nil, message, "EINVAL"` with the list unchanged.
function list:add(entry, port)
  if type(entry) == "table" then return add_table(self, entry, port) end
  return add(self, entry, port)
end

--- Removes the entry at a position and returns it.
function list:remove(position) return entry_of(remove(self, position)) end

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
  if position then return entry_of(get(self, position)) end
  return list[key]
end

function list_type.__newindex()
  error("an address list has no assignment; use list:add(entry) and list:remove(position)", 2)
end

function list_type:__tostring()
  local total, texts = count(self), {}
  for i = 1, min(total, SHOWN_MAX) do texts[i] = tostring(self[i]) end
  if total > SHOWN_MAX then texts[SHOWN_MAX + 1] = format("… (%d in all)", total) end
  return "address list: " .. concat(texts, ", ")
end

-- What is said of a key in an array of entries.
local function misplaced_key(entries, key, total)
  if rawget(entries, "host") or rawget(entries, "unix") then
    return "the array of entries is one entry; put it into an array: { { host = 'a.example', port = 80 } }"
  end
  local advice = total > 0 and "options are the argument after it" or
    "entries stand in it without a key, and options are the argument after it"
  return format("the array of entries has the key '%s'; %s", printable(key), advice)
end

--- Adds entries, one text or an array, to a new list and returns it; `nil, message, "EINVAL"` if one is
-- malformed, or if the array has a key that is no position: if it has no entries, and, with `are_all`, also
-- if it has some. A script's own table may have other keys beside its entries.
function lists.fill(new_list, entries, are_all)
  if type(entries) == "string" then entries = { entries } end
  local total = #entries
  -- The key after the last position of an array is nil, or one that is no position.
  local key = next(entries, total > 0 and total or nil)
  if type(key) == "string" and (are_all or total == 0) then
    return nil, misplaced_key(entries, key, total), "EINVAL"
  end
  for i = 1, total do
    local entry = entries[i]
    local kind = getmetatable(entry)
    local is_plain = type(entry) == "string" or kind == test_endpoint_type or kind == list_type
    local ok, message = (is_plain and add or add_table)(new_list, entry)
    if not ok then
      if type(entry) == "string" and type(entries[i + 1]) == "number" then
        message = format("%s; host and port are one entry: '%s:%s'", message, printable(entry),
          entries[i + 1])
      end
      return nil, format("entry %d: %s", i, message), "EINVAL"
    end
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
