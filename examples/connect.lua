-- Connects a dual-stack socket to one address of a list, and prints both ends of the connection.
-- Needs no network: its endpoints are on loopback, in this process.
--
--   swift run connectbylist examples/connect.lua
--   lua5.4 examples/connect.lua             (with the module installed)
--
-- It prints, with other ports:
--
--   local   [::ffff:127.0.0.1]:39548
--   remote  [::ffff:127.0.0.1]:55167
--   said    hello, whoever you are

local net = require "connectbylist"
local testing = require "connectbylist.testing"

local stopped <close> = testing.refused()
local service <close> = testing.echo()

-- 1. One socket for both families. An IPv4 address is v4-mapped on it.
local sock <close> = assert(net.socket "inet6")

-- 2. The destinations, and a deadline for everything. On success, `sock` is the connection.
local list = net.address_list { stopped:address(), service:address() }
local connected, message, code, report = net.connect_by_list(sock, list, { timeout = 2 })
if not connected then
  io.stderr:write(message, " (", code, ")\n", tostring(report), "\n")
  os.exit(1)
end

-- 3. The local and the remote address of the connection.
print("local   " .. sock:local_address())
print("remote  " .. sock:remote_address())

sock:settimeout(1)
sock:write("hello, whoever you are\n")
print("said    " .. sock:read("l"))
