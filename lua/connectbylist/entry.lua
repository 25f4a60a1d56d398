--- Entries of address lists that are tables, and what is said of malformed ones.
local api = ...
local core, is_address = api.core, api.part "address".is_address
local error, ipairs, pairs, rawget, type = error, ipairs, pairs, rawget, type
local format, math_type = string.format, math.type

local entries = {}

local add = core.methods "address list".add

-- The part is not loaded with this one, because only messages need it.
local function printable(given) return api.part "text".printable(given) end

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

--- Adds an entry that is not text to a list.
function entries.add(self, entry, port)
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

--- What is said of a key in an array of entries.
function entries.misplaced_key(array, key, total)
  if rawget(array, "host") or rawget(array, "unix") then
    return "the array of entries is one entry; put it into an array: { { host = 'a.example', port = 80 } }"
  end
  local advice = total > 0 and "options are the argument after it" or
    "entries stand in it without a key, and options are the argument after it"
  return format("the array of entries has the key '%s'; %s", printable(key), advice)
end

--- What is said of the entry at a position of an array. `problem`: what is wrong with it.
function entries.message(array, position, problem)
  local entry, after = array[position], array[position + 1]
  if type(entry) == "string" and type(after) == "number" then
    problem = format("%s; host and port are one entry: '%s:%s'", problem, printable(entry), after)
  end
  return format("entry %d: %s", position, problem)
end

return entries
