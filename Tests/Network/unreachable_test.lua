-- Remotes that the kernel reports as unreachable, at once or after an ICMP error.
local check = require "check"
local test, test6, equal, between = check.test, check.test6, check.equal, check.between

local good = check.echo "10.77.0.2"

test("W12 a remote without a route fails at once with ENETUNREACH", function()
  local code, report = check.fail(check.list "198.51.100.1:9")
  equal(code, "ENETUNREACH", "code")
  equal(check.outcome(report, "198.51.100.1"), "unreachable", "outcome")
  between(report.elapsed, 0, check.soon, "elapsed")
end)

test("a route of type unreachable is EHOSTUNREACH, one of type prohibit EACCES", function()
  local code, report = check.fail(check.list "10.81.0.1:9")
  equal(code, "EHOSTUNREACH", "code")
  equal(check.outcome(report, "10.81.0.1"), "unreachable", "outcome")
  between(report.elapsed, 0, check.soon, "elapsed")
  equal(check.fail(check.list "10.82.0.1:9"), "EACCES", "code")
end)

test6("IPv6 gives the same codes", function()
  equal(check.fail(check.list "[2001:db8:ffff::1]:9"), "ENETUNREACH", "code")
  equal(check.fail(check.list "[2001:db8:81::1]:9"), "EHOSTUNREACH", "code")
end)

test("a hundred remotes without a route do not delay a good one", function()
  local list = check.list()
  for i = 1, 100 do list:add(("198.51.100.%d:9"):format(i)) end
  list:add(good)
  for _, order in ipairs { "given", "likely" } do
    list:forget()
    local sock, report = check.connect(list, { order = order, attempt_delay = check.long })
    equal(sock:remote_address(), good, "remote")
    between(report.elapsed, 0, check.soon, "elapsed, order " .. order)
  end
end)

test("an ICMP error from a router ends an attempt and starts the next at once", function()
  local sock, report = check.connect(
    check.list("10.80.0.1:9", good), { order = "given", attempt_delay = check.long })
  equal(sock:remote_address(), good, "remote")
  local outcome, code = check.outcome(report, "10.80.0.1")
  equal(outcome, "unreachable", "outcome")
  equal(code, "EHOSTUNREACH", "code")
  between(report.elapsed, 0, check.soon, "elapsed")
end)

test("a missing neighbour is EHOSTUNREACH when the kernel gives up its ARP requests", function()
  local code, report =
    check.fail(check.list "10.77.0.99:9", { timeout = 20, local_addresses = false })
  equal(code, "EHOSTUNREACH", "code")
  equal(report.deadline, false, "deadline")
  between(report.elapsed, 0.5, 20, "elapsed")
end)

check.done()
