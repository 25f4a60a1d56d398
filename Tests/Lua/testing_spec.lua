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
    for _, kind in ipairs { "echo", "refused", "silent" } do
      for value, name in pairs { nonsense = "nonsense", [5] = "number", [true] = "boolean",
        ["127.1"] = "127.1" } do
        local line = debug.getinfo(1, "l").currentline + 1
        local message = support.raised(function() local _ = testing[kind](value) end)
        assert.is_not_nil(message:find(("testing_spec.lua:%d: bad argument #1 to '%s' "
          .. "(an IP address expected, got %s)"):format(line, kind, name), 1, true), message)
      end
      assert.matches("address not available",
        support.raised(function() local _ = testing[kind]("192.0.2.1") end))
    end
  end)
end)
