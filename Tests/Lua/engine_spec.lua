--- Waiting, operations and callbacks.
local net = require "connectbylist"
local testing = require "connectbylist.testing"
local core = require "connectbylist.core"
local support = require "Tests.Lua.support"

-- A scheduler: runs the functions as coroutines, whose waiters yield; polls the first that waits.
local function run_all(bodies)
  local waiting = {}
  local function resume(thread)
    local _, object = assert(coroutine.resume(thread))
    waiting[thread] = coroutine.status(thread) ~= "dead" and object or nil
  end
  local most = 0
  for _, body in ipairs(bodies) do resume(coroutine.create(body)) end
  while next(waiting) do
    local count, due, least = 0, {}, 0.05
    for thread, object in pairs(waiting) do
      count, due[#due + 1] = count + 1, thread
      least = math.min(least, object:timeout() or least)
    end
    most = math.max(most, count)
    core.poll(nil, nil, least / 10)
    for _, thread in ipairs(due) do resume(thread) end
  end
  return most
end

local function yielding(object) coroutine.yield(object) end

describe("waiting", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(function()
    net.setwait(nil)
    check_descriptors()
  end)

  it("with a waiter yields in connects, reads, writes and sleeps", function()
    local echo <close> = testing.slow(0.02)
    net.setwait(yielding)
    local lines, began = {}, net.now()
    local bodies = {}
    for i = 1, 10 do
      bodies[i] = function()
        local sock <close> = assert(net.connect_by_list({ echo }, { timeout = 5 }))
        assert(sock:write("line ", i, "\n"))
        lines[i] = sock:read("l")
        net.sleep(0.02)
      end
    end
    assert.equal(10, run_all(bodies))
    for i = 1, 10 do assert.equal("line " .. i, lines[i]) end
    assert.is_true(net.now() - began < 2)
  end)

  it("keeps what came, the deadline and the count while it yields", function()
    local steps = testing.steps
    local peer <close> = testing.script {
      steps.send "par", steps.wait(0.03), steps.send "tial\nrest", steps.wait(0.03), steps.close(),
    }
    local sock <close> = assert(net.connect_by_list({ peer }, { timeout = 5 }))
    sock:setwait(yielding)
    local results
    run_all { function() results = table.pack(sock:read("l", 4), sock:read("a"), sock:read("l")) end }
    assert.same({ "partial", "", nil, n = 3 }, { results[1], results[2], results[3], n = 3 })
  end)

  it("writes all of a text that does not fit, in order", function()
    local discard <close> = testing.discard()
    local slow <close> = testing.proxy(discard, { rate = 40 << 20 })
    for _, target in ipairs { slow, discard } do
      local sock <close> = assert(net.connect_by_list({ target },
        { timeout = 5, socket = { sndbuf = 8192 } }))
      sock:setwait(yielding)
      local text = ("0123456789abcdef"):rep(1 << 16)
      local written
      run_all { function() written = sock:write(text, "tail", text) end }
      assert.is_true(written == sock)
    end
  end)

  it("times out in a waiter as it does without one, and says what it waited for", function()
    local silent <close> = testing.accepting()
    local sock <close> = assert(net.connect_by_list({ silent }, { timeout = 5 }))
    assert.equal("r", sock:events())
    assert.is_nil(sock:timeout())
    sock:setwait(yielding)
    sock:settimeout(0.05)
    local began, results = net.now(), nil
    run_all { function() results = table.pack(sock:read("l")) end }
    assert.same({ nil, "read: timed out (settimeout)", "ETIMEDOUT", n = 3 }, results)
    assert.is_true(net.now() - began >= 0.05)
    assert.equal("r", sock:events())
    local filled
    run_all { function()
      repeat filled = table.pack(sock:write(("x"):rep(1 << 20))) until not filled[1]
    end }
    assert.equal("ETIMEDOUT", filled[3])
    assert.equal("w", sock:events())
    assert.equal(sock:getfd(), sock:pollfd())
  end)

  it("passes a waiter's error on, and the socket lives", function()
    local silent <close> = testing.accepting()
    local sock <close> = assert(net.connect_by_list({ silent }, { timeout = 5 }))
    sock:setwait(function() error({ "mine" }) end)
    local ok, problem = pcall(sock.read, sock)
    assert.is_false(ok)
    assert.equal("mine", problem[1])
    assert.is_true(sock:connected())
    sock:setwait(nil)
    sock:settimeout(0)
    assert.equal("ETIMEDOUT", select(3, sock:read()))
  end)

  it("goes on where the socket is closed meanwhile: the read raises", function()
    local silent <close> = testing.accepting()
    local sock <close> = assert(net.connect_by_list({ silent }, { timeout = 5 }))
    sock:setwait(function(s) s:close() end)
    assert.error_matches(function() sock:read() end, "attempt to use a closed socket")
  end)

  it("lets a count hook end a connect, a read, a write and a sleep", function()
    local silent <close> = testing.silent()
    local mute <close> = testing.accepting()
    local sock <close> = assert(net.connect_by_list({ mute }, { timeout = 5 }))
    local endless = {
      function() net.connect_by_list({ silent }, { timeout = 60 }) end,
      function() sock:read() end,
      function() while true do sock:write(("x"):rep(1 << 20)) end end,
      function() net.sleep(60) end,
    }
    for i, body in ipairs(endless) do
      for _, mask in ipairs { "", "c" } do
        local began = net.now()
        local limit, is_armed = began + 0.1, true
        debug.sethook(function()
          if is_armed and net.now() > limit then error("over time", 0) end
        end, mask, 1000)
        local ok, problem = pcall(body)
        is_armed = false
        debug.sethook()
        assert.is_false(ok, i)
        assert.equal("over time", problem, i)
        assert.is_true(net.now() - began < 1, i)
      end
    end
    assert.is_true(sock:connected())
  end)

  it("runs its hook again after it has interrupted a wait in a coroutine", function()
    local began = net.now()
    local thread = coroutine.create(function() net.sleep(60) end)
    debug.sethook(thread, function()
      if net.now() > began + 0.1 then error("over time", 0) end
    end, "", 1000)
    assert.same({ false, "over time" }, { coroutine.resume(thread) })
  end)

  it("sleeps", function()
    local began = net.now()
    net.sleep(0.03)
    net.sleep(0)
    assert.is_true(net.now() - began >= 0.03)
    for _, wrong in ipairs { -1, 0 / 0, "x", {} } do
      assert.error_matches(function() net.sleep(wrong) end, "bad argument #1 to 'sleep'")
    end
    assert.error_matches(function() net.setwait(3) end, "function expected")
  end)
end)

describe("an operation", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  local function finish(op)
    while true do
      local results = table.pack(op:step())
      if results[1] ~= false then return table.unpack(results, 1, results.n) end
      core.poll(op:pollfd(), op:events(), op:timeout())
    end
  end

  it("connects, with one descriptor for its life", function()
    local silent <close> = testing.silent()
    local echo <close> = testing.echo()
    local op <close> = assert(net.start({ silent, echo }, { timeout = 5, order = "given" }))
    local fd = op:pollfd()
    assert.equal("operation: pending", tostring(op))
    assert.equal("r", op:events())
    assert.is_false(op:step())
    assert.is_nil(op:report())
    assert.is_true(op:timeout() > 0)
    assert.equal(fd, op:pollfd())
    local sock <close> = finish(op)
    assert.is_true(sock:remote_address() == echo:address())
    assert.equal(2, op:report().winner)
    assert.equal(2, sock:report().winner)
    assert.error_matches(function() op:step() end, "the operation has ended")
    assert.equal("operation: ended", tostring(op))
    op:close()
    assert.error_matches(function() op:step() end, "attempt to use a closed operation")
  end)

  it("fails as connect_by_list does", function()
    local refused <close> = testing.refused()
    local op <close> = assert(net.start({ refused }, { timeout = 5 }))
    local none, message, code, report = finish(op)
    assert.is_nil(none)
    assert.matches("^start: connection refused", message)
    assert.equal("ECONNREFUSED", code)
    assert.equal("refused", report.attempts[1].outcome)
    none, message, code, report = net.start {}
    assert.is_nil(none)
    assert.matches("^start: the list is empty", message)
    assert.equal("EINVAL", code)
    assert.equal("EINVAL", report.code)
  end)

  it("is cancelled, and ends when it is closed or collected", function()
    local silent <close> = testing.silent()
    local op <close> = assert(net.start({ silent }))
    assert.is_false(op:step())
    op:cancel()
    assert.equal("ECANCELED", select(3, op:step()))
    for _ = 1, 3 do
      local closed = assert(net.start({ silent }))
      assert.is_false(closed:step())
      closed:close()
      local dropped = assert(net.start({ silent }))
      assert.is_false(dropped:step())
    end
    collectgarbage()
  end)

  it("runs beside others in one thread", function()
    local silent <close> = testing.silent()
    local echo <close> = testing.echo()
    local pending = {}
    for i = 1, 50 do pending[i] = assert(net.start({ silent, echo }, { order = "given", timeout = 5 })) end
    local began, left = net.now(), 50
    while left > 0 do
      for i, op in pairs(pending) do
        local sock = op:step()
        if sock ~= false then
          assert(sock):close()
          op:close()
          pending[i], left = nil, left - 1
        end
      end
      net.sleep(0.001)
    end
    assert.is_true(net.now() - began < 2)
  end)
end)

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
      assert.matches("engine_spec.lua:%d+: in ", problem)
      assert.matches("in function <?[^\n]*engine_spec.lua", problem)
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
    run_all { function()
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
