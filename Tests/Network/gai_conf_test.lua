-- With an /etc/gai.conf that prefers IPv4.
local check = require "check"

check.test6("where /etc/gai.conf prefers IPv4, it is tried first", function()
  local four, six = check.echo "10.77.0.2", check.echo "2001:db8:77::2"
  local sock, report = check.connect(check.list(six, four), { attempt_delay = check.long })
  check.equal(sock:remote_address(), four, "remote")
  check.equal(check.started(report), 1, "attempts")
end)

check.done()
