--- Every public name and every kind of misuse, in fast sections that can run again. AllocationTests
-- runs each section once for every allocation that can fail in it.
--
-- A section's `setup` does not run out of memory; `run` gets its result. While no object owns a
-- descriptor, its number is in the global `loose`, so that it can be closed if memory runs out then.

-- Lua's messages when memory runs out. Those of luaL_checkstack and table.unpack mean that the stack
-- could not grow.
local shortages = { "^not enough memory$", "stack overflow", "too many results to unpack" }

-- Raises an error that was caught again if memory had run out.
local function pass_on(message)
  if type(message) ~= "string" then return end
  for _, shortage in ipairs(shortages) do
    if message:find(shortage) then error(message, 0) end
  end
end

-- Raises unless the body raises a message that matches.
local function misuse(pattern, body, ...)
  local ok, message = pcall(body, ...)
  if not ok then pass_on(message) end
  assert(not ok and tostring(message):find(pattern), message)
end

-- Uses each part of the module that loads with its first use.
local function load_all_parts(net)
  local _, _, _, report = net.connect_by_list {}
  assert(#tostring(report) > 0 and #report:json() > 0 and #report:svg() > 0)
  local part = require "connectbylist.core".part
  for _, name in ipairs { "address", "list_entries", "socket_methods" } do part(name) end
end

local function world()
  local net, testing = require "connectbylist", require "connectbylist.testing"
  load_all_parts(net)
  return { net = net, testing = testing, echo = testing.echo(), refused = testing.refused() }
end

local function connected(w, options)
  local sock = assert(w.net.connect_by_list({ w.echo:address() }, options))
  sock:settimeout(5)
  return sock
end

local sections = {}

local function section(name, setup, run)
  sections[#sections + 1] = { name = name, setup = setup, run = run }
end

section("loading", nil, function()
  for _, name in ipairs { "connectbylist", "connectbylist.core", "connectbylist.testing" } do
    package.loaded[name] = nil
  end
  local net, testing = require "connectbylist", require "connectbylist.testing"
  assert(net.version)
  -- A metatable that is incomplete would show here.
  local list = net.address_list { "127.0.0.1:9" }
  assert(#list == 1 and tostring(list) == "address list: 127.0.0.1:9")
  local endpoint <close> = testing.refused()
  local _, _, code, report = net.connect_by_list({ endpoint:address() }, {})
  assert(code == "ECONNREFUSED" and report.attempts[1].outcome == "refused")
end)

section("parts that load late", nil, function()
  package.loaded["connectbylist"] = nil
  load_all_parts(require "connectbylist")
end)

section("addresses", world, function(w)
  local net = w.net
  local address = net.address("[fe80::1%lo]:80")
  assert(address.host == "fe80::1" and address.scope == "lo" and address.family == "inet6")
  assert(tostring(address) == "[fe80::1%lo]:80")
  assert(address == net.address("fe80::1%lo", "80"))
  local four = net.address("192.0.2.1", 80)
  assert("" .. four:mapped() == "[::ffff:192.0.2.1]:80")
  assert(four:mapped():unmapped() == four)
  local none, message, code = net.address("127.1:80")
  assert(not none and message and code == "EINVAL")
  assert(not net.address("192.0.2.1", 0))
  misuse("bad argument #1 to 'address'", net.address)
  misuse("bad argument #2 to 'address'", net.address, "192.0.2.1", {})
  assert(select(3, net.address("192.0.2.1", 1.5)) == "EINVAL")
  assert(#net.local_addresses() > 0)
  assert(net.resolve("localhost", 80, { family = "inet", timeout = 5 })[1].port == 80)
  none, message, code = net.resolve({ srv = "192.0.2.1" }, { timeout = 0 })
  assert(not none and message and code == "EINVAL")
  misuse("bad argument #1 to 'resolve'", net.resolve)
  local services = net.address_list { { srv = "_x._tcp.localhost" } }
  assert(services[1].srv == "_x._tcp.localhost" and tostring(services):find "SRV")
  assert(not net.address_list { { srv = "x", port = 1 } })
end)

section("lists", world, function(w)
  local net = w.net
  local list = net.address_list({ "192.0.2.1", "[::1]:81" }, 80)
  assert(list:add("192.0.2.2:80") and list:add("192.0.2.3", 80))
  assert(list:add(net.address("192.0.2.4:80")) and list:add({ addr = "192.0.2.5" }, 80))
  assert(list:add { host = "fe80::1", scope = "lo", port = 80 })
  assert(#list == 7 and list[7].host == "fe80::1" and not list[8])
  for i, address in ipairs(list) do assert(list[i] == address) end
  for i = 1, 20 do list:add("192.0.2." .. i + 10) end
  assert(tostring(list):find "in all")
  assert(list:remove(1).host == "192.0.2.1")
  assert(#list:history() == 0 and list:forget() == list)
  assert(list:clear() == list and #list == 0)
  assert(list:add("localhost:http") and list:add("localhost", 80))
  assert(list[1].host == "localhost" and list[1].port == "http" and not list[1].family)
  assert(tostring(list) == "address list: localhost:http, localhost:80" and list:remove(1) and list:remove(1))
  for _, entry in ipairs { "", "x y", {}, { host = "192.0.2.1", port = {} } } do
    local added, message, code = list:add(entry)
    assert(not added and message and code == "EINVAL")
  end
  assert(not net.address_list { "192.0.2.1:80", 5 })
  misuse("bad argument #1 to 'add'", function() list:add() end)
  misuse("position out of bounds", list.remove, list, 1)
  misuse("default port", net.address_list, {}, 0)
  misuse("bad argument #1 to 'address_list'", net.address_list, 5)
  misuse("address list expected, got table", list.add, {}, "192.0.2.1:80")
  getmetatable(list).__gc(list)
  misuse("attempt to use a closed address list", list.clear, list)
end)

section("Unix addresses", function()
  local w = world()
  w.name = os.tmpname()
  os.remove(w.name)
  return w
end, function(w)
  local net, testing, name = w.net, w.testing, w.name
  local echo <close> = testing.echo { unix = "@" .. name }
  local refused <close> = testing.refused { unix = "@" .. name .. "-refused" }
  local list = net.address_list { { unix = "/nonesuch" }, refused:address(), echo:address() }
  assert(list[1].host == "/nonesuch" and list[1]:mapped() == list[1]:unmapped())
  assert(tostring(list):find "unix:/nonesuch, unix:@")
  local sock <close> = assert(net.connect_by_list(list, { timeout = 5, mptcp = true }))
  assert(sock:remote_address() == echo:address() and sock:local_address().host == "")
  assert(tostring(sock):find "unix: %-> unix:@" and sock:getfamily() == "unix")
  assert(tostring(sock:report()):find "unix:@" and sock:report():json():find "unix:@")
  assert(#list:history() == 3 and #net.explain(list) == 3)
  assert(list:remove(1).host == "/nonesuch")
  for _, entry in ipairs { { unix = "" }, { unix = 5 }, { unix = "/x", port = 1 } } do
    local added, message, code = list:add(entry)
    assert(not added and message and code == "EINVAL")
  end
  misuse("a Unix endpoint cannot be silent", testing.silent, { unix = "@x" })
  misuse("address in use", testing.echo, { unix = "@" .. name })
end)

section("connecting", world, function(w)
  local net = w.net
  local list = net.address_list { w.refused:address(), w.echo:address() }
  local sock <close> = assert(net.connect_by_list(list, {
    timeout = 5, attempt_delay = 0.25, minimum_delay = 0.02, attempt_timeout = 4, pace = "steady",
    order = "given", seed = 7, hedge = 1, interleave = false, in_flight = 8, family = "inet",
    local_addresses = { "127.0.0.1" }, socket = { nodelay = true, tos = 16,
      linger = { on = true, timeout = 1 }, quickack = true }, interface = "lo" }))
  local report = sock:report()
  assert(report.winner == 2 and report.elapsed > 0 and not report.deadline and not report.code)
  assert(#report.names == 0 and report:table().winner == 2)
  for i, attempt in ipairs(report.attempts) do
    assert(attempt.rank == i and attempt.remote_address == list[i] and #attempt.reasons > 0)
  end
  assert(tostring(report):find "refused" and report:json():find '"winner":2')
  assert(report:text { columns = 60, ascii = true, color = true }:find "\27")
  assert(report:svg { theme = "dark" }:find "refused")
  misuse("a report has no field 'nonesuch'", function() return report.nonesuch end)
  misuse("unknown option 'theme'", report.text, report, { theme = "dark" })
  misuse("option 'columns' must be of type integer", report.text, report, { columns = "80" })
  misuse("'auto', 'light' or 'dark'", report.svg, report, { theme = "blue" })
  assert(#list:history() == 2)
  local plan = assert(net.explain(list, { local_addresses = { net.address("127.0.0.1", 1) } }))
  assert(#plan >= 2 and tostring(plan):find "rank" and plan:text { columns = 40 }:find "\n")
end)

section("names", world, function(w)
  local net = w.net
  local port = w.echo:address().port
  local sock <close> = assert(net.connect_by_name("localhost", port, { family = "inet" }))
  local report = sock:report()
  assert(report.names[1].host == "localhost" and report.names[1].addresses > 0)
  assert(tostring(report):find "localhost" and report:json():find '"host":"localhost"')
  local none, message, code = net.connect_by_name("localhost", "nonesuch")
  assert(not none and message:find "^connect_by_name" and code == "EAI_SERVICE")
  none, message, code = net.connect_by_name("127.1", 80)
  assert(not none and message:find "^connect_by_name" and code == "EINVAL")
  misuse("string expected", net.connect_by_name)
end)

section("a socket that is connected later", world, function(w)
  local net = w.net
  local sock <close> = assert(net.socket())
  assert(not sock:connected() and tostring(sock) == "tcp{client}: not connected")
  assert(sock:getfamily() == "inet6" and not sock:remote_address())
  local none, message, code, report = net.connect_by_list(sock, { w.refused:address() })
  assert(not none and message and code == "ECONNREFUSED" and report.code == code)
  assert(net.connect_by_list(sock, { w.echo:address() }, { timeout = 5 }) == sock)
  assert(sock:connected() and sock:remote_address():unmapped() == w.echo:address())
  none, message, code = net.connect_by_list(sock, { w.echo:address() })
  assert(not none and message and code == "EISCONN")
  local bound <close> = assert(net.socket "inet")
  assert(bound:bind("127.0.0.1") == bound and bound:bind(bound:local_address()) == nil)
  none, message, code, report = net.connect_by_list(bound, { w.echo:address() })
  assert(not none and message and code == "EINVAL" and report.code == code)
  misuse("'inet6', 'inet' or 'unix' expected", net.socket, "x")
  misuse("address list, table or string expected", net.connect_by_list, sock)
  misuse("string expected", bound.bind, bound)
  sock:close()
  misuse("attempt to use a closed socket", net.connect_by_list, sock, { w.echo:address() })
end)

section("failing to connect", world, function(w)
  local net = w.net
  local sock, message, code, report = net.connect_by_list({ w.refused:address() })
  assert(not sock and message and code == "ECONNREFUSED" and report.code == code)
  assert(tostring(report):find "refused" and report:json():find '"ECONNREFUSED"')
  for _, case in ipairs { { {}, nil, "EINVAL" }, { { "127.1:9" }, nil, "EINVAL" },
    { "127.0.0.1:9", { family = "inet6" }, "EAFNOSUPPORT" },
    { "127.0.0.1:9", { interface = "nonesuch0" }, "ENODEV" },
    { { w.echo:address() }, { local_addresses = { "192.0.2.9" } }, "EADDRNOTAVAIL" } } do
    sock, message, code, report = net.connect_by_list(case[1], case[2])
    assert(not sock and message and code == case[3] and report.code == code)
  end
  assert(not net.explain {} and not net.explain { 5 })
end)

section("misusing options", world, function(w)
  local connect, explain = w.net.connect_by_list, w.net.explain
  local list = { "127.0.0.1:9" }
  misuse("did you mean 'timeout'", connect, list, { timout = 1 })
  misuse("did you mean 'timeout'", explain, list, { timout = 1 })
  misuse("did you mean 'nodelay'", connect, list, { socket = { nodely = 1 } })
  misuse("can only be read", connect, list, { socket = { error = false } })
  misuse("a multiple of 4, 0 to 252; got 3", connect, list, { socket = { tos = 3 } })
  misuse("option names are strings", connect, list, { 5 })
  misuse("got %-1", connect, list, { timeout = -1 })
  misuse("got 'x'", connect, list, { pace = "x" })
  misuse("got table", connect, list, { family = {} })
  misuse("got function", connect, list, { socket = print })
  misuse("an array of IP addresses", connect, list, { local_addresses = { "x" } })
  misuse("the array is empty", connect, list, { local_addresses = {} })
  misuse("table expected", connect, list, 5)
  misuse("address list, table or string expected", connect)
  misuse("address list, table or string expected", connect, io.stdout)
  local many = {}
  for i = 1, 1100 do many[i] = i end
  misuse("too many fields", connect, list, { local_addresses = many })
end)

section("reading", world, function(w)
  local sock <close> = connected(w)
  sock:write("one\ntwo\n3 0x1p4 five", ("x"):rep(100), "\n", ("ab"):rep(20), "\nlast\n",
    ("y"):rep(9000))
  assert(sock:shutdown("write"))
  assert(sock:read() == "one")
  local line, number, other, text = sock:read("L", "n", "n", 5)
  assert(line == "two\n" and number == 3 and other == 16.0 and text == " five")
  assert(#sock:read("*l") == 100)
  local parts = table.pack(sock:read(2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2,
    "n"))
  assert(parts.n == 21 and parts[20] == "ab" and parts[21] == nil)
  for word in sock:lines() do
    assert(word == "last")
    break
  end
  local formats = {}
  for i = 1, 100 do formats[i] = 10 end
  for first, second in sock:lines(table.unpack(formats)) do
    assert(first == "yyyyyyyyyy" and second == first)
    break
  end
  assert(#sock:receive_any(10) == 10)
  assert(#sock:read("a") == 7990)
  assert(not sock:read("l") and not sock:receive_any() and sock:read("a") == "")
  misuse("invalid format", sock.read, sock, "l", "x")
  misuse("bad argument #1 to 'lines'", function() for _ in sock:lines({}) do break end end)
  misuse("the size must be", sock.receive_any, sock, 0)
  local nothing, message, code = sock:read(2 ^ 31)
  assert(not nothing and message and code == "EMSGSIZE")
end)

section("reading too early", world, function(w)
  local sock <close> = connected(w)
  sock:settimeout(0)
  for _, formats in ipairs { { "l" }, { 1, "n" } } do
    local nothing, message, code = sock:read(table.unpack(formats))
    assert(not nothing and message and code == "ETIMEDOUT")
  end
  local nothing, message, code = sock:receive_any()
  assert(not nothing and message and code == "ETIMEDOUT")
  misuse("timed out", function() for _ in sock:lines() do break end end)
end)

section("writing", world, function(w)
  local sock <close> = connected(w)
  assert(sock:write("text ", 1, " ", 0.5, " ", 2 ^ 53, "\n") == sock)
  assert(sock:read() == "text 1 0.5 9.007199254741e+15")
  local values = {}
  for i = 1, 100 do values[i] = i % 2 == 0 and i + 0.5 or i end
  assert(sock:setvbuf("full", 100) and sock:write(table.unpack(values)) and sock:flush())
  assert(sock:setvbuf("line") and sock:write("\n") and sock:setvbuf("no"))
  assert(sock:read() == table.concat(values))
  misuse("string expected, got table", sock.write, sock, "x", {})
  misuse("'no', 'full' or 'line' expected", sock.setvbuf, sock, "x")
  misuse("the size must be", sock.setvbuf, sock, "full", 0)
  assert(sock:shutdown("write"))
  local nothing, message, code, written = sock:write("x")
  assert(not nothing and message and code == "EPIPE" and written == 0)
end)

section("a socket's life", world, function(w)
  local net = w.net
  local sock <close> = connected(w)
  assert(sock:connected() and sock:remote_address() == w.echo:address())
  assert(sock:local_address().host == "127.0.0.1" and sock:getfamily() == "inet")
  assert(tostring(sock):find "^tcp{client}: 127")
  assert(sock:settimeout(2) == sock and sock:gettimeout() == 2)
  misuse("a number of seconds", sock.settimeout, sock, 0 / 0)
  misuse("invalid timeout mode", sock.settimeout, sock, 1, "x")
  assert(sock:settimeout(-1, "t"):settimeout(2) == sock)
  misuse("number expected", sock.settimeout, sock, "x")
  misuse("only %-1 can be set", sock.setfd, sock, 5)
  -- Long, because a short string that exists already needs no allocation.
  local unread = ("unread"):rep(10)
  sock:write("line\n", unread)
  -- The rest has arrived with the first line; otherwise read(0) waits for it.
  assert(sock:read(5) == "line\n" and sock:read(0) == "")
  local busy, message, code = sock:detach()
  assert(not busy and message and code == "EBUSY")
  local rest
  loose, rest = sock:detach(true)
  assert(unread:sub(1, #rest) == rest and #rest > 0 and not sock:connected())
  local again <close> = assert(net.wrap(loose))
  loose = nil
  assert(not again:report())
  loose = again:getfd()
  again:setfd(-1)
  local last <close> = assert(net.wrap(loose))
  loose = nil
  assert(last:shutdown())
  misuse("'read', 'write' or 'both' expected", last.shutdown, last, "x")
  assert(last:close() and last:close() and tostring(last) == "tcp{client}: closed")
end)

section("socket options", world, function(w)
  local sock <close> = connected(w)
  assert(sock:setoption("ttl", 9) == sock and sock:getoption("ttl") == 9)
  assert(sock:setoption("linger", { on = true, timeout = 2 }):getoption("linger") == 2)
  assert(sock:setoption("user_timeout", 0.5):getoption("user_timeout") == 0.5)
  assert(sock:setoption("congestion", "reno"):getoption("congestion") == "reno")
  assert(sock:getoption("error") == false and sock:setoption("update_connect_context") == sock)
  for _, call in ipairs { { sock.setoption, "congestion", "nonesuch" },
    { sock.getoption, "tclass" } } do
    local none, message, code = call[1](sock, call[2], call[3])
    assert(none == nil and message and code)
  end
  misuse("did you mean 'nodelay'", sock.setoption, sock, "nodely", true)
  misuse("did you mean 'nodelay'", sock.getoption, sock, "nodely")
  misuse("string expected, got no value", sock.setoption, sock)
  misuse("string expected, got table", sock.getoption, sock, {})
  misuse("can only be read", sock.setoption, sock, "type", 1)
  misuse("can only be set", sock.getoption, sock, "update_connect_context")
  misuse("must be a boolean; got nil", sock.setoption, sock, "keepalive")
  misuse("a table {on=, timeout=}; got table", sock.setoption, sock, "linger", { on = 1 })
end)

section("misusing sockets", world, function(w)
  local net = w.net
  local sock <close> = connected(w)
  local methods = { "read", "receive_any", "lines", "write", "flush", "setvbuf", "shutdown",
    "local_address", "remote_address", "report", "settimeout", "gettimeout", "getfd", "setfd",
    "bind", "setoption", "getoption", "detach", "getfamily", "close", "connected" }
  for _, name in ipairs(methods) do misuse(".", sock[name], w.echo) end
  misuse("socket expected, got no value", sock.read)
  misuse("socket expected, got address list", sock.read, net.address_list())
  sock:close()
  for i = 1, #methods - 2 do
    misuse("attempt to use a closed socket", sock[methods[i]], sock)
  end
  misuse("bad argument #1 to 'wrap'", net.wrap)
  misuse("not a descriptor", net.wrap, -1)
  local nothing, message, code = net.wrap(1000000)
  assert(not nothing and message and code == "EBADF")
  local other = connected(w)
  getmetatable(other).__gc(other)
  misuse("attempt to use a closed socket", other.read, other)
  assert(other:connected() == false and tostring(other) == "tcp{client}: closed" and other:close() == true)
end)

assert(loadfile "Tests/Lua/every_name_engine.lua")(section, world, connected, misuse, pass_on)

section("test endpoints", world, function(w)
  local testing = w.testing
  local echo <close> = testing.echo("::1")
  local refused <close> = testing.refused()
  local silent <close> = testing.silent()
  for _, endpoint in ipairs { echo, refused, silent } do
    assert(endpoint:address().port > 0 and endpoint:accepted() == 0)
    endpoint:close()
    endpoint:close()
    misuse("test endpoint expected", endpoint.address, {})
  end
  local steps = testing.steps
  for _, kind in ipairs { "accepting", "discard", "closing", "reset" } do
    local endpoint <close> = testing[kind] { after = 10 }
    assert(endpoint:received() == "" and #endpoint:failures() == 0 and endpoint:accepted(1, 0) == 0)
  end
  local slow <close> = testing.slow(0)
  local script <close> = testing.script {
    { steps.expect "a*", steps.expect_line(), steps.expect_any(1), steps.wait(0) },
    { steps.send "x", steps.shut() }, { steps.close() }, { steps.reset() },
  }
  local proxy <close> = testing.proxy(slow, { latency = 0, drop = 0, slice = 5 })
  assert(proxy:set { rate = 1000, slice = false } == proxy and tostring(script):find "script at")
  local list = w.net.address_list { proxy }
  assert(list:add(slow) == list and #list == 2)
  misuse("unknown option", proxy.set, proxy, { x = 1 })
  misuse("not a step", testing.script, { "x" })
  misuse("bad argument #1 to 'proxy'", testing.proxy, "x")
  misuse("bad argument #1 to 'send'", steps.send)
  misuse("bad argument #1 to 'echo'", testing.echo, "x")
  misuse("address not available", testing.refused, "192.0.2.1")
  local _ <close> = connected(w)
  assert(tostring(w.echo):find "test endpoint")
end)

section("a policy for the rest of the state's life", world, function(w)
  local core = require "connectbylist.core"
  -- What a host has not opened, a core that is loaded takes from a copy of the library.
  local missing, taken = { _G = "select", math = "ceil", string = "rep", table = "sort", utf8 = "len" }, {}
  for library, name in pairs(missing) do
    taken[library], _G[library][name] = _G[library][name], nil
  end
  package.loaded["connectbylist.core"] = nil
  local ok, again = pcall(require, "connectbylist.core")
  for library, name in pairs(missing) do _G[library][name] = taken[library] end
  package.loaded["connectbylist.core"] = core
  if not ok then pass_on(again) end
  local copies = again.environment
  assert(again ~= core and copies.string.rep("x", 2) == "xx" and copies.utf8.len "x" == 1)
  assert(getmetatable("").__index == string and _G.print)
  assert(w.testing.only_loopback() == nil)
  local sock <close> = connected(w)
  local _, _, code, report = w.net.connect_by_list({ "192.0.2.1:80" }, { local_addresses = false })
  assert(code == "EACCES" and report.code == code)
end)
sections[#sections].is_lasting = true -- it changes the state that it runs in

section("errors of any size that end a block", world, function(w)
  local huge = {}
  for i = 1, 2000 do huge[i] = i end
  local kept
  local ok, caught = pcall(function()
    local sock <close> = connected(w)
    kept = sock
    error(huge)
  end)
  pass_on(caught)
  assert(not ok and caught == huge and not kept:connected())
end)

return sections
