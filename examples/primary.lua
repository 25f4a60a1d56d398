-- Connects to the primary of three servers: a peer wins the race only if it says that it is the primary.
-- Needs no network: its endpoints are on loopback, in this process.
--
--   swift run connectbylist examples/primary.lua
--   lua5.4 examples/primary.lua             (with the module installed)
--
-- It prints, with another port:
--
--   start       entry 1
--   connected   entry 1
--   rejected    entry 1
--   start       entry 2
--   connected   entry 2
--   rejected    entry 2
--   start       entry 3
--   connected   entry 3
--   won         entry 3
--   The primary is 127.0.0.1:40833
--   It said: stored

local net = require "connectbylist"
local testing = require "connectbylist.testing"
local steps = testing.steps

-- A server that accepts and hangs, a replica, and the primary.
local hung <close> = testing.accepting()
local replica <close> = testing.script { steps.expect "ROLE\n", steps.send "replica\n" }
local primary <close> = testing.script {
  steps.expect "ROLE\n", steps.send "primary\n", steps.expect "SET x 1\n", steps.send "stored\n",
}
local list = net.address_list { hung, replica, primary }

-- 1. The check: it reads and writes on the candidate as on any socket. What it does not read stays. It is
-- bounded by the deadline of the connect; its own timeout gets to the next candidate sooner.
local function is_primary(sock)
  sock:settimeout(0.1)
  if not sock:write("ROLE\n") then return false end
  return sock:read("l") == "primary"
end

-- 2. One attempt after the other, in the order of the list, so that the output is always the same; without
-- `order` and `pace` the likeliest goes first, and handshakes overlap.
local entries = {}
for i, address in ipairs(list) do entries[tostring(address)] = i end
local sock <close>, message, code, report = net.connect_by_list(list, {
  timeout = 2,
  order = "given",
  pace = "sequential",
  validate = is_primary,
  on_event = function(event)
    print(("%-11s entry %d"):format(event.event, entries[tostring(event.remote_address)]))
  end,
})
if not sock then
  io.stderr:write(message, " (", code, ")\n", report:text { file = io.stderr }, "\n")
  os.exit(1)
end

-- 3. The socket is the connection that was checked.
print("The primary is " .. sock:remote_address())
sock:settimeout(1)
sock:write("SET x 1\n")
print("It said: " .. sock:read("l"))
