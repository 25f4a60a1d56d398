--- Sockets: their addresses, `bind`, `detach` and text. Reading and writing are the core's.
local api = ...
local core, host_with_scope = api.core, api.part "address".host_with_scope
local format, ipairs, type = string.format, ipairs, type

local sockets = { type = core.types.socket }

local socket = core.methods "socket"
local bind, detach, unread = socket.bind, socket.detach, socket.unread
local is_open, connected = socket.is_open, socket.connected

--- net.connect_by_list with a socket.
sockets.connect_by_list = socket.connect_by_list
socket.connect_by_list, socket.is_open, socket.unread, socket.connected_address = nil, nil, nil, nil

--- Binds a socket that is not connected to an address, or to a host and a port. The kernel chooses the
-- port if it is 0.
function socket:bind(host, port)
  if type(host) == "table" then host, port = host_with_scope(host), host.port end
  return bind(self, host, port)
end

--- Returns the descriptor, which the caller has to close from now on. With `true` the unread bytes are
-- the second result; without it, unread bytes make it fail with EBUSY.
function socket:detach(takes_rest)
  -- The text is made first: if there is no memory for it, the socket keeps the descriptor.
  local rest = takes_rest and unread(self) or nil
  local fd, message, code = detach(self, takes_rest and true)
  if not fd then return nil, message, code end
  return fd, rest
end

function socket:getfamily()
  local address, message, code = self:local_address()
  if not address then return nil, message, code end
  return address.family
end

--- LuaSocket's methods, with its results; see connectbylist.luasocket. Their part loads when one is called.
for _, name in ipairs { "send", "receive", "getpeername", "getsockname", "getstats", "setstats" } do
  socket[name] = function(...) return api.part "dialect"[name](...) end
end
socket.class = "tcp{client}"
socket.stats, socket.await = nil, nil

sockets.type.__index = socket

function sockets.type:__tostring()
  if not is_open(self) then return "tcp{client}: closed" end
  if not connected(self) then return "tcp{client}: not connected" end
  return format("tcp{client}: %s -> %s", self:local_address(), self:remote_address())
end

return sockets
