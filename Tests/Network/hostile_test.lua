-- Hosts and routers that misbehave, each as its address says: see hostile.c. And links that change.
local net = require "connectbylist"
local check = require "check"
local test, equal, between = check.test, check.equal, check.between

-- The address of a host of the kind `kind`.
local function host(family, kind, number)
  if family == "inet" then return ("10.91.%d.%d:9"):format(kind, number) end
  return ("[2001:db8:91:%x::%x]:9"):format(kind, number)
end

local families = check.has_inet6 and { "inet", "inet6" } or { "inet" }
if not check.has_inet6 then check.skip "no IPv6: the hosts of hostile_test.lua" end

-- A test for each family: the sentence ends with its name.
local function in_each(sentence, body)
  for _, family in ipairs(families) do
    test(sentence .. " (" .. family .. ")", function()
      body(family, host(family, 9, 1))
    end)
  end
end

-- The kernel's codes for a SYN that is answered with ICMP "unreachable", by its code.
local unreachable = {
  inet = {
    [0] = "ENETUNREACH", "EHOSTUNREACH", "ENOPROTOOPT", "ECONNREFUSED", false, "EOPNOTSUPP", "ENETUNREACH",
    "EHOSTDOWN", "ENONET", "ENETUNREACH", "EHOSTUNREACH", "ENETUNREACH", "EHOSTUNREACH", "EHOSTUNREACH",
    "EHOSTUNREACH", "EHOSTUNREACH",
  },
  inet6 = {
    [0] = "ENETUNREACH", "EACCES", "EHOSTUNREACH", "EHOSTUNREACH", "ECONNREFUSED", "EACCES", "EACCES",
  },
}

in_each("each code of ICMP unreachable ends the attempt at once, and the next starts", function(family, good)
  local count = 0
  for number = 0, #unreachable[family] do
    local wanted = unreachable[family][number]
    -- The code 4 asks for smaller packets, which a SYN cannot be.
    if wanted then
      count = count + 1
      local bad = host(family, 2, number)
      local what = "code " .. number
      local list = check.list(bad, good)
      local sock, report = check.connect(list, { order = "given", attempt_delay = check.long })
      equal(tostring(sock:remote_address()), good, what)
      local _, code = check.outcome(report, net.address(bad).host)
      equal(code, wanted, what)
      between(report.elapsed, 0, check.soon, what)
      sock:close()
      local alone, lost = check.fail(check.list(bad), { timeout = check.long })
      equal(alone, wanted, what)
      between(lost.elapsed, 0, check.soon, what)
    end
  end
  assert(count >= 7)
end)

in_each("other ICMP errors: time exceeded, a parameter problem", function(family)
  local types = family == "inet" and { 11, 12 } or { 3, 4 }
  for i, wanted in ipairs { "EHOSTUNREACH", "EPROTO" } do
    equal(check.fail(check.list(host(family, 3, types[i])), { timeout = check.long }), wanted, "code")
  end
end)

in_each("a RST is a refusal, and the next starts at once", function(family, good)
  local list = check.list(host(family, 1, 1), good)
  local sock, report = check.connect(list, { order = "given", attempt_delay = check.long })
  equal(tostring(sock:remote_address()), good, "remote")
  equal(report.attempts[1].outcome, "refused", "outcome")
end)

in_each("a dropped SYN delays the good one by an attempt_delay, and alone ends at the deadline",
  function(family, good)
    local silent = host(family, 4, 1)
    local sock, report = check.connect(check.list(silent, good), { order = "given", attempt_delay = 0.1 })
    equal(tostring(sock:remote_address()), good, "remote")
    between(report.elapsed, 0.1, 0.1 + check.soon, "elapsed")
    local code, lost = check.fail(check.list(silent), { timeout = 0.3 })
    equal(code, "ETIMEDOUT", "code")
    between(lost.elapsed, 0.3, 0.55, "elapsed")
  end)

in_each("a lost first SYN is sent again, and the report counts it", function(family)
  local _, report = check.connect(check.list(host(family, 5, 1)), { timeout = check.long })
  equal(report.attempts[1].resent, 1, "resent")
  between(report.elapsed, 0.9, 3, "elapsed")
end)

in_each("an answer to another SYN is no connection", function(family, good)
  local bad = host(family, 7, 1)
  equal(check.fail(check.list(bad), { timeout = 0.3 }), "ETIMEDOUT", "code")
  local sock = check.connect(check.list(bad, good), { order = "given", attempt_delay = 0.05 })
  equal(tostring(sock:remote_address()), good, "remote")
end)

in_each("a middlebox that accepts and then resets: an error of the read; with a check another wins",
  function(family, good)
    for number = 0, 1 do
      local box = host(family, 6, number)
      local sock, message, code = net.connect_by_list({ box }, { timeout = check.long })
      -- The reset may arrive before the connect returns.
      if sock then
        sock:settimeout(check.long)
        local ok
        ok, message, code = sock:write "hello\n"
        if ok then ok, message, code = sock:read() end
        assert(not ok)
        sock:close()
      end
      assert(code == "ECONNRESET" or code == "EPIPE", message)
      local checked <close> = assert(net.connect_by_list(check.list(box, good), {
        order = "given", attempt_delay = check.long, timeout = check.long,
        validate = function(one)
          one:settimeout(check.soon)
          return one:write "ready?\n" and one:read() == "ready?"
        end,
      }))
      equal(tostring(checked:remote_address()), good, "remote")
    end
  end)

in_each("an MTU black hole after connecting: timeouts hold, and closing does not wait", function(family)
  local sock = check.connect(check.list(host(family, 8, 1)), { timeout = check.long })
  sock:settimeout(0.3)
  assert(sock:write(("x"):rep(5000)))
  local began = net.now()
  local _, _, code = sock:read(5000)
  equal(code, "ETIMEDOUT", "code")
  between(net.now() - began, 0.3, 0.6, "read")
  began = net.now()
  sock:setoption("linger", 0)
  sock:close()
  between(net.now() - began, 0, 0.3, "close")
end)

in_each("an ICMP error after connecting does not end a connection", function(family)
  local sock <close> = assert(net.connect_by_list({ host(family, 10, 1) }, { timeout = check.long }))
  sock:settimeout(0.3)
  assert(sock:write "hello\n")
  equal(select(3, sock:read()), "ETIMEDOUT", "code")
  equal(sock:alive(), true, "alive")
end)

-- Runs a command when the second attempt of a race starts. The race is between two silent hosts of the link
-- `flaky` and, last, a good one.
local function in_mid_race(command, options)
  local good = host("inet", 9, 1)
  local list = check.list("10.92.0.2:9", "10.92.0.3:9", good)
  local count = 0
  options.order, options.attempt_delay, options.timeout = "given", 0.05, options.timeout or check.long
  options.on_event = function(event)
    if event.event ~= "start" then return end
    count = count + 1
    if count == 2 then assert(os.execute(command)) end
  end
  local sock, report = check.connect(list, options)
  assert(count >= 2, "the race was too short")
  equal(tostring(sock:remote_address()), good, "remote")
  between(report.elapsed, 0, check.soon, "elapsed")
  sock:close()
  return report
end

test("an interface that goes down in mid-race", function()
  in_mid_race("ip link set flaky down", {})
  -- Alone: what its attempts say, or the deadline.
  local code, report = check.fail(check.list "10.92.0.2:9", { timeout = 0.3 })
  assert(code == "ENETUNREACH" or code == "ETIMEDOUT" or code == "EHOSTUNREACH", code)
  between(report.elapsed, 0, 0.6, "elapsed")
  assert(os.execute "ip link set flaky up")
end)

test("an address that goes away in mid-race", function()
  local gone = "10.92.0.7"
  in_mid_race("ip addr del 10.92.0.7/24 dev flaky", { local_addresses = { gone, "10.92.0.1", "10.91.0.1" } })
  local code = check.fail(check.list "10.92.0.2:9", { local_addresses = { gone }, timeout = 0.3 })
  equal(code, "EADDRNOTAVAIL", "code")
end)

test("every address of the link goes away while a connect waits for it alone", function()
  local op <close> = net.start({ "10.92.0.2:9" }, { timeout = 0.4 })
  local began = net.now()
  equal(op:step(), false, "step")
  assert(os.execute "ip addr flush dev flaky")
  local sock, message, code = op:step()
  while sock == false do
    require "connectbylist.wait".blocking(op)
    sock, message, code = op:step()
  end
  equal(sock, nil, "connect")
  assert(code == "ETIMEDOUT" or code == "EHOSTUNREACH" or code == "ENETUNREACH", message)
  between(net.now() - began, 0, 0.9, "elapsed")
end)

check.done()
