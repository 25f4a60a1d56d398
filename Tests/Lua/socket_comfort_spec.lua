--- Lines without CR LF, limits of a socket, its state, and errors that stay.
local net = require "connectbylist"
local testing = require "connectbylist.testing"
local support = require "Tests.Lua.support"
local steps = testing.steps

-- A socket whose peer sends these and closes.
local function sent(...)
  local script = {}
  for i, text in ipairs { ... } do script[i] = steps.send(text) end
  script[#script + 1] = steps.close()
  local peer = testing.script(script)
  local sock = support.connected(peer)
  sock:settimeout(5)
  return sock, peer
end

-- Waits until the condition holds, for 5 s at most.
local function becomes(condition)
  local deadline = net.now() + 5
  while not condition() do
    assert(net.now() < deadline, "it has not come about")
    net.sleep(0.005)
  end
end

describe("A socket", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  it("reads lines without their end, LF or CR LF, with the format c", function()
    local sock, peer = sent("one\r\ntwo\n\r\n\nth\rree\r\r\n", "four\r")
    local lines = {}
    for line in sock:lines("*c") do lines[#lines + 1] = line end
    assert.same({ "one", "two", "", "", "th\rree\r", "four\r" }, lines)
    assert.is_nil(sock:read("c"))
    sock:close()
    peer:close()
  end)

  it("reads a CR LF that comes in two parts", function()
    local peer <close> = testing.script {
      steps.send "x\r", steps.wait(0.02), steps.send "\ny", steps.close(),
    }
    local sock <close> = support.connected(peer)
    sock:settimeout(5)
    assert.equal("x", sock:read("c"))
    assert.equal("y", sock:read("c"))
  end)

  it("says how many bytes a read can take without a system call", function()
    local sock, peer = support.echoing("first\nsecond\n")
    assert.equal("first", sock:read())
    assert.equal(#"second\n", sock:buffered())
    sock:settimeout(0)
    assert.equal("second", sock:read())
    assert.equal(0, sock:buffered())
    sock:close()
    peer:close()
  end)

  it("has a longest line, and names it", function()
    local sock, peer = sent("12345\n123456\n123\n")
    assert.equal(sock, sock:setmaxline(5))
    assert.equal("12345", sock:read("l"))
    for _ = 1, 2 do
      local line, message, code = sock:read("l")
      assert.is_nil(line)
      assert.equal("EMSGSIZE", code)
      assert.equal("read: a line of more than 5 bytes (setmaxline)", message)
    end
    assert.equal("123456\n", sock:read(7))
    assert.equal("123\n", sock:read("L"))
    for _, size in ipairs { 0, -1, 2 ^ 30 + 1, 0.5 } do
      assert.has_error(function() sock:setmaxline(size) end)
    end
    sock:setmaxline(2 ^ 30)
    sock:close()
    peer:close()
  end)

  it("has a deadline for all reads and writes together", function()
    local sock, peer = support.echo()
    local began = net.now()
    assert.equal(sock, sock:setdeadline(0.15))
    assert(sock:write("x\n"))
    assert.equal("x", sock:read())
    for _ = 1, 3 do
      local line, message, code = sock:read()
      assert.is_nil(line)
      assert.equal("ETIMEDOUT", code)
      assert.equal("read: timed out (setdeadline)", message)
    end
    local elapsed = net.now() - began
    assert.is_true(elapsed >= 0.15 and elapsed < 1, elapsed)
    sock:settimeout(0.01)
    assert.equal("read: timed out (setdeadline)", select(2, sock:read()))
    sock:setdeadline(nil)
    assert.equal("read: timed out (settimeout)", select(2, sock:read()))
    sock:settimeout(5)
    assert(sock:write("y\n"))
    assert.equal("y", sock:read())
    sock:setdeadline(math.huge)
    for _, value in ipairs { -1, 0 / 0, "soon" } do
      assert.has_error(function() sock:setdeadline(value) end)
    end
    sock:close()
    peer:close()
  end)

  it("takes the shorter of the timeout and the deadline", function()
    local sock, peer = support.echo()
    sock:setdeadline(60)
    sock:settimeout(0.02)
    local began = net.now()
    assert.equal("read: timed out (settimeout)", select(2, sock:read()))
    assert.is_true(net.now() - began < 5)
    sock:close()
    peer:close()
  end)

  it("bounds LuaSocket's methods with its deadline too", function()
    local sock, peer = support.echo()
    sock:settimeout(nil)
    sock:setdeadline(0.02)
    assert.same({ nil, "timeout", "" }, { sock:receive() })
    sock:close()
    peer:close()
  end)

  it("tells whether the peer is there, without waiting", function()
    local sock, peer = support.echo()
    assert.is_true(sock:alive())
    assert(sock:write("x"))
    becomes(function() return sock:alive() == true end)
    assert.equal("x", sock:read(1))
    assert(sock:shutdown("write"))
    becomes(function() return sock:alive() == false end)
    assert.same({ false, "EPIPE" }, { sock:alive() })
    -- A stream that has ended in order has no error.
    assert.same({ nil }, { sock:read() })
    sock:close()
    peer:close()
  end)

  it("tells of the end that it sees behind unread bytes", function()
    local sock, peer = sent("unread\n")
    becomes(function() return sock:alive() == false end)
    assert.equal("unread", sock:read())
    assert.same({ nil }, { sock:read() })
    sock:close()
    peer:close()
  end)

  it("tells of a reset by its code, and keeps the code for reads", function()
    local peer <close> = testing.reset { after_seconds = 0.02 }
    local sock <close> = support.connected(peer)
    sock:settimeout(5)
    becomes(function() return sock:alive() == false end)
    for _ = 1, 2 do assert.same({ false, "ECONNRESET" }, { sock:alive() }) end
    for _ = 1, 2 do assert.equal("ECONNRESET", select(3, sock:read())) end
    assert.is_false(sock:connected())
  end)

  it("is not alive before it is connected", function()
    local sock <close> = net.socket()
    assert.same({ false, "ENOTCONN" }, { sock:alive() })
  end)

  it("gives the code of a broken stream to every later read, after what came before", function()
    local peer <close> = testing.script {
      steps.send "whole\ncut o", steps.expect "x", steps.reset(),
    }
    local sock <close> = support.connected(peer)
    sock:settimeout(5)
    assert.equal("whole", sock:read())
    assert(sock:write("x"))
    for _, format in ipairs { "l", "L", "c", "a", 100, "l" } do
      local value, message, code = sock:read(format)
      assert.is_nil(value)
      assert.equal("ECONNRESET", code, message)
    end
    assert.has_error(function() for _ in sock:lines() do error("a cut-off line", 0) end end)
    -- The bytes are there, but they are no line.
    assert.equal("cut o", sock:read(5))
    assert.equal("ECONNRESET", select(3, sock:receive_any()))
  end)

  it("keeps the reason that a write met for the reads", function()
    local peer <close> = testing.script { steps.expect "x", steps.wait(0.02), steps.reset() }
    local sock <close> = support.connected(peer)
    sock:settimeout(5)
    assert(sock:write("x"))
    local code
    becomes(function()
      local done, _, problem = sock:write("y")
      code = problem
      return not done
    end)
    assert.equal("ECONNRESET", code)
    for _ = 1, 2 do assert.equal("ECONNRESET", select(3, sock:read("a"))) end
  end)

  it("has no error after a timeout of its own", function()
    local sock, peer = support.echo()
    sock:settimeout(0)
    assert.equal("ETIMEDOUT", select(3, sock:read()))
    sock:settimeout(5)
    assert(sock:write("later\n"))
    assert.equal("later", sock:read())
    sock:close()
    peer:close()
  end)

  it("takes LuaSocket's second argument of settimeout", function()
    local sock, peer = support.echo()
    for _, mode in ipairs { "b", "t" } do
      sock:settimeout(nil, "b")
      sock:settimeout(nil, "t")
      sock:settimeout(0.02, mode)
      assert.equal(0.02, sock:gettimeout())
      assert.equal("ETIMEDOUT", select(3, sock:read()))
      sock:settimeout(-1, mode)
      assert.is_nil(sock:gettimeout())
    end
    assert.has_error(function() sock:settimeout(1, "x") end)
    sock:close()
    peer:close()
  end)

  it("lets go of its descriptor with setfd(-1), and raises if unread bytes are lost", function()
    for _, case in ipairs { { "a\nb\n", "2 unread bytes are lost" }, { "a\nb", "1 unread byte is lost" } } do
      local sock, peer = support.echo()
      assert(sock:write(case[1]))
      assert.equal("a", sock:read())
      local number = sock:getfd()
      local message = support.raised(sock.setfd, sock, -1)
      assert.is_truthy(message:find(case[2], 1, true), message)
      assert.equal("tcp{client}: closed", tostring(sock))
      net.wrap(number):close()
      sock:close()
    peer:close()
    end
    local sock, peer = support.echo()
    local number = sock:getfd()
    sock:setfd(-1)
    net.wrap(number):close()
    sock:close()
    peer:close()
  end)
end)
