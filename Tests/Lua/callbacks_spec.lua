--- Connects with callbacks: validate, on_event, wait.
local net = require "connectbylist"
local testing = require "connectbylist.testing"
local core = require "connectbylist.core"
local support = require "Tests.Lua.support"

local function yielding(object) coroutine.yield(object) end

describe("a connect with callbacks", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(function()
    net.setwait(nil)
    collectgarbage()
    check_descriptors()
  end)

  local function says_ping(sock)
    sock:settimeout(0.1)
    return sock:write("ping\n") and sock:read("l") == "ping"
  end

  it("returns the first peer that its check accepts", function()
    local mute <close> = testing.accepting()
    local wrong <close> = testing.script { testing.steps.send "other\n" }
    local echo <close> = testing.echo()
    local sock <close> = assert(net.connect_by_list({ mute, wrong, echo },
      { order = "given", timeout = 5, validate = says_ping }))
    assert.is_true(sock:remote_address() == echo:address())
    assert.is_nil(sock:gettimeout())
    local attempts = sock:report().attempts
    assert.same({ "rejected", "rejected", "connected" },
      { attempts[1].outcome, attempts[2].outcome, attempts[3].outcome })
    sock:write("again\n")
    assert.equal("again", sock:read())
  end)

  it("fails when no peer is accepted", function()
    local echo <close> = testing.echo()
    local none, message, code, report = net.connect_by_list({ echo }, { validate = function() end })
    assert.is_nil(none)
    assert.matches("^connect_by_list: ", message)
    assert.equal("ECONNABORTED", code)
    assert.equal("rejected", report.attempts[1].outcome)
  end)

  it("returns the value that the check gives in place of the socket", function()
    local echo <close> = testing.echo()
    local value, fd = {}, nil
    local result = assert(net.connect_by_list({ echo }, { validate = function(sock)
      fd = sock:detach()
      return true, value
    end }))
    assert.is_true(result == value)
    net.wrap(fd):close()
  end)

  it("gives a check its share of the time, and the next candidate its turn", function()
    local mute <close> = testing.accepting()
    local echo <close> = testing.echo()
    local began = net.now()
    local sock <close> = assert(net.connect_by_list({ mute, echo }, {
      order = "given", timeout = 0.6,
      validate = function(sock) return sock:write("x\n") and sock:read("l") end,
    }))
    assert.is_true(sock:remote_address() == echo:address())
    assert.is_true(net.now() - began < 0.6)
    local first = sock:report().attempts[1]
    assert.same({ "rejected", "ETIMEDOUT" }, { first.outcome, first.code })
  end)

  it("tells the events as they happen", function()
    local refused <close> = testing.refused()
    local echo <close> = testing.echo()
    local seen = {}
    local sock <close> = assert(net.connect_by_list({ refused, echo }, {
      order = "given", timeout = 5,
      on_event = function(event) seen[#seen + 1] = event end,
    }))
    local words = {}
    for i, event in ipairs(seen) do words[i] = event.event .. " " .. event.attempt end
    assert.same({ "start 1", "refused 1", "start 2", "connected 2", "won 2" }, words)
    assert.equal("ECONNREFUSED", seen[2].code)
    assert.is_true(seen[5].remote_address == echo:address())
    assert.is_true(seen[5].local_address == sock:local_address())
    assert.is_true(seen[2].time >= seen[1].time)
  end)

  it("passes on what a callback raises, with its traceback, and leaks nothing", function()
    local echo <close> = testing.echo()
    local silent <close> = testing.silent()
    for _, options in ipairs {
      { validate = function() error("in validate") end },
      { on_event = function() error("in on_event") end },
      { wait = function() error("in wait") end },
    } do
      local _, problem = xpcall(net.connect_by_list, debug.traceback, { silent, echo }, options)
      assert.matches("callbacks_spec.lua:%d+: in ", problem)
      assert.matches("in function <?[^\n]*callbacks_spec.lua", problem)
    end
    -- After the check has accepted: the socket is closed too, and does not wait for the collector.
    local accepted
    assert.error_matches(function()
      net.connect_by_list({ echo }, {
        validate = function(sock)
          accepted = sock
          return true
        end,
        on_event = function(event) if event.event == "won" then error("at the end", 0) end end,
      })
    end, "at the end")
    assert.equal("tcp{client}: closed", tostring(accepted))
    local op <close> = assert(net.start({ echo }, { validate = function() error("mine", 0) end }))
    local ok, problem
    repeat
      ok, problem = pcall(op.step, op)
      net.sleep(0.001)
    until not ok or problem ~= false
    assert.same({ false, "mine" }, { ok, problem })
    assert.error_matches(function() op:step() end, "closed operation")
  end)

  it("may start another connect in a callback, and yield in each", function()
    local echo <close> = testing.echo()
    net.setwait(yielding)
    local inner, outer
    support.run_all { function()
      outer = net.connect_by_list({ echo }, {
        validate = function(sock)
          inner = assert(net.connect_by_list({ echo }, { timeout = 5 }))
          net.sleep(0.01)
          return says_ping(sock)
        end,
        on_event = function() net.sleep(0.001) end,
      })
    end }
    assert.is_true(outer:connected() and inner:connected())
    outer:close()
    inner:close()
  end)

  it("ends when the coroutine that waits in it is closed", function()
    local echo <close> = testing.echo()
    local silent <close> = testing.silent()
    for _, options in ipairs {
      { validate = function(sock) coroutine.yield(sock) end },
      { wait = function(op) coroutine.yield(op) end },
    } do
      local thread = coroutine.create(function() return net.connect_by_list({ silent, echo }, options) end)
      repeat
        local ok, what = coroutine.resume(thread)
        assert.is_true(ok, what)
      until type(what) == "userdata"
      assert.is_true(coroutine.close(thread))
    end
  end)

  it("keeps the way to wait that the connect had", function()
    local echo <close> = testing.slow(0.02)
    local waits = 0
    local sock <close> = assert(net.connect_by_list({ echo }, { wait = function(object)
      waits = waits + 1
      core.poll(object:pollfd(), object:events(), object:timeout())
    end }))
    local before = waits
    sock:write("x\n")
    assert.equal("x", sock:read())
    assert.is_true(waits > before)
  end)

  it("works by name, and on a socket of the caller's", function()
    local echo <close> = testing.echo()
    local sock <close> = assert(net.connect_by_name("localhost", echo:address().port,
      { timeout = 5, family = "inet", validate = says_ping }))
    assert.is_true(sock:connected())
    net.setwait(function(object) core.poll(object:pollfd(), object:events(), object:timeout()) end)
    local own <close> = assert(net.socket "inet")
    local fd = own:getfd()
    assert.is_true(net.connect_by_list(own, { echo }, { timeout = 5 }) == own)
    assert.equal(fd, own:getfd())
  end)

  it("checks the peers of a socket of the caller's, which is the candidate meanwhile", function()
    local mute <close> = testing.accepting()
    local wrong <close> = testing.script { testing.steps.send "other\n" }
    local echo <close> = testing.echo()
    for _, family in ipairs { "inet", "inet6" } do
      local own <close> = assert(net.socket(family))
      own:settimeout(7)
      own:setmaxline(100)
      local fd, seen = own:getfd(), {}
      local result, _, _, report = net.connect_by_list(own, { mute, wrong, echo }, {
        order = "given", timeout = 5,
        validate = function(sock)
          seen[#seen + 1] = sock
          assert.is_nil(sock:gettimeout())
          assert.is_true(sock:connected())
          sock:settimeout(0.1)
          return sock:write("ping\nunread\n") and sock:read("l") == "ping"
        end,
      })
      assert.is_true(result == own, tostring(report))
      assert.same({ true, true, true, n = 3 }, { seen[1] == own, seen[2] == own, seen[3] == own, n = #seen })
      assert.equal(fd, own:getfd())
      assert.equal(7, own:gettimeout())
      assert.equal(3, own:report().winner)
      assert.equal(echo:address().port, own:remote_address().port)
      assert.equal("unread", own:read())
      assert(own:write("more\n"))
      assert.equal("more", own:read())
      assert.error_matches(function() net.connect_by_list(own, 3) end, "address list")
    end
  end)

  it("leaves a socket of the caller's as it was where no peer wins or the check raises", function()
    local echo <close> = testing.echo()
    local own <close> = assert(net.socket "inet")
    own:setoption("keepalive", true)
    own:settimeout(7)
    local fd = own:getfd()
    local function check_unchanged()
      assert.equal("tcp{client}: not connected", tostring(own))
      assert.same({ fd, 7, true }, { own:getfd(), own:gettimeout(), own:getoption "keepalive" })
    end
    for _, check in ipairs { function() end, function(sock) return sock:settimeout(1):read(1) end } do
      local none, _, code = net.connect_by_list(own, { echo }, { timeout = 0.2, validate = check })
      assert.is_nil(none)
      assert.is_true(code == "ECONNABORTED" or code == "ETIMEDOUT", code)
      check_unchanged()
    end
    assert.error_matches(function()
      net.connect_by_list(own, { echo }, { validate = function() error "in the check" end })
    end, "in the check")
    check_unchanged()
    assert.error_matches(function()
      net.connect_by_list(own, { echo }, {
        validate = function() return true end,
        on_event = function(event) if event.event == "won" then error "at the end" end end,
      })
    end, "at the end")
    check_unchanged()
    local thread = coroutine.create(function()
      net.connect_by_list(own, { echo }, { validate = function() coroutine.yield "checking" end,
        wait = function(op) core.poll(op:pollfd(), op:events(), op:timeout()) end })
    end)
    assert.same({ true, "checking" }, { coroutine.resume(thread) })
    assert.is_true(own:connected())
    assert.is_true(coroutine.close(thread))
    check_unchanged()
    assert.is_true(net.connect_by_list(own, { echo }, { validate = says_ping, timeout = 5 }) == own)
    assert.same({ fd, true }, { own:getfd(), own:getoption "keepalive" })
  end)

  it("leaves a socket of the caller's its waiter where no peer wins", function()
    local echo <close> = testing.echo()
    local calls = { own = 0, connect = 0, check = 0 }
    local function counting(name)
      return function(object)
        calls[name] = calls[name] + 1
        core.poll(object:pollfd(), object:events(), object:timeout())
      end
    end
    local own_waiter, connect_waiter = counting "own", counting "connect"
    for _, before in ipairs { own_waiter, false } do
      local function check_waiter(own, what)
        assert.equal(before or nil, core.socket_waiter(own), what)
      end
      local own <close> = assert(net.socket "inet")
      own:setwait(before or nil)
      local function try(validate, options)
        options = options or { wait = connect_waiter }
        options.validate, options.timeout = validate, 5
        return net.connect_by_list(own, { echo }, options)
      end
      assert.is_nil((try(function() return false end)))
      check_waiter(own, "rejected")
      assert.is_nil((try(function(sock)
        sock:setwait(counting "check")
        return false
      end, {})))
      check_waiter(own, "set by the check, rejected")
      assert.is_false((pcall(try, function() error "in the check" end)))
      check_waiter(own, "raised in the check")
      assert.is_false((pcall(try, function() return true end, { wait = connect_waiter,
        on_event = function(event) if event.event == "won" then error "at the end" end end })))
      check_waiter(own, "raised after the check")
      local fd
      assert.equal("taken out", (try(function(sock)
        fd = sock:detach()
        return true, "taken out"
      end)))
      check_waiter(own, "taken out")
      net.wrap(fd):close()
      do
        local thread = coroutine.create(try)
        local function asks() coroutine.yield "checking" end
        assert.same({ true, "checking" }, { coroutine.resume(thread, asks) })
        assert.equal(connect_waiter, core.socket_waiter(own))
      end
      collectgarbage()
      collectgarbage()
      check_waiter(own, "the coroutine was collected")
      assert.is_true(try(function() return true end) == own)
      assert.equal(connect_waiter, core.socket_waiter(own))
    end
    assert.same({ own = 0, check = 0 }, { own = calls.own, check = calls.check })
  end)

  it("returns a check's value also for a socket of the caller's", function()
    local echo <close> = testing.echo()
    local own <close> = assert(net.socket "inet")
    local value = {}
    assert.is_true(value == net.connect_by_list(own, { echo }, {
      validate = function(sock)
        sock:write("x\n")
        return true, value
      end,
    }))
    assert.is_true(own:connected())
    assert.equal("x", own:read())
    -- What the check takes out is its own; the socket stays as it was.
    local other <close> = assert(net.socket "inet")
    local fd
    assert.is_true(value == net.connect_by_list(other, { echo }, {
      validate = function(sock)
        fd = sock:detach()
        return true, value
      end,
    }))
    assert.equal("tcp{client}: not connected", tostring(other))
    assert.is_true(fd ~= other:getfd())
    net.wrap(fd):close()
    -- A check that closes it has closed the caller's.
    assert.error_matches(function()
      net.connect_by_list(other, { echo }, { validate = function(sock) return sock:close() end })
    end, "the check has closed the socket that it accepts")
    assert.equal("tcp{client}: closed", tostring(other))
    assert.error_matches(function()
      net.connect_by_list({ echo }, { validate = function(sock) return sock:close() end })
    end, "the check has closed the socket that it accepts")
  end)

  it("wants functions", function()
    for _, name in ipairs { "validate", "on_event", "wait" } do
      assert.error_matches(function() net.connect_by_list({ "127.0.0.1:9" }, { [name] = 3 }) end,
        "bad argument #2 to 'connect_by_list' %(option '" .. name .. "' must be a function; got 3%)")
      assert.error_matches(function() net.connect_by_name("localhost", 9, { [name] = "x" }) end,
        "bad argument #3 to 'connect_by_name' %(option '" .. name .. "' must be a function; got 'x'%)")
    end
  end)
end)
