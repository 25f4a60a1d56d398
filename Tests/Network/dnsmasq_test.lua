-- Names of a real DNS server, dnsmasq; its records are in dnsmasq.conf.
local check = require "check"
local net = require "connectbylist"
local test, test6, equal = check.test, check.test6, check.equal

local good = check.echo "10.77.0.2"

-- dnsmasq needs a moment to begin.
for _ = 1, 100 do
  if net.resolve("four.test", 1, { timeout = 1 }) then break end
  net.sleep(0.05)
end

test("a name with an IPv4 address only, one with both, and a chain of aliases", function()
  for _, host in ipairs { "four.test", "both.test", "first.test" } do
    local sock = check.connect(check.list(host .. ":" .. good.port), { timeout = 5, family = "inet" })
    equal(sock:remote_address(), good, host)
  end
  check.connect(check.list("four.test:" .. good.port), { timeout = 5 })
end)

test6("a name with an IPv6 address only", function()
  local port = check.port "2001:db8:77::2"
  local sock = check.connect(check.list("six.test:" .. port), { timeout = 5 })
  equal(sock:remote_address().family, "inet6", "family")
end)

test("an internationalized name is asked for in its A-label form", function()
  local sock, message, code = net.connect_by_name("bücher.example", good.port, { timeout = 5 })
  if not sock then
    equal(code, "EAI_IDN_ENCODE", message)
    equal(message:find("libidn2", 1, true) ~= nil, true, message)
    return check.skip "no libidn2: an internationalized name is asked for in its A-label form"
  end
  equal(sock:remote_address(), good, "remote")
end)

test("a name that does not exist, and one without an address", function()
  local _, message, code = net.connect_by_name("nonesuch.test", 9)
  equal(code, "EAI_NONAME", message)
  _, message, code = net.connect_by_name("empty.test", 9)
  equal(code, "EAI_NODATA", message)
end)

test("SRV records: priorities first, then a draw by weight", function()
  local first = { [1001] = 0, [1002] = 0, [1003] = 0, [1004] = 0 }
  for seed = 1, 200 do
    local list = assert(net.resolve({ srv = "_weights._tcp.test" }, { seed = seed, timeout = 5 }))
    equal(#list, 4, "targets")
    equal(list[4].port, 1004, "last")
    first[list[1].port] = first[list[1].port] + 1
  end
  -- Of 200 draws 180 in the mean; 0 records have a small chance.
  equal(first[1002] > 150 and first[1002] < 198, true, "weight 90: " .. first[1002])
  equal(first[1003] > 2 and first[1003] < 45, true, "weight 10: " .. first[1003])
end)

test("a service that a domain does not have", function()
  local _, message, code = net.connect_by_list { { srv = "_none._tcp.test" } }
  equal(code, "EAI_SERVICE", message)
  equal(message:find("the service is not available there", 1, true) ~= nil, true, message)
end)

check.done()
