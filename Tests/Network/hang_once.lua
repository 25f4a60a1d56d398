-- Abandons lookups that hang after 20 ms, and ends in one of several ways: dns_test.lua measures how
-- long that takes.
local net = require "connectbylist"
local how, names = arg[1], arg[2]
local list = net.address_list()
for i = 1, 10 do list:add(names and "localhost" or ("e%d.4-drop.6-drop.test"):format(i), 9) end
net.connect_by_list(list, { timeout = 0.02 })
list = nil -- luacheck: ignore
collectgarbage()
if how ~= "nothing" then os.exit(0, how == "close") end
