-- Link-local IPv6 addresses, which are unique on one link only: the scope names the link.
local check = require "check"
local test6, equal, between = check.test6, check.equal, check.between

if not check.has_inet6 then
  check.skip "no IPv6: link-local addresses"
  check.done()
end
local port = check.port "fe80::2%works"

test6("a scoped literal connects over its link", function()
  local sock = check.connect(check.list(("[fe80::2%%works]:%d"):format(port)))
  equal(sock:remote_address().host, "fe80::2", "remote")
  equal(sock:remote_address().scope, "works", "scope")
  equal(sock:local_address().host, "fe80::1", "local")
  equal(tostring(sock:remote_address()), ("[fe80::2%%works]:%d"):format(port), "text")
end)

test6("an address without a scope is tried on every link that has a link-local address", function()
  local sock, report = check.connect(
    check.list(("[fe80::2]:%d"):format(port)), { timeout = 20, pace = "parallel" })
  equal(sock:remote_address().scope, "works", "scope")
  local scopes = {}
  for i = 1, #report.attempts do scopes[report.attempts[i].remote_address.scope] = true end
  equal(scopes.works and scopes.idle, true, "attempts on both links")
  between(report.elapsed, 0, check.soon, "elapsed")
end)

test6("an address that is not on the link times out", function()
  local code = check.fail(
    check.list(("[fe80::2%%idle]:%d"):format(port)), { timeout = 0.3, local_addresses = false })
  equal(code, "ETIMEDOUT", "code")
end)

test6("a scope that is not an interface's name makes the entry invalid", function()
  local list = check.list()
  local ok, _, code = list:add(("[fe80::2%%nonesuch]:%d"):format(port))
  equal(ok, nil, "add")
  equal(code, "EINVAL", "code")
end)

check.done()
