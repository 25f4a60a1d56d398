local support = require "Tests.Lua.support"

describe("socket:write", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  local function with_echo(body)
    local sock, endpoint = support.echo()
    local _ <close> = endpoint
    local _ <close> = sock
    body(sock, endpoint)
  end

  it("returns the socket, so that calls can be chained", function()
    with_echo(function(sock)
      assert.equal(sock, sock:write("a"))
      assert.equal(sock, sock:write())
      assert.equal(sock, sock:write("", ""))
      sock:write("b"):write("c", "\n")
      assert.equal("abc", sock:read("l"))
    end)
  end)

  it("writes text and numbers as io does", function()
    with_echo(function(sock)
      local values = { "x\0y", 1, -1, 0, 1.0, -0.0, 0.1, 1e15, 1e16, 1e100, 2 ^ 53, 2 ^ 63, math.pi,
        math.maxinteger, math.mininteger, math.huge, -math.huge, "\xff\xfe", "" }
      local file <close> = assert(io.tmpfile())
      assert(file:write(table.unpack(values)))
      file:seek("set")
      sock:write(table.unpack(values))
      sock:shutdown("write")
      assert.equal(file:read("a"), sock:read("a"))
    end)
  end)

  it("writes thousands of values in one call", function()
    with_echo(function(sock)
      local values = {}
      for i = 1, 5000 do values[i] = i % 3 == 0 and "" or i % 3 == 1 and i or i .. "," end
      sock:write(table.unpack(values))
      sock:shutdown("write")
      assert.equal(table.concat(values), sock:read("a"))
    end)
  end)

  it("writes many values repeatedly", function()
    with_echo(function(sock)
      local parts = {}
      for i = 1, 100 do parts[i] = ("part %d;"):format(i) end
      for _ = 1, 20 do sock:write(table.unpack(parts)) end
      sock:shutdown("write")
      assert.equal(table.concat(parts):rep(20), sock:read("a"))
    end)
  end)

  it("raises for other types than text and numbers, and writes nothing", function()
    with_echo(function(sock)
      for name, value in pairs { table = {}, boolean = true, ["function"] = print } do
        assert.matches("bad argument #2 to 'write' %(string expected, got " .. name .. "%)",
          support.raised(function() sock:write("before", value, "after") end))
      end
      assert.matches("bad argument #1 to 'write' %(string expected, got nil%)",
        support.raised(function() sock:write(nil) end))
      sock:settimeout(0.05)
      assert.is_nil((sock:read(1)))
    end)
  end)

  it("returns at a timeout how many bytes it has sent, exactly", function()
    with_echo(function(sock)
      -- More than the kernel's buffers and the echo hold together; all blocks differ.
      local blocks = {}
      for i = 1, 2 ^ 16 do blocks[i] = ("%08d"):format(i):rep(128) end
      local text = table.concat(blocks)
      sock:settimeout(0.2)
      local began = support.now()
      local result, message, code, written = sock:write(text)
      local elapsed = support.now() - began
      assert.is_nil(result)
      assert.equal("write: timed out (settimeout)", message)
      assert.equal("ETIMEDOUT", code)
      assert.equal("integer", math.type(written))
      assert.is_true(written > 0 and written < #text)
      assert.is_true(elapsed >= 0.18 and elapsed < 0.5, tostring(elapsed))
      sock:settimeout(5)
      assert.is_true(sock:read(written) == text:sub(1, written))
      sock:write("end\n")
      assert.equal("end", sock:read("l"))
    end)
  end)

  it("counts the bytes of all values of a call", function()
    with_echo(function(sock)
      local chunk = ("x"):rep(1000000)
      local chunks = {}
      for i = 1, 100 do chunks[i] = chunk end
      sock:settimeout(0.1)
      local _, _, code, written = sock:write(table.unpack(chunks))
      assert.equal("ETIMEDOUT", code)
      assert.is_true(written > #chunk, tostring(written))
      sock:settimeout(5)
      assert.equal(written, #sock:read(written))
    end)
  end)

  it("fails without a signal if the peer has closed", function()
    local sock, endpoint = support.echo()
    local _ <close> = sock
    endpoint:close()
    local result, message, code, written
    -- The first write succeeds, because the connection is only half closed; the peer answers with a
    -- reset.
    repeat result, message, code, written = sock:write("anybody?") until not result
    assert.is_true(code == "EPIPE" or code == "ECONNRESET", code)
    assert.matches("^write: ", message)
    assert.equal(0, written)
    assert.is_true(sock:connected())
    result, message, code, written = sock:write("anybody?")
    assert.same({ nil, "write: broken pipe", "EPIPE", 0 }, { result, message, code, written })
  end)

  it("fails after shutdown", function()
    with_echo(function(sock)
      assert.is_true(sock:shutdown("write"))
      local result, message, code, written = sock:write("x")
      assert.same({ nil, "write: broken pipe", "EPIPE", 0 }, { result, message, code, written })
    end)
  end)

  describe("with setvbuf", function()
    it("buffers until it is flushed", function()
      with_echo(function(sock)
        assert.is_true(sock:setvbuf("full", 1000))
        sock:write("one\n", "two\n")
        sock:settimeout(0.05)
        assert.is_nil((sock:read("l")))
        assert.is_true(sock:flush())
        sock:settimeout(5)
        assert.same({ "one", "two" }, { sock:read("l", "l") })
        assert.is_true(sock:flush())
      end)
    end)

    it("sends when the buffer is full", function()
      with_echo(function(sock)
        sock:setvbuf("full", 10)
        sock:write("12345"):write("67890"):write("x")
        assert.equal("1234567890", sock:read(10))
        sock:write(("y"):rep(100))
        assert.equal("x" .. ("y"):rep(100), sock:read(101))
      end)
    end)

    it("sends at the end of a line", function()
      with_echo(function(sock)
        sock:setvbuf("line")
        sock:write("no end")
        sock:settimeout(0.05)
        assert.is_nil((sock:read(1)))
        sock:write(" yet\nnext")
        sock:settimeout(5)
        assert.equal("no end yet", sock:read("l"))
      end)
    end)

    it("sends the buffer when buffering is turned off", function()
      with_echo(function(sock)
        sock:setvbuf("full")
        sock:write("held\n")
        assert.is_true(sock:setvbuf("no"))
        assert.equal("held", sock:read("l"))
        sock:write("at once\n")
        assert.equal("at once", sock:read("l"))
      end)
    end)

    it("sends the buffer before it shuts down", function()
      with_echo(function(sock)
        sock:setvbuf("full")
        sock:write("last words")
        sock:shutdown("write")
        assert.equal("last words", sock:read("a"))
      end)
    end)

    it("uses one timeout for a whole write, not one for each part", function()
      with_echo(function(sock)
        support.fill(sock)
        sock:setvbuf("full", 2 ^ 24)
        sock:write(("x"):rep(2 ^ 24))
        sock:settimeout(0.5)
        local text, began = ("y"):rep(2 ^ 24), support.now()
        local _, _, code = sock:write(text)
        local elapsed = support.now() - began
        assert.equal("ETIMEDOUT", code)
        assert.is_true(elapsed >= 0.48 and elapsed < 0.9, tostring(elapsed))
        -- The buffer is still full, and close would wait for the timeout.
        sock:settimeout(0)
      end)
    end)

    it("keeps what a flush could not send", function()
      with_echo(function(sock)
        local count = support.fill(sock)
        local text = ("01234567"):rep(2 ^ 21)
        sock:setvbuf("full", #text)
        sock:write(text)
        sock:settimeout(0.05)
        assert.same({ nil, "flush: timed out (settimeout)", "ETIMEDOUT" }, { sock:flush() })
        sock:settimeout(5)
        assert.equal(count, #sock:read(count))
        local parts, missing = {}, #text
        while missing > 0 do
          sock:settimeout(0)
          sock:flush()
          sock:settimeout(5)
          parts[#parts + 1] = assert(sock:receive_any(2 ^ 20))
          missing = missing - #parts[#parts]
        end
        assert.is_true(table.concat(parts) == text)
      end)
    end)

    it("raises for an unknown mode and a size out of range", function()
      with_echo(function(sock)
        assert.matches("bad argument #1 to 'setvbuf' %('no', 'full' or 'line' expected%)",
          support.raised(function() sock:setvbuf("block") end))
        assert.matches("bad argument #1 to 'setvbuf' %(string expected, got no value%)",
          support.raised(function() sock:setvbuf() end))
        for _, size in ipairs { 0, -1, 2 ^ 24 + 1 } do
          assert.matches("bad argument #2 to 'setvbuf' %(the size must be 1 to 16777216%)",
            support.raised(function() sock:setvbuf("full", size) end))
        end
      end)
    end)
  end)
end)
