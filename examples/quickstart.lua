-- Connects to the one of five addresses that answers, and draws the race.
-- Needs no network: its endpoints are on loopback, in this process.
--
--   swift run connectbylist examples/quickstart.lua
--   lua5.4 examples/quickstart.lua          (with the module installed)
--
-- It prints, with other ports and times:
--
--   connected after 0.030 s: 5 pairs tried
--   from 127.0.0.1; attempt delay 10 ms (as given)
--                                0 ms      10         20        30
--     #1 127.0.0.1:57503   +0 ms ────────────────────────────────· lost the race
--     #2 127.0.0.1:51493  +10 ms            x                      refused, 0.1 ms
--     #3 127.0.0.1:43895  +10 ms            ─────────────────────· lost the race
--     #4 127.0.0.1:51179  +20 ms                      ───────────· lost the race
--     #5 127.0.0.1:43375  +31 ms                                 ● connected, 0.1 ms
--
--   Connected from 127.0.0.1:46168 to 127.0.0.1:43375
--   It said: hello, whoever you are
--   Pair #5 won after 31 ms: route's source; rule 10: the order is as given

local net = require "connectbylist"
local testing = require "connectbylist.testing"

-- Five endpoints: three are silent, one refuses, one is an echo server.
local lost <close> = testing.silent()
local stopped <close> = testing.refused()
local down <close> = testing.silent()
local gone <close> = testing.silent()
local service <close> = testing.echo()

-- 1. The list, in any order, with a deadline for everything. On loopback an answer takes less than a
-- millisecond: ten milliseconds of silence are enough for the next attempt to begin.
local list = net.address_list { lost, stopped, down, gone, service }
local options = { timeout = 2, attempt_delay = 0.01 }

-- 2. One call, which races all pairs of a local and a remote address, the likeliest first.
local sock <close>, message, code, report = net.connect_by_list(list, options)
if not sock then
  io.stderr:write(message, " (", code, ")\n", report:text { file = io.stderr }, "\n")
  os.exit(1)
end

-- 3. The race, drawn for this terminal. `report:svg()` is the same as a picture.
report = sock:report()
print(report:text { file = io.stdout })

-- 4. The socket reads and writes like a file of io.
sock:settimeout(1)
sock:write("hello, whoever you are\n")
print()
print("Connected from " .. sock:local_address() .. " to " .. sock:remote_address())
print("It said: " .. sock:read("l"))

-- 5. What the drawing shows is in the report as fields.
local winner = report.attempts[report.winner]
print(("Pair #%d won after %.0f ms: %s"):format(winner.rank, report.elapsed * 1000,
  table.concat(winner.reasons, "; ")))
