-- The peers of allocations.lua, in a process of their own: a forked child has no threads. Writes their addresses.
local testing = require "connectbylist.testing"

local endpoints = {
  echo = testing.echo(),
  echo6 = testing.echo { address = "::1" },
  refused = testing.refused(),
  silent = testing.silent(),
  unix = testing.echo { unix = "@" .. arg[1] },
}
for name, endpoint in pairs(endpoints) do
  local address = endpoint:address()
  local text = address.family == "unix" and address.host or tostring(address)
  io.stdout:write(name, " ", text, "\n")
end
io.stdout:write("ready\n")
io.stdout:flush()
io.stdin:read("a")
