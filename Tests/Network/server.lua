-- The server namespace: an echo endpoint on each of its addresses. Prints their ports on one line, and
-- runs until its standard input ends.
local testing = require "connectbylist.testing"

local hosts = { "10.77.0.2", "10.79.0.2", "10.79.0.3", "10.79.0.4", "10.79.0.5", "10.79.0.6" }
for i = 2, #arg do hosts[#hosts + 1] = arg[i] end
if arg[1] == "both" then
  hosts[#hosts + 1] = "2001:db8:77::2"
  hosts[#hosts + 1] = "fe80::2%works"
end

-- `endpoints` keeps them from being collected.
local endpoints, ports = {}, {}
for i, host in ipairs(hosts) do
  endpoints[i] = testing.echo(host)
  ports[i] = host .. "=" .. endpoints[i]:address().port
end
print(table.concat(ports, " "))
io.stdout:flush()
io.read "a"
