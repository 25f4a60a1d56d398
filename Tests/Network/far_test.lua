-- A network with round trips, seen from a machine with three addresses. Of 10.90.D.H the round trip is D ms;
-- H >= 100 does not answer the route's own source (10.90.0.1), H >= 200 does not answer at all.
local check = require "check"
local far = require "far"
local test, equal, between = check.test, check.equal, check.between

test("the second connect of a list begins with the source that worked", function()
  local list = check.list(check.echo "10.90.30.101")
  local sock = check.connect(list, { timeout = 5 })
  local good = sock:local_address().host
  assert(good ~= "10.90.0.1", "the route's source is not answered")
  sock:close()
  local syns, report = far.syns(function()
    local second, report = check.connect(list, { timeout = 5 })
    equal(second:local_address().host, good, "local")
    second:close()
    return report
  end)
  equal(syns, good .. " 10.90.30.101", "SYNs")
  between(report.elapsed, 0.03, 0.14, "elapsed: one round trip, no delay")
end)

test("four remotes that refuse at 30 ms, from three sources: at most five round trips", function()
  local list = check.list()
  for last = 11, 14 do list:add(("10.90.30.%d:9"):format(last)) end
  local code, report = check.fail(list, { timeout = 5 })
  equal(code, "ECONNREFUSED", "code")
  equal(check.started(report), 12, "all pairs")
  between(report.elapsed, 0.06, 0.15 + 0.03, "elapsed")
  print(("  four refusals from three sources: %.1f round trips"):format(report.elapsed / 0.03))
end)

test("a healthy host 250 ms away gets one SYN, though there are three sources", function()
  local list = check.list(check.echo "10.90.250.1")
  local syns = far.syns(function() check.connect(list, { timeout = 5 }):close() end)
  equal(syns, "10.90.0.1 10.90.250.1", "SYNs")
end)

test("after two failures a silent, a slow and a good remote are no row of delays", function()
  local good = check.echo "10.90.30.1"
  local list = check.list("10.90.1.11:9", "10.90.1.12:9", "10.90.1.201:9", check.echo "10.90.250.1", good)
  local sock, report = check.connect(list, { order = "given", timeout = 5 })
  equal(sock:remote_address(), good, "remote")
  between(report.elapsed, 0.03, 0.15 + 0.03, "elapsed")
  print(("  two failures, a silent, a slow and a good remote: %.0f ms"):format(report.elapsed * 1000))
end)

test("a handshake whose SYN was sent again gives no round trip", function()
  local list = check.list(check.echo "10.90.10.50")
  local sock, report = check.connect(list, { timeout = 5, local_addresses = false })
  equal(select(3, check.outcome(report, "10.90.10.50")).resent, 1, "resent SYNs")
  sock:close()
  equal(list:history()[1].round_trip, nil, "round trip")
end)

test("a collected socket does not wait for its peer, whatever linger says", function()
  local sock = check.connect(check.list(check.echo "10.90.250.1"), { timeout = 5, socket = { linger = 5 } })
  assert(sock:write "not acknowledged before 250 ms\n")
  sock = nil
  local began = far.now()
  collectgarbage()
  collectgarbage()
  equal(sock, nil, "the socket")
  between(far.now() - began, 0, 0.15, "the collection")
end)

test("losers are closed at once, whatever linger says", function()
  -- All three answer while the process is stopped, so that the losers are connected when they are closed.
  local list = check.list(check.echo "10.90.250.1")
  far.stop_this_process(0.15, 0.45)
  local _, report = check.connect(list, {
    timeout = 5, pace = "parallel", socket = { linger = 5 },
    local_addresses = { "10.90.0.1", "10.90.0.2", "10.90.0.3" } })
  equal(check.started(report), 3, "attempts")
  between(report.elapsed, 0.44, 0.65, "elapsed: no round trip more")
end)

-- The kernel stores metrics from here on.

test("another process begins with the source that worked, by the kernel's metrics", function()
  local good
  far.storing_metrics(function()
    local sock = check.connect(check.list(check.echo "10.90.10.101"), { timeout = 5 })
    good = sock:local_address().host
    sock:close()
    far.await_metrics("10.90.10.101", good)
  end)
  -- Two remotes, so that the order is asked for before the first start.
  local syns = far.syns(function()
    far.in_another_process("connect_once.lua", check.echo "10.90.10.101", "10.90.10.102:9")
  end)
  equal(syns:match "^%S+ %S+", good .. " 10.90.10.101", "the first SYN")
end)

test("the round trips of other hosts say how long a silent one is waited for", function()
  local list = check.list("10.90.1.201:9", "10.90.1.202:9", check.echo "10.90.30.1")
  local options = { order = "given", local_addresses = false, timeout = 5 }
  local _, report = check.connect(list, options)
  between(report.elapsed, 0.255, 0.5, "elapsed without them: 150 and 75 ms, and the round trip")
  list:forget()
  far.storing_metrics(function()
    for last = 1, 5 do
      check.connect(check.list(check.echo("10.90.1." .. last)), { local_addresses = false }):close()
    end
    for last = 1, 5 do far.await_metrics("10.90.1." .. last, "10.90.0.1") end
  end)
  _, report = check.connect(list, options)
  equal(report.attempts[1].outcome, "superseded", "first outcome")
  between(report.elapsed, 0.05, 0.14, "elapsed: twice 10 ms, and the round trip")
end)

check.done()
