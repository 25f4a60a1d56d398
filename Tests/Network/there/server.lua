-- The other side: an echo at each of its addresses. Tells their ports, and ends with its input.
local testing = require "connectbylist.testing"

local hosts = { "10.77.0.2", "10.79.0.2", "10.79.0.3", "10.79.0.4", "10.79.0.5", "10.79.0.6" }
if arg[1] == "both" then
  hosts[#hosts + 1] = "2001:db8:77::2"
  hosts[#hosts + 1] = "fe80::2%works"
end

local peers, ports = {}, {}
for i, host in ipairs(hosts) do
  peers[i] = testing.echo(host)
  ports[i] = host .. "=" .. peers[i]:address().port
end
print(table.concat(ports, " "))
io.stdout:flush()
io.read "a"
