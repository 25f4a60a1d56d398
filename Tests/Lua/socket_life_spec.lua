local net = require "connectbylist"
local testing = require "connectbylist.testing"
local support = require "Tests.Lua.support"

describe("a socket", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  local function with_echo(body)
    local sock, endpoint = support.echo()
    local _ <close> = endpoint
    local _ <close> = sock
    body(sock, endpoint)
  end

  -- Every method that raises on a closed socket, with valid arguments.
  local methods = { read = { "l" }, receive_any = {}, lines = {}, write = { "x" }, flush = {},
    setvbuf = { "no" }, shutdown = {}, local_address = {}, remote_address = {}, report = {},
    settimeout = { 1 }, gettimeout = {}, getfd = {}, setfd = { -1 }, detach = {}, getfamily = {} }

  local function assert_closed(sock)
    assert.is_falsy(sock:connected())
    assert.equal("tcp{client}: closed", tostring(sock))
    for name, arguments in pairs(methods) do
      local message = support.raised(function() sock[name](sock, table.unpack(arguments)) end)
      assert.matches("attempt to use a closed socket$", message)
    end
  end

  it("has both addresses", function()
    with_echo(function(sock, endpoint)
      assert.is_true(sock:remote_address() == endpoint:address())
      assert.equal("127.0.0.1", sock:local_address().host)
      assert.equal("inet", sock:getfamily())
    end)
  end)

  it("prints both addresses after 'tcp{client}', which copas looks for", function()
    with_echo(function(sock)
      assert.equal(("tcp{client}: %s -> %s"):format(sock:local_address(), sock:remote_address()),
        tostring(sock))
    end)
  end)

  it("prints its addresses after the peer has closed", function()
    local sock, endpoint = support.echo()
    local expected = tostring(sock)
    endpoint:close()
    assert.is_nil((sock:read("l")))
    assert.equal(expected, tostring(sock))
    sock:close()
  end)

  describe("is closed", function()
    it("by close, which may be called again", function()
      with_echo(function(sock)
        assert.is_true(sock:connected())
        for _ = 1, 3 do assert.is_true(sock:close()) end
        assert_closed(sock)
      end)
    end)

    it("at the end of its block", function()
      local endpoint <close> = testing.echo()
      local kept
      do
        local sock <close> = support.connected(endpoint)
        kept = sock
      end
      assert_closed(kept)
    end)

    it("by an error that leaves its block, of any type", function()
      local endpoint <close> = testing.echo()
      local huge = {}
      for i = 1, 10000 do huge["field" .. i] = { i } end
      local cyclic = {}
      cyclic.self = cyclic
      for _, value in ipairs { "text", huge, cyclic, 5, print, false, setmetatable({}, {
        __index = error, __pairs = error }) } do
        local kept
        local ok, caught = pcall(function()
          local sock <close> = support.connected(endpoint)
          kept = sock
          error(value, 0)
        end)
        assert.is_false(ok)
        assert.is_true(rawequal(caught, value))
        assert_closed(kept)
      end
    end)

    it("when a coroutine that holds it is closed", function()
      local endpoint <close> = testing.echo()
      local kept
      local thread = coroutine.create(function()
        local sock <close> = support.connected(endpoint)
        kept = sock
        coroutine.yield()
      end)
      coroutine.resume(thread)
      assert.is_true(kept:connected())
      assert.is_true(coroutine.close(thread))
      assert_closed(kept)
    end)

    it("when it is collected", function()
      local endpoint <close> = testing.echo()
      local before = support.descriptors()
      for _ = 1, 10 do support.connected(endpoint) end
      -- At least the ten of the client side. The echo accepts a moment later, and closes its own at the
      -- end.
      assert.is_true(support.descriptors() >= before + 10)
      local witness <close> = support.connected(endpoint)
      collectgarbage()
      collectgarbage()
      witness:settimeout(5)
      witness:write("x")
      witness:read(1)
      assert.is_true(support.descriptors() <= before + 12)
    end)

    it("and sends what setvbuf buffered, by close and by collection", function()
      for _, ends in ipairs { function(sock) assert.is_true(sock:close()) end, function() end } do
        local sock, other = support.pair()
        if not sock then return pending("LuaSocket is not installed (Debian: lua-socket)") end
        sock:setvbuf("full")
        sock:write("held", " back")
        ends(sock)
        sock = nil
        collectgarbage()
        collectgarbage()
        assert.equal("held back", other:receive("*a"))
        other:close()
      end
    end)

    it("even if the buffer could not be sent; close then fails", function()
      local sock, endpoint = support.echo()
      local _ <close> = endpoint
      support.fill(sock)
      sock:setvbuf("full", 2 ^ 24)
      sock:write(("x"):rep(2 ^ 24))
      sock:settimeout(0.05)
      local closed, message, code = sock:close()
      assert.same({ nil, "close: timed out (settimeout)", "ETIMEDOUT" }, { closed, message, code })
      assert_closed(sock)
      assert.is_true(sock:close())
    end)
  end)

  describe("is shut down", function()
    it("for writing, and the peer reads the end", function()
      for _, how in ipairs { "write", "send" } do
        with_echo(function(sock)
          sock:write("last")
          assert.is_true(sock:shutdown(how))
          assert.equal("last", sock:read("a"))
          assert.is_true(sock:connected())
        end)
      end
    end)

    it("for reading, and reads the end itself", function()
      for _, how in ipairs { "read", "receive" } do
        with_echo(function(sock)
          assert.is_true(sock:shutdown(how))
          assert.is_nil(sock:read("l"))
          assert.equal(sock, sock:write("still"))
        end)
      end
    end)

    it("for both by default", function()
      for _, arguments in ipairs { {}, { "both" }, { nil } } do
        with_echo(function(sock)
          assert.is_true(sock:shutdown(table.unpack(arguments)))
          assert.is_nil(sock:read("l"))
          assert.is_nil((sock:write("x")))
        end)
      end
    end)

    it("for read, write or both only", function()
      with_echo(function(sock)
        assert.matches("bad argument #1 to 'shutdown' %('read', 'write' or 'both' expected%)",
          support.raised(function() sock:shutdown("up") end))
        assert.matches("bad argument #1 to 'shutdown' %(string expected, got number%)",
          support.raised(function() sock:shutdown(2) end))
      end)
    end)

    it("and fails if the connection no longer exists", function()
      local sock, endpoint = support.echo()
      local _ <close> = sock
      endpoint:close()
      repeat until not sock:write("anybody?")
      assert.same({ nil, "shutdown: not connected", "ENOTCONN" }, { sock:shutdown() })
    end)
  end)

  describe("has a timeout", function()
    it("that is nil at first", function()
      local endpoint <close> = testing.echo()
      local sock <close> = support.connected(endpoint)
      assert.is_nil(sock:gettimeout())
      assert.equal(1, select("#", sock:gettimeout()))
    end)

    it("that is set and returned in seconds", function()
      with_echo(function(sock)
        assert.equal(sock, sock:settimeout(0.25))
        assert.equal(0.25, sock:gettimeout())
        sock:settimeout(2)
        assert.equal(2.0, sock:gettimeout())
        sock:settimeout(0)
        assert.equal(0.0, sock:gettimeout())
        for _, none in ipairs { math.huge, 1e300 } do
          sock:settimeout(1)
          sock:settimeout(none)
          assert.is_nil(sock:gettimeout())
        end
        sock:settimeout(1)
        sock:settimeout(nil)
        assert.is_nil(sock:gettimeout())
        sock:settimeout(1)
        sock:settimeout()
        assert.is_nil(sock:gettimeout())
      end)
    end)

    it("that is a number of seconds; below 0 there is none, as with LuaSocket", function()
      with_echo(function(sock)
        for _, value in ipairs { -1, -0.001, -math.huge } do
          assert.is_nil(sock:settimeout(value):gettimeout())
        end
        sock:settimeout(5)
        assert.matches("bad argument #1 to 'settimeout' "
          .. "%(the timeout must be nil or a number of seconds%)",
          support.raised(function() sock:settimeout(0 / 0) end))
        assert.matches("bad argument #1 to 'settimeout' %(number expected, got string%)",
          support.raised(function() sock:settimeout("1") end))
        assert.equal(5.0, sock:gettimeout())
      end)
    end)
  end)

  describe("gives up its descriptor", function()
    it("with detach: the socket is closed, the connection is not", function()
      with_echo(function(sock)
        local number = sock:getfd()
        assert.is_true(number > 2)
        assert.equal(number, sock:detach())
        assert_closed(sock)
        local again <close> = assert(net.wrap(number))
        again:settimeout(5)
        again:write("still here\n")
        assert.equal("still here", again:read("l"))
      end)
    end)

    it("not while unread bytes are buffered", function()
      with_echo(function(sock)
        sock:write("line\nrest")
        assert.equal("line", sock:read("l"))
        sock:settimeout(0.1)
        assert.is_nil((sock:read("l")))
        local refusal = { nil, "detach: 4 unread bytes are buffered; detach(true) returns them",
          "EBUSY" }
        assert.same(refusal, { sock:detach() })
        assert.same(refusal, { sock:detach(false) })
        assert.is_true(sock:connected())
        local number, rest = sock:detach(true)
        assert.equal("rest", rest)
        assert_closed(sock)
        assert(net.wrap(number)):close()
      end)
    end)

    it("with whole lines unread, which the socket no longer returns", function()
      for _, leave in ipairs { function(sock) return sock:detach(true) end,
        function(sock)
          local number = sock:getfd()
          assert.matches("6 unread bytes are lost", support.raised(sock.setfd, sock, -1))
          return number
        end } do
        with_echo(function(sock)
          sock:write("one\ntwo\nthree\n")
          assert.equal("one", sock:read("l"))
          local iterator = sock:lines()
          assert.equal("two", iterator())
          local number, rest = leave(sock)
          if rest then assert.equal("three\n", rest) end
          assert_closed(sock)
          assert.matches("attempt to use a closed socket", support.raised(iterator))
          assert(net.wrap(number)):close()
        end)
      end
    end)

    it("with an empty text if nothing is unread", function()
      with_echo(function(sock)
        local number, rest = sock:detach(true)
        assert.equal("", rest)
        assert(net.wrap(number)):close()
      end)
    end)

    it("not before what setvbuf buffered is sent", function()
      with_echo(function(sock)
        sock:setvbuf("full")
        sock:write("held\n")
        local number = assert(sock:detach())
        local again <close> = assert(net.wrap(number))
        again:settimeout(5)
        assert.equal("held", again:read("l"))
        support.fill(again)
        again:setvbuf("full", 2 ^ 24)
        again:write(("x"):rep(2 ^ 24))
        again:settimeout(0.05)
        assert.same({ nil, "detach: timed out (settimeout)", "ETIMEDOUT" }, { again:detach() })
        assert.is_true(again:connected())
      end)
    end)

    it("with setfd(-1), which forgets it", function()
      with_echo(function(sock)
        local number = sock:getfd()
        assert.equal(0, select("#", sock:setfd(-1)))
        assert_closed(sock)
        assert(net.wrap(number)):close()
      end)
    end)

    it("but setfd accepts no other number", function()
      with_echo(function(sock)
        for _, number in ipairs { 0, 1, sock:getfd(), -2 } do
          assert.matches("bad argument #1 to 'setfd' %(only %-1 can be set; "
            .. "wrap makes a socket of a descriptor%)",
            support.raised(function() sock:setfd(number) end))
        end
        assert.matches("number expected, got nil",
          support.raised(function() sock:setfd(nil) end))
      end)
    end)
  end)

  describe("is made from a descriptor by wrap", function()
    it("and owns it from then on", function()
      with_echo(function(sock)
        local remote, own = sock:remote_address(), sock:local_address()
        local again = assert(net.wrap(sock:detach()))
        assert.is_true(again:remote_address() == remote)
        assert.is_true(again:local_address() == own)
        assert.is_nil(again:report())
        assert.is_nil(again:gettimeout())
        again:close()
        assert_closed(again)
      end)
    end)

    it("also from one of another library", function()
      local found, luasocket = pcall(require, "socket")
      if not found then return pending("LuaSocket is not installed (Debian: lua-socket)") end
      with_echo(function(_, endpoint)
        local theirs = assert(luasocket.connect(endpoint:address().host, endpoint:address().port))
        local sock <close> = assert(net.wrap(theirs:getfd()))
        theirs:setfd(-1)
        theirs:close()
        sock:settimeout(5)
        sock:write("from the other\n")
        assert.equal("from the other", sock:read("l"))
      end)
    end)

    it("not from one that is not a connected stream", function()
      assert.same({ nil, "wrap: not a socket", "ENOTSOCK" }, { net.wrap(2) })
      assert.same({ nil, "wrap: bad file descriptor", "EBADF" }, { net.wrap(100000) })
      local found, luasocket = pcall(require, "socket")
      if not found then return pending("LuaSocket is not installed (Debian: lua-socket)") end
      local datagram = luasocket.udp()
      datagram:setsockname("127.0.0.1", 0)
      assert.same({ nil, "wrap: operation not supported", "EOPNOTSUPP" },
        { net.wrap(datagram:getfd()) })
      datagram:close()
      local listener = luasocket.bind("127.0.0.1", 0)
      assert.same({ nil, "wrap: not connected", "ENOTCONN" }, { net.wrap(listener:getfd()) })
      listener:close()
    end)

    it("not from a number that is not a descriptor", function()
      for _, number in ipairs { -1, 2 ^ 31, math.maxinteger } do
        assert.matches("bad argument #1 to 'wrap' %(not a descriptor%)",
          support.raised(net.wrap, number))
      end
      assert.matches("bad argument #1 to 'wrap' %(number expected, got no value%)",
        support.raised(net.wrap))
      assert.matches("number has no integer representation", support.raised(net.wrap, 3.5))
    end)
  end)
end)
