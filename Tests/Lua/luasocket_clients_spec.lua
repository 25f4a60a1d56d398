-- Clients that were written for LuaSocket, unchanged, over a race: LuaSocket's http and smtp, and
-- lua-redis.
local support = require "Tests.Lua.support"
local net = require "connectbylist"
local testing = require "connectbylist.testing"
local socket = require "connectbylist.luasocket"
local steps = testing.steps

describe("A client for LuaSocket", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  -- A `socket` table whose connects race: the first address refuses, the second is the server.
  local function racing(server, dead)
    return socket.new { list = { dead, server }, options = { timeout = 5, order = "given" } }
  end

  it("requests a page by socket.http", function()
    local found, http = pcall(require, "socket.http")
    if not found then return pending("LuaSocket is not installed") end
    local server <close> = testing.script {
      steps.expect "GET /page HTTP/1.1\r\n*\r\n\r\n",
      steps.send "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello",
      steps.expect "GET /chunks HTTP/1.1\r\n*\r\n\r\n",
    }
    local dead <close> = testing.refused()
    local parts = {}
    local done, code, headers = http.request {
      url = "http://never.asked.invalid/page",
      create = racing(server, dead).tcp,
      sink = function(chunk)
        parts[#parts + 1] = chunk
        return 1
      end,
    }
    assert.same({ 1, 200, "b", "hello" }, { done, code, headers["x-a"], table.concat(parts) })
  end)

  it("requests a page in chunks, by the address in the URL", function()
    local found, http = pcall(require, "socket.http")
    if not found then return pending("LuaSocket is not installed") end
    local server <close> = testing.script {
      steps.expect "GET /chunks HTTP/1.1\r\n*\r\n\r\n",
      steps.send "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    }
    local address, parts = server:address(), {}
    local done, code = http.request {
      url = ("http://%s:%d/chunks"):format(address.host, address.port),
      create = socket.tcp,
      sink = function(chunk)
        parts[#parts + 1] = chunk
        return 1
      end,
    }
    assert.same({ 1, 200, "abcde" }, { done, code, table.concat(parts) })
    assert.same({}, server:failures())
  end)

  it("sends mail by socket.smtp", function()
    local found, smtp = pcall(require, "socket.smtp")
    if not found then return pending("LuaSocket is not installed") end
    local server <close> = testing.script {
      steps.send "220 mail.test ready\r\n",
      steps.expect "EHLO client.test\r\n", steps.send "250-mail.test\r\n250 SIZE 1000\r\n",
      steps.expect "MAIL FROM:<a@test>\r\n", steps.send "250 ok\r\n",
      steps.expect "RCPT TO:<b@test>\r\n", steps.send "250 ok\r\n",
      steps.expect "DATA\r\n", steps.send "354 go on\r\n",
      steps.expect "*Hello there.\r\n.\r\n", steps.send "250 queued\r\n",
      steps.expect "QUIT\r\n", steps.send "221 bye\r\n",
    }
    local dead <close> = testing.refused()
    local done, message = smtp.send {
      from = "<a@test>", rcpt = "<b@test>", domain = "client.test",
      source = smtp.message { headers = { subject = "a test" }, body = "Hello there." },
      server = "mail.invalid", create = racing(server, dead).tcp,
    }
    assert.same({ 1 }, { done, message })
    assert.same({}, server:failures())
  end)

  -- lua-redis of Debian is installed for Lua 5.3 and runs on 5.4.
  it("talks to a Redis server by lua-redis, with the first of three addresses dead", function()
    local path = package.searchpath("redis", package.path .. ";/usr/share/lua/5.3/?.lua")
    local has_server = os.execute("command -v redis-server >/dev/null 2>&1")
    if not path or not has_server then return pending("lua-redis or redis-server is not installed") end
    local free = testing.refused()
    local port = free:address().port
    free:close()
    local command = "redis-server --port %d --bind 127.0.0.1 --save '' --dir /tmp >/dev/null 2>&1 & echo $!"
    local pipe = assert(io.popen(command:format(port)))
    local pid = assert(pipe:read("n"))
    pipe:close()
    local dead <close> = testing.refused()
    local other <close> = testing.refused()
    local list = net.address_list { dead, "127.0.0.1:" .. port, other }
    assert(net.connect_by_list(list, { timeout = 10, retry = 0.02 })):close()
    list:forget()

    local saved = package.loaded.socket
    package.loaded.socket = socket.new { list = list, options = { order = "given" } }
    local ok, problem = pcall(function()
      local redis = assert(loadfile(path))()
      local client = redis.connect("db.invalid", 6379, 5)
      assert.is_true(client:ping())
      assert.is_true(client:set("k", "v\r\n\0w"))
      assert.equal("v\r\n\0w", client:get("k"))
      assert.equal(1, client:incr("n"))
      local big = ("x"):rep(300000)
      client:set("big", big)
      assert.equal(big, client:get("big"))
      for i = 1, 200 do client:rpush("list", i) end
      local values = client:lrange("list", 0, -1)
      assert.same({ 200, "200" }, { #values, values[200] })
      client:quit()
    end)
    package.loaded.socket = saved
    os.execute("kill " .. pid)
    assert(ok, problem)
  end)
end)
