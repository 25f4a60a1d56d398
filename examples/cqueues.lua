-- Fifty clients in one thread: their connects, writes and reads wait in a cqueues controller.
-- Needs no network: its endpoints are on loopback, in this process. Needs cqueues (lua-cqueues).
--
--   swift run connectbylist examples/cqueues.lua
--   lua5.4 examples/cqueues.lua             (with the module installed)
--
-- It prints, with other times:
--
--   50 of 50 clients have an answer
--   0.13 s together; one after the other they would take 5.0 s
--
-- or, without cqueues:
--
--   cqueues is not installed

local found, cqueues = pcall(require, "cqueues")
if not found then
  print "cqueues is not installed"
  return
end

local net = require "connectbylist"
local testing = require "connectbylist.testing"

local COUNT, DELAY = 50, 0.1

-- A server that takes its time, and one that is down.
local stopped <close> = testing.refused()
local service <close> = testing.slow(DELAY)
local list = net.address_list { stopped, service }

-- 1. From here on everything that waits in this Lua state waits in cqueues.
net.setwait(require "connectbylist.wait".cqueues)

-- 2. Each client is written as if it were alone.
local answered = 0
local function client(number)
  local sock <close> = assert(net.connect_by_list(list, { timeout = 5 }))
  sock:settimeout(5):write("client ", number, "\n")
  if sock:read("l") == "client " .. number then answered = answered + 1 end
end

-- 3. The controller runs them.
local loop = cqueues.new()
for number = 1, COUNT do loop:wrap(client, number) end
local began = net.now()
assert(loop:loop())
local elapsed = net.now() - began
loop:close()
net.setwait(nil)

print(("%d of %d clients have an answer"):format(answered, COUNT))
print(("%.2f s together; one after the other they would take %.1f s"):format(elapsed, COUNT * DELAY))
