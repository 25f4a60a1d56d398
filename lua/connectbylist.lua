--- Connects to whichever of several addresses answers best.
-- The public face of the module: it opens `connectbylist.core` (Swift and C) and adds policy. What is
-- not needed to connect, read and write loads on first use from `connectbylist/*.lua`: a file that
-- every script reads costs each of them its time.
local core = require "connectbylist.core"

-- What the core has is the state's and stays when this file is loaded again: the tables of methods
-- are new each time, and the metatables are filled anew.
local types, list, socket = core.types, core.methods "address list", core.methods "socket"
local list_type, socket_type = types["address list"], types.socket

-- What the face has in another form, or not at all.
local add, get = list.add, list.get
local connect_socket = socket.connect_by_list
local local_address, remote_address = socket.local_address, socket.remote_address
list_type.__len, list.count, list.get = list.count, nil, nil
socket.connect_by_list, socket.is_open, socket.unread = nil, nil, nil

-- Looked up once: most connects do little else in Lua.
local connect, getmetatable, setmetatable, type =
  core.connect_by_list, getmetatable, setmetatable, type

local net = {
  version = "0.1.0",
  --- A socket object that owns a connected descriptor.
  wrap = core.wrap,
  --- A stream socket that is neither bound nor connected: "inet6" (the default; it takes IPv4 too),
  -- "inet" or "unix". Set its options, then give it to `connect_by_list`.
  socket = core.socket,
}

local address = {}
local address_type = { __name = "address", __index = address }
-- What a list has of a name that is to be resolved: host and port, which may be a service.
local name_type = { __name = "name" }

-- What the other files need of this one.
local face = {
  core = core, net = net, list = list, socket = socket, address = address,
  address_type = address_type, name_type = name_type,
}

-- Puts a function in place of each of these names that fetches them all, and calls the one.
local function later(place, ...)
  for _, name in ipairs { ... } do
    place[name] = function(...)
      require "connectbylist.more" (face)
      return place[name](...)
    end
  end
end

later(face, "add_table", "failed", "with_plain_locals")
later(net, "address", "connect_by_name", "explain", "local_addresses")

-- Addresses: plain values with the fields host, port, family, scope.

local function make_address(host, port, family, scope)
  if not host then return host, port, family end
  if not family then return setmetatable({ host = host, port = port }, name_type) end
  return setmetatable({ host = host, port = port, family = family, scope = scope }, address_type)
end

face.make_address = make_address
later(address, "mapped", "unmapped")
later(address_type, "__tostring", "__concat", "__eq")
later(name_type, "__tostring")

-- Lists.

--- Adds one entry: text, an address, or a table with a host and a port, or with a Unix path.
-- Returns the list, or `nil, message, "EINVAL"` with the list as before.
function list:add(entry, port)
  if type(entry) == "table" then return face.add_table(self, entry, port) end
  return add(self, entry, port)
end

later(list, "remove", "history")

function list_type:__index(key)
  local position = type(key) == "number" and math.tointeger(key)
  if position then return make_address(get(self, position)) end
  return list[key]
end

later(list_type, "__tostring")

-- Fills a list that was made for it; nil, message and code where an entry is malformed.
local function fill(made, entries)
  if type(entries) == "string" then entries = { entries } end
  for i = 1, #entries do
    local entry = entries[i]
    local ok, message = (type(entry) == "string" and add or face.add_table)(made, entry)
    if not ok then return nil, ("entry %d: %s"):format(i, message), "EINVAL" end
  end
  return made
end

face.fill = fill

--- A list of the addresses to try. `entries`: one text, or an array of what `list:add` takes.
-- An array with a malformed entry gives `nil, message, "EINVAL"`.
function net.address_list(entries, default_port)
  local kind = type(entries)
  if entries ~= nil and kind ~= "table" and kind ~= "string" then
    error("bad argument #1 to 'address_list' (table or string expected, got " .. kind .. ")", 2)
  end
  return fill(core.address_list(nil, default_port), entries or {})
end

-- Connecting.

--- A connected socket, or `nil, message, code, report`. Where the first argument is a socket made by
-- `net.socket`, that socket is connected.
function net.connect_by_list(sock, entries, options)
  if getmetatable(sock) ~= socket_type then sock, entries, options = nil, sock, entries end
  local kind = type(entries)
  if kind == "table" or kind == "string" then
    local made, message = fill(core.address_list(), entries)
    if not made then return face.failed("connect_by_list: " .. message) end
    entries = made
  end
  if options and type(options) == "table" and rawget(options, "local_addresses") then
    options = face.with_plain_locals(options)
  end
  if sock then return connect_socket(sock, entries, options) end
  return connect(entries, options)
end

-- Sockets: reading and writing is in the core.

function socket:local_address() return make_address(local_address(self)) end

function socket:remote_address() return make_address(remote_address(self)) end

later(socket, "bind", "detach", "getfamily")
later(socket_type, "__tostring")
socket_type.__index = socket

later(types.report, "__index", "__tostring")

return net
