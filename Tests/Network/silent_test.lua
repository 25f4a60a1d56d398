-- Remotes that never answer: their packets are dropped.
local check = require "check"
local test, test6, equal, between = check.test, check.test6, check.equal, check.between

local good = check.echo "10.77.0.2"

test("a silent remote delays a good one by one attempt_delay", function()
  local sock, report =
    check.connect(check.list("10.78.1.1:9", good), { order = "given", timeout = 5 })
  equal(sock:remote_address(), good, "remote")
  equal(sock:local_address().host, "10.77.0.1", "local")
  equal(check.outcome(report, "10.78.1.1"), "superseded", "outcome")
  between(report.elapsed, 0.15, 0.9, "elapsed")
end)

test("twenty silent remotes before a good one delay it by half a second", function()
  local list = check.list()
  for i = 1, 20 do list:add(("10.78.1.%d:9"):format(i)) end
  list:add(good)
  local sock, report = check.connect(list, { order = "given", local_addresses = false })
  equal(sock:remote_address(), good, "remote")
  between(report.elapsed, 0.44, 2, "elapsed")
end)

test("W09 the deadline is strict if nothing answers", function()
  for _, timeout in ipairs { 0.05, 0.4, 1.3 } do
    local code, report =
      check.fail(check.list("10.78.1.1:9", "10.78.1.2:9"), { timeout = timeout })
    equal(code, "ETIMEDOUT", "code")
    equal(report.deadline, true, "deadline")
    between(report.elapsed, timeout, timeout + 0.25, "elapsed")
  end
end)

test("the report counts SYNs that were sent again", function()
  local _, report =
    check.fail(check.list "10.78.1.1:9", { timeout = 1.3, local_addresses = false })
  local outcome, code, attempt = check.outcome(report, "10.78.1.1")
  equal(outcome, "timed_out", "outcome")
  equal(code, "ETIMEDOUT", "code")
  equal(attempt.resent, 1, "resent")
end)

test6("if IPv6 is broken, IPv4 wins after one attempt_delay", function()
  local list = check.list("[2001:db8:78::9]:9", good)
  local sock, report = check.connect(list, { timeout = 5 })
  equal(sock:remote_address(), good, "remote")
  between(report.elapsed, 0, 0.9, "elapsed")
end)

test6("if both families work, IPv6 is tried first", function()
  local six = check.echo "2001:db8:77::2"
  local sock, report = check.connect(check.list(good, six), { attempt_delay = check.long })
  equal(sock:remote_address(), six, "remote")
  equal(check.started(report), 1, "attempts")
end)

test("the remote that connected is tried first by the next connect", function()
  local list = check.list("10.78.1.1:9", good)
  local _, report = check.connect(list)
  equal(check.started(report) > 1, true, "the silent remote is first at the first connect")
  _, report = check.connect(list, { attempt_delay = check.long })
  equal(check.started(report), 1, "attempts")
end)

check.done()
