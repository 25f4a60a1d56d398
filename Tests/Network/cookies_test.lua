-- SYN cookies: the server keeps nothing of a SYN, and makes the connection of the handshake's last packet.
local net = require "connectbylist"
local check = require "check"
local test, equal = check.test, check.equal

local function set_cookies(value)
  assert(os.execute(("nsenter --preserve-credentials --net=/proc/%s/ns/net -- sh -c 'echo %d > " ..
    "/proc/sys/net/ipv4/tcp_syncookies'"):format(os.getenv "SERVER_PROCESS", value)))
end

test("a server that answers every SYN with a cookie", function()
  set_cookies(2)
  local ok, problem = pcall(function()
    for _, host in ipairs { "10.77.0.2", check.has_inet6 and "2001:db8:77::2" or nil } do
      for _ = 1, 20 do
        local sock = check.connect(check.list(check.echo(host)), { timeout = 5 })
        equal(sock:remote_address().host, host, "remote")
        sock:close()
      end
    end
    local first <close> = assert(net.connect_by_list(check.list("10.78.1.1:9", check.echo "10.77.0.2"),
      { timeout = 5, attempt_delay = 0.02 }))
    equal(first:alive(), true, "alive")
  end)
  set_cookies(1)
  if not ok then error(problem, 0) end
end)

check.done()
