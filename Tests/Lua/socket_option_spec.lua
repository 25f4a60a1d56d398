local net = require "connectbylist"
local testing = require "connectbylist.testing"
local support = require "Tests.Lua.support"

describe("a socket option", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  local echo, sock
  before_each(function()
    note_descriptors()
    sock, echo = support.echo()
  end)
  after_each(function()
    sock:close()
    echo:close()
    check_descriptors()
  end)

  -- Values of each on a connected IPv4 socket, which read back the same. None needs privileges.
  local values = {
    nodelay = { true, false }, cork = { true, false }, keepalive = { true, false },
    keepidle = { 1, 600, 32767 }, keepintvl = { 1, 32767 }, keepcnt = { 1, 127 },
    user_timeout = { 0.0, 0.001, 1.5, 2147483.0 }, linger = { false, 0, 5, 65535 },
    rcvbuf = { 4096, 65536, 100000 }, sndbuf = { 4096, 65536, 100000 },
    notsent_lowat = { 0, 2147483647 }, tos = { 0, 16, 252 }, ttl = { 1, 255 }, priority = { 0, 6 },
    reuseaddr = { true, false }, oobinline = { true, false }, syncnt = { 1, 127 },
    defer_accept = { 0, 1, 7 }, quickack = { true, false }, congestion = { "reno" },
  }
  for name, list in pairs(values) do
    it(("'%s' reads back the value that was set"):format(name), function()
      for _, value in ipairs(list) do
        assert.equal(sock, sock:setoption(name, value))
        local found = sock:getoption(name)
        assert.equal(value, found)
        assert.equal(math.type(value), math.type(found))
      end
    end)
  end

  it("is accepted by LuaSocket's name", function()
    for theirs, ours in pairs {
      ["tcp-nodelay"] = "nodelay", ["tcp-keepidle"] = "keepidle", ["tcp-keepcnt"] = "keepcnt",
      ["tcp-keepintvl"] = "keepintvl", ["tcp-defer-accept"] = "defer_accept",
      ["recv-buffer-size"] = "rcvbuf", ["send-buffer-size"] = "sndbuf", recvbuf = "rcvbuf",
      sendbuf = "sndbuf",
    } do
      local value = values[ours][1]
      assert.equal(sock, sock:setoption(theirs, value))
      assert.equal(value, sock:getoption(theirs))
      assert.equal(value, sock:getoption(ours))
    end
  end)

  it("may be a float with an integral value", function()
    assert.equal(9, sock:setoption("ttl", 9.0):getoption("ttl"))
    assert.equal(2.0, sock:setoption("user_timeout", 2):getoption("user_timeout"))
  end)

  it("'linger' accepts LuaSocket's table", function()
    assert.equal(7, sock:setoption("linger", { on = true, timeout = 7 }):getoption("linger"))
    assert.equal(0, sock:setoption("linger", { on = true }):getoption("linger"))
    assert.is_false(sock:setoption("linger", { on = false, timeout = 7 }):getoption("linger"))
    for _, value in ipairs { {}, { timeout = 7 }, { on = 1 }, { on = true, timeout = "7" },
      { on = true, timeout = -1 }, { on = true, timeouts = 7 }, { true, 7 }, true, "7" } do
      assert.matches("option 'linger' must be false, a whole number of seconds, 0 to 65535, "
        .. "or a table {on=, timeout=}; got ",
        support.raised(sock.setoption, sock, "linger", value))
    end
  end)

  it("describes the socket", function()
    assert.equal(1, sock:getoption("type"))
    assert.equal(2, sock:getoption("domain"))
    assert.equal(6, sock:getoption("protocol"))
    assert.is_false(sock:getoption("error"))
  end)

  it("'update_connect_context' succeeds without effect", function()
    assert.equal(sock, sock:setoption("update_connect_context"))
    assert.equal(sock, sock:setoption("update_connect_context", true))
    assert.matches("must be true; got boolean",
      support.raised(sock.setoption, sock, "update_connect_context", false))
    assert.matches("'update_connect_context' can only be set",
      support.raised(sock.getoption, sock, "update_connect_context"))
  end)

  it("that the kernel refuses gives nil, message and code", function()
    local done, message, code = sock:setoption("congestion", "nonesuch")
    assert.is_nil(done)
    assert.equal("setoption: congestion: no such file or directory", message)
    assert.equal("ENOENT", code)
    done, message = sock:setoption("ipv6-v6only", true)
    assert.is_nil(done)
    assert.matches("^setoption: ipv6%-v6only: ", message)
    done, message = sock:getoption("hoplimit")
    assert.is_nil(done)
    assert.matches("^getoption: hoplimit: ", message)
  end)

  it("with an unknown name raises; the message suggests the nearest", function()
    local function slip(name)
      return support.raised(function() sock:setoption(name, true) end)
    end
    assert.matches("bad argument #1 to 'setoption' %(unknown option 'nodely'; "
      .. "did you mean 'nodelay'%?%)", slip "nodely")
    assert.matches("did you mean 'tcp%-nodelay'", slip "tcp-nodely")
    assert.matches("unknown option ''%)", slip "")
    assert.matches("unknown option 'x\\x00'%)", slip "x\0")
    assert.matches("unknown option 'keep_idle'; did you mean 'keepidle'",
      support.raised(function() sock:getoption("keep_idle") end))
    assert.matches("bad argument #1 to 'getoption' %(string expected, got no value%)",
      support.raised(function() sock:getoption() end))
  end)

  local wrong = {
    { "nodelay", { 1, "true", {} }, "a boolean" },
    { "keepidle", { 0, 32768, 1.5, "5", 0 / 0, true }, "a whole number of seconds, 1 to 32767" },
    { "keepcnt", { 0, 128, 2.5, math.huge }, "a whole number, 1 to 127" },
    { "user_timeout", { -1, 0 / 0, math.huge, 2147484, "1" }, "a number of seconds, 0 to 2147483" },
    { "rcvbuf", { 0, 4095, 2 ^ 30, 5000.5 }, "a whole number of bytes, 4096 to 1073741823" },
    { "tos", { -4, 3, 256, {} }, "a multiple of 4, 0 to 252" },
    { "mark", { -1, 2 ^ 32, math.maxinteger }, "a whole number, 0 to 4294967295" },
    { "congestion", { 5, ("x"):rep(16), "reno\0x", true }, "a name of at most 15 bytes" },
  }
  for _, row in ipairs(wrong) do
    it(("'%s' raises for a wrong value, before connecting and after"):format(row[1]), function()
      local expected = ("option '%s' must be %s; got "):format(row[1], row[3])
      for _, value in ipairs(row[2]) do
        local set = support.raised(function() sock:setoption(row[1], value) end)
        assert.is_not_nil(set:find("bad argument #2 to 'setoption' (" .. expected, 1, true), set)
        local connect = support.raised(net.connect_by_list, { echo:address() },
          { socket = { [row[1]] = value } })
        assert.is_not_nil(
          connect:find("bad argument #2 to 'connect_by_list' (" .. expected, 1, true), connect)
      end
    end)
  end

  it("that can only be read raises when it is set", function()
    for _, name in ipairs { "error", "type", "domain", "protocol" } do
      local expected = ("(option '%s' can only be read)"):format(name)
      for _, message in ipairs { support.raised(sock.setoption, sock, name, 1),
        support.raised(net.connect_by_list, { echo:address() }, { socket = { [name] = 1 } }) } do
        assert.is_not_nil(message:find(expected, 1, true), message)
      end
    end
  end)

  it("raises on a closed socket", function()
    sock:close()
    assert.matches("attempt to use a closed socket", support.raised(sock.setoption, sock, "tos", 0))
    assert.matches("attempt to use a closed socket", support.raised(sock.getoption, sock, "tos"))
  end)

  it("W25: is set before connecting, and the winner has it", function()
    local refused <close> = testing.refused()
    local options = {}
    for name, list in pairs(values) do options[name] = list[#list] end
    options.sndbuf, options.cork, options.ttl = 100000, true, 9
    local winner <close> = assert(net.connect_by_list({ refused:address(), echo:address() },
      { timeout = 5, order = "given", socket = options }))
    for name, value in pairs(options) do assert.equal(value, winner:getoption(name)) end
    assert.equal(2, #winner:report().attempts)
  end)

  it("W25: of the other family is ignored", function()
    local six <close> = testing.echo("::1")
    local options = { timeout = 5, socket = { v6only = true, tclass = 16, hoplimit = 9, ttl = 8 } }
    local winner <close> = assert(net.connect_by_list({ echo:address() }, options))
    assert.equal(8, winner:getoption("ttl"))
    local other <close> = assert(net.connect_by_list({ six:address() }, options))
    assert.is_true(other:getoption("v6only"))
    assert.equal(16, other:getoption("tclass"))
    assert.equal(9, other:getoption("hoplimit"))
    assert.equal(10, other:getoption("domain"))
  end)

  it("W25: that cannot be set fails the attempt", function()
    local none, message, code, report = net.connect_by_list({ echo:address() },
      { socket = { congestion = "nonesuch" } })
    assert.is_nil(none)
    assert.matches("no such file or directory", message)
    assert.equal("ENOENT", code)
    assert.equal("failed", report.attempts[1].outcome)
    assert.equal("ENOENT", report.attempts[1].code)
  end)

  it("'nodelay' is on by default, with any other options", function()
    assert.is_true(sock:getoption("nodelay"))
    local winner <close> = assert(net.connect_by_list({ echo:address() }, { socket = { tos = 4 } }))
    assert.is_true(winner:getoption("nodelay"))
    local other <close> = assert(net.connect_by_list({ echo:address() },
      { socket = { ["tcp-nodelay"] = false } }))
    assert.is_false(other:getoption("nodelay"))
  end)
end)
