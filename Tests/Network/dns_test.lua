-- Names whose answers are slow, silent or failures: a scripted DNS server (dns.c). Times are those of
-- one resolver
-- with `timeout:1 attempts:2`.
local check = require "check"
local net = require "connectbylist"
local test, test6, equal, between = check.test, check.test6, check.equal, check.between

local good = check.echo "10.77.0.2"
local port6 = check.has_inet6 and check.port "2001:db8:77::2"
local NOISE = tonumber(os.getenv "NOISE") or 0.1 -- what a busy machine adds

-- The report's row of a name and a family.
local function row(report, family, host)
  for i = 1, #report.names do
    local name = report.names[i]
    if name.family == family and (not host or name.host == host) then return name end
  end
  error("no row of " .. family)
end

local function connect(entry, options)
  options = options or {}
  options.timeout = options.timeout or 20
  return check.connect(check.list(entry), options)
end

test("W01 A at once and AAAA dropped: connected over IPv4 after the resolution delay", function()
  local sock, report = connect("4-0.6-drop.test:" .. good.port, { timeout = 2 })
  equal(sock:remote_address(), good, "remote")
  between(report.elapsed, 0.05, 0.06 + NOISE, "elapsed")
  equal(row(report, "inet6").ended, nil, "answer")
  equal(row(report, "inet").addresses, 1, "addresses")
end)

test("A of 200 ms and AAAA dropped: connected within 60 ms of the A answer", function()
  local _, report = connect("4-200.6-drop.test:" .. good.port, { timeout = 2 })
  between(report.elapsed - row(report, "inet").ended, 0.05, 0.06 + NOISE, "after the answer")
end)

test("a negative AAAA answer ends the wait of A", function()
  local _, report = connect("4-0.6-20.test:" .. good.port, { family = "any" })
  between(report.elapsed, 0, 0.05 + NOISE, "elapsed")
  _, report = connect("4-0.6-none.test:" .. good.port)
  between(report.elapsed, 0, 0.04 + NOISE, "elapsed")
  equal(row(report, "inet6").code, "EAI_NODATA", "code")
end)

test6("A dropped: connected over IPv6 at once", function()
  local sock, report = connect("4-drop.6-0.test:" .. port6, { timeout = 2 })
  equal(sock:remote_address().family, "inet6", "family")
  between(report.elapsed, 0, 0.01 + NOISE, "elapsed")
end)

test6("slow A: IPv6 does not wait; AAAA within the resolution delay: IPv6 goes first", function()
  local sock, report = connect("4-500.6-0.test:" .. port6)
  equal(sock:remote_address().family, "inet6", "family")
  between(report.elapsed, 0, 0.01 + NOISE, "elapsed")
  sock = connect("4-0.6-30.test:" .. port6)
  equal(sock:remote_address().family, "inet6", "family")
end)

test("slow AAAA: a late answer joins the running race", function()
  local _, report = connect("4-0.6-150.test:" .. good.port)
  equal(report.names[2].family, "inet", "family")
  local code
  code, report = check.fail(check.list "4-0x2.6-100x2.test:9", { timeout = 0.4, attempt_delay = 0.02 })
  equal(code, "ETIMEDOUT", "code")
  equal(check.started(report) >= 2, true, "attempts")
end)

test("W09 nothing answered: a deadline holds", function()
  for _, timeout in ipairs { 0.05, 0.3, 1 } do
    local code, report = check.fail(check.list "4-drop.6-drop.test:9", { timeout = timeout })
    equal(code, "ETIMEDOUT", "code")
    between(report.elapsed, timeout, timeout + 0.005 + NOISE, "elapsed")
    print(("# overrun %.2f ms"):format((report.elapsed - timeout) * 1e3))
  end
end)

test("nothing answered, no deadline: the resolver's own limit, in words", function()
  local _, message, code = net.connect_by_name("4-drop.6-drop.test", 9)
  equal(code, "EAI_AGAIN", "code")
  equal(message:find("no name server answered in time", 1, true) ~= nil, true, message)
end)

test("SERVFAIL, NXDOMAIN and no data are told apart", function()
  local _, message, code = net.connect_by_name("4-fail.6-fail.test", 9)
  equal(code, "EAI_AGAIN", "code")
  equal(message:find("the name server failed", 1, true) ~= nil, true, message)
  _, message, code = net.connect_by_name("4-nx.6-nx.test", 9)
  equal(code, "EAI_NONAME", message)
  _, message, code = net.connect_by_name("4-none.6-none.test", 9)
  equal(code, "EAI_NODATA", message)
  equal(message:find("4-none.6-none.test", 1, true) ~= nil, true, message)
end)

test("SERVFAIL of one family leaves the other", function()
  local sock = connect("4-0.6-fail.test:" .. good.port)
  equal(sock:remote_address(), good, "remote")
end)

test("50 addresses of each family are candidates", function()
  local _, report = check.fail(check.list "4-0x50.6-0x50.test:9", { timeout = 1 })
  equal(row(report, "inet").addresses, 50, "addresses")
  if check.has_inet6 then equal(row(report, "inet6").addresses, 50, "addresses") end
  equal(check.started(report) >= 50, true, "attempts " .. check.started(report))
end)

test("a hanging name does not delay a literal", function()
  local list = check.list("4-drop.6-drop.test:9", good)
  local _, report = check.connect(list, { order = "given", timeout = 20 })
  between(report.elapsed, 0, 0.01 + NOISE, "elapsed")
end)

test("nine hanging names do not delay one of the hosts file", function()
  local list = check.list()
  for i = 1, 9 do list:add(("h%d.4-drop.6-drop.test"):format(i), 9) end
  list:add("works.test", good.port)
  local _, report = check.connect(list, { timeout = 20, family = "inet" })
  between(report.elapsed, 0, 0.1 + NOISE, "elapsed")
end)

test("after 200 abandoned lookups a name of another list resolves at once", function()
  for i = 1, 200 do
    local list = check.list(("a%d.4-drop.6-drop.test:9"):format(i))
    equal(check.fail(list, { timeout = 0.001 }), "ETIMEDOUT", "code")
  end
  local began = net.now and net.now() or 0
  local _, report = connect("works.test:" .. good.port, { family = "inet" })
  between(report.elapsed, 0, 0.1 + NOISE, "elapsed")
  assert(began)
end)

test("1,000 names end at a deadline of a second", function()
  local list = check.list()
  for i = 1, 1000 do list:add(("m%d.4-drop.6-drop.test"):format(i), 9) end
  local code, report = check.fail(list, { timeout = 1 })
  equal(code, "ETIMEDOUT", "code")
  between(report.elapsed, 1, 1.005 + NOISE, "elapsed")
  print(("# overrun %.2f ms"):format((report.elapsed - 1) * 1e3))
end)

test("a service's targets join the race: the first host is silent, the second answers", function()
  local list = check.list { srv = "_x._tcp.srv-10.test" }
  local sock, report = check.connect(list, { timeout = 10 })
  equal(sock:remote_address(), good, "remote")
  local name = row(report, "srv")
  equal(name.host, "_x._tcp.srv-10.test", "host")
  equal(name.addresses, 2, "records")
  between(name.ended, 0.01, 0.02 + NOISE, "answer")
end)

test("a service that is not answered leaves the literals", function()
  local _, report = check.connect(check.list({ srv = "_x._tcp.srv-drop.test" }, good), { timeout = 5 })
  between(report.elapsed, 0, 0.01 + NOISE, "elapsed")
end)

test("net.resolve gives what the name has, by its deadline", function()
  local found = assert(net.resolve("4-0.6-none.test", 80))
  equal(tostring(found[1]), "10.77.0.2:80", "address")
  local list, _, code = net.resolve("4-drop.6-drop.test", 80, { timeout = 0.1 })
  equal(list, nil, "list")
  equal(code, "ETIMEDOUT", "code")
end)

-- Milliseconds of the wall clock.
local function clock()
  local pipe = assert(io.popen "date +%s%N")
  local text = pipe:read "n"
  pipe:close()
  return text / 1e6
end

test("lua_close, exit and a collected list do not wait for a lookup that hangs", function()
  local host, folder = os.getenv "HOST", os.getenv "NETWORK_TESTS"
  for _, how in ipairs { "nothing", "exit", "close" } do
    local began = clock()
    assert(os.execute(("'%s' '%s/hang_once.lua' %s"):format(host, folder, how)))
    local quiet = clock()
    assert(os.execute(("'%s' '%s/hang_once.lua' %s none"):format(host, folder, how)))
    local took, usual = quiet - began, clock() - quiet
    between(took - usual - 20, -1000, 100 + NOISE * 1000, how)
    print(("# %s: %.0f ms, without a lookup %.0f ms"):format(how, took, usual))
  end
end)

-- The last one: these lookups hang for two seconds.
test("beyond 512 hanging lookups a name fails at once, and says why", function()
  local found
  for i = 1, 15 do
    local list = check.list()
    for k = 1, 40 do list:add(("o%d-%d.4-drop.6-drop.test"):format(i, k), 9) end
    local _, message, code, report = net.connect_by_list(list, { timeout = 0.08 })
    if message:find("too many name lookups are hanging (512)", 1, true) then
      equal(code, "EAI_AGAIN", "code")
      between(report.elapsed, 0, 0.01 + NOISE, "elapsed")
      found = i
      break
    end
  end
  equal(found ~= nil, true, "the limit was reached")
  -- A name of this machine needs no lookup.
  local _, _, code = net.connect_by_name("localhost", 1, { timeout = 1 })
  equal(code, "ECONNREFUSED", "localhost")
end)

check.done()
