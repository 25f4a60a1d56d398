--- The rows of the parity table that a script can observe, by number. Rows that need C, Swift or another
-- network are in the tests of ConnectByListCAPI and ConnectByList, and in Tests/Network.
local net = require "connectbylist"
local testing = require "connectbylist.testing"
local support = require "Tests.Lua.support"

local function outcomes(report)
  local words = {}
  for i, attempt in ipairs(report.attempts) do words[i] = attempt.outcome end
  return words
end

describe("parity:", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  it("W01 a list may contain literals and names", function()
    local echo <close> = testing.echo()
    local refused <close> = testing.refused()
    local port = echo:address().port
    local list = net.address_list { refused:address(), "localhost:" .. port }
    local sock <close> = assert(net.connect_by_list(list, { timeout = 10 }))
    assert.equal(port, sock:remote_address().port)
    local report = sock:report()
    assert.equal("localhost", report.names[1].host)
    assert.is_true(report.names[1].addresses >= 1)
    assert.equal("refused", report.attempts[1].outcome)
  end)

  it("W01 a literal that answers does not wait for a name", function()
    local echo <close> = testing.echo()
    local list = net.address_list { echo:address() }
    for _ = 1, 50 do list:add("localhost", echo:address().port) end
    local sock <close> = assert(net.connect_by_list(list, { timeout = 10, order = "given" }))
    local attempt = sock:report().attempts[1]
    assert.equal("connected", attempt.outcome)
    assert.is_true(attempt.remote_address == echo:address())
  end)

  it("W02 every pair of a local and a remote address is tried before it gives up", function()
    local one <close> = testing.refused()
    local two <close> = testing.refused()
    local sock, _, code, report = net.connect_by_list({ one:address(), two:address() },
      { local_addresses = { "127.0.0.1", "127.0.0.2", "127.0.0.3" } })
    assert.is_nil(sock)
    assert.equal("ECONNREFUSED", code)
    local pairs_seen = {}
    for _, attempt in ipairs(report.attempts) do
      assert.equal("refused", attempt.outcome)
      pairs_seen[attempt.local_address.host .. " " .. attempt.remote_address] = true
    end
    for last = 1, 3 do
      for _, endpoint in ipairs { one, two } do
        assert.is_true(pairs_seen["127.0.0." .. last .. " " .. endpoint:address()])
      end
    end
    assert.equal(6, #report.attempts)
  end)

  it("W03 a list may contain IPv4 and IPv6 addresses", function()
    local four <close> = testing.echo()
    local six <close> = testing.echo("::1")
    local down <close> = testing.refused("::1")
    for _, endpoint in ipairs { four, six } do
      local sock <close> = assert(net.connect_by_list({ down:address(), endpoint:address() },
        { timeout = 10 }))
      assert.is_true(sock:remote_address() == endpoint:address())
    end
  end)

  it("W04 a bound or a connected socket is refused and not changed", function()
    local echo <close> = testing.echo()
    local bound <close> = assert(net.socket "inet")
    assert(bound:bind("127.0.0.1", 0))
    local before = bound:local_address()
    local none, message, code = net.connect_by_list(bound, { echo:address() })
    assert.is_nil(none)
    assert.equal("connect_by_list: the socket is bound, or it listens", message)
    assert.equal("EINVAL", code)
    assert.is_true(bound:local_address() == before)
    local sock <close> = assert(net.connect_by_list { echo:address() })
    local fd = sock:getfd()
    local again, _, reason = net.connect_by_list(sock, { echo:address() })
    assert.is_nil(again)
    assert.equal("EISCONN", reason)
    assert.equal(fd, sock:getfd())
    sock:settimeout(5)
    sock:write("still there\n")
    assert.equal("still there", sock:read())
  end)

  it("W05 a missing or zero port is EINVAL, and the message names the entry", function()
    for _, entries in ipairs { { "127.0.0.1:9", "127.0.0.1" }, { "127.0.0.1:9", "127.0.0.1:0" },
      { "127.0.0.1:9", { host = "127.0.0.1" } }, { "127.0.0.1:9", { host = "::1", port = 0 } } } do
      local none, message, code = net.connect_by_list(entries)
      assert.is_nil(none)
      assert.equal("EINVAL", code)
      assert.matches("^connect_by_list: entry 2: .*port", message)
    end
    assert.equal("127.0.0.1:9", tostring(net.address_list({ "127.0.0.1" }, 9)[1]))
  end)

  it("W06 the addresses are those that the peer sees", function()
    local sock, other = support.pair()
    if not sock then return pending("there is no LuaSocket") end
    local host, port = other:getpeername()
    assert.equal(host .. ":" .. math.tointeger(port), tostring(sock:local_address()))
    host, port = other:getsockname()
    assert.equal(host .. ":" .. math.tointeger(port), tostring(sock:remote_address()))
    sock:close()
    other:close()
  end)

  it("W08 without a timeout it ends when every pair has failed", function()
    local one <close> = testing.refused()
    local two <close> = testing.refused("::1")
    local sock, _, code, report = net.connect_by_list { one:address(), two:address() }
    assert.is_nil(sock)
    assert.equal("ECONNREFUSED", code)
    assert.is_false(report.deadline)
  end)

  it("W09 the deadline is strict: it ends an attempt in flight", function()
    local silent <close> = testing.silent()
    local best = math.huge
    -- The best of five: on a busy machine one may be late.
    for _ = 1, 5 do
      local sock, _, _, report = net.connect_by_list({ silent:address() }, { timeout = 0.2 })
      assert.is_nil(sock)
      assert.is_true(report.deadline)
      assert.is_true(report.elapsed >= 0.2)
      best = math.min(best, report.elapsed)
    end
    assert.is_true(best < 0.205, best)
  end)

  it("W11 success is a socket; failure is nil, a message, a code and the report", function()
    local echo <close> = testing.echo()
    local results = table.pack(net.connect_by_list { echo:address() })
    assert.equal(1, results.n)
    assert.is_true(results[1]:connected())
    results[1]:close()
    local refused <close> = testing.refused()
    results = table.pack(net.connect_by_list { refused:address() })
    assert.equal(4, results.n)
    assert.is_nil(results[1])
    assert.matches("^connect_by_list: connection refused", results[2])
    assert.equal("ECONNREFUSED", results[3])
    assert.equal("ECONNREFUSED", results[4].code)
  end)

  it("W13 an empty list or a bad entry is EINVAL; a bad option raises", function()
    for _, entries in ipairs { {}, { "127.0.0.1" }, { "127.1:9" }, { {} } } do
      local none, _, code = net.connect_by_list(entries)
      assert.is_nil(none)
      assert.equal("EINVAL", code)
    end
    for _, options in ipairs { { timeout = "x" }, { timeout = -1 }, { timout = 1 } } do
      assert.matches("timeout", support.raised(net.connect_by_list, { "127.0.0.1:9" }, options))
    end
  end)

  it("W15 a number that is not an open descriptor is EBADF", function()
    local none, _, code = net.wrap(1000000)
    assert.is_nil(none)
    assert.equal("EBADF", code)
  end)

  it("W16 the report says whether ETIMEDOUT was the deadline", function()
    local silent <close> = testing.silent()
    local _, message, code, report = net.connect_by_list({ silent:address() }, { timeout = 0.1 })
    assert.equal("ETIMEDOUT", code)
    assert.is_true(report.deadline)
    assert.matches("timed out after 0%.1%d%d s", message)
    _, _, code, report = net.connect_by_list({ silent:address() }, { attempt_timeout = 0.1 })
    assert.equal("ETIMEDOUT", code)
    assert.is_false(report.deadline)
  end)

  it("W17 the pairs with the highest chance go first", function()
    local refused <close> = testing.refused()
    local echo <close> = testing.echo()
    local list = net.address_list { refused:address(), echo:address() }
    local first <close> = assert(net.connect_by_list(list, { timeout = 10 }))
    assert.same({ "refused", "connected" }, outcomes(first:report()))
    local plan = assert(net.explain(list))
    assert.is_true(plan[1].remote_address == echo:address())
    for i = 2, #plan do assert.is_true(plan[i].chance <= plan[i - 1].chance) end
    local second <close> = assert(net.connect_by_list(list, { timeout = 10 }))
    assert.equal("connected", second:report().attempts[1].outcome)
  end)

  it("W18 silent addresses are raced, not waited for", function()
    local echo <close> = testing.echo()
    local list = net.address_list()
    local dead = {}
    for i = 1, 20 do
      dead[i] = testing.silent()
      list:add(dead[i]:address())
    end
    list:add(echo:address())
    local sock <close> = assert(net.connect_by_list(list, { order = "given", timeout = 20 }))
    -- One after the other, with a second for each, would take twenty seconds.
    assert.is_true(sock:report().elapsed < 5)
    assert.is_true(sock:remote_address() == echo:address())
    for i = 1, 20 do dead[i]:close() end
  end)

  it("W21 the code is that of the attempt that failed last; the report has all", function()
    local refused <close> = testing.refused()
    local other <close> = testing.refused()
    local _, _, code, report = net.connect_by_list(
      { refused:address(), net.address("[::1]:9"), other:address() },
      { order = "given", local_addresses = { "127.0.0.1" } })
    assert.equal("ECONNREFUSED", code)
    local codes = {}
    for i, attempt in ipairs(report.attempts) do codes[i] = attempt.code end
    assert.same({ "ECONNREFUSED", "EADDRNOTAVAIL", "ECONNREFUSED" }, codes)
  end)

  it("W22 a dual-stack socket connects to IPv4 as v4-mapped", function()
    local four <close> = testing.echo()
    local six <close> = testing.echo("::1")
    local sock <close> = assert(net.socket())
    assert.is_true(rawequal(sock, assert(net.connect_by_list(sock, { four:address() },
      { timeout = 10 }))))
    assert.is_true(sock:remote_address() == four:address():mapped())
    assert.equal("::ffff:127.0.0.1", sock:local_address().host)
    local other <close> = assert(net.socket())
    assert(net.connect_by_list(other, { six:address() }, { timeout = 10 }))
    assert.is_true(other:remote_address() == six:address())
  end)

  it("W22 an address of another family than the socket's fails its attempt", function()
    local four <close> = testing.echo()
    local six <close> = testing.echo("::1")
    local sock <close> = assert(net.socket "inet")
    local none, _, code, report = net.connect_by_list(sock, { six:address() })
    assert.is_nil(none)
    assert.equal("EAFNOSUPPORT", code)
    assert.equal("failed", report.attempts[1].outcome)
    assert(net.connect_by_list(sock, { six:address(), four:address():mapped() }, { timeout = 10 }))
    assert.is_true(sock:remote_address() == four:address())
  end)

  it("W23 v4-mapped addresses are parsed, printed and converted both ways", function()
    local plain, mapped = net.address("192.0.2.7:80"), net.address("[::ffff:192.0.2.7]:80")
    assert.equal("[::ffff:192.0.2.7]:80", tostring(plain:mapped()))
    assert.is_true(plain:mapped() == mapped and mapped:unmapped() == plain)
    assert.equal("[::ffff:192.0.2.7]:80", tostring(net.address("[::ffff:c000:207]:80")))
  end)

  it("W27 connect_by_name takes a host and a port or a service", function()
    local echo <close> = testing.echo()
    local sock <close> = assert(net.connect_by_name("localhost", echo:address().port,
      { family = "inet", timeout = 10 }))
    assert.is_true(sock:remote_address() == echo:address())
    local none, message, code, report = net.connect_by_name("localhost", "nonesuch")
    assert.is_nil(none)
    assert.equal("EAI_SERVICE", code)
    assert.matches("^connect_by_name: service not known", message)
    assert.equal("EAI_SERVICE", report.names[1].code)
  end)
end)
