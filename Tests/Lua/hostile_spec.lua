--- Scripts that misuse the module: metamethods called directly, a wrong self, finalizers that interfere.
-- The result is an error, and valid calls still work.
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

  it("cannot call a method on another type", function()
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

  it("cannot call a metamethod on another type", function()
    with_echo(function(sock, endpoint)
      local list = net.address_list()
      for _, object in ipairs { sock, list, endpoint, sock:report() } do
        local metatable = getmetatable(object)
        local others = not_ours()
        for i = 1, others.n do
          assert.is_true((pcall(metatable.__gc, others[i])))
          if metatable.__close then assert.is_false((pcall(metatable.__close, others[i], nil))) end
          if metatable.__tostring then
            assert.is_false((pcall(metatable.__tostring, others[i])))
          end
        end
        assert.is_true((pcall(metatable.__gc)))
      end
    end)
  end)

  it("cannot release an object with the finalizer of another type", function()
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

  it("may call a finalizer twice, which closes the object", function()
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

  it("may remove methods from their table", function()
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

  it("finds a finalizer and a name in each metatable", function()
    local names = {}
    for name, metatable in pairs(require "connectbylist.core".types) do
      assert.is_function(metatable.__gc)
      assert.equal(name, metatable.__name)
      names[#names + 1] = name
    end
    table.sort(names)
    assert.same({ "address list", "operation", "pending call",
      "reply", "report", "resolution", "socket", "test endpoint" }, names)
  end)

  it("may nest options deeply and give very many", function()
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
    local returned, raised = 0, 0
    -- A call raises a message, or returns nil with a message and a code, or nil alone, or a value.
    local function try(body, ...)
      local ok, first, message, code = pcall(body, ...)
      if ok then
        returned = returned + 1
        if first == nil and message ~= nil then
          assert.is_string(message)
          assert.is_string(code)
        end
      else
        raised = raised + 1
        assert.is_string(first)
      end
    end
    with_echo(function(sock, endpoint)
      sock:settimeout(0.01)
      local values = { nil, true, -1, 0, 2 ^ 53, 0 / 0, math.huge, "", "\0", ("x"):rep(5000), {},
        { {} }, print, io.stdout, sock, net.address_list(), net.address("127.0.0.1:9"), n = 17 }
      local functions = { sock.read, sock.receive_any, sock.lines, sock.write, sock.setvbuf,
        sock.settimeout }
      for _, body in ipairs(functions) do
        for i = 1, values.n do
          for j = 1, values.n do try(body, sock, values[i], values[j]) end
        end
      end
      for _, body in ipairs { net.address, net.address_list, net.wrap, net.local_addresses } do
        for i = 1, values.n do
          -- Descriptor 0 is this process's standard input, which is no socket.
          try(body, values[i], values[1])
        end
      end
      for i = 1, values.n do
        for j = 1, values.n do
          try(net.connect_by_list, values[i], { timeout = values[j] })
          local list = net.address_list()
          try(list.add, list, values[i], values[j])
          try(list.remove, list, values[i])
          try(list.add, list, { host = values[i], port = values[j], scope = values[j] })
        end
      end
      assert.is_true(returned > 500 and raised > 500, ("%d, %d"):format(returned, raised))
      assert.is_true(sock:connected())
      local again <close> = support.connected(endpoint)
      again:settimeout(5)
      again:write("unharmed\n")
      assert.equal("unharmed", again:read("l"))
    end)
  end)
end)

describe("a finalizer", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  -- Runs the body with a collector that runs all the time, and so many finalizers that run in every
  -- cycle and call `interfere`. Returns how often they did.
  local function under_fire(interfere, body, count)
    local going, call_count = true, 0
    local function rearm()
      setmetatable({}, { __gc = function()
        if not going then return end
        call_count = call_count + 1
        interfere()
        rearm()
      end })
    end
    -- One cycle after the other, each in as few steps as possible, a step every eight bytes. The pause
    -- takes effect with the full collection.
    local mode = collectgarbage("incremental", 4, 1000, 3)
    collectgarbage()
    for _ = 1, count or 20 do rearm() end
    local ok, message = pcall(body)
    going = false
    collectgarbage("incremental", 200, 100, 13)
    collectgarbage(mode)
    collectgarbage()
    if not ok then error(message, 0) end
    return call_count
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
    local fired = under_fire(function()
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

  it("may close the socket that is being read, in each way", function()
    local ways = {
      function(sock) sock:close() end,
      function(sock) getmetatable(sock).__gc(sock) end,
      function(sock) sock:setfd(-1) end,
    }
    for way, close in ipairs(ways) do
      local interrupted = 0
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
              interrupted = interrupted + 1
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
      assert.is_true(interrupted > 0)
    end
  end)

  it("may close the socket that is being written to", function()
    local interrupted = 0
    for round = 1, 50 do
      local sock, endpoint = support.echo()
      local write, i = sock.write, 0
      local countdown = round
      under_fire(function()
        countdown = countdown - 1
        if countdown == 0 then getmetatable(sock).__gc(sock) end
      end, function()
        -- Numbers whose text is new: nearly all allocations here are those of the call.
        local ok, message
        repeat
          i = i + 1
          ok, message = pcall(write, sock, i + 0.1, i + 0.2, i + 0.3, i + 0.4, i + 0.5, i + 0.6,
            i + 0.7, i + 0.8, i + 0.9)
        until i > 3000 or not ok
        if not ok then
          assert.matches("attempt to use a closed socket", message)
          interrupted = interrupted + 1
        end
      end, 1)
      sock:close()
      endpoint:close()
    end
    assert.is_true(interrupted > 0)
  end)

  it("may remove the options that a connect is reading", function()
    local echo <close> = testing.echo()
    local address, fired = echo:address(), 0
    for round = 1, 30 do
      local options = setmetatable({ timeout = 5, interface = "l" .. ("o"):rep(1) },
        { __mode = "kv" })
      options.socket = { ["node" .. "lay"] = true }
      options.local_addresses = { "127.0.0." .. round }
      fired = fired + under_fire(function()
        options.interface, options.socket, options.local_addresses = nil, nil, nil
      end, function()
        -- All that may be left of the options allows a connection.
        for _ = 1, 5 do assert(net.connect_by_list({ address }, options)):close() end
      end)
    end
    assert.is_true(fired > 0)
  end)

  it("may change the list that is being connected to", function()
    local echo <close> = testing.echo()
    local list = net.address_list { echo:address() }
    local fired = under_fire(function()
      list:clear()
      list:add(echo:address())
    end, function()
      for _ = 1, 50 do assert(net.connect_by_list(list)):close() end
    end)
    assert.is_true(fired > 0)
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
