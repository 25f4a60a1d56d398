local net = require "connectbylist"
local support = require "Tests.Lua.support"

describe("an address", function()
  it("is parsed from a literal with its port", function()
    local address = net.address("192.0.2.7:7000")
    assert.equal("192.0.2.7", address.host)
    assert.equal(7000, address.port)
    assert.equal("inet", address.family)
    assert.is_nil(address.scope)
  end)

  it("is parsed from a host and a port", function()
    assert.equal("192.0.2.7:80", tostring(net.address("192.0.2.7", 80)))
    assert.equal("[2001:db8::7]:80", tostring(net.address("2001:db8::7", 80)))
    assert.equal("[2001:db8::7]:80", tostring(net.address("2001:db8::7", "80")))
  end)

  it("is printed in the form of RFC 5952", function()
    assert.equal("[2001:db8::1]:80", tostring(net.address("[2001:0DB8:0:0:0:0:0:1]:80")))
    assert.equal("[2001:db8:0:1:1:1:1:1]:80", tostring(net.address("[2001:db8::1:1:1:1:1]:80")))
    assert.equal("[::ffff:192.0.2.7]:80", tostring(net.address("[::FFFF:c000:207]:80")))
  end)

  it("has its scope in a field of its own", function()
    local address = net.address("[fe80::1%lo]:80")
    assert.equal("fe80::1", address.host)
    assert.equal("lo", address.scope)
    assert.equal("inet6", address.family)
    assert.equal("[fe80::1%lo]:80", tostring(address))
  end)

  it("equals another with the same value", function()
    assert.is_true(net.address("127.0.0.1:80") == net.address("127.0.0.1", 80))
    assert.is_false(net.address("127.0.0.1:80") == net.address("127.0.0.1:81"))
    assert.is_false(net.address("127.0.0.1:80") == net.address("127.0.0.2:80"))
    assert.is_false(net.address("[fe80::1%lo]:80") == net.address("[fe80::1]:80"))
    assert.is_false(net.address("[::ffff:127.0.0.1]:80") == net.address("127.0.0.1:80"))
  end)

  it("is concatenated with text on either side", function()
    local address = net.address("127.0.0.1:80")
    assert.equal("to 127.0.0.1:80", "to " .. address)
    assert.equal("127.0.0.1:80 it is", address .. " it is")
    assert.equal("127.0.0.1:80127.0.0.1:80", address .. address)
  end)

  it("is converted to v4-mapped and back", function()
    local address = net.address("192.0.2.7:80")
    assert.equal("[::ffff:192.0.2.7]:80", tostring(address:mapped()))
    assert.equal("inet6", address:mapped().family)
    assert.is_true(address:mapped():unmapped() == address)
    assert.is_true(address:unmapped() == address)
    local native = net.address("[2001:db8::7]:80")
    assert.is_true(native:mapped() == native)
    assert.is_true(native:unmapped() == native)
  end)

  local malformed = {
    { "", "the entry is empty" },
    { "192.0.2.7", "no port" },
    { "192.0.2.7:", "the port is empty" },
    { "192.0.2.7:0", "port is 0" },
    { "192.0.2.7:65536", "above 65535" },
    { "192.0.2.256:80", "four decimal parts" },
    { "127.1:80", "four decimal parts" },
    { "0x7f000001:80", "four decimal parts" },
    { "2130706433:80", "four decimal parts" },
    { "0.0.0.0:80", "unspecified" },
    { "[::]:80", "unspecified" },
    { "224.0.0.1:80", "multicast" },
    { "255.255.255.255:80", "broadcast" },
    { "2001:db8::7", "%[address%]:port" },
    { "[2001:db8::7:80", "not closed" },
    { "[fe80::1%nonesuch0]:80", "interface" },
    { "[2001:db8::7%lo]:80", "scope" },
    { "192.0.2.7 :80", "space" },
    { "192.0.2.7\0:80", "control" },
    { "db.example.net:80", "not an address" },
  }
  for _, case in ipairs(malformed) do
    it(("is not parsed from %q; the message says why"):format(case[1]), function()
      local address, message, code = net.address(case[1])
      assert.is_nil(address)
      assert.equal("EINVAL", code)
      assert.matches(case[2], message)
    end)
  end

  it("escapes control bytes in its messages", function()
    local _, message = net.address("a\27[31m\n:80")
    assert.is_nil(message:find("%c"))
    assert.matches([[a\x1b%[31m\x0a:80]], message)
  end)

  it("is not made with a port out of range", function()
    for _, port in ipairs { 0, -1, 65536, "0", "65536", "-1" } do
      local address, message, code = net.address("192.0.2.7", port)
      assert.is_nil(address)
      assert.matches("port", message)
      assert.equal("EINVAL", code)
    end
  end)

  it("raises for any other type of argument", function()
    assert.matches("bad argument #1 to 'address' %(string expected, got no value%)",
      support.raised(net.address))
    assert.matches("bad argument #1 to 'address' %(string expected, got nil%)",
      support.raised(net.address, nil))
    assert.matches("bad argument #1 to 'address' %(string expected, got table%)",
      support.raised(net.address, {}))
    assert.matches("bad argument #2 to 'address' %(number expected, got boolean%)",
      support.raised(net.address, "192.0.2.7", true))
    assert.same({ nil, "the port is neither a whole number nor text", "EINVAL" },
      { net.address("192.0.2.7", 80.5) })
  end)
end)
