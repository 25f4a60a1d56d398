-- Two local addresses. The route chooses the first, to which the server's replies are dropped.
local net = require "connectbylist"
local check = require "check"
local test, equal, between = check.test, check.equal, check.between

local target = check.echo "10.79.0.2"

test("another local address is tried, and connects", function()
  local sock, report = check.connect(check.list(target), { timeout = 5 })
  assert(sock:local_address().host ~= "10.79.0.1", "the source without replies")
  -- Twice the 30 ms that a neighbour on a LAN has to answer.
  between(report.elapsed, 0.06, 0.9, "elapsed")
  equal(report.attempts[1].local_address.host, "10.79.0.1", "first local")
  equal(report.attempts[1].outcome, "superseded", "first outcome")
end)

test("another of the named local addresses is tried, and connects", function()
  local sock, report = check.connect(
    check.list(target), { timeout = 5, local_addresses = { "10.79.0.7", "10.79.0.1" } })
  equal(sock:local_address().host, "10.79.0.7", "local")
  equal(report.attempts[1].local_address.host, "10.79.0.1", "the route's source is first")
end)

test("with local_addresses = false only the route's source is tried", function()
  local code, report =
    check.fail(check.list(target), { timeout = 0.4, local_addresses = false })
  equal(code, "ETIMEDOUT", "code")
  equal(check.started(report), 1, "attempts")
end)

test("a named local address is bound", function()
  local sock, report = check.connect(
    check.list(target), { local_addresses = { "10.79.0.7" }, attempt_delay = check.long })
  equal(sock:local_address().host, "10.79.0.7", "local")
  equal(check.started(report), 1, "attempts")
end)

test("a local address that this machine does not have fails with EADDRNOTAVAIL", function()
  local code, report = check.fail(check.list(target), { local_addresses = { "203.0.113.5" } })
  equal(code, "EADDRNOTAVAIL", "code")
  between(report.elapsed, 0, check.soon, "elapsed")
end)

test("the route of a marked socket is that of its mark", function()
  local sock, report =
    check.connect(check.list(target), { attempt_delay = check.long, socket = { mark = 7 } })
  equal(sock:local_address().host, "10.79.0.7", "local")
  equal(check.started(report), 1, "attempts")
  -- The plan knows the source, so it is not among the alternate ones.
  local _, lost = check.fail(check.list "10.79.0.99:9", { timeout = 0.4, socket = { mark = 7 } })
  equal(lost.attempts[1].local_address.host, "10.79.0.7", "first local")
  equal(lost.attempts[2].local_address.host ~= "10.79.0.7", true, "the second is another")
end)

test("after three silent remotes the next attempt uses another source", function()
  local list = check.list()
  for last = 2, 6 do list:add(check.echo("10.79.0." .. last)) end
  local sock, report =
    check.connect(list, { order = "given", pace = "steady", attempt_delay = 0.2 })
  assert(sock:local_address().host ~= "10.79.0.1", "the source without replies")
  equal(check.started(report), 4, "attempts: the fourth is from the other source")
end)

test("the sequential pace tries another source after an attempt_timeout", function()
  local sock, report =
    check.connect(check.list(target), { pace = "sequential", attempt_timeout = 0.1 })
  assert(sock:local_address().host ~= "10.79.0.1", "the source without replies")
  equal(report.attempts[1].outcome, "timed_out", "first outcome")
end)

test("the interface option restricts the connection to that link", function()
  local good = check.echo "10.77.0.2"
  check.connect(check.list(good), { interface = "works" })
  equal(check.fail(check.list(good), { interface = "hole", timeout = 0.3 }), "ETIMEDOUT", "code")
end)

test("local_addresses returns the addresses of the links", function()
  local found = {}
  for _, item in ipairs(net.local_addresses()) do found[item.address.host] = item end
  for _, host in ipairs { "10.77.0.1", "10.79.0.1", "10.79.0.7", "127.0.0.1" } do
    assert(found[host], host .. " is missing")
  end
  equal(found["10.79.0.7"].prefix, 24, "prefix")
end)

check.done()
