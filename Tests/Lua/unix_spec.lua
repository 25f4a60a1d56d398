--- Unix stream addresses, in lists and as sockets; and the report's field `mptcp`.
local net = require "connectbylist"
local testing = require "connectbylist.testing"
local support = require "Tests.Lua.support"

-- A path that does not exist.
local function path()
  local name = os.tmpname()
  os.remove(name)
  return name
end

-- An abstract name that is not in use.
local function name() return "@" .. path() end

local function texts(list)
  local result = {}
  for i, entry in ipairs(list) do result[i] = tostring(entry) end
  return result
end

describe("a Unix address", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  it("is added to a list as a table or an address", function()
    local list = net.address_list { { unix = "/run/x.sock" }, "192.0.2.1:80", { unix = "@x" } }
    assert.equal(list, list:add { unix = "relative/y" })
    assert.equal(list, list:add(list[1]))
    assert.same({ "unix:/run/x.sock", "192.0.2.1:80", "unix:@x", "unix:relative/y",
      "unix:/run/x.sock" }, texts(list))
    assert.equal("address list: unix:/run/x.sock, 192.0.2.1:80, unix:@x, unix:relative/y, "
      .. "unix:/run/x.sock", tostring(list))
    assert.equal("unix:/run/x.sock", tostring(list:remove(1)))
    assert.equal(4, #list)
    assert.equal(0, #list:clear())
  end)

  it("is never parsed from text", function()
    local list = net.address_list()
    for _, entry in ipairs { "/run/x.sock", "unix:/run/x.sock", "unix:/run/x.sock:80", "@x",
      "@x:80", { host = "/run/x.sock", port = 80 }, { host = "/run/x.sock", family = "unix" },
      { host = "@x", family = "unix", port = 80 } } do
      local added, message, code = list:add(entry)
      assert.is_nil(added)
      assert.is_string(message)
      assert.equal("EINVAL", code)
    end
    assert.is_nil((net.address("/run/x.sock", 80)))
    assert.equal(0, #list)
  end)

  it("is a value with a host and no port", function()
    local list = net.address_list { { unix = "/a" }, { unix = "/a" }, { unix = "@a" } }
    local address = list[1]
    assert.equal("/a", address.host)
    assert.equal("unix", address.family)
    assert.is_nil(address.port)
    assert.is_nil(address.scope)
    assert.is_true(address == list[2])
    assert.is_false(address == list[3])
    assert.equal("to unix:/a", "to " .. address)
    assert.is_true(address:mapped() == address)
    assert.is_true(address:unmapped() == address)
  end)

  it("is printed with its control bytes escaped", function()
    local list = net.address_list { { unix = "/a\n\27[31m" } }
    assert.equal("unix:/a\\x0a\\x1b[31m", tostring(list[1]))
    assert.equal("/a\n\27[31m", list[1].host)
  end)

  it("is refused if it is no valid path, and the list stays the same", function()
    local list = net.address_list { { unix = "/a" } }
    for _, case in ipairs {
      { "", "'': the Unix path is empty" },
      { "@", "'@': the Unix path is empty" },
      { "/a\0b", "'/a\\x00b': a NUL in the Unix path" },
      { "@\0", "'@\\x00': a NUL in the Unix path" },
      { "/" .. ("x"):rep(107), "…': the Unix path is longer than 107 bytes" },
      { "@" .. ("x"):rep(108), "…': the Unix path is longer than 107 bytes" },
      { 5, "the Unix path is not a string" },
      { {}, "the Unix path is not a string" },
      { true, "the Unix path is not a string" },
    } do
      local added, message, code = list:add { unix = case[1] }
      assert.is_nil(added)
      assert.is_not_nil(message:find(case[2], 1, true), message)
      assert.equal("EINVAL", code)
    end
    for _, entry in ipairs { { unix = "/b", port = 80 }, { unix = "/b", host = "::1" } } do
      local added, message, code = list:add(entry)
      assert.is_nil(added)
      assert.equal("a Unix address has no host and no port", message)
      assert.equal("EINVAL", code)
    end
    local made, message = net.address_list { "192.0.2.1:80", { unix = "" } }
    assert.is_nil(made)
    assert.equal("entry 2: '': the Unix path is empty", message)
    assert.same({ "unix:/a" }, texts(list))
    assert.is_truthy(list:add { unix = "/" .. ("x"):rep(106) })
    assert.is_truthy(list:add { unix = "@" .. ("x"):rep(107) })
  end)

  it("W19 can be connected to", function()
    for _, where in ipairs { path(), name() } do
      local echo <close> = testing.echo { unix = where }
      local list = net.address_list { { unix = where } }
      local sock <close> = assert(net.connect_by_list(list, { timeout = 5 }))
      sock:settimeout(5)
      sock:write("over a path\n")
      assert.equal("over a path", sock:read())
      assert.is_true(sock:remote_address() == list[1])
      assert.is_true(sock:remote_address() == echo:address())
      assert.equal("unix", sock:local_address().family)
      assert.equal("", sock:local_address().host)
      assert.equal("unix", sock:getfamily())
      assert.equal("tcp{client}: unix: -> unix:" .. where, tostring(sock))
      local report = sock:report()
      assert.is_true(report.attempts[1].remote_address == list[1])
      assert.is_nil(report.attempts[1].local_address)
      assert.matches('"remote_address":"unix:' .. where:gsub("%p", "%%%0"), report:json())
      assert.matches("#1 unix:", tostring(report))
      local history = list:history()
      assert.is_true(history[1].address == list[1])
      assert.is_true(history[1].connected)
      assert.equal(1, echo:accepted())
    end
  end)

  it("goes first, with its reason, and the others follow if it fails", function()
    local echo <close> = testing.echo()
    local where = path()
    local list = net.address_list { echo:address(), { unix = where } }
    local plan = assert(net.explain(list))
    assert.equal("unix", plan[1].remote_address.family)
    assert.same({ "on this machine" }, plan[1].reasons)
    assert.equal("inet", plan[2].remote_address.family)
    assert.matches("#1%s+%-%s+unix:", tostring(plan))
    local sock <close>, message = net.connect_by_list(list, { timeout = 5 })
    assert.is_truthy(sock, message)
    assert.is_true(sock:remote_address() == echo:address())
    local report = sock:report()
    assert.equal("failed", report.attempts[1].outcome)
    assert.equal("ENOENT", report.attempts[1].code)
    assert.equal("ENOENT", list:history()[2].code)
  end)

  it("is printed in the messages of failures", function()
    local where = path()
    local refused <close> = testing.refused { unix = where }
    local sock, message, code, report = net.connect_by_list { { unix = where } }
    assert.is_nil(sock)
    assert.equal("ECONNREFUSED", code)
    assert.matches("last: unix:" .. where .. " connection refused$", message)
    assert.equal("refused", report.attempts[1].outcome)
    assert.is_true(refused:address().host == where)
    sock, message, code = net.connect_by_list { { unix = "/nonesuch/\27[31m" } }
    assert.is_nil(sock)
    assert.equal("ENOENT", code)
    assert.is_nil(message:find("%c"))
  end)

  it("is included or excluded by the option family", function()
    local where = name()
    local echo <close> = testing.echo { unix = where }
    local list = net.address_list { "127.0.0.1:9", { unix = where } }
    local sock <close> = assert(net.connect_by_list(list, { family = "unix" }))
    assert.equal(1, #sock:report().attempts)
    local _, _, code = net.connect_by_list({ { unix = where } }, { family = "inet" })
    assert.equal("EAFNOSUPPORT", code)
    assert.equal(echo:address(), sock:remote_address())
  end)

  it("ignores local addresses and an interface", function()
    local echo <close> = testing.echo { unix = path() }
    local sock <close> = assert(net.connect_by_list({ echo:address() },
      { local_addresses = { "127.0.0.1" }, interface = "lo", mptcp = true }))
    assert.equal("", sock:local_address().host)
    assert.is_nil(sock:report().mptcp)
    assert.has_error(function()
      net.connect_by_list({ echo:address() }, { local_addresses = { echo:address() } })
    end)
  end)

  it("is printed in JSON as UTF-8, whatever its bytes", function()
    local _, _, _, report = net.connect_by_list { { unix = "/nonesuch/\xff\xfe" } }
    assert.is_truthy(utf8.len(report:json()))
    assert.is_not_nil(report:json():find([["unix:/nonesuch/\\xff\\xfe"]], 1, true))
  end)

  it("is known for a descriptor from elsewhere", function()
    local echo <close> = testing.echo { unix = path() }
    local first = assert(net.connect_by_list { echo:address() })
    local sock <close> = assert(net.wrap(first:detach()))
    assert.is_true(sock:remote_address() == echo:address())
    assert.equal("unix", sock:getfamily())
  end)
end)

describe("a Unix test endpoint", function()
  it("removes its path when it is closed or collected", function()
    local where = path()
    for _, kind in ipairs { "echo", "refused" } do
      local endpoint = testing[kind] { unix = where }
      assert.is_true(os.rename(where, where))
      assert.matches("address in use", support.raised(testing[kind], { unix = where }))
      endpoint:close()
      assert.is_nil((os.rename(where, where)))
      testing[kind] { unix = where }
      collectgarbage()
      collectgarbage()
      assert.is_nil((os.rename(where, where)))
    end
  end)

  it("cannot be silent, and needs a valid path", function()
    assert.matches("a Unix endpoint cannot be silent", support.raised(testing.silent, { unix = "/a" }))
    assert.matches("option 'unix' must be the path of a Unix socket; got 5",
      support.raised(testing.echo, { unix = 5 }))
    assert.matches("no such file", support.raised(testing.echo, { unix = "/nonesuch/x" }))
    assert.matches("invalid argument", support.raised(testing.echo, { unix = "" }))
    assert.matches("invalid argument",
      support.raised(testing.echo, { unix = "/tmp/" .. ("x"):rep(200) }))
  end)
end)

describe("MPTCP", function()
  it("is not in the report if it is not asked for", function()
    local sock, echo = support.echo()
    assert.is_nil(sock:report().mptcp)
    assert.is_nil(sock:report():json():find("mptcp", 1, true))
    sock:close()
    echo:close()
  end)

  it("W19 falls back to TCP, and the report says so", function()
    local echo <close> = testing.echo()
    local sock <close> = assert(net.connect_by_list({ echo:address() },
      { mptcp = true, timeout = 5 }))
    sock:settimeout(5)
    sock:write("plain\n")
    assert.equal("plain", sock:read())
    local report = sock:report()
    assert.equal("fallback", report.mptcp)
    assert.matches('"mptcp":"fallback"', report:json())
    assert.matches("1 pair tried; no MPTCP\n", tostring(report))
  end)

  it("is a boolean", function()
    assert.matches("option 'mptcp' must be a boolean; got 1",
      support.raised(net.connect_by_list, { "127.0.0.1:9" }, { mptcp = 1 }))
  end)
end)
