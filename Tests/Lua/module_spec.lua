local net = require "connectbylist"
local support = require "Tests.Lua.support"

-- Runs the body with the module not loaded yet; busted keeps modules loaded between files.
local function loaded_again(body)
  local names, saved = { "connectbylist", "connectbylist.core", "connectbylist.testing" }, {}
  for _, name in ipairs(names) do
    saved[name], package.loaded[name] = package.loaded[name], nil
  end
  local ok, message = pcall(body)
  for _, name in ipairs(names) do package.loaded[name] = saved[name] end
  if not ok then error(message, 0) end
end

describe("the module", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  it("has a version of three numbers", function()
    assert.matches("^%d+%.%d+%.%d+$", net.version)
  end)

  it("has these names and no others", function()
    local names = {}
    for name in pairs(net) do names[#names + 1] = name end
    table.sort(names)
    assert.same({ "address", "address_list", "connect_by_list", "connect_by_name", "explain",
      "local_addresses", "now", "resolve", "setwait", "sleep", "socket", "start", "version", "wrap" }, names)
  end)

  it("gives sockets these methods and no others", function()
    local sock, endpoint = support.echo()
    local names = {}
    for name in pairs(getmetatable(sock).__index) do names[#names + 1] = name end
    table.sort(names)
    assert.same({ "alive", "bind", "buffered", "class", "close", "connected", "detach", "dirty", "events",
      "flush", "getfamily", "getfd", "getoption", "getpeername", "getsockname", "getstats", "gettimeout",
      "lines", "local_address", "name", "pollfd", "read", "receive", "receive_any", "remote_address",
      "report", "send", "setdeadline", "setfd", "setmaxline", "setoption", "setstats", "settimeout",
      "setvbuf", "setwait", "shutdown", "timeout", "write" }, names)
    sock:close()
    endpoint:close()
  end)

  it("does not change the globals and the libraries of Lua", function()
    local function snapshot()
      local seen = {}
      for name, library in pairs(_G) do
        if type(library) == "table" and package.loaded[name] == library and name ~= "package" then
          for key, value in pairs(library) do seen[name .. "." .. tostring(key)] = value end
        end
      end
      return seen
    end
    local before = snapshot()
    loaded_again(function()
      local own = require "connectbylist"
      require "connectbylist.testing"
      local _, _, _, report = own.connect_by_list {}
      local _ = tostring(report) .. report:json()
    end)
    assert.same(before, snapshot())
    for key, value in pairs(getmetatable("").__index) do assert.equal(string[key], value) end
  end)

  -- Test runners unload modules between files. The metatables stay in the state; the second load once
  -- wrapped the functions that the first had put there.
  it("can be loaded again, and objects of both loads work", function()
    local sock, endpoint = support.echo()
    local list = net.address_list { endpoint:address() }
    loaded_again(function()
      for _ = 1, 3 do
        package.loaded["connectbylist"], package.loaded["connectbylist.testing"] = nil, nil
        local again = require "connectbylist"
        local testing = require "connectbylist.testing"
        assert.are_not.equal(net, again)
        local echo <close> = testing.echo()
        local other <close> = assert(again.connect_by_list({ echo:address() }))
        other:settimeout(5)
        other:write("again\n")
        assert.equal("again", other:read("l"))
        assert.matches("^tcp{client}: 127", tostring(other))
        assert.equal("connected", other:report().attempts[1].outcome)
        local third <close> = assert(again.connect_by_list(list))
        assert.is_true(third:connected())
      end
      sock:write("still here\n")
      assert.equal("still here", sock:read("l"))
      assert.matches("^tcp{client}: 127", tostring(sock))
      assert.equal("connected", sock:report().attempts[1].outcome)
      assert.equal(1, #list)
      assert.equal(endpoint:address().port, list[1].port)
    end)
    sock:close()
    endpoint:close()
  end)

  -- Functions that loaded with their first call once numbered the arguments of that call differently.
  it("gives the same message for a mistake in the first call and in the next", function()
    local mistakes = {
      ["bad argument #1 to 'remove'"] = function(_, list) list:remove(9) end,
      ["bad argument #1 to 'bind'"] = function(_, _, sock) sock:bind() end,
      ["bad argument #1 to 'address'"] = function(own) own.address() end,
      ["unknown option 'tmeout'"] = function(own, list) own.explain(list, { tmeout = 1 }) end,
    }
    for expected, mistake in pairs(mistakes) do
      loaded_again(function()
        local own = require "connectbylist"
        local list, sock <close> = own.address_list { "192.0.2.1:80" }, assert(own.socket())
        local messages = {}
        for i = 1, 2 do messages[i] = support.raised(function() mistake(own, list, sock) end) end
        assert.equal(messages[2], messages[1])
        assert.matches(expected, messages[1])
        assert.matches("module_spec.lua:%d+: ", messages[1])
      end)
    end
  end)

  it("returns this machine's addresses", function()
    local found = false
    for _, item in ipairs(assert(net.local_addresses())) do
      assert.is_string(item.address.host)
      assert.equal(0, item.address.port)
      assert.is_true(item.prefix >= 0 and item.prefix <= 128)
      assert.is_string(item.interface)
      assert.is_table(item.flags)
      if item.address.host == "127.0.0.1" then
        found = true
        assert.equal(8, item.prefix)
        assert.equal("lo", item.interface)
      end
    end
    assert.is_true(found)
  end)
end)
