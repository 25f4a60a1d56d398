-- A busted suite for a client of a network service, made with test endpoints: no server, no privileges,
-- no fixed port. It tests the Redis client of `examples/redis.lua`.
--
--   busted --lua="$(command -v connectbylist)" examples/redis_spec.lua
--   busted --lua=/usr/bin/lua5.4 examples/redis_spec.lua     (with the module installed)
--
-- It prints, with another time:
--
--   ●●●●●●●●●●●●●
--   13 successes / 0 failures / 0 errors / 0 pending : 0.241924 seconds

local redis = require "examples.redis"
local testing = require "connectbylist.testing"

local steps = testing.steps
local expect, expect_line, send, wait = steps.expect, steps.expect_line, steps.send, steps.wait

local PING = "*1\r\n$4\r\nPING\r\n"
local GET = "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"

-- A client of the endpoints, which its list keeps open.
local function client_of(...)
  return redis.new { timeout = 0.5, ... }
end

-- The address of an endpoint that was opened and closed: it refuses until an endpoint opens it again.
local function free_address()
  local endpoint <close> = testing.refused()
  return endpoint:address()
end

describe("the Redis client", function()
  it("returns a good reply", function()
    local server <close> = testing.script { expect(PING), send "+PONG\r\n" }
    local client <close> = client_of(server)
    assert.equal("PONG", client:call("PING"))
    assert.same({}, server:failures())
    assert.equal(PING, server:received())
  end)

  it("reads numbers, nulls, and arrays in arrays", function()
    local server <close> = testing.script {
      expect "*INCR*", send ":41\r\n", expect(GET), send "$-1\r\n",
      expect "*LRANGE*-1\r\n", send "*3\r\n$1\r\na\r\n*2\r\n:1\r\n$-1\r\n+c\r\n",
    }
    local client <close> = client_of(server)
    assert.equal(41, client:call("INCR", "k"))
    assert.is_false(client:call("GET", "k"))
    assert.same({ "a", { 1, false }, "c" }, client:call("LRANGE", "l", 0, -1))
    assert.same({}, server:failures())
  end)

  it("keeps every byte of a value", function()
    local server <close> = testing.script { expect(GET), send "$6\r\n\0\r\n\255*$\r\n" }
    local client <close> = client_of(server)
    assert.equal("\0\r\n\255*$", client:call("GET", "k"))
  end)

  it("reads a reply that comes byte by byte", function()
    local server = testing.script { expect(GET), send "$5\r\nhello\r\n" }
    local network <close> = testing.proxy(server, { slice = 1 })
    local client <close> = client_of(network)
    assert.equal("hello", client:call("GET", "k"))
    server:close()
  end)

  it("reads a reply that is split in the middle of a line's end", function()
    local server <close> = testing.script { expect(PING), send "+PONG\r", wait(0.02), send "\n" }
    local client <close> = client_of(server)
    assert.equal("PONG", client:call("PING"))
  end)

  it("returns an error of the server, and can go on", function()
    local server <close> = testing.script {
      expect_line "*1", expect_line "$4", expect_line "OOPS", send "-ERR unknown command\r\n",
      expect(PING), send "+PONG\r\n",
    }
    local client <close> = client_of(server)
    assert.same({ nil, "ERR unknown command", "EREDIS" }, { client:call("OOPS") })
    assert.equal("PONG", client:call("PING"))
    assert.equal(1, server:accepted())
  end)

  it("refuses what is no reply, and connects again", function()
    local server <close> = testing.script {
      { expect(PING), send "HTTP/1.1 400 Bad Request\r\n" },
      { expect(PING), send "+PONG\r\n" },
    }
    local client <close> = client_of(server)
    assert.same({ nil, "not a reply of Redis: HTTP/1.1 400 Bad Request", "EPROTO" }, { client:call("PING") })
    assert.equal("PONG", client:call("PING"))
    assert.equal(2, server:accepted())
  end)

  it("reports a reset in the middle of a reply", function()
    local server <close> = testing.script { expect(GET), send "$5\r\nhel", steps.reset() }
    local client <close> = client_of(server)
    local reply, _, code = client:call("GET", "k")
    assert.is_nil(reply)
    assert.equal("ECONNRESET", code)
  end)

  it("reports the end of the stream in the middle of a reply", function()
    local server <close> = testing.script { expect(GET), send "$5\r\nhel", steps.close() }
    local client <close> = client_of(server)
    assert.same({ nil, "the server closed the connection", "EPIPE" }, { client:call("GET", "k") })
  end)

  it("waits for a slow server, but not for ever", function()
    local server <close> = testing.script { expect(PING), wait(0.1), send "+PONG\r\n" }
    local patient <close> = client_of(server)
    assert.equal("PONG", patient:call("PING"))
    local hurried <close> = redis.new { server, timeout = 0.02 }
    local reply, _, code = hurried:call("PING")
    assert.is_nil(reply)
    assert.equal("ETIMEDOUT", code)
  end)

  it("passes over servers that are down, and one that says nothing in the handshake", function()
    local down <close> = testing.refused()
    local silent <close> = testing.silent()
    local server <close> = testing.script { expect(PING), send "+PONG\r\n" }
    local client <close> = client_of(down, silent, server)
    assert.equal("PONG", client:call("PING"))
    assert.equal(1, server:accepted())
  end)

  it("connects again when the server went down and came up", function()
    local address = free_address()
    local function open()
      return testing.script { address = address.host, port = address.port, expect(PING), send "+PONG\r\n" }
    end
    local first = open()
    local client <close> = client_of(address)
    assert.equal("PONG", client:call("PING"))
    first:close()
    assert.is_nil((client:call("PING")))
    local _, _, code = client:call("PING")
    assert.equal("ECONNREFUSED", code)
    local second <close> = open()
    assert.equal("PONG", client:call("PING"))
    assert.equal(1, second:accepted())
  end)

  it("survives a network that cuts the connection", function()
    local server <close> = testing.script { expect(GET), send "$5\r\nhello\r\n" }
    local network <close> = testing.proxy(server, { cut_after = 6 })
    local client <close> = client_of(network)
    local reply, _, code = client:call("GET", "k")
    assert.is_nil(reply)
    assert.equal("ECONNRESET", code)
    network:set { cut_after = false, latency = 0.01 }
    assert.equal("hello", client:call("GET", "k"))
  end)
end)
