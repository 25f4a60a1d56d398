--- Waiting and operations.
local net = require "connectbylist"
local testing = require "connectbylist.testing"
local core = require "connectbylist.core"
local support = require "Tests.Lua.support"

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
    assert.equal(10, support.run_all(bodies))
    for i = 1, 10 do assert.equal("line " .. i, lines[i]) end
    assert.is_true(net.now() - began < 2)
  end)

  it("with a waiter is by it where a list is all that is given", function()
    local silent <close> = testing.silent()
    local echo <close> = testing.echo()
    local list = net.address_list { silent, echo }
    local waits = 0
    net.setwait(function(object)
      waits = waits + 1
      core.poll(object:pollfd(), object:events(), object:timeout())
    end)
    assert(net.connect_by_list(list)):close()
    assert.is_true(waits > 0)
    net.setwait(nil)
    waits = 0
    assert(net.connect_by_list(net.address_list { silent, echo })):close()
    assert.equal(0, waits)
  end)

  it("misuse is raised with the line of the script, however it connects", function()
    local list = net.address_list "127.0.0.1:1"
    local sock <close> = assert(net.socket())
    local function wait() end
    local function position_of(...)
      local ok, message = pcall(function(...)
        local socket = net.connect_by_list(...)
        return socket
      end, ...)
      assert.is_false(ok)
      return message:match "engine_spec%.lua:(%d+): bad argument #%d to 'connect_by_list'"
    end
    local line = position_of(list, { bogus = 1 })
    assert.is_string(line)
    for _, arguments in ipairs {
      { list, { bogus = 1, wait = wait } }, { sock, list, { bogus = 1 } },
      { sock, list, { bogus = 1, wait = wait } }, { "127.0.0.1", 80 }, { sock, "127.0.0.1", 80 }, { 5 },
    } do
      assert.equal(line, position_of(table.unpack(arguments)))
    end
  end)

  it("keeps what came, the deadline and the count while it yields", function()
    local steps = testing.steps
    local peer <close> = testing.script {
      steps.send "par", steps.wait(0.03), steps.send "tial\nrest", steps.wait(0.03), steps.close(),
    }
    local sock <close> = assert(net.connect_by_list({ peer }, { timeout = 5 }))
    sock:setwait(yielding)
    local results
    support.run_all { function() results = table.pack(sock:read("l", 4), sock:read("a"), sock:read("l")) end }
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
      support.run_all { function() written = sock:write(text, "tail", text) end }
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
    support.run_all { function() results = table.pack(sock:read("l")) end }
    assert.same({ nil, "read: timed out (settimeout)", "ETIMEDOUT", n = 3 }, results)
    assert.is_true(net.now() - began >= 0.05)
    assert.equal("r", sock:events())
    local filled
    support.run_all { function()
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
