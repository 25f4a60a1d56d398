--- The endpoints of scenarios.lua, in a process of their own. Prints `name=address` of all, and runs until
-- its standard input ends.
local testing = require "connectbylist.testing"

local abstract = "@connectbylist-campaign-" .. tostring(testing):match "0x(%x+)"
local endpoints = {
  echo = testing.echo(), refused = testing.refused(), silent = testing.silent(), silent2 = testing.silent(),
  slow = testing.slow(0.01), unix = testing.echo { unix = abstract },
}
local has_inet6, echo6 = pcall(testing.echo, "::1")
endpoints.echo6 = has_inet6 and echo6 or nil
local texts = { not has_inet6 and "echo6=[::1]:9" or nil }
for name, endpoint in pairs(endpoints) do
  texts[#texts + 1] = name .. "=" .. (name == "unix" and abstract or tostring(endpoint:address()))
end
print(table.concat(texts, " "))
io.stdout:flush()
io.read "a"
