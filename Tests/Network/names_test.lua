-- Names, by the system's resolver: a hosts file, and a DNS server that says nothing.
local check = require "check"
local net = require "connectbylist"
local test, equal, between = check.test, check.equal, check.between

if os.getenv "NAMES" ~= "yes" then
  print("skipped: this machine has no /etc/hosts, resolv.conf or nsswitch.conf to stand in for")
  check.done()
end

local here = check.echo "10.77.0.2"

test("W27 a name of two families is connected to, over either", function()
  local sock = assert(net.connect_by_name("works.test", here.port, { timeout = 20, family = "inet" }))
  equal(sock:remote_address(), here, "remote")
  equal(sock:report().names[1].addresses, 1, "addresses")
  if not check.has_inet6 then return end
  local port = check.port "2001:db8:77::2"
  sock = assert(net.connect_by_name("works.test", port, { timeout = 20 }))
  equal(sock:remote_address(), net.address("2001:db8:77::2", port), "remote")
  equal(sock:report().names[1].addresses, 2, "addresses")
end)

test("W01 literals and names stand in one list, and a literal does not wait for a name", function()
  local list = check.list("silent.test:9", here)
  local sock, report = check.connect(list, { order = "given", timeout = 20 })
  equal(sock:remote_address(), here, "remote")
  -- The resolver would take two seconds.
  between(report.elapsed, 0, 1, "elapsed")
  equal(report.names[1].ended, nil, "answer")
end)

test("W01 a name that resolves joins a race that runs", function()
  local list = check.list("10.78.0.1:9", "10.78.0.2:9", "works.test:" .. here.port)
  local sock = check.connect(list, { order = "given", timeout = 20, family = "inet" })
  equal(sock:remote_address(), here, "remote")
end)

test("W09 the deadline ends a resolution in its middle", function()
  local _, _, code, report = net.connect_by_list(check.list "silent.test:9", { timeout = 0.3 })
  equal(code, "ETIMEDOUT", "code")
  equal(report.deadline, true, "deadline")
  between(report.elapsed, 0.3, 1, "elapsed")
  equal(report.names[1].ended, nil, "answer")
end)

test("a name that nobody answers for is the resolver's error", function()
  local _, message, code, report = net.connect_by_name("silent.test", 9)
  equal(code, "EAI_AGAIN", "code")
  equal(message:find("silent.test", 1, true) ~= nil, true, "names the name")
  equal(report.names[1].code, "EAI_AGAIN", "code of the name")
  equal(report.deadline, false, "deadline")
end)

test("a hundred silent names do not hold up a literal", function()
  local list = check.list()
  for i = 1, 100 do assert(list:add(("silent%d.test"):format(i), 9)) end
  list:add(here)
  local sock, report = check.connect(list, { timeout = 20 })
  equal(sock:remote_address(), here, "remote")
  between(report.elapsed, 0, 1, "elapsed")
end)

check.done()
