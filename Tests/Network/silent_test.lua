-- Packets that vanish.
local check = require "check"
local test, test6, equal, between = check.test, check.test6, check.equal, check.between

local good = check.echo "10.77.0.2"

test("a blackholed remote costs a good one the delay and no more", function()
  local sock, report =
    check.connect(check.list("10.78.1.1:9", good), { order = "given", timeout = 5 })
  equal(sock:remote_address(), good, "remote")
  equal(sock:local_address().host, "10.77.0.1", "local")
  equal(check.outcome(report, "10.78.1.1"), "superseded", "outcome")
  between(report.elapsed, 0.15, 0.9, "elapsed")
end)

test("twenty blackholed ones before a good one cost half a second", function()
  local list = check.list()
  for i = 1, 20 do list:add(("10.78.1.%d:9"):format(i)) end
  list:add(good)
  local sock, report = check.connect(list, { order = "given", local_addresses = false })
  equal(sock:remote_address(), good, "remote")
  between(report.elapsed, 0.44, 2, "elapsed")
end)

test("W09: the deadline is strict where nothing answers", function()
  for _, timeout in ipairs { 0.05, 0.4, 1.3 } do
    local code, report =
      check.fail(check.list("10.78.1.1:9", "10.78.1.2:9"), { timeout = timeout })
    equal(code, "ETIMEDOUT", "code")
    equal(report.deadline, true, "deadline")
    between(report.elapsed, timeout, timeout + 0.25, "elapsed")
  end
end)

test("a SYN that was sent again is told", function()
  local _, report =
    check.fail(check.list "10.78.1.1:9", { timeout = 1.3, local_addresses = false })
  local outcome, code, attempt = check.outcome(report, "10.78.1.1")
  equal(outcome, "timed_out", "outcome")
  equal(code, "ETIMEDOUT", "code")
  equal(attempt.resent, 1, "resent")
end)

test6("where IPv6 is broken, IPv4 wins within the delay", function()
  local list = check.list("[2001:db8:78::9]:9", good)
  local sock, report = check.connect(list, { timeout = 5 })
  equal(sock:remote_address(), good, "remote")
  between(report.elapsed, 0, 0.9, "elapsed")
end)

test6("where both work, IPv6 is first", function()
  local six = check.echo "2001:db8:77::2"
  local sock, report = check.connect(check.list(good, six), { attempt_delay = check.long })
  equal(sock:remote_address(), six, "remote")
  equal(check.started(report), 1, "attempts")
end)

test("what worked is tried first the next time", function()
  local list = check.list("10.78.1.1:9", good)
  check.connect(list)
  local _, report = check.connect(list, { attempt_delay = check.long })
  equal(check.started(report), 1, "attempts")
end)

check.done()
