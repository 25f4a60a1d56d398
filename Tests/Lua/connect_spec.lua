local net = require "connectbylist"
local testing = require "connectbylist.testing"
local support = require "Tests.Lua.support"

local function list_of(endpoints)
  local list = net.address_list()
  for _, endpoint in ipairs(endpoints) do list:add(endpoint:address()) end
  return list
end

describe("connect_by_list", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  it("returns a connected socket", function()
    local echo <close> = testing.echo()
    local sock <close> = assert(net.connect_by_list(net.address_list { echo:address() }))
    assert.is_true(sock:connected())
    assert.is_true(sock:remote_address() == echo:address())
    assert.is_truthy(sock:write("hello\n"))
    assert.equal("hello", sock:read("l"))
  end)

  it("takes a plain array of entries, or one text", function()
    local echo <close> = testing.echo()
    local address = echo:address()
    for _, addresses in ipairs { { address }, { tostring(address) }, tostring(address),
      { { host = address.host, port = address.port } } } do
      local sock <close> = assert(net.connect_by_list(addresses))
      assert.is_true(sock:remote_address() == address)
    end
  end)

  it("connects over IPv6", function()
    local echo <close> = testing.echo("::1")
    local sock <close> = assert(net.connect_by_list { echo:address() })
    assert.equal("inet6", sock:getfamily())
    assert.equal("::1", sock:local_address().host)
    sock:write("six\n")
    assert.equal("six", sock:read())
  end)

  it("accepts a v4-mapped address for an IPv4 one", function()
    local echo <close> = testing.echo()
    local sock <close> = assert(net.connect_by_list { echo:address():mapped() })
    assert.equal("inet", sock:getfamily())
    assert.is_true(sock:remote_address() == echo:address())
  end)

  it("continues after endpoints that refuse", function()
    local first <close> = testing.refused()
    local second <close> = testing.refused("::1")
    local echo <close> = testing.echo()
    local sock <close> = assert(net.connect_by_list(list_of { first, second, echo },
      { order = "given", timeout = 5 }))
    assert.is_true(sock:remote_address() == echo:address())
  end)

  it("connects to the one that answers after twenty that are silent", function()
    local endpoints = {}
    for i = 1, 20 do endpoints[i] = testing.silent() end
    local echo <close> = testing.echo()
    endpoints[21] = echo
    local began = support.now()
    local sock <close> = assert(net.connect_by_list(list_of(endpoints),
      { order = "given", timeout = 10 }))
    -- On this machine an answer takes no time, so each delay is the least of 10 ms. The rest is for a busy
    -- machine.
    local elapsed = support.now() - began
    assert.is_true(elapsed >= 0.19 and elapsed < 1.5, ("it took %.2f s"):format(elapsed))
    assert.is_true(sock:remote_address() == echo:address())
    for i = 1, 20 do endpoints[i]:close() end
  end)

  it("has more than 64 attempts in flight with in_flight", function()
    local endpoints = {}
    for i = 1, 100 do endpoints[i] = testing.silent() end
    local echo <close> = testing.echo()
    endpoints[101] = echo
    local sock <close> = assert(net.connect_by_list(list_of(endpoints),
      { order = "given", pace = "parallel", in_flight = 200, timeout = 5 }))
    assert.is_true(sock:remote_address() == echo:address())
    assert.is_true(#sock:report().attempts >= 101)
    for i = 1, 100 do endpoints[i]:close() end
  end)

  it("does not change the list", function()
    local refused <close> = testing.refused()
    local echo <close> = testing.echo()
    local list = list_of { refused, echo }
    local before = tostring(list)
    local _ <close> = assert(net.connect_by_list(list))
    assert.equal(before, tostring(list))
  end)

  it("can be called again with the same list", function()
    local refused <close> = testing.refused()
    local echo <close> = testing.echo()
    local list = list_of { refused, echo }
    for _ = 1, 5 do
      local sock <close> = assert(net.connect_by_list(list))
      assert.is_true(sock:remote_address() == echo:address())
    end
  end)

  describe("fails", function()
    local function failure(...)
      local sock, message, code, report = net.connect_by_list(...)
      assert.is_nil(sock)
      assert.is_string(message)
      assert.is_nil(message:find("\n"))
      assert.is_not_nil(report)
      assert.equal(code, report.code)
      assert.is_nil(report.winner)
      return message, code, report
    end

    it("with EINVAL for an empty list", function()
      for _, addresses in ipairs { {}, net.address_list() } do
        local message, code, report = failure(addresses)
        assert.equal("connect_by_list: the list is empty", message)
        assert.equal("EINVAL", code)
        assert.same({}, report.attempts)
      end
    end)

    it("with EINVAL for a malformed entry; the message says which and why", function()
      local message, code, report = failure { "127.0.0.1:80", "127.1:80" }
      assert.equal("connect_by_list: entry 2: '127.1:80': "
        .. "a host that ends in a number must be an IPv4 address of four decimal parts", message)
      assert.equal("EINVAL", code)
      assert.same({}, report.attempts)
      message, code = failure { "127.0.0.1:80", false }
      assert.equal("connect_by_list: entry 2: string or table expected, got boolean", message)
      assert.equal("EINVAL", code)
    end)

    it("with ECONNREFUSED if all refuse; the message names the last", function()
      local first <close> = testing.refused()
      local second <close> = testing.refused()
      local message, code, report = failure(list_of { first, second }, { order = "given" })
      assert.equal("ECONNREFUSED", code)
      assert.matches("^connect_by_list: connection refused after %d+%.%d+ s: 2 pairs tried; last: ",
        message)
      assert.is_not_nil(message:find(tostring(second:address()), 1, true))
      assert.is_false(report.deadline)
      assert.equal(2, #report.attempts)
    end)

    it("with ETIMEDOUT at its deadline, not before it, and not long after", function()
      local first <close> = testing.silent()
      local second <close> = testing.silent()
      local third <close> = testing.silent()
      local began = support.now()
      local message, code, report = failure(list_of { first, second, third }, { timeout = 0.3 })
      local elapsed = support.now() - began
      assert.equal("ETIMEDOUT", code)
      assert.matches("^connect_by_list: timed out after 0%.3%d%d s: 3 pairs tried; none answered$",
        message)
      assert.is_true(report.deadline)
      assert.is_true(report.elapsed >= 0.3 and report.elapsed < 0.5, tostring(report.elapsed))
      -- The other clock ticks every 10 ms.
      assert.is_true(elapsed >= 0.28 and elapsed < 0.5, tostring(elapsed))
    end)

    it("at once with a timeout of 0 if no attempt completes at once", function()
      local silent <close> = testing.silent()
      local _, code, report = failure(list_of { silent }, { timeout = 0 })
      assert.equal("ETIMEDOUT", code)
      assert.is_true(report.elapsed < 0.2)
    end)

    it("with ETIMEDOUT and without `deadline` after attempt_timeout", function()
      local silent <close> = testing.silent()
      local _, code, report = failure(list_of { silent }, { attempt_timeout = 0.05 })
      assert.equal("ETIMEDOUT", code)
      assert.is_false(report.deadline)
      assert.equal("timed_out", report.attempts[1].outcome)
    end)

    it("with EAFNOSUPPORT if no entry is of the wanted family", function()
      local message, code = failure({ "127.0.0.1:80" }, { family = "inet6" })
      assert.equal("connect_by_list: no entry of the wanted family", message)
      assert.equal("EAFNOSUPPORT", code)
    end)

    it("with ENODEV for an interface that does not exist", function()
      for _, name in ipairs { "nonesuch0", "lo\0", ("x"):rep(300), "99999" } do
        local message, code = failure({ "127.0.0.1:80" }, { interface = name })
        assert.matches("^connect_by_list: no such interface: '[nlx9]", message)
        assert.equal("ENODEV", code)
      end
    end)

    it("and the list can be used again", function()
      local refused <close> = testing.refused()
      local echo <close> = testing.echo()
      local list = list_of { refused }
      failure(list)
      list:add(echo:address())
      local sock <close> = assert(net.connect_by_list(list))
      assert.is_true(sock:remote_address() == echo:address())
    end)
  end)

  it("raises if the list is of another type", function()
    for _, case in ipairs { { "nil", nil }, { "number", 5 }, { "boolean", true },
      { "function", print } } do
      assert.matches("bad argument #1 to 'connect_by_list' %(address list, table or string "
        .. "expected, got " .. case[1] .. "%)", support.raised(net.connect_by_list, case[2]))
    end
    assert.matches("bad argument #1 to 'connect_by_list'",
      support.raised(net.connect_by_list, io.stdout))
  end)

  it("connects in a coroutine", function()
    local echo <close> = testing.echo()
    local thread = coroutine.wrap(function()
      local sock <close> = assert(net.connect_by_list { echo:address() })
      sock:write("from a coroutine\n")
      coroutine.yield(sock:read())
    end)
    assert.equal("from a coroutine", thread())
    thread()
  end)
end)
