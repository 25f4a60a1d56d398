--- Scripts that do what no script should: metamethods called by hand, a wrong self, finalizers that
-- interfere. Whatever they do, nothing but an error comes of it.
local net = require "connectbylist"
local testing = require "connectbylist.testing"
local support = require "Tests.Lua.support"

describe("a hostile script", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  local function with_echo(body)
    local sock, endpoint = support.echo()
    local _ <close> = endpoint
    local _ <close> = sock
    body(sock, endpoint)
  end

  local function not_ours()
    return { nil, true, 5, "text", {}, print, coroutine.create(print), io.stdout,
      setmetatable({}, { __name = "socket" }), n = 9 }
  end

  it("gets no method to work on another self", function()
    with_echo(function(sock, endpoint)
      local list = net.address_list { "127.0.0.1:80" }
      local report = sock:report()
      local methods = {
        { sock, { "read", "receive_any", "lines", "write", "flush", "setvbuf", "close", "shutdown",
          "local_address", "remote_address", "report", "settimeout", "gettimeout", "getfd", "setfd",
          "detach", "connected" }, "socket" },
        { list, { "add", "remove", "clear", "history", "forget" }, "address list" },
        { endpoint, { "address", "accepted", "close" }, "test endpoint" },
      }
      for _, row in ipairs(methods) do
        local own, names, type_name = table.unpack(row)
        local others = not_ours()
        for _, object in ipairs { sock, list, endpoint, report } do
          if object ~= own then
            others.n = others.n + 1
            others[others.n] = object
          end
        end
        for _, name in ipairs(names) do
          for i = 1, others.n do
            local message = support.raised(own[name], others[i])
            assert.matches("bad argument #1 to '[%w_]+' %(" .. type_name .. " expected, got ",
              message)
          end
          assert.matches(type_name .. " expected, got n", support.raised(own[name]))
        end
      end
      assert.is_true(sock:connected())
    end)
  end)

  it("gets no metamethod to work on another self", function()
    with_echo(function(sock, endpoint)
      local list = net.address_list()
      for _, object in ipairs { sock, list, endpoint, sock:report() } do
        local metatable = getmetatable(object)
        local others = not_ours()
        for i = 1, others.n do
          assert.is_true((pcall(metatable.__gc, others[i])))
          if metatable.__close then assert.is_false((pcall(metatable.__close, others[i], nil))) end
          if metatable.__tostring then pcall(metatable.__tostring, others[i]) end
        end
        assert.is_true((pcall(metatable.__gc)))
      end
    end)
  end)

  it("releases nothing of one type with the finalizer of another", function()
    with_echo(function(sock, endpoint)
      local objects = { sock, net.address_list { "127.0.0.1:80" }, endpoint, sock:report() }
      for i, object in ipairs(objects) do
        for j, other in ipairs(objects) do
          if i ~= j then getmetatable(object).__gc(other) end
        end
      end
      assert.is_true(sock:connected())
      assert.equal(1, #objects[2])
      assert.equal("connected", objects[4].attempts[1].outcome)
      sock:write("unharmed\n")
      assert.equal("unharmed", sock:read("l"))
    end)
  end)

  it("may call a finalizer by hand, twice: the object is closed then", function()
    with_echo(function(sock, endpoint)
      local list, report = net.address_list { "127.0.0.1:80" }, sock:report()
      for _, object in ipairs { sock, list, endpoint, report } do
        local finalize = getmetatable(object).__gc
        finalize(object)
        finalize(object)
      end
      assert.is_falsy(sock:connected())
      assert.equal("tcp{client}: closed", tostring(sock))
      sock:close()
      endpoint:close()
      assert.matches("attempt to use a closed socket", support.raised(function() sock:read() end))
      assert.matches("attempt to use a closed address list",
        support.raised(function() return #list end))
      assert.matches("attempt to use a closed address list",
        support.raised(function() list:add("127.0.0.1:80") end))
      assert.matches("attempt to use a closed test endpoint",
        support.raised(function() endpoint:address() end))
      assert.matches("attempt to use a closed report",
        support.raised(function() return report.elapsed end))
      assert.matches("closed", support.raised(net.connect_by_list, list))
    end)
  end)

  it("may take the methods out of their table", function()
    with_echo(function(sock)
      local methods = getmetatable(sock).__index
      local read = methods.read
      methods.read = nil
      assert.is_nil(sock.read)
      sock:write("x\n")
      assert.equal("x", read(sock))
      methods.read = read
      assert.is_falsy(methods.unread)
    end)
  end)

  it("finds no handle to get at in what a call leaves behind", function()
    for name, metatable in pairs(require "connectbylist.core".types) do
      assert.is_function(metatable.__gc)
      assert.equal(name, metatable.__name)
    end
  end)

  it("may nest options as deep and as wide as it likes", function()
    local deep = {}
    local inner = deep
    for _ = 1, 1000 do
      inner.socket = {}
      inner = inner.socket
    end
    assert.matches("unknown option", support.raised(net.connect_by_list, { "127.0.0.1:1" }, deep))
    local wide = {}
    for i = 1, 3000 do wide[i] = i end
    assert.matches("too many fields",
      support.raised(net.connect_by_list, { "127.0.0.1:1" }, { local_addresses = wide }))
  end)

  it("may give every function values of every type", function()
    with_echo(function(sock)
      sock:settimeout(0.01)
      local values = { nil, true, -1, 0, 2 ^ 53, 0 / 0, math.huge, "", "\0", ("x"):rep(5000), {},
        { {} }, print, io.stdout, sock, net.address_list(), net.address("127.0.0.1:9"), n = 17 }
      local functions = { sock.read, sock.receive_any, sock.lines, sock.write, sock.setvbuf,
        sock.settimeout }
      for _, body in ipairs(functions) do
        for i = 1, values.n do
          for j = 1, values.n do pcall(body, sock, values[i], values[j]) end
        end
      end
      for _, body in ipairs { net.address, net.address_list, net.wrap, net.local_addresses } do
        for i = 1, values.n do
          -- 0, 1 and 2 are this process's own, and no sockets.
          pcall(body, values[i], values[1])
        end
      end
      for i = 1, values.n do
        for j = 1, values.n do
          pcall(net.connect_by_list, values[i], { timeout = values[j] })
          local list = net.address_list()
          pcall(list.add, list, values[i], values[j])
          pcall(list.remove, list, values[i])
          pcall(list.add, list, { host = values[i], port = values[j], scope = values[j] })
        end
      end
      assert.is_true(sock:connected())
    end)
  end)
end)

describe("a finalizer", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  -- Runs the body with a collector that never rests, and so many finalizers that come in every
  -- cycle and call this.
  local function under_fire(interfere, body, count)
    local going = true
    local function rearm()
      setmetatable({}, { __gc = function()
        if not going then return end
        interfere()
        rearm()
      end })
    end
    -- A cycle after the other, each in as few steps as may be, a step every eight bytes. A full one
    -- sets the pace by that.
    local mode = collectgarbage("incremental", 4, 1000, 3)
    collectgarbage()
    for _ = 1, count or 20 do rearm() end
    local ok, message = pcall(body)
    going = false
    collectgarbage("incremental", 200, 100, 13)
    collectgarbage(mode)
    collectgarbage()
    if not ok then error(message, 0) end
  end

  it("may read from the socket that is being read", function()
    local sock, endpoint = support.echo()
    local _ <close> = endpoint
    local _ <close> = sock
    local seen, count, total = {}, 0, 4000
    local function note(token)
      assert.matches("^%x%x%x%x%x%x%x%x$", token)
      assert.is_nil(seen[token])
      seen[token] = true
      count = count + 1
    end
    local tokens = {}
    for i = 1, total do tokens[i] = ("%08x"):format(i) end
    sock:write(table.concat(tokens))
    sock:shutdown("write")
    local fired = 0
    under_fire(function()
      fired = fired + 1
      local token = sock:read(8)
      if token then note(token) end
    end, function()
      local formats = {}
      for i = 1, 30 do formats[i] = 8 end
      while true do
        local results = table.pack(sock:read(table.unpack(formats)))
        for i = 1, results.n do
          if results[i] then note(results[i]) end
        end
        if not results[results.n] then break end
      end
    end)
    assert.equal(total, count)
    assert.is_true(fired > 0)
  end)

  it("may close the socket that is being read, in any way", function()
    local ways = {
      function(sock) sock:close() end,
      function(sock) getmetatable(sock).__gc(sock) end,
      function(sock) sock:setfd(-1) end,
    }
    for way, close in ipairs(ways) do
      for round = 1, 30 do
        local sock, endpoint = support.echo()
        local number = sock:getfd()
        sock:write(("0123456789"):rep(1000))
        assert(sock:read(10))
        sock:settimeout(0)
        local countdown = round
        under_fire(function()
          countdown = countdown - 1
          if countdown == 0 then close(sock) end
        end, function()
          while true do
            local ok, first = pcall(sock.read, sock, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
              10)
            if not ok then
              assert.matches("attempt to use a closed socket", first)
              break
            end
            if not first then break end
            assert.equal("0123456789", first)
          end
        end, 1)
        if way == 3 and not sock:connected() then assert(net.wrap(number)):close() end
        sock:close()
        endpoint:close()
      end
    end
  end)

  it("may close the socket that is being written to", function()
    for round = 1, 50 do
      local sock, endpoint = support.echo()
      local write, i = sock.write, 0
      local countdown = round
      under_fire(function()
        countdown = countdown - 1
        if countdown == 0 then getmetatable(sock).__gc(sock) end
      end, function()
        -- Numbers that were no text before: nearly all that allocates here is the call itself.
        repeat i = i + 1 until i > 3000 or not pcall(write, sock, i + 0.1, i + 0.2, i + 0.3,
          i + 0.4, i + 0.5, i + 0.6, i + 0.7, i + 0.8, i + 0.9)
      end, 1)
      sock:close()
      endpoint:close()
    end
  end)

  it("may take away the options that a connect is reading", function()
    local echo <close> = testing.echo()
    local address = echo:address()
    for round = 1, 30 do
      local options = setmetatable({ timeout = 5, interface = "l" .. ("o"):rep(1) },
        { __mode = "kv" })
      options.socket = { ["node" .. "lay"] = true }
      options.local_addresses = { "127.0.0." .. round }
      under_fire(function()
        options.interface, options.socket, options.local_addresses = nil, nil, nil
      end, function()
        for _ = 1, 5 do
          local sock = net.connect_by_list({ address }, options)
          if sock then sock:close() end
        end
      end)
    end
  end)

  it("may change the list that is being connected to", function()
    local echo <close> = testing.echo()
    local list = net.address_list { echo:address() }
    under_fire(function()
      list:clear()
      list:add(echo:address())
    end, function()
      for _ = 1, 50 do
        local sock <close> = net.connect_by_list(list)
      end
    end)
  end)

  it("may connect, read, write and close itself", function()
    local echo <close> = testing.echo()
    local address, done = echo:address(), 0
    under_fire(function()
      if done >= 50 then return end
      local sock <close> = net.connect_by_list({ address }, { timeout = 5 })
      if not sock then return end
      sock:settimeout(5)
      sock:write("x\n")
      assert(sock:read("l") == "x")
      done = done + 1
    end, function()
      for _ = 1, 50 do
        local sock <close> = assert(net.connect_by_list { address })
        sock:settimeout(5)
        sock:write("y\n")
        assert(sock:read("l") == "y")
        local _ = tostring(sock:report()) .. sock:report():json()
      end
    end)
    assert.is_true(done > 0)
  end)
end)
