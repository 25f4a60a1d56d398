-- Fifty clients in one thread: their connects, writes and reads wait in luv's loop, beside a timer.
-- Needs no network: its endpoints are on loopback, in this process. Needs luv (lua-luv).
--
--   swift run connectbylist examples/luv.lua
--   lua5.4 examples/luv.lua                 (with the module installed)
--
-- It prints, with other times:
--
--   50 of 50 clients have an answer, and the timer has fired
--   0.13 s together; one after the other they would take 5.0 s
--
-- or, without luv:
--
--   luv is not installed

local found, uv = pcall(require, "luv")
if not found then
  print "luv is not installed"
  return
end

local net = require "connectbylist"
local testing = require "connectbylist.testing"

local COUNT, DELAY = 50, 0.1

-- A server that takes its time, and one that is down.
local stopped <close> = testing.refused()
local service <close> = testing.slow(DELAY)
local list = net.address_list { stopped, service }

-- 1. From here on everything that waits in a coroutine of this Lua state waits in luv's loop.
net.setwait(require "connectbylist.wait".luv)

-- 2. Each client is written as if it were alone.
local answered = 0
local function client(number)
  local sock <close> = assert(net.connect_by_list(list, { timeout = 5 }))
  sock:settimeout(5):write("client ", number, "\n")
  if sock:read("l") == "client " .. number then answered = answered + 1 end
end

-- 3. Each runs in a coroutine until it first waits; the loop goes on with them, and with all else in it.
local began = net.now()
for number = 1, COUNT do coroutine.wrap(client)(number) end
local timer, fired = uv.new_timer(), "has not fired"
timer:start(20, 0, function()
  fired = "has fired"
  timer:close()
end)
uv.run()
local elapsed = net.now() - began
net.setwait(nil)

print(("%d of %d clients have an answer, and the timer %s"):format(answered, COUNT, fired))
print(("%.2f s together; one after the other they would take %.1f s"):format(elapsed, COUNT * DELAY))
