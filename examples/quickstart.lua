-- Connects to the one of five addresses that answers, and prints the race.
-- Needs no network: its endpoints are on loopback, in this process.
--
--   swift run connectbylist examples/quickstart.lua
--   lua5.4 examples/quickstart.lua          (with the module installed)

local net = require "connectbylist"
local testing = require "connectbylist.testing"

-- Five endpoints: three are silent, one refuses, one is an echo server.
local lost <close> = testing.silent()
local down <close> = testing.silent()
local gone <close> = testing.silent()
local stopped <close> = testing.refused()
local service <close> = testing.echo()

-- 1. The list, in any order, and a deadline for everything.
local list = net.address_list()
for _, endpoint in ipairs { lost, stopped, down, gone, service } do list:add(endpoint:address()) end

-- 2. One call, which races all pairs of a local and a remote address, the likeliest first.
local sock <close>, message, code, report = net.connect_by_list(list, { timeout = 2 })
if not sock then
  io.stderr:write(message, " (", code, ")\n", tostring(report), "\n")
  os.exit(1)
end

print("Connected")
print("  from  " .. sock:local_address())
print("  to    " .. sock:remote_address())

-- 3. The socket reads and writes like a file of io.
sock:settimeout(1)
sock:write("hello, whoever you are\n")
print("  said  " .. sock:read("l"))

-- 4. The winner with its reasons, and the outcome of the pairs that were tried before it.
report = sock:report()
local winner = report.attempts[report.winner]
print()
print(("Pair #%d won after %.0f ms, because:"):format(winner.rank, report.elapsed * 1000))
for _, attempt in ipairs(report.attempts) do
  if attempt.rank < winner.rank then
    print(("  #%d %s was %s"):format(attempt.rank, attempt.remote_address,
      attempt.outcome == "superseded" and "silent" or attempt.outcome))
  end
end
print(("  #%d %s answered %.1f ms after its start"):format(winner.rank, winner.remote_address,
  (winner.ended - winner.started) * 1000))
print("  its place in the plan: " .. table.concat(winner.reasons, "; "))

print()
print("The race")
print(report)
