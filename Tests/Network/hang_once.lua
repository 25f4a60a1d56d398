-- Abandons lookups that hang after 20 ms, and ends in one of several ways: dns_test.lua measures how long
-- that takes. With a second argument the names are this machine's.
local net = require "connectbylist"
local how, names = arg[1], arg[2]
local host = names and "localhost" or "e%d.4-drop.6-drop.test"
local list = net.address_list()
for i = 1, 10 do list:add(host:format(i), 9) end
if how == "resolve" then
  -- While a lookup of a coroutine that is never resumed is under way.
  local waiting = coroutine.wrap(function() net.resolve(host:format(0), 9, { wait = coroutine.yield }) end)
  waiting()
  os.exit(0, true)
end
if how == "fork" then
  -- A child that looks a name of its own up, while the parent's hang.
  local operation = net.start(list)
  operation:step()
  local child = io.popen "exit 0"
  child:close()
  os.exit(0, true)
end
net.connect_by_list(list, { timeout = 0.02 })
list = nil -- luacheck: ignore
collectgarbage()
if how ~= "nothing" then os.exit(0, how == "close") end
