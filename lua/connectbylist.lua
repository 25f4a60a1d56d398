--- Connects to whichever of several addresses answers best.
-- The public face of the module: it opens `connectbylist.core` (Swift and C) and adds policy. What
-- is not needed by every script loads on first use from `connectbylist/*.lua`.
local core = require "connectbylist.core"

-- What the core has is the state's and stays when this file is loaded again: nothing in its tables
-- of methods is changed, and the metatables are filled anew.
local types, methods = core.types, core.methods
local list_type, list_core = types["address list"], methods["address list"]
local socket_type, socket_core = types["socket"], methods["socket"]

local net = { version = "0.1.0" }

-- Addresses: plain values with the fields host, port, family, scope.

local address = {}
local address_type = { __name = "address", __index = address }

-- What a list has of a name that is to be resolved: host and port, which may be a service.
local name_type = { __name = "name" }

function name_type:__tostring()
  return (self.host:find ":" and "[%s]:%s" or "%s:%s"):format(self.host, self.port)
end

local function make_address(host, port, family, scope)
  if not host then return host, port, family end
  if not family then return setmetatable({ host = host, port = port }, name_type) end
  return setmetatable({ host = host, port = port, family = family, scope = scope }, address_type)
end

local function host_of(self)
  return self.scope and self.host .. "%" .. self.scope or self.host
end

function address_type:__tostring()
  return core.address_text(host_of(self), self.port, self.family == "unix")
end

function address_type.__concat(a, b) return tostring(a) .. tostring(b) end

function address_type.__eq(a, b)
  return a.host == b.host and a.port == b.port and a.scope == b.scope and a.family == b.family
end

--- The v4-mapped IPv6 form (::ffff:a.b.c.d); any but an IPv4 address as it is.
function address:mapped()
  if self.family == "unix" then return self end
  return make_address(core.convert_address(host_of(self), self.port, true))
end

--- The IPv4 address inside a v4-mapped one; any other as it is.
function address:unmapped()
  if self.family == "unix" then return self end
  return make_address(core.convert_address(host_of(self), self.port))
end

--- An address from a literal with its port, or from a host and a port.
function net.address(host, port) return make_address(core.address(host, port)) end

-- Lists.

local list = {}

-- Host and port of an entry that is a table; nil, and what is wrong with it.
local function parts_of(entry, port)
  -- The field names of an address, of luv's and luaposix's resolvers, and of LuaSocket's.
  local host, scope = entry.host or entry.addr or entry.ip, entry.scope
  if type(host) ~= "string" then return nil, "a table without a host" end
  if type(scope) == "string" or math.type(scope) == "integer" then
    host = host .. "%" .. scope
  elseif scope then
    return nil, "the scope is neither the name of an interface nor its number"
  end
  port = entry.port or port
  if type(port) == "number" then port = math.tointeger(port) or false end
  if port ~= nil and type(port) ~= "string" and type(port) ~= "number" then
    return nil, "the port is neither a whole number nor text"
  end
  return host, port
end

-- The path of an entry that is a Unix address; nil where it is none, and what is wrong with it.
-- Only the field `unix` and an address can say it: text from outside never means a path.
local function unix_path_of(entry)
  local path = entry.unix
  if path == nil then
    local is_address = getmetatable(entry) == address_type and entry.family == "unix"
    return is_address and entry.host or nil
  end
  if type(path) ~= "string" then return nil, "the Unix path is not a string" end
  if entry.host or entry.port then return nil, "a Unix address has no host and no port" end
  return path
end

--- Adds one entry: text, an address, or a table with a host and a port, or with a Unix path.
-- Returns the list, or `nil, message, "EINVAL"` with the list as before.
function list:add(entry, port)
  if type(entry) == "table" then
    local path, problem = unix_path_of(entry)
    if problem then return nil, problem, "EINVAL" end
    if path then return list_core.add(self, path, nil, true) end
    local host, own_port = parts_of(entry, port)
    if not host then return nil, own_port, "EINVAL" end
    entry, port = host, own_port
  end
  return list_core.add(self, entry, port)
end

--- Takes an entry out and returns it.
function list:remove(position) return make_address(list_core.remove(self, position)) end

list.clear = list_core.clear
list.forget = list_core.forget

--- How the endpoints did in earlier connects with this list: an array, in the list's order.
function list:history()
  local known = list_core.history(self)
  for _, item in ipairs(known) do setmetatable(item.address, address_type) end
  return known
end

function list_type:__len() return list_core.count(self) end

function list_type:__index(key)
  local position = type(key) == "number" and math.tointeger(key)
  if position then return make_address(list_core.get(self, position)) end
  return list[key]
end

function list_type:__tostring()
  local texts = {}
  for i = 1, math.min(#self, 20) do texts[i] = tostring(self[i]) end
  if #self > #texts then texts[#texts + 1] = ("… (%d in all)"):format(#self) end
  return "address list: " .. table.concat(texts, ", ")
end

--- Fills a list that was made for it; nil, message and code where an entry is malformed.
local function fill(made, entries)
  if type(entries) == "string" then entries = { entries } end
  for i = 1, #entries do
    local entry, ok, message = entries[i], nil, nil
    if type(entry) == "table" or type(entry) == "string" then
      ok, message = list.add(made, entry)
    else
      message = ("string or table expected, got %s"):format(type(entry))
    end
    if not ok then return nil, ("entry %d: %s"):format(i, message), "EINVAL" end
  end
  return made
end

--- A list of the addresses to try. `entries`: one text, or an array of what `list:add` takes.
-- An array with a malformed entry gives `nil, message, "EINVAL"`.
function net.address_list(entries, default_port)
  if entries ~= nil and type(entries) ~= "table" and type(entries) ~= "string" then
    error(("bad argument #1 to 'address_list' (table or string expected, got %s)")
      :format(type(entries)), 2)
  end
  return fill(core.address_list(nil, default_port), entries or {})
end

-- Connecting.

-- Address objects among the local addresses go as text: the border reads plain values only. A port
-- of 0 is the kernel's to choose and goes without.
local function plain(options)
  local locals = rawget(options, "local_addresses")
  if type(locals) ~= "table" then return options end
  local texts, copy = {}, {}
  for i, item in ipairs(locals) do
    if getmetatable(item) == address_type then
      item = item.port == 0 and host_of(item) or tostring(item)
    end
    texts[i] = item
  end
  for key, value in next, options do copy[key] = value end
  copy.local_addresses = texts
  return copy
end

-- The core's list for what a caller gave; nil, message and code where an entry is malformed.
local function listed(addresses, name)
  if type(addresses) ~= "table" and type(addresses) ~= "string" then return addresses end
  local made, message, code = fill(core.address_list(), addresses)
  if made then return made end
  return nil, name .. ": " .. message, code
end

local connect, connect_socket = core.connect_by_list, socket_core.connect_by_list
-- Looked up once: most connects do little else in Lua.
local getmetatable, type = getmetatable, type

-- A malformed entry is told as any connect that fails, with a report.
local function failed(message, code) return nil, message, code, core.failed_report(code) end

--- A connected socket, or `nil, message, code, report`. Where the first argument is a socket made by
-- `net.socket`, that socket is connected.
function net.connect_by_list(sock, addresses, options)
  if getmetatable(sock) ~= socket_type then sock, addresses, options = nil, sock, addresses end
  if getmetatable(addresses) ~= list_type then
    local message, code
    addresses, message, code = listed(addresses, "connect_by_list")
    if message then return failed(message, code) end
  end
  if options and type(options) == "table" then options = plain(options) end
  if sock then return connect_socket(sock, addresses, options) end
  return connect(addresses, options)
end

--- The same for one host name and a port or a service: `net.connect_by_name("db.test", "https")`.
function net.connect_by_name(host, service, options)
  local made = core.address_list()
  local ok, message, code = list_core.add(made, host, service)
  if not ok then return failed("connect_by_name: " .. message, code) end
  if type(options) == "table" then options = plain(options) end
  local sock, report
  sock, message, code, report = core.connect_by_list(made, options)
  if sock then return sock end
  return nil, message:gsub("^connect_by_list", "connect_by_name"), code, report
end

--- The plan, without sending a packet: an array of {rank, local_address, remote_address, chance,
-- reasons}; `tostring` prints a table. Names are not looked up for it.
function net.explain(addresses, options)
  local made, message, code = listed(addresses, "explain")
  if message then return nil, message, code end
  if type(options) == "table" then options = plain(options) end
  local rows
  rows, message, code = core.explain(made, options)
  if not rows then return nil, message, code end
  return require("connectbylist.report").explanation(rows, address_type)
end

--- This machine's addresses: an array of {address, prefix, interface, flags}.
function net.local_addresses()
  local found, message, code = core.local_addresses()
  if not found then return nil, message, code end
  for _, item in ipairs(found) do setmetatable(item.address, address_type) end
  return found
end

--- A socket object that owns a connected descriptor.
net.wrap = core.wrap

--- A stream socket that is neither bound nor connected: "inet6" (the default; it takes IPv4 too),
-- "inet" or "unix". Set its options, then give it to `connect_by_list`.
net.socket = core.socket

-- Sockets: reading and writing is in the core.

local socket = {}
for name, method in pairs(socket_core) do socket[name] = method end
socket.unread, socket.connect_by_list, socket.is_open = nil, nil, nil

function socket:local_address() return make_address(socket_core.local_address(self)) end

function socket:remote_address() return make_address(socket_core.remote_address(self)) end

--- The descriptor, and the duty to close it. With `true` the bytes that came and were not read are
-- a second value; without it they are a reason to refuse (EBUSY).
function socket:detach(takes_rest)
  -- The text is made first: if there is no memory for it, the descriptor is still the socket's.
  local rest = takes_rest and socket_core.unread(self) or nil
  local fd, message, code = socket_core.detach(self, takes_rest and true)
  if not fd then return nil, message, code end
  return fd, rest
end

function socket:getfamily()
  local own, message, code = self:local_address()
  if not own then return nil, message, code end
  return own.family
end

--- Gives a socket that is not connected the address, and the port unless it is 0, to connect from.
-- Takes an address, or a host and a port.
function socket:bind(host, port)
  if type(host) == "table" then host, port = host_of(host), host.port end
  return socket_core.bind(self, host, port)
end

socket_type.__index = socket

function socket_type:__tostring()
  if not socket_core.is_open(self) then return "tcp{client}: closed" end
  if not socket.connected(self) then return "tcp{client}: not connected" end
  return ("tcp{client}: %s -> %s"):format(self:local_address(), self:remote_address())
end

-- Reports: their face loads when one is looked at.

local report_type, report_core = types["report"], methods["report"]

local function report_face()
  local face = require "connectbylist.report"
  face.install(report_type, report_core, address_type)
  return report_type
end

function report_type:__index(key) return report_face().__index(self, key) end

function report_type:__tostring() return report_face().__tostring(self) end

return net
