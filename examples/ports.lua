-- A table of ports: which of them are open, with progress while it is made and what the services say.
-- Needs no network: the ports are endpoints on loopback, in this process.
--
--   swift run connectbylist examples/ports.lua
--   lua5.4 examples/ports.lua               (with the module installed)
--
-- It prints, with other ports and times:
--
--   127.0.0.1:34089  open         0.1 ms  SSH-2.0-example
--   127.0.0.1:35181  refused      0.1 ms
--   127.0.0.1:37583  timed out  200.1 ms
--   127.0.0.1:40167  open         0.1 ms
--   127.0.0.1:41093  refused      0.1 ms
--
-- and on standard error, in one line that changes: "5 of 5 ports".
--
-- From a shell, `connectbylist --probe` prints such a table.

local net = require "connectbylist"
local testing = require "connectbylist.testing"

-- One that greets, two that are closed, one behind a firewall, and one that waits for a request.
local ssh <close> = testing.script { testing.steps.send "SSH-2.0-example\r\n" }
local closed <close> = testing.refused()
local filtered <close> = testing.silent()
local web <close> = testing.accepting()
local stopped <close> = testing.refused()
local list = net.address_list { ssh, closed, filtered, web, stopped }

-- 1. A race in which no peer is the one wanted tries them all: the check looks at each, and rejects it.
local greetings = {}
local function look(sock)
  local entry = tostring(sock:remote_address())
  greetings[entry] = sock:settimeout(0.1):read("c") or ""
  return false
end

-- 2. The race as it happens: an attempt starts, may be connected, and ends with another event.
local started, answered, done = {}, {}, 0
local function note(event)
  local entry = tostring(event.remote_address)
  if event.event == "start" then
    started[entry] = event.time
  elseif event.event == "lost" then
    io.stderr:write("\n")
  else
    answered[entry] = answered[entry] or event.time
    if event.event == "connected" then return end
    done = done + 1
    io.stderr:write(("\r%d of %d ports"):format(done, #list))
  end
end

-- 3. All at once, at most 64 in flight; one that is silent ends after 0.2 s.
local _, _, _, report = net.connect_by_list(list, {
  pace = "parallel",
  order = "given",
  local_addresses = false,
  attempt_timeout = 0.2,
  validate = look,
  on_event = note,
})

-- 4. The report has a row for each port.
local WORDS = { rejected = "open", timed_out = "timed out" }
local attempts = report:table().attempts
table.sort(attempts, function(a, b) return a.entry < b.entry end)
for _, attempt in ipairs(attempts) do
  local entry = tostring(attempt.remote_address)
  local line = ("%-15s  %-9s  %5.1f ms  %s"):format(entry, WORDS[attempt.outcome] or attempt.outcome,
    (answered[entry] - started[entry]) * 1000, greetings[entry] or "")
  print((line:gsub(" +$", "")))
end
