--- Connects to whichever of several addresses answers best.
-- The public face of the module: it opens `connectbylist.core` (Swift and C) and adds policy. What is
-- not needed by every script loads on first use from `connectbylist/*.lua`.
local core = require "connectbylist.core"

local types = core.types
local list_type, socket_type = types["address list"], types["socket"]
local list_core, socket = list_type.__index, socket_type.__index

local net = { version = "0.1.0" }

-- Addresses: plain values with the fields host, port, family, scope.

local address = {}
local address_type = { __name = "address", __index = address }

local function make_address(host, port, family, scope)
  if not host then return host, port, family end
  return setmetatable({ host = host, port = port, family = family, scope = scope }, address_type)
end

local function host_of(self)
  return self.scope and self.host .. "%" .. self.scope or self.host
end

function address_type:__tostring() return core.address_text(host_of(self), self.port) end

function address_type.__concat(a, b) return tostring(a) .. tostring(b) end

function address_type.__eq(a, b)
  return a.host == b.host and a.port == b.port and a.scope == b.scope and a.family == b.family
end

--- The v4-mapped IPv6 form (::ffff:a.b.c.d); an IPv6 address as it is.
function address:mapped() return make_address(core.convert_address(host_of(self), self.port, true)) end

--- The IPv4 address inside a v4-mapped one; any other as it is.
function address:unmapped() return make_address(core.convert_address(host_of(self), self.port)) end

--- An address from a literal with its port, or from a host and a port.
function net.address(host, port) return make_address(core.parse_address(host, port)) end

-- Lists.

local list = {}

--- Adds one entry: text, an address, or a table with a host and a port.
-- Returns the list, or `nil, message, "EINVAL"` with the list as before.
function list:add(entry, port)
  if type(entry) ~= "table" then return list_core.add(self, entry, port) end
  -- The field names of an address, of luv's and luaposix's resolvers, and of LuaSocket's.
  local host = entry.host or entry.addr or entry.ip
  if type(host) ~= "string" then
    return nil, "entry: a table without a host", "EINVAL"
  end
  if entry.scope then host = host .. "%" .. entry.scope end
  return list_core.add(self, host, entry.port or port)
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
  if math.type(key) == "integer" then return make_address(list_core.get(self, key)) end
  return list[key]
end

function list_type:__tostring()
  local texts = {}
  for i = 1, math.min(#self, 20) do texts[i] = tostring(self[i]) end
  if #self > #texts then texts[#texts + 1] = ("… (%d in all)"):format(#self) end
  return "address list: " .. table.concat(texts, ", ")
end

--- Fills a list; nil, message and code where an entry is malformed.
local function fill(entries, default_port)
  local made = core.address_list(default_port)
  if type(entries) == "string" then entries = { entries } end
  for i = 1, #entries do
    local ok, message, code = list.add(made, entries[i])
    if not ok then return nil, ("entry %d: %s"):format(i, message), code end
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
  return fill(entries or {}, default_port)
end

-- Connecting.

-- Address objects among the local addresses go as text: the border reads plain values only.
local function plain(options)
  local locals = options.local_addresses
  if type(locals) ~= "table" then return options end
  local texts, copy = {}, {}
  for i, item in ipairs(locals) do
    texts[i] = getmetatable(item) == address_type and tostring(item) or item
  end
  for key, value in pairs(options) do copy[key] = value end
  copy.local_addresses = texts
  return copy
end

--- A connected socket, or `nil, message, code, report`.
function net.connect_by_list(addresses, options)
  if type(addresses) == "table" or type(addresses) == "string" then
    local made, message, code = fill(addresses)
    if not made then
      return nil, "connect_by_list: " .. message, code, core.failed_report(code)
    end
    addresses = made
  end
  if type(options) == "table" then options = plain(options) end
  return core.connect_by_list(addresses, options)
end

--- The plan, without sending a packet: an array of {rank, local_address, remote_address, chance,
-- reasons}; `tostring` prints a table.
function net.explain(addresses, options)
  if type(addresses) == "table" or type(addresses) == "string" then
    local made, message, code = fill(addresses)
    if not made then return nil, "explain: " .. message, code end
    addresses = made
  end
  if type(options) == "table" then options = plain(options) end
  local rows, message, code = core.explain(addresses, options)
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

-- Sockets: reading and writing is in the core.

local core_local, core_remote = socket.local_address, socket.remote_address

function socket:local_address() return make_address(core_local(self)) end

function socket:remote_address() return make_address(core_remote(self)) end

socket.connected = socket.is_open
socket.is_open = nil

function socket:getfamily()
  local remote, message, code = self:remote_address()
  if not remote then return nil, message, code end
  return remote.family
end

function socket_type:__tostring()
  if not socket.connected(self) then return "tcp{client}: closed" end
  return ("tcp{client}: %s -> %s"):format(self:local_address(), self:remote_address())
end

-- Reports: their face loads when one is looked at.

local report_type = types["report"]
local report_core = report_type.__index

local function report_face()
  local face = require "connectbylist.report"
  face.install(report_type, report_core, address_type)
  return report_type
end

function report_type:__index(key) return report_face().__index(self, key) end

function report_type:__tostring() return report_face().__tostring(self) end

return net
