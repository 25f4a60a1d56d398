local support = require "Tests.Lua.support"

describe("socket:read", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  -- The body gets a socket that receives this text and then the end of the stream.
  local function reading(text, body)
    local sock, endpoint = support.echoing(text)
    local _ <close> = endpoint
    local _ <close> = sock
    body(sock)
  end

  -- The body gets a socket that receives this text, and no end of the stream.
  local function waiting(text, body)
    local sock, endpoint = support.echo()
    local _ <close> = endpoint
    local _ <close> = sock
    assert(sock:write(text))
    body(sock)
  end

  it("returns a line without its end by default", function()
    reading("one\ntwo\nthree", function(sock)
      assert.equal("one", sock:read("l"))
      assert.equal("two", sock:read())
      assert.equal("three", sock:read("l"))
      assert.is_nil(sock:read("l"))
    end)
  end)

  it("returns a line with its end", function()
    reading("one\n\nthree", function(sock)
      assert.equal("one\n", sock:read("L"))
      assert.equal("\n", sock:read("L"))
      assert.equal("three", sock:read("L"))
      assert.is_nil(sock:read("L"))
    end)
  end)

  it("keeps carriage returns and zeros", function()
    reading("one\r\n\0two\0\n", function(sock)
      assert.equal("one\r", sock:read("l"))
      assert.equal("\0two\0", sock:read("l"))
    end)
  end)

  it("returns exactly so many bytes, fewer only at the end of the stream", function()
    reading("0123456789", function(sock)
      assert.equal("0123", sock:read(4))
      assert.equal("45", sock:read(2.0))
      assert.equal("6789", sock:read(100))
      assert.is_nil(sock:read(1))
    end)
  end)

  it("returns an empty text for 0 bytes, and nil at the end", function()
    reading("x", function(sock)
      assert.equal("", sock:read(0))
      assert.equal("x", sock:read(1))
      assert.is_nil(sock:read(0))
    end)
  end)

  it("returns all up to the end, and at the end an empty text", function()
    reading("one\ntwo\n", function(sock)
      assert.equal("one\ntwo\n", sock:read("a"))
      assert.equal("", sock:read("a"))
      assert.is_nil(sock:read("l"))
    end)
  end)

  it("returns numbers as Lua reads them", function()
    reading("1 -2 0x1p4 .5e1 007\t9007199254740993 1e400 0x.8", function(sock)
      for _, expected in ipairs { 1, -2, 16.0, 5.0, 7, 9007199254740993, math.huge, 0.5 } do
        local number = sock:read("n")
        assert.equal(expected, number)
        assert.equal(math.type(expected), math.type(number))
      end
    end)
  end)

  it("returns nil for what is not a number, and consumes the bytes that could begin one", function()
    reading("1e x 0x", function(sock)
      assert.is_nil(sock:read("n"))
      assert.equal(" ", sock:read(1))
      assert.is_nil(sock:read("n"))
      assert.equal("x", sock:read(1))
      assert.is_nil(sock:read("n"))
      assert.is_nil(sock:read("l"))
    end)
  end)

  it("accepts a star before a format", function()
    reading("one\ntwo\n3 rest", function(sock)
      assert.equal("one", sock:read("*l"))
      assert.equal("two\n", sock:read("*L"))
      assert.equal(3, sock:read("*n"))
      assert.equal(" rest", sock:read("*a"))
    end)
  end)

  it("returns a value for each of several formats, and nil for the first that fails", function()
    reading("line\n42rest", function(sock)
      local results = table.pack(sock:read("l", "n", 2, "n", "a"))
      assert.equal(4, results.n)
      assert.same({ "line", 42, "re" }, { results[1], results[2], results[3] })
      assert.is_nil(results[4])
      assert.equal("st", sock:read("a"))
    end)
  end)

  it("accepts many formats", function()
    local parts, formats = {}, {}
    for i = 1, 300 do
      parts[i] = ("%d\n"):format(i)
      formats[i] = i % 2 == 0 and "l" or "n"
      if i % 2 == 1 then parts[i] = ("%d"):format(i) .. " " end
    end
    reading(table.concat(parts), function(sock)
      local results = table.pack(sock:read(table.unpack(formats)))
      assert.equal(300, results.n)
      for i = 1, 300 do
        if i % 2 == 1 then
          assert.equal(i, results[i])
        else
          assert.equal(" " .. i, results[i])
        end
      end
    end)
  end)

  it("accepts thousands of formats", function()
    reading(("x"):rep(20000), function(sock)
      local formats = {}
      for i = 1, 20000 do formats[i] = 1 end
      assert.equal(20000, select("#", sock:read(table.unpack(formats))))
    end)
  end)

  it("returns a megabyte as one line, and as one number of bytes", function()
    local long = ("x"):rep(2 ^ 20)
    local sock, endpoint = support.echo()
    local _ <close> = endpoint
    local _ <close> = sock
    -- The echo buffers a megabyte if its peer does not read.
    assert(sock:write(long:sub(1, 2 ^ 19)))
    sock:settimeout(0)
    assert.is_nil(sock:read("l"))
    sock:settimeout(5)
    assert(sock:write(long:sub(2 ^ 19 + 1), "\n"))
    assert.is_true(sock:read("l") == long)
    assert(sock:write(long))
    assert.is_true(sock:read(#long) == long)
  end)

  it("refuses a size above a gigabyte, and consumes nothing", function()
    reading("text", function(sock)
      local text, message, code = sock:read(2 ^ 30 + 1)
      assert.is_nil(text)
      assert.equal("read: a value of more than 1073741824 bytes", message)
      assert.equal("EMSGSIZE", code)
      assert.is_nil((sock:read(2, math.maxinteger)))
      assert.equal("text", sock:read("a"))
    end)
  end)

  describe("at a timeout", function()
    it("returns nil, a message and ETIMEDOUT alone", function()
      waiting("", function(sock)
        sock:settimeout(0.05)
        local results = table.pack(sock:read("l"))
        assert.equal(3, results.n)
        assert.is_nil(results[1])
        assert.equal("read: timed out (settimeout)", results[2])
        assert.equal("ETIMEDOUT", results[3])
      end)
    end)

    it("has waited for the timeout, and not much longer", function()
      waiting("", function(sock)
        sock:settimeout(0.3)
        local began = support.now()
        assert.is_nil(sock:read("l"))
        local elapsed = support.now() - began
        assert.is_true(elapsed >= 0.28 and elapsed < 0.5, tostring(elapsed))
      end)
    end)

    -- A read once went on as long as more data arrived, past the timeout.
    it("has waited for the timeout, even if the peer sends all the time", function()
      local sock, other = support.pair()
      if not sock then return pending("LuaSocket is not installed (Debian: lua-socket)") end
      -- Sends over loopback for a third of a second.
      local chunk, held, began = ("x"):rep(2 ^ 20), 0, support.now()
      other:settimeout(0)
      sock:settimeout(0.001)
      repeat
        local sent, _, partial = other:send(chunk)
        held = held + (sent or partial)
        local done, _, code = sock:read("a")
        assert.is_nil(done)
        assert.equal("ETIMEDOUT", code)
      until support.now() - began > 0.3
      other:close()
      sock:settimeout(5)
      assert.equal(held, #sock:read("a"))
      sock:close()
    end)

    it("keeps the received part of a line", function()
      waiting("half", function(sock)
        sock:settimeout(0.1)
        assert.is_nil((sock:read("l")))
        sock:write(" and half\n")
        sock:settimeout(5)
        assert.equal("half and half", sock:read("l"))
      end)
    end)

    it("keeps the bytes of the earlier formats", function()
      waiting("line\n42 half", function(sock)
        sock:settimeout(0.1)
        for _ = 1, 3 do
          assert.same({ nil, "read: timed out (settimeout)", "ETIMEDOUT" }, { sock:read("l", "n", "L") })
        end
        sock:write("\n")
        sock:settimeout(5)
        assert.same({ "line", 42, " half\n" }, { sock:read("l", "n", "L") })
      end)
    end)

    it("keeps the received part of a number, of so many bytes, and of all", function()
      for _, format in ipairs { "n", 100, "a" } do
        waiting("  12", function(sock)
          sock:settimeout(0.05)
          assert.same({ nil, "read: timed out (settimeout)", "ETIMEDOUT" }, { sock:read(format) })
          sock:settimeout(5)
          sock:write("34\n")
          sock:shutdown("write")
          if format == "n" then assert.equal(1234, sock:read("n")) end
          assert.equal(format == "n" and "\n" or "  1234\n", sock:read("a"))
        end)
      end
    end)

    it("returns with a timeout of 0 what has arrived", function()
      waiting("here\nhalf", function(sock)
        assert.equal("here", sock:read("l"))
        assert.equal("half", sock:read(4))
        sock:settimeout(0)
        assert.same({ nil, "read: timed out (settimeout)", "ETIMEDOUT" }, { sock:read(1) })
      end)
    end)
  end)

  it("returns what arrived before a reset, and then ECONNRESET", function()
    local sock, endpoint = support.echo()
    local _ <close> = sock
    -- More than the echo buffers: the kernel resets a connection that is closed with unread bytes.
    sock:settimeout(0.2)
    assert.is_nil((sock:write(("x"):rep(2 ^ 26))))
    endpoint:close()
    local text, message, code
    repeat text, message, code = sock:read(1000) until not text
    assert.equal("read: connection reset", message)
    assert.equal("ECONNRESET", code)
  end)

  describe("receive_any", function()
    it("returns what is there, at least a byte", function()
      waiting("hello", function(sock)
        local got = ""
        while #got < 5 do got = got .. assert(sock:receive_any()) end
        assert.equal("hello", got)
        sock:settimeout(0.05)
        assert.same({ nil, "receive_any: timed out (settimeout)", "ETIMEDOUT" }, { sock:receive_any() })
      end)
    end)

    it("returns at most so many bytes", function()
      reading("hello", function(sock)
        assert.equal("h", sock:receive_any(1))
        assert.equal("ello", sock:read(4))
        assert.is_nil(sock:receive_any(10))
        assert.equal(1, select("#", sock:receive_any(10)))
      end)
    end)

    it("returns first what an earlier read has left", function()
      waiting("line\nrest", function(sock)
        assert.equal("line", sock:read("l"))
        local got = ""
        while #got < 4 do got = got .. assert(sock:receive_any()) end
        assert.equal("rest", got)
      end)
    end)

    it("raises for a size out of range", function()
      waiting("x", function(sock)
        for _, size in ipairs { 0, -1, 2 ^ 30 + 1 } do
          assert.matches("bad argument #1 to 'receive_any' %(the size must be 1 to 1073741824%)",
            support.raised(function() sock:receive_any(size) end))
        end
        assert.matches("number expected, got string",
          support.raised(function() sock:receive_any("x") end))
      end)
    end)
  end)

  describe("lines", function()
    it("iterates over the lines", function()
      reading("one\ntwo\n\nfour", function(sock)
        local got = {}
        for line in sock:lines() do got[#got + 1] = line end
        assert.same({ "one", "two", "", "four" }, got)
      end)
    end)

    it("accepts formats", function()
      reading("1 one\n2 two\n3 three\n", function(sock)
        local got = {}
        for number, text in sock:lines("n", "L") do got[number] = text end
        assert.same({ " one\n", " two\n", " three\n" }, got)
      end)
    end)

    it("accepts as many formats as io does", function()
      reading(("x"):rep(500), function(sock)
        local formats, count = {}, 0
        for i = 1, 250 do formats[i] = 1 end
        for _ in sock:lines(table.unpack(formats)) do count = count + 1 end
        assert.equal(2, count)
        formats[251] = 1
        assert.matches("bad argument #251 to 'lines' %(too many arguments%)",
          support.raised(function() sock:lines(table.unpack(formats)) end))
      end)
    end)

    it("returns a value for each of many formats", function()
      reading(("0123456789"):rep(25), function(sock)
        local formats = {}
        for i = 1, 250 do formats[i] = 1 end
        local row = table.pack(sock:lines(table.unpack(formats))())
        assert.equal(250, row.n)
        assert.equal(("0123456789"):rep(25), table.concat(row))
      end)
    end)

    -- The iterator once pushed its formats without luaL_checkstack. In a coroutine, whose stack is small
    -- at first, it wrote past the end of the stack.
    it("makes room for its formats in a coroutine", function()
      reading(("0123456789"):rep(25 * 50), function(sock)
        local formats = {}
        for i = 1, 250 do formats[i] = 1 end
        local step = sock:lines(table.unpack(formats))
        for _ = 1, 50 do
          local row = table.pack(coroutine.wrap(step)())
          assert.equal(("0123456789"):rep(25), table.concat(row))
        end
      end)
    end)

    it("raises when a read fails, and can continue after that", function()
      waiting("one\ntw", function(sock)
        sock:settimeout(0.05)
        local got = {}
        local message = support.raised(function()
          for line in sock:lines() do got[#got + 1] = line end
        end)
        assert.same({ "one" }, got)
        assert.matches("socket_read_spec%.lua:%d+: read: timed out %(settimeout%)$", message)
        sock:write("o\n")
        sock:shutdown("write")
        sock:settimeout(5)
        for line in sock:lines() do got[#got + 1] = line end
        assert.same({ "one", "two" }, got)
      end)
    end)

    it("raises for a closed socket", function()
      waiting("", function(sock)
        local line = sock:lines()
        sock:close()
        assert.matches("attempt to use a closed socket", support.raised(line))
        assert.matches("attempt to use a closed socket",
          support.raised(function() sock:lines() end))
      end)
    end)

    it("raises for an invalid format, with its number", function()
      waiting("", function(sock)
        assert.matches("bad argument #2 to 'lines' %(invalid format%)",
          support.raised(function() for _ in sock:lines("l", "x") do break end end))
      end)
    end)
  end)

  it("raises for an invalid format, with its number, and consumes nothing", function()
    waiting("text\n", function(sock)
      for _, format in ipairs { "x", "", "*", "**l", -1, 1.5, 0 / 0, 2 ^ 64, true, {}, print,
        io.stdout, "\0l" } do
        assert.matches("bad argument #2 to 'read' %(invalid format%)",
          support.raised(function() sock:read("l", format) end))
      end
      assert.matches("bad argument #1 to 'read' %(invalid format%)",
        support.raised(function() sock:read(nil) end))
      assert.matches("bad argument #2 to 'read' %(invalid format%)",
        support.raised(sock.read, sock, {}))
      assert.equal("text", sock:read("l"))
    end)
  end)
end)
