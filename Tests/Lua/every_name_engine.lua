--- More sections of every_name.lua: LuaSocket's dialect, operations, waiting, callbacks, a socket's limits.
local section, world, connected, misuse, pass_on = ... -- luacheck: ignore pass_on

section("LuaSocket's methods", world, function(w)
  local sock <close> = connected(w)
  local address = w.echo:address()
  assert(sock:name() == nil and sock.class == "tcp{client}" and sock:dirty() == false)
  assert(sock:send("a\r\nb") == 4 and sock:send("xcx", 2, -2) == 2 and sock:receive() == "a")
  assert(sock:receive(3, "12") == "12b" and sock:receive(1) == "c")
  local host, port, family = sock:getpeername()
  assert(host == address.host and port == address.port and family == "inet")
  assert(sock:getsockname() == "127.0.0.1" and sock:setstats(1, 2, 3) == 1 and sock:getstats() == 1)
  misuse("invalid receive pattern", sock.receive, sock, "l")
  misuse("invalid receive pattern", sock.receive, sock, -1)
  misuse("string expected", sock.send, sock, {})
  misuse("number expected", sock.send, sock, "x", "y")
  sock:close()
  for _, name in ipairs { "send", "receive", "getpeername", "getsockname", "getstats" } do
    local _, word = sock[name](sock, "*l")
    assert(word == "closed")
  end
  assert(sock:dirty() == false)
end)

section("connectbylist.luasocket", world, function(w)
  package.loaded["connectbylist.luasocket"] = nil
  local socket = require "connectbylist.luasocket"
  local address, dead = w.echo:address(), w.refused:address()
  local sock <close> = socket.new({ list = { dead, address }, options = { order = "given" } }).tcp()
  assert(sock:setoption("keepalive", true) == 1 and sock:settimeout(5) == 1 and sock:connect("x", 1) == 1)
  assert(sock:send("one\ntwo\n") == 8 and sock:receive() == "one")
  local readers, writers = socket.select({ sock }, { sock }, 0)
  assert(readers[sock] == 1 and writers[1] == sock)
  assert(sock:getoption("keepalive") == true and sock:getfamily() == "inet4" and sock:getfd() >= 0)
  misuse("unsupported option", sock.setoption, sock, "nonesuch", 1)
  assert(sock:shutdown() == 1 and sock:close() == 1 and sock:getstats() == 4)
  local none, word = socket.connect(dead.host, dead.port)
  assert(none == nil and word == "connection refused")
  none, word = socket.protect(function() socket.try(nil, "why") end)()
  assert(none == nil and word == "why" and socket.gettime() > 0 and socket.skip(1, 2, 3) == 3)
  local begun <close> = socket.tcp4()
  begun:settimeout(0)
  none, word = begun:connect(address.host, address.port)
  if not none then
    assert(word == "timeout")
    assert(select(2, socket.select(nil, { begun }, 5))[begun] == 1)
    assert(begun:connect(address.host, address.port) == 1)
  end
  local sink, source = socket.sink("keep-open", begun), socket.source("by-length", begun, 2)
  begun:settimeout(5)
  assert(sink("ab") == 2 and source() == "ab" and source() == nil)
  misuse("unknown key", socket.new, { lists = 1 })
end)

section("resolving", world, function(w)
  local net, core = w.net, require "connectbylist.core"
  local polled = 0
  local function waiter(object)
    assert(object:events() == "r" and tostring(object):find "^resolution")
    if object:pollfd() then polled = polled + 1 end
    core.poll(object:pollfd(), object:events(), object:timeout())
  end
  -- With the name of a service it is looked up by a thread.
  local options = { timeout = 5, family = "inet", wait = waiter }
  assert(assert(net.resolve("localhost", "http", options))[1].port == 80)
  net.setwait(waiter)
  local list, message, code = net.resolve("localhost", "nonesuch", { timeout = 5 })
  net.setwait(nil)
  assert(not list and message:find "^resolve: " and code == "EAI_SERVICE" and polled > 0)
  list, message, code = net.resolve("localhost", "nonesuch", { timeout = 0 })
  assert(not list and message and (code == "ETIMEDOUT" or code == "EAI_SERVICE"))
  assert(net.resolve("192.0.2.1", 80)[1] == net.address("192.0.2.1", 80))
  local plan = assert(net.explain({ "192.0.2.1:80", "db.test:https", { srv = "_x._tcp.test" } }))
  assert(plan.names[1].host == "db.test" and plan.names[1].port == "https" and plan.names[1].entry == 2)
  assert(plan.names[2].host == "_x._tcp.test" and not plan.names[2].port)
  assert(tostring(plan):find("db.test:https to be looked up", 1, true))
  assert(tostring(net.explain({ "db.test:https" })) == "  db.test:https to be looked up")
  misuse("resolution expected", core.methods "resolution".timeout, w.echo)
end)

section("operations", world, function(w)
  local net = w.net
  local op <close> = assert(net.start({ w.refused, w.echo }, { timeout = 5, order = "given" }))
  assert(op:pollfd() >= 0 and op:events() == "r" and tostring(op) == "operation: pending")
  assert(op:timeout() and not op:report())
  local sock, message
  repeat
    net.sleep(0.0001)
    sock, message = op:step()
  until sock ~= false
  local opened <close> = assert(sock, message)
  assert(opened:remote_address() == w.echo:address() and op:report().winner == 2)
  misuse("the operation has ended", op.step, op)
  assert(tostring(op) == "operation: ended")
  op:close()
  op:close()
  for _, name in ipairs { "step", "pollfd", "events", "timeout", "cancel", "report" } do
    misuse("attempt to use a closed operation", op[name], op)
    misuse("operation expected", op[name], w.echo)
  end
  local cancelled <close> = assert(net.start { w.refused })
  cancelled:cancel()
  local none, _, code, report = cancelled:step()
  assert(not none and code == "ECANCELED" and report.code == code)
  none, _, code, report = net.start { "127.1:9" }
  assert(not none and code == "EINVAL" and report.code == code)
  none, _, code, report = net.start {}
  assert(not none and code == "EINVAL" and report.code == code)
  misuse("unknown option", net.start, { "127.0.0.1:9" }, { timout = 1 })
  misuse("address list, table or string expected", net.start)
end)

section("waiting", world, function(w)
  local net = w.net
  local before = package.loaded["connectbylist.wait"]
  package.loaded["connectbylist.wait"] = nil
  local wait = require "connectbylist.wait"
  -- The loops themselves have their own tests.
  assert(wait.cqueues and wait.copas and wait.luv and wait.nonesuch == nil)
  package.loaded["connectbylist.wait"] = before
  local began = net.now()
  net.sleep(0.001)
  assert(net.now() - began >= 0.001)
  net.setwait(wait.blocking)
  local sock <close> = connected(w)
  assert(sock:write("one\n") and sock:read("l") == "one")
  net.sleep(0.001)
  net.setwait(nil)
  sock:setwait(wait.coroutines())
  local thread = coroutine.create(function()
    sock:write("two\n")
    return sock:read("l")
  end)
  local ok, object = coroutine.resume(thread)
  while coroutine.status(thread) ~= "dead" do
    if not ok then break end
    assert(object == sock and object:pollfd() == sock:getfd() and object:events() == "r")
    assert(object:timeout() <= 5)
    wait.blocking(object)
    ok, object = coroutine.resume(thread)
  end
  if not ok then pass_on(object) end
  assert(ok and object == "two", object)
  sock:setwait(wait.coroutines(function() error({}) end))
  local caught
  ok, caught = pcall(sock.read, sock)
  pass_on(caught)
  assert(not ok and type(caught) == "table")
  sock:setwait(nil)
  misuse("bad argument #1 to 'setwait'", net.setwait, 5)
  misuse("function expected", sock.setwait, sock, 5)
  misuse("socket expected", sock.setwait, w.echo)
  misuse("bad argument #1 to 'sleep'", net.sleep, -1)
  misuse("bad argument #1 to 'coroutines'", wait.coroutines, 5)
end)

section("callbacks", world, function(w)
  local net = w.net
  local wait = require "connectbylist.wait"
  local words, checked = {}, 0
  local sock <close> = assert(net.connect_by_list({ w.refused, w.echo, w.echo }, {
    timeout = 5, order = "given", pace = "sequential", wait = wait.blocking,
    validate = function(candidate)
      checked = checked + 1
      return candidate:write("who\n") and candidate:read("l") == "who"
    end,
    on_event = function(event) words[#words + 1] = event.event end,
  }))
  assert(checked == 1 and table.concat(words, " ") == "start refused start connected won")
  local value = {}
  assert(net.connect_by_list({ w.echo }, { validate = function() return true, value end }) == value)
  local none, message, code, report = net.connect_by_list({ w.echo }, { validate = function() end })
  assert(not none and message and code == "ECONNABORTED" and report.attempts[1].outcome == "rejected")
  local named <close> = assert(net.connect_by_name("127.0.0.1", w.echo:address().port,
    { validate = function() return true end }))
  assert(named:connected())
  for _, name in ipairs { "validate", "on_event", "wait" } do
    misuse("must be a function; got 5", net.connect_by_list, { w.echo }, { [name] = 5 })
  end
  for _, name in ipairs { "validate", "on_event" } do
    misuse("^mine$", net.connect_by_list, { w.echo }, { [name] = function() error("mine", 0) end })
  end
end)

section("a socket's limits and state", world, function(w)
  local sock <close> = connected(w)
  assert(sock:alive() == true and sock:buffered() == 0)
  assert(sock:pollfd() == sock:getfd() and sock:events() == "r" and sock:timeout() == nil)
  assert(sock:setmaxline(100) == sock and sock:setdeadline(5) == sock and sock:setdeadline(nil) == sock)
  sock:write("one\r\ntwo\n")
  assert(sock:read("c") == "one" and sock:read("c") == "two")
  sock:write(("x"):rep(1000), "\n")
  local nothing, message, code = sock:read("l")
  assert(not nothing and message:find "setmaxline" and code == "EMSGSIZE")
  sock:setdeadline(0)
  nothing, message, code = sock:read("a")
  assert(not nothing and message:find "setdeadline" and code == "ETIMEDOUT")
  misuse("the size must be 1 to", sock.setmaxline, sock, 0)
  misuse("seconds, 0 or more", sock.setdeadline, sock, -1)
  local names = { "setdeadline", "setmaxline", "alive", "buffered", "pollfd", "events", "timeout" }
  for _, name in ipairs(names) do misuse("socket expected", sock[name], w.echo) end
  sock:close()
  for _, name in ipairs(names) do misuse("attempt to use a closed socket", sock[name], sock, 1) end
end)
