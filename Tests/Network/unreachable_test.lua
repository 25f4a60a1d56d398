-- What the kernel refuses, at once or by an ICMP error.
local check = require "check"
local test, test6, equal, between = check.test, check.test6, check.equal, check.between

local here = check.echo "10.77.0.2"

test("W12: no route is ENETUNREACH, and costs no time", function()
  local code, report = check.fail(check.list "198.51.100.1:9")
  equal(code, "ENETUNREACH", "code")
  equal(check.outcome(report, "198.51.100.1"), "unreachable", "outcome")
  between(report.elapsed, 0, check.soon, "elapsed")
end)

test("an unreachable route is EHOSTUNREACH, a prohibited one EACCES", function()
  local code, report = check.fail(check.list "10.81.0.1:9")
  equal(code, "EHOSTUNREACH", "code")
  equal(check.outcome(report, "10.81.0.1"), "unreachable", "outcome")
  between(report.elapsed, 0, check.soon, "elapsed")
  equal(check.fail(check.list "10.82.0.1:9"), "EACCES", "code")
end)

test6("IPv6 says the same", function()
  equal(check.fail(check.list "[2001:db8:ffff::1]:9"), "ENETUNREACH", "code")
  equal(check.fail(check.list "[2001:db8:81::1]:9"), "EHOSTUNREACH", "code")
end)

test("a hundred places without a route cost a good one no time", function()
  local list = check.list()
  for i = 1, 100 do list:add(("198.51.100.%d:9"):format(i)) end
  list:add(here)
  for _, order in ipairs { "given", "likely" } do
    list:forget()
    local sock, report = check.connect(list, { order = order, attempt_delay = check.long })
    equal(sock:remote_address(), here, "remote")
    between(report.elapsed, 0, check.soon, "elapsed, order " .. order)
  end
end)

test("an ICMP error from a router ends an attempt and starts the next at once", function()
  local sock, report = check.connect(
    check.list("10.80.0.1:9", here), { order = "given", attempt_delay = check.long })
  equal(sock:remote_address(), here, "remote")
  local outcome, code = check.outcome(report, "10.80.0.1")
  equal(outcome, "unreachable", "outcome")
  equal(code, "EHOSTUNREACH", "code")
  between(report.elapsed, 0, check.soon, "elapsed")
end)

test("a neighbour that is not there is EHOSTUNREACH when the kernel gives up asking", function()
  local code, report =
    check.fail(check.list "10.77.0.99:9", { timeout = 20, local_addresses = false })
  equal(code, "EHOSTUNREACH", "code")
  equal(report.deadline, false, "deadline")
  between(report.elapsed, 0.5, 20, "elapsed")
end)

check.done()
