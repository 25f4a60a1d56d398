local net = require "connectbylist"
local support = require "Tests.Lua.support"

local function texts(list)
  local result = {}
  for _, entry in ipairs(list) do result[#result + 1] = tostring(entry) end
  return result
end

describe("an address list", function()
  it("is made from an array, from one text, or empty", function()
    assert.equal(0, #net.address_list())
    assert.equal(0, #net.address_list {})
    assert.same({ "192.0.2.7:80" }, texts(net.address_list "192.0.2.7:80"))
    assert.same({ "192.0.2.7:80", "[::1]:81" },
      texts(net.address_list { "192.0.2.7:80", "[::1]:81" }))
  end)

  it("takes every kind of entry", function()
    local list = net.address_list()
    assert.equal(list, list:add("192.0.2.1:80"))
    assert.equal(list, list:add("192.0.2.2", 80))
    assert.equal(list, list:add("2001:db8::3", "80"))
    assert.equal(list, list:add(net.address("192.0.2.4:80")))
    assert.equal(list, list:add { host = "192.0.2.5", port = 80 })
    assert.equal(list, list:add { host = "fe80::6", scope = "lo", port = 80 })
    assert.equal(list, list:add { host = "fe80::7", scope = 1, port = 80 })
    assert.equal(list, list:add { addr = "192.0.2.8", port = 80, family = "inet" })
    assert.equal(list, list:add({ ip = "192.0.2.9" }, 80))
    assert.equal(list, list:add { host = "192.0.2.10", port = 80.0 })
    assert.same({ "192.0.2.1:80", "192.0.2.2:80", "[2001:db8::3]:80", "192.0.2.4:80",
      "192.0.2.5:80", "[fe80::6%lo]:80", "[fe80::7%lo]:80", "192.0.2.8:80", "192.0.2.9:80",
      "192.0.2.10:80" }, texts(list))
  end)

  it("gives its default port to entries that have none", function()
    local list = net.address_list({ "192.0.2.1", "192.0.2.2:81", { host = "::1" } }, 7000)
    assert.same({ "192.0.2.1:7000", "192.0.2.2:81", "[::1]:7000" }, texts(list))
    assert.is_truthy(list:add("192.0.2.3"))
    assert.equal(7000, list[4].port)
  end)

  it("is indexed from 1, and gives nil outside", function()
    local list = net.address_list { "192.0.2.1:80", "192.0.2.2:80" }
    assert.equal("192.0.2.1", list[1].host)
    assert.equal("192.0.2.2", list[2.0].host)
    for _, position in ipairs { 0, 3, -1, 1.5, math.maxinteger, math.mininteger, 2 ^ 63, "1" } do
      assert.is_nil(list[position])
    end
  end)

  it("removes an entry and returns it", function()
    local list = net.address_list { "192.0.2.1:80", "192.0.2.2:80", "192.0.2.3:80" }
    assert.equal("192.0.2.2:80", tostring(list:remove(2)))
    assert.same({ "192.0.2.1:80", "192.0.2.3:80" }, texts(list))
    assert.equal("192.0.2.3:80", tostring(list:remove(2)))
    assert.equal("192.0.2.1:80", tostring(list:remove(1)))
    assert.equal(0, #list)
  end)

  it("removes all entries with clear", function()
    local list = net.address_list { "192.0.2.1:80", "192.0.2.2:80" }
    assert.equal(list, list:clear())
    assert.equal(0, #list)
    assert.equal(0, #list:clear())
  end)

  it("prints its entries, the first twenty of many", function()
    assert.equal("address list: ", tostring(net.address_list()))
    assert.equal("address list: 192.0.2.1:80, [::1]:81",
      tostring(net.address_list { "192.0.2.1:80", "[::1]:81" }))
    local list = net.address_list()
    for i = 1, 25 do list:add("192.0.2." .. i, 80) end
    assert.matches("192%.0%.2%.20:80, … %(25 in all%)$", tostring(list))
  end)

  it("stays the same if an entry is malformed", function()
    local list = net.address_list { "192.0.2.1:80" }
    local malformed = {
      { "192.0.2.2", "'192.0.2.2': no port" },
      { "db.example.net", "'db.example.net': no port" },
      { "db..net:80", "nothing before or between dots" },
      { {}, "a table without a host" },
      { { host = 5, port = 80 }, "a table without a host" },
      { { host = "192.0.2.2" }, "no port" },
      { { host = "192.0.2.2", port = 0 }, "port 0 is not in 1 to 65535" },
      { { host = "192.0.2.2", port = 70000 }, "port 70000 is not in 1 to 65535" },
      { { host = "192.0.2.2", port = {} }, "the port is neither a whole number nor text" },
      { { host = "192.0.2.2", port = true }, "the port is neither a whole number nor text" },
      { { host = "192.0.2.2", port = 80.5 }, "the port is neither a whole number nor text" },
      { { host = "192.0.2.2", port = "x y" }, "port" },
      { { host = "192.0.2.2:80", scope = "lo" }, "'192.0.2.2:80%%lo': " },
      { { host = "fe80::1", scope = {}, port = 80 }, "the scope is neither" },
      { { host = "fe80::1", scope = "nonesuch0", port = 80 }, "the scope is neither" },
      { { host = "192.0.2.2", scope = "lo", port = 80 }, "'192.0.2.2%%lo': " },
    }
    for _, case in ipairs(malformed) do
      local added, message, code = list:add(case[1])
      assert.is_nil(added)
      assert.matches(case[2], message)
      assert.equal("EINVAL", code)
    end
    assert.same({ "192.0.2.1:80" }, texts(list))
  end)

  it("is not made from a malformed entry; the message gives its position", function()
    local list, message, code = net.address_list { "192.0.2.1:80", "192.0.2.2:99999" }
    assert.is_nil(list)
    assert.equal("entry 2: '192.0.2.2:99999': port is above 65535", message)
    assert.equal("EINVAL", code)
    list, message, code = net.address_list { "192.0.2.1:80", { port = 80 } }
    assert.is_nil(list)
    assert.equal("entry 2: a table without a host", message)
    assert.equal("EINVAL", code)
    list, message, code = net.address_list { "192.0.2.1:80", 5 }
    assert.is_nil(list)
    assert.equal("entry 2: string or table expected, got number", message)
    assert.equal("EINVAL", code)
  end)

  it("raises when it is misused", function()
    local list = net.address_list { "192.0.2.1:80" }
    local function misuse(expected, body)
      assert.matches(expected, support.raised(body))
    end
    misuse("bad argument #1 to 'add' %(string expected, got nil%)", function() list:add(nil) end)
    misuse("bad argument #1 to 'add' %(string expected, got number%)", function() list:add(5) end)
    misuse("bad argument #2 to 'add' %(number expected, got table%)",
      function() list:add("192.0.2.1", {}) end)
    misuse("bad argument #1 to 'remove' %(position out of bounds%)", function() list:remove(2) end)
    misuse("bad argument #1 to 'remove' %(position out of bounds%)", function() list:remove(0) end)
    misuse("bad argument #1 to 'remove' %(number expected, got nil%)", function() list:remove() end)
    misuse("bad argument #1 to 'address_list' %(table or string expected, got number%)",
      function() local _ = net.address_list(5) end)
    misuse("bad argument #2 to 'address_list' %(the default port must be 1 to 65535%)",
      function() local _ = net.address_list({}, 0) end)
    misuse("bad argument #2 to 'address_list' %(number expected, got string; it is the default port",
      function() local _ = net.address_list({}, "80") end)
    misuse("bad argument #1 to 'add' %(address list expected, got table%)",
      function() list.add({}, "192.0.2.1:80") end)
    assert.equal(1, #list)
  end)

  it("names the script's line when it raises", function()
    local list = net.address_list()
    local line = debug.getinfo(1, "l").currentline + 1
    local message = support.raised(function() list:add(5) end)
    assert.matches("address_list_spec%.lua:" .. line .. ": bad argument", message)
  end)

  it("keeps the results of connects until forget", function()
    local testing = require "connectbylist.testing"
    local refused <close> = testing.refused()
    local echo <close> = testing.echo()
    local list = net.address_list { refused:address(), echo:address() }
    assert.same({}, list:history())
    net.connect_by_list(list, { order = "given" }):close()
    local history = list:history()
    assert.equal(2, #history)
    assert.is_true(history[1].address == refused:address())
    assert.is_false(history[1].connected)
    assert.equal("ECONNREFUSED", history[1].code)
    assert.is_true(history[2].address == echo:address())
    assert.is_true(history[2].connected)
    assert.equal(list, list:forget())
    assert.same({}, list:history())
  end)
end)
