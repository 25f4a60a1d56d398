-- Names, resolved by getaddrinfo from a hosts file and a DNS server that never answers.
local check = require "check"
local net = require "connectbylist"
local test, equal, between = check.test, check.equal, check.between

if os.getenv "NAMES" ~= "yes" then
  check.skip "no /etc/hosts, /etc/resolv.conf or /etc/nsswitch.conf to mount over"
  check.done()
end

local good = check.echo "10.77.0.2"

test("W27 a name with addresses of both families connects over either", function()
  local sock = assert(net.connect_by_name("works.test", good.port, { timeout = 20, family = "inet" }))
  equal(sock:remote_address(), good, "remote")
  equal(sock:report().names[1].addresses, 1, "addresses")
  if not check.has_inet6 then return end
  local port = check.port "2001:db8:77::2"
  sock = assert(net.connect_by_name("works.test", port, { timeout = 20 }))
  equal(sock:remote_address(), net.address("2001:db8:77::2", port), "remote")
  local names = sock:report().names
  equal(names[1].family .. " " .. names[2].family, "inet6 inet", "families")
  equal(names[1].addresses + names[2].addresses, 2, "addresses")
end)

test("W01 a list holds literals and names, and a literal does not wait for a name", function()
  local list = check.list("silent.test:9", good)
  local sock, report = check.connect(list, { order = "given", timeout = 20 })
  equal(sock:remote_address(), good, "remote")
  -- The resolver gives up after two seconds (`timeout:2` in resolv.conf).
  between(report.elapsed, 0, 1, "elapsed")
  equal(report.names[1].ended, nil, "answer")
end)

test("W01 the addresses of a name join the race when they are resolved", function()
  local list = check.list("10.78.0.1:9", "10.78.0.2:9", "works.test:" .. good.port)
  local sock = check.connect(list, { order = "given", timeout = 20, family = "inet" })
  equal(sock:remote_address(), good, "remote")
end)

test("W09 the deadline ends a connect while a name is being resolved", function()
  local _, _, code, report = net.connect_by_list(check.list "silent.test:9", { timeout = 0.3 })
  equal(code, "ETIMEDOUT", "code")
  equal(report.deadline, true, "deadline")
  between(report.elapsed, 0.3, 1, "elapsed")
  equal(report.names[1].ended, nil, "answer")
end)

test("a name without an answer fails with the resolver's error", function()
  local _, message, code, report = net.connect_by_name("silent.test", 9)
  equal(code, "EAI_AGAIN", "code")
  equal(message:find("silent.test", 1, true) ~= nil, true, "the message contains the name")
  equal(report.names[1].code, "EAI_AGAIN", "code of the name")
  equal(report.deadline, false, "deadline")
end)

-- It was "timed out after 0.000 s".
test("a name with only a link-local address, and no link, is EADDRNOTAVAIL, and no timeout", function()
  local script = [[
    local net = require "connectbylist"
    for _, timeout in ipairs { 5, false } do
      local _, message, code, report = net.connect_by_list({ arg[1] }, { timeout = timeout or nil })
      print(code, report.deadline, message:find "timed out", report.elapsed < 4)
    end
  ]]
  local path = os.tmpname()
  local file <close> = assert(io.open(path, "w"))
  file:write(script):close()
  for _, entry in ipairs { "link-local.test:9", "[fe80::9]:9" } do
    -- A new namespace has no link but lo, which is down.
    local command = ("unshare -n '%s' '%s' '%s' 2>&1"):format(os.getenv "HOST", path, entry)
    local pipe <close> = assert(io.popen(command))
    local line = "EADDRNOTAVAIL\tfalse\tnil\ttrue\n"
    equal(pipe:read "a", line .. line, entry)
  end
  os.remove(path)
end)

test("a hundred names without an answer do not delay a literal", function()
  local list = check.list()
  for i = 1, 100 do assert(list:add(("silent%d.test"):format(i), 9)) end
  list:add(good)
  local sock, report = check.connect(list, { timeout = 20 })
  equal(sock:remote_address(), good, "remote")
  between(report.elapsed, 0, 1, "elapsed")
end)

check.done()
