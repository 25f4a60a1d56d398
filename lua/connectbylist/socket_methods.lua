--- Methods of sockets that most scripts never call: `bind`, `detach`, `getfamily` and the text.
local api = ...
local core, host_with_scope = api.core, api.part "address".host_with_scope
local format, type = string.format, type

local methods = {}

local socket = core.methods "socket"
local bind, detach, unread = socket.bind, socket.detach, socket.unread
local is_open, connected = socket.is_open, socket.connected

--- Binds a socket that is not connected to an address, or to a host and a port. The kernel chooses the
-- port if it is 0.
function methods:bind(host, port)
  if type(host) == "table" then host, port = host_with_scope(host), host.port end
  return bind(self, host, port)
end

--- Returns the descriptor, which the caller has to close from now on. With `true` the unread bytes are
-- the second result; without it, unread bytes make it fail with EBUSY.
function methods:detach(takes_rest)
  -- The text is made first: if there is no memory for it, the socket keeps the descriptor.
  local rest = takes_rest and unread(self) or nil
  local fd, message, code = detach(self, takes_rest and true)
  if not fd then return nil, message, code end
  return fd, rest
end

function methods:getfamily()
  local address, message, code = self:local_address()
  if not address then return nil, message, code end
  return address.family
end

function methods:__tostring()
  if not is_open(self) then return "tcp{client}: closed" end
  if not connected(self) then return "tcp{client}: not connected" end
  return format("tcp{client}: %s -> %s", self:local_address(), self:remote_address())
end

return methods
