-- Waits until the services that a program needs are up, each at one of its addresses, within one deadline.
-- Needs no network: its services are on loopback, in this process, and two are up after 0.1 and 0.2 s.
--
--   swift run connectbylist examples/wait.lua
--   lua5.4 examples/wait.lua                (with the module installed)
--
-- It prints, with other ports and times:
--
--   database: up after 0.12 s, 127.0.0.1:33641 in round 5
--   cache: up after 0.21 s, 127.0.0.1:40325 in round 4
--   mail: not up after 0.50 s: ECONNREFUSED
--
-- From a shell, `connectbylist --wait` does this and then runs a command.

local net = require "connectbylist"
local testing = require "connectbylist.testing"

-- Endpoints refuse until their time has come, as services do that are being started. The last stays down.
local database <close> = testing.echo { after = 0.1 }
local cache <close> = testing.echo { after = 0.2 }
local mail <close> = testing.refused()
local spare <close> = testing.refused()

-- 1. What is needed. One address of each is enough.
local services = {
  { name = "database", list = { spare, database } },
  { name = "cache", list = { cache } },
  { name = "mail", list = { mail } },
}

-- 2. One after the other takes no longer than the slowest: while one is waited for, the others start too.
-- With `retry` a list that has failed is tried again this long after its round began.
local began = net.now()
local deadline = began + 0.5
for _, service in ipairs(services) do
  local sock <close>, _, _, report = net.connect_by_list(service.list, {
    timeout = math.max(0, deadline - net.now()),
    retry = 0.03,
  })
  local elapsed = net.now() - began
  if sock then
    print(("%s: up after %.2f s, %s in round %d"):format(service.name, elapsed, sock:remote_address(),
      sock:report().rounds))
  else
    -- The code of the whole is ETIMEDOUT. Why it was not up is in the attempts.
    local last = report.attempts[#report.attempts]
    print(("%s: not up after %.2f s: %s"):format(service.name, elapsed, last.code))
  end
end
