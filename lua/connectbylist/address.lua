--- Addresses: plain values with the fields host, port, family and scope. The host of a Unix address is
-- its path. Names of hosts, which a list holds until they are resolved, have host and port.
local api = ...
local core = api.core
local getmetatable, setmetatable, tostring = getmetatable, setmetatable, tostring
local find, format, gsub = string.find, string.format, string.gsub

local addresses = {}

-- The part is not loaded with this one, because scripts seldom print a name.
local function printable(given) return api.part "text".printable(given) end

local methods, address_type = {}, core.address_type
local name_type = { __name = "name" }
local service_type = { __name = "service" }

--- An entry of a list: an address is returned as it is; of host and port a name is made. Without these the
-- arguments are nil, message and code of a failure, and are returned.
function addresses.entry(host, port, family)
  if getmetatable(host) == address_type then return host end
  if not host then return host, port, family end
  if family == "srv" then return setmetatable({ srv = host }, service_type) end
  return setmetatable({ host = host, port = port }, name_type)
end

--- Makes an address of a table with its fields; nil stays nil.
function addresses.adopt(fields) return fields and setmetatable(fields, address_type) end

function addresses.is_address(value) return getmetatable(value) == address_type end

--- Host and scope of an address, as one text: `fe80::1%eth0`.
function addresses.host_with_scope(address)
  return address.scope and address.host .. "%" .. address.scope or address.host
end

local host_with_scope = addresses.host_with_scope

--- The text of a local address. A port of 0 is left out: the kernel chose one that is not known.
function addresses.without_free_port(address)
  local printed = tostring(address)
  return address.port == 0 and (gsub(printed, ":0$", "")) or printed
end

-- The metatable's functions.

function addresses:__tostring()
  local host, port = host_with_scope(self), self.port
  local canonical = core.address_text(host, port, self.family == "unix")
  -- Its interface may be gone, or have a name that cannot be parsed again.
  return canonical or format("[%s]:%s", printable(host), tostring(port))
end

function addresses.__concat(a, b) return tostring(a) .. tostring(b) end

function addresses.__eq(a, b)
  return a.host == b.host and a.port == b.port and a.scope == b.scope and a.family == b.family
end

function name_type:__tostring()
  return format(find(self.host, ":", 1, true) and "[%s]:%s" or "%s:%s", printable(self.host),
    printable(self.port))
end

function service_type:__tostring() return self.srv .. " (SRV)" end

--- The v4-mapped IPv6 form (::ffff:a.b.c.d) of an IPv4 address; any other address as it is.
function methods:mapped()
  if self.family == "unix" then return self end
  return core.convert_address(host_with_scope(self), self.port, true)
end

--- The IPv4 address inside a v4-mapped one; any other address as it is.
function methods:unmapped()
  if self.family == "unix" then return self end
  return core.convert_address(host_with_scope(self), self.port)
end

-- Once the part has loaded, a table is faster.
function addresses.__index(_, key) return methods[key] end

address_type.__index = methods

return addresses
