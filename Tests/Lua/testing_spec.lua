local net = require "connectbylist"
local testing = require "connectbylist.testing"
local support = require "Tests.Lua.support"

describe("a test endpoint", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  it("is on loopback, on a port of its own", function()
    local one <close> = testing.echo()
    local two <close> = testing.echo()
    assert.equal("127.0.0.1", one:address().host)
    assert.is_true(one:address().port > 0)
    assert.is_false(one:address() == two:address())
  end)

  it("is at the address that it is given", function()
    for _, kind in ipairs { "echo", "refused", "silent" } do
      for _, host in ipairs { "127.0.0.3", "::1" } do
        local endpoint <close> = testing[kind](host)
        assert.equal(host, endpoint:address().host)
      end
    end
  end)

  it("echoes to many at once", function()
    local echo <close> = testing.echo()
    local socks = {}
    for i = 1, 50 do
      socks[i] = support.connected(echo)
      socks[i]:settimeout(5)
      socks[i]:write(i, "\n")
    end
    for i = 50, 1, -1 do
      assert.equal(i, socks[i]:read("n"))
      socks[i]:close()
    end
    assert.equal(50, echo:accepted())
  end)

  it("refuses, and has accepted 0", function()
    local refused <close> = testing.refused()
    local sock, _, code = net.connect_by_list { refused:address() }
    assert.is_nil(sock)
    assert.equal("ECONNREFUSED", code)
    assert.equal(0, refused:accepted())
  end)

  it("is silent, and has accepted 0", function()
    local silent <close> = testing.silent()
    for _ = 1, 3 do
      local sock, _, code = net.connect_by_list({ silent:address() }, { timeout = 0.05 })
      assert.is_nil(sock)
      assert.equal("ETIMEDOUT", code)
    end
    assert.equal(0, silent:accepted())
  end)

  it("ends its connections when it is closed, and may be closed twice", function()
    local sock, endpoint = support.echo()
    local address = endpoint:address()
    sock:write("x")
    assert.equal("x", sock:read(1))
    endpoint:close()
    assert.is_nil((sock:read(1)))
    sock:close()
    endpoint:close()
    assert.equal(1, endpoint:accepted())
    assert.is_true(endpoint:address() == address)
    assert.is_nil((net.connect_by_list({ address }, { timeout = 1 })))
  end)

  it("closes itself when it is collected", function()
    for _ = 1, 20 do
      testing.echo()
      testing.refused()
      testing.silent()
    end
    -- The descriptor guard collects and checks.
  end)

  it("may be opened a hundred times", function()
    local endpoints = {}
    for i = 1, 100 do endpoints[i] = testing.echo() end
    for i = 1, 100 do endpoints[i]:close() end
  end)

  it("names the function in the message if it cannot be made", function()
    for _, kind in ipairs { "echo", "refused", "silent", "accepting", "discard", "reset", "closing" } do
      for value, problem in pairs {
        nonsense = "option 'address' must be an IP address; got 'nonsense'",
        ["127.1"] = "option 'address' must be an IP address; got '127.1'",
        [5] = "table or IP address expected, got number",
        [true] = "table or IP address expected, got boolean",
        [{ adress = "::1" }] = "unknown option 'adress'; did you mean 'address'?",
        [{ port = 65536 }] = "option 'port' must be a port, 1 to 65535; got 65536",
        [{ port = "80" }] = "option 'port' must be a port, 1 to 65535; got '80'",
        [{ unix = true }] = "option 'unix' must be the path of a Unix socket; got boolean",
        [{ unix = "@x", port = 5 }] = "a Unix endpoint has no address and no port",
        [{ after = -1 }] = "option 'after' must be a number of seconds, 0 or more; got -1",
      } do
        local line = debug.getinfo(1, "l").currentline + 1
        local message = support.raised(function() local _ = testing[kind](value) end)
        assert.equal(("Tests/Lua/testing_spec.lua:%d: bad argument #1 to '%s' (%s)"):format(
          line, kind, problem), message)
      end
      assert.matches("testing_spec.lua:%d+: " .. kind .. ": address not available",
        support.raised(function() local _ = testing[kind]("192.0.2.1") end))
    end
  end)

  it("is an entry of a list, and open as long as the list", function()
    local function list_of(make)
      local list = net.address_list()
      assert.equal(list, list:add(make()))
      return list
    end
    for _, where in ipairs { "127.0.0.1", "::1", { unix = "@testing-spec-list" } } do
      local list = list_of(function() return testing.echo(where) end)
      collectgarbage()
      collectgarbage()
      local sock <close> = assert(net.connect_by_list(list, { timeout = 5 }))
      sock:settimeout(5)
      assert(sock:write("still open\n"))
      assert.equal("still open", sock:read("l"))
    end
    local list = list_of(testing.echo)
    local address = list[1]
    list:clear()
    collectgarbage()
    collectgarbage()
    assert.equal("ECONNREFUSED", select(3, net.connect_by_list({ address }, { timeout = 5 })))
  end)

  it("is an entry of an array beside others", function()
    local echo <close> = testing.echo()
    local refused <close> = testing.refused()
    local sock <close> = assert(net.connect_by_list({ refused, refused:address(), echo }, { timeout = 5 }))
    assert.is_true(sock:remote_address() == echo:address())
    assert.equal(1, echo:accepted())
  end)

  it("says what it is", function()
    local echo <close> = testing.echo()
    local sock <close> = support.connected(echo)
    local at = tostring(echo:address())
    assert.equal("test endpoint: echo at " .. at .. ", 1 accepted", tostring(echo))
    echo:close()
    assert.equal("test endpoint: echo at " .. at .. ", 1 accepted (closed)", tostring(echo))
  end)

  it("counts a connect that has returned, each of 1,000 times", function()
    for _, where in ipairs { "127.0.0.1", "::1", { unix = "@testing-spec-exact" } } do
      local endpoint <close> = testing.accepting(where)
      for i = 1, 1000 do
        support.connected(endpoint):close()
        assert.equal(i, endpoint:accepted())
      end
    end
  end)

  it("waits for connections, and not longer than it is told", function()
    local endpoint <close> = testing.accepting()
    local before = support.now()
    assert.equal(0, endpoint:accepted(1, 0.05))
    assert.is_true(support.now() - before >= 0.03)
    local sock <close> = support.connected(endpoint)
    assert.equal(1, endpoint:accepted(1, 5))
    assert.matches("number of seconds, 0 or more, expected, got string",
      support.raised(endpoint.accepted, endpoint, 1, "x"))
  end)

  it("keeps what each client has sent", function()
    local endpoint <close> = testing.discard()
    for i = 1, 3 do
      local sock <close> = support.connected(endpoint)
      sock:write("client ", i, ";")
      assert.equal(("client %d;"):format(i), endpoint:received(i))
    end
    assert.equal("client 1;client 2;client 3;", endpoint:received())
    assert.is_nil(endpoint:received(4))
    assert.is_nil(endpoint:received(0))
  end)

  it("refuses until its time has come", function()
    for _, where in ipairs { {}, { address = "::1" }, { unix = "@testing-spec-after" } } do
      where.after = 0.05
      local endpoint <close> = testing.echo(where)
      local _, _, code = net.connect_by_list({ endpoint }, { timeout = 5 })
      assert.equal("ECONNREFUSED", code)
      local sock
      for _ = 1, 10000 do
        sock = net.connect_by_list({ endpoint }, { timeout = 5 })
        if sock then break end
      end
      assert(sock):close()
    end
  end)
end)

describe("the endpoint", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  local function talk(endpoint, ...)
    local sock = support.connected(endpoint)
    sock:settimeout(5)
    if ... then assert(sock:write(...)) end
    return sock
  end

  it("accepting says nothing", function()
    local endpoint <close> = testing.accepting()
    local sock <close> = talk(endpoint, "anyone?")
    sock:settimeout(0.03)
    assert.equal("ETIMEDOUT", select(3, sock:read(1)))
    assert.equal("", endpoint:received())
  end)

  it("slow answers so much later", function()
    local endpoint <close> = testing.slow(0.1)
    local sock <close> = talk(endpoint, "x\n")
    local before = support.now()
    assert.equal("x", sock:read("l"))
    assert.is_true(support.now() - before >= 0.08)
    assert.matches("bad argument #1 to 'slow'", support.raised(testing.slow, -1))
    assert.matches("bad argument #2 to 'slow' %(unknown option 'x'%)",
      support.raised(testing.slow, 1, { x = 1 }))
  end)

  it("reset resets, and closing closes, after bytes or after a time", function()
    for name, code in pairs { reset = "ECONNRESET", closing = false } do
      local by_bytes <close> = testing[name] { after_bytes = 3 }
      local one <close> = talk(by_bytes, "ab")
      one:settimeout(0.02)
      assert.equal("ETIMEDOUT", select(3, one:read(1)))
      one:settimeout(5)
      one:write("c")
      local bytes, _, found = one:read(1)
      assert.is_nil(bytes)
      assert.equal(code or nil, found)
      local by_time <close> = testing[name] { after_seconds = 0.02 }
      local two <close> = talk(by_time)
      bytes, _, found = two:read(1)
      assert.is_nil(bytes)
      assert.equal(code or nil, found)
    end
    assert.matches("option 'after_bytes' must be a whole number, 0 or more, or false; got %-1",
      support.raised(testing.reset, { after_bytes = -1 }))
  end)

  it("script plays one script on all connections", function()
    local steps = testing.steps
    local endpoint <close> = testing.script {
      steps.expect "HELLO *\r\n", steps.send "200 ", steps.send "welcome\r\n", steps.expect_any(2),
      steps.expect_line(), steps.wait(0.01), steps.shut(), steps.expect "bye",
    }
    for _ = 1, 2 do
      local sock <close> = talk(endpoint, "HELLO me\r\n")
      assert.equal("200 welcome\r", sock:read("l"))
      sock:write("ab", "line\n")
      assert.is_nil((sock:read(1)))
      sock:write("bye")
    end
    assert.same({}, endpoint:failures())
  end)

  it("script plays one on each connection, and says what differs", function()
    local steps = testing.steps
    local endpoint <close> = testing.script {
      unix = "@testing-spec-script", { steps.send "one\n" }, { steps.expect "two", steps.send "2\n" },
    }
    local first <close> = talk(endpoint)
    assert.equal("one", first:read("l"))
    first:write("unexpected")
    assert.is_nil(first:read("l"))
    local second <close> = talk(endpoint, "too")
    assert.is_nil(second:read("l"))
    local third <close> = talk(endpoint)
    assert.is_nil(third:read("l"))
    assert.same({
      "connection 1: after the last step: expected the end of the stream, got 'unexpected'",
      "connection 2: step 1: expected 'two', got 'too'",
      "connection 3: no script is left for it",
    }, endpoint:failures())
  end)

  it("script says which step is none", function()
    for problem, script in pairs {
      ["2 is not a step"] = { testing.steps.close(), { "clothes" } },
      ["1 is not a step"] = { "close" },
      ["2.1 is not a step"] = { {}, { { "send" } } },
      ["2 is not a script"] = { {}, 5 },
      ["unknown option 'prot'; did you mean 'port'?"] = { prot = 5 },
    } do
      local message = support.raised(testing.script, script)
      assert.is_not_nil(message:find("bad argument #1 to 'script' (" .. problem .. ")", 1, true), message)
    end
    assert.matches("bad argument #1 to 'send' %(string expected%)", support.raised(testing.steps.send, 5))
    assert.matches("bad argument #1 to 'wait'", support.raised(testing.steps.wait, "x"))
    assert.matches("bad argument #1 to 'expect_any'", support.raised(testing.steps.expect_any, 0))
    assert.matches("bad argument #1 to 'close'", support.raised(testing.steps.close, 1))
  end)

  it("proxy forwards to IPv4, IPv6, Unix and test endpoints", function()
    local targets = {
      testing.echo("127.0.0.1"), testing.echo("::1"), testing.echo { unix = "@testing-spec-target" },
    }
    for _, target in ipairs(targets) do
      for _, address in ipairs { target, target:address() } do
        local proxy <close> = testing.proxy(address, { unix = "@testing-spec-proxy" })
        local sock <close> = talk(proxy, "through\n")
        assert.equal("through", sock:read("l"))
        assert.equal("through\n", proxy:received())
      end
      target:close()
    end
  end)

  it("proxy changes its network while it runs", function()
    local target <close> = testing.echo()
    local proxy <close> = testing.proxy(target, { latency = 0.02, jitter = 0.01, seed = 7 })
    local sock <close> = talk(proxy, "a\n")
    local before = support.now()
    assert.equal("a", sock:read("l"))
    assert.is_true(support.now() - before >= 0.02)
    assert.equal(proxy, proxy:set { latency = 0, jitter = 0, rate = 200 })
    before = support.now()
    sock:write(("x"):rep(19), "\n")
    assert.equal(19, #sock:read("l"))
    assert.is_true(support.now() - before >= 0.08)
    proxy:set { rate = false, hang_after = 0 }
    sock:write("held\n")
    sock:settimeout(0.03)
    assert.equal("ETIMEDOUT", select(3, sock:read("l")))
    sock:settimeout(5)
    proxy:set { hang_after = false, slice = 1 }
    assert.equal("h", sock:receive_any(100))
    assert.equal("eld", sock:read("l"))
    proxy:set { cut_after = 0 }
    assert.equal("ECONNRESET", select(3, sock:read("l")))
    proxy:set { cut_after = false, drop = 1 }
    -- The reset may come while the client still connects.
    local dropped, _, code = net.connect_by_list({ proxy }, { timeout = 5 })
    if dropped then code = select(3, dropped:read(1)) end
    if dropped then dropped:close() end
    assert.equal("ECONNRESET", code)
  end)

  it("proxy and set say what is wrong", function()
    local echo <close> = testing.echo()
    local proxy <close> = testing.proxy(echo)
    for problem, options in pairs {
      ["unknown option 'latancy'; did you mean 'latency'?"] = { latancy = 1 },
      ["option 'drop' must be a number from 0 to 1; got 2"] = { drop = 2 },
      ["option 'slice' must be a whole number, 1 or more, or false; got 0"] = { slice = 0 },
      ["option 'jitter' must be a number of seconds, 0 or more; got -1"] = { jitter = -1 },
    } do
      local message = support.raised(testing.proxy, echo, options)
      assert.is_not_nil(message:find("bad argument #2 to 'proxy' (" .. problem .. ")", 1, true), message)
      message = support.raised(proxy.set, proxy, options)
      assert.is_not_nil(message:find(problem, 1, true), message)
    end
    assert.matches("bad argument #1 to 'proxy'", support.raised(testing.proxy, "nonsense"))
    assert.matches("bad argument #1 to 'proxy'", support.raised(testing.proxy, "name.test:80"))
    assert.matches("only a proxy has a network", support.raised(echo.set, echo, {}))
    assert.matches("table expected", support.raised(proxy.set, proxy))
  end)
end)
