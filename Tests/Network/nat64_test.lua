-- An IPv6-only host behind a NAT64, with IPv4 literals in the list (RFC 7050). The prefix is
-- 64:ff9b::/96; the address of
-- 192.0.2.7 under it is the host's own, so that its connections arrive.
local check = require "check"
local net = require "connectbylist"
local testing = require "connectbylist.testing"
local equal, between = check.equal, check.between

local echo = testing.echo "64:ff9b::c000:207"
local port = echo:address().port

check.test("an IPv4 literal without a route is reached through the NAT64", function()
  local sock, message = net.connect_by_list({ "192.0.2.7:" .. port }, { timeout = 5 })
  if not sock then error(message) end
  equal(tostring(sock:remote_address()), ("[64:ff9b::c000:207]:%d"):format(port), "remote")
  local report = sock:report()
  local attempt = report.attempts[report.winner]
  local reasons = table.concat(attempt.reasons, "; ")
  equal(reasons:find("NAT64 prefix 64:ff9b::/96", 1, true) ~= nil, true, reasons)
end)

check.test("native pairs go first: the prefix is not asked for where one has a route", function()
  local entries = { "127.0.0.1:" .. port, "[64:ff9b::c000:207]:" .. port }
  local sock = assert(net.connect_by_list(entries, { timeout = 5 }))
  equal(sock:remote_address().family, "inet6", "family")
  equal(#sock:report().names, 0, "lookups")
end)

check.test("a failure names the IPv4 literal", function()
  local _, message, code, report = net.connect_by_list({ "192.0.2.7:9" }, { timeout = 5 })
  equal(code, "ECONNREFUSED", message)
  equal(message:find("192.0.2.7:9 through NAT64", 1, true) ~= nil, true, message)
  between(report.elapsed, 0, 1, "elapsed")
end)

check.done()
