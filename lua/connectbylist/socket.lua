--- Sockets: their methods. Reading and writing are the core's.
local api = ...
local core = api.core

local sockets = { type = core.types.socket }

local socket = core.methods "socket"

--- net.connect_by_list with a socket.
sockets.connect_by_list = socket.connect_by_list

-- Only the parts call these.
socket.connect_by_list, socket.connected_address, socket.await = nil, nil, nil
socket.is_open, socket.stats, socket.unread = nil, nil, nil

api.defer(socket, "socket_methods", { "bind", "detach", "getfamily" })
api.defer(sockets.type, "socket_methods", { "__tostring" })

--- LuaSocket's methods, with its results; see connectbylist.luasocket.
api.defer(socket, "dialect", { "send", "receive", "getpeername", "getsockname", "getstats", "setstats" })
socket.class = "tcp{client}"

sockets.type.__index = socket

return sockets
