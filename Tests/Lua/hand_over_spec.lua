-- Descriptors handed over to other libraries and back: one owner at a time, no second close.
local support = require "Tests.Lua.support"
local net = require "connectbylist"

describe("Handing a socket over", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  -- An event loop opens descriptors of its own with its first use, and keeps them.
  local function hands_over(what, body)
    it(what, function()
      body()
      note_descriptors()
      body()
      check_descriptors()
    end)
  end

  -- A closed number would be given to the next descriptor: this one must still be open afterwards.
  local function with_witness(number, body)
    local file = assert(io.open("/proc/self/status"))
    body()
    collectgarbage()
    collectgarbage()
    assert.is_string(file:read("l"), "descriptor " .. number .. " was closed twice")
    file:close()
  end

  hands_over("to cqueues and back", function()
    local found, cqueues_socket = pcall(require, "cqueues.socket")
    -- Its first wait opens two descriptors, which it keeps.
    if found then require("cqueues").poll(0.001) end
    if not found then return pending("lua-cqueues is not installed") end
    -- Otherwise its descriptors are opened by the first read that has to wait.
    require "cqueues".poll(0)
    local sock, endpoint = support.echo()
    local number = assert(sock:detach())
    local other = assert(cqueues_socket.fdopen(number))
    other:setmode("bn", "bn")
    other:settimeout(5)
    assert(other:write("to cqueues\n"))
    assert.equal("to cqueues", other:read("*l"))
    assert.equal("tcp{client}: closed", tostring(sock))
    other:close()
    with_witness(number, function()
      sock:close()
      sock = nil
    end)
    endpoint:close()
  end)

  hands_over("from cqueues", function()
    local found, cqueues_socket = pcall(require, "cqueues.socket")
    -- Its first wait opens two descriptors, which it keeps.
    if found then require("cqueues").poll(0.001) end
    if not found then return pending("lua-cqueues is not installed") end
    local luasocket = require "socket"
    local listener = assert(luasocket.bind("127.0.0.1", 0))
    local _, port = listener:getsockname()
    local other = assert(cqueues_socket.connect("127.0.0.1", tonumber(port)))
    assert(other:connect(5))
    local peer = assert(listener:accept())
    listener:close()
    -- Both have the number for a moment: cqueues does not give its descriptor away, so ours is forgotten.
    local number = other:pollfd()
    local sock = assert(net.wrap(number))
    sock:settimeout(5)
    peer:send("from cqueues\n")
    assert.equal("from cqueues", sock:receive())
    sock:setfd(-1)
    with_witness(number, function() other:close() end)
    peer:close()
  end)

  hands_over("to luv and back", function()
    local luv = support.luv()
    if not luv then return pending("lua-luv is not installed") end
    local sock, endpoint = support.echo()
    local number = assert(sock:detach())
    local handle = luv.new_tcp()
    assert(handle:open(number))
    local received
    handle:write("to luv\n")
    handle:read_start(function(_, data)
      received = data
      handle:read_stop()
    end)
    luv.run()
    assert.equal("to luv\n", received)
    local back = assert(net.wrap(handle:fileno()))
    back:settimeout(5)
    back:write("back\n")
    assert.equal("back", back:read("l"))
    assert.equal(number, back:getfd())
    back:setfd(-1)
    handle:close()
    luv.run()
    with_witness(number, function() sock:close() end)
    endpoint:close()
  end)

  hands_over("to LuaSocket and back", function()
    local found, luasocket = pcall(require, "socket")
    if not found then return pending("LuaSocket is not installed") end
    local sock, endpoint = support.echo()
    local number = sock:getfd()
    local other = luasocket.tcp()
    other:setfd(number)
    sock:setfd(-1)
    assert.equal(endpoint:address().port, select(2, other:getpeername()))
    local back = assert(net.wrap(number))
    other:setfd(-1)
    other:close()
    back:settimeout(5)
    back:write("back\n")
    assert.equal("back", back:read("l"))
    back:close()
    with_witness(number, function()
      sock:close()
      other:close()
      back:close()
    end)
    endpoint:close()
  end)

  hands_over("does not lose unread bytes in silence", function()
    local sock, endpoint = support.echo()
    sock:write("one\ntwo\n")
    assert.equal("one", sock:read("l"))
    assert.equal("EBUSY", select(3, sock:detach()))
    local number, rest = sock:detach(true)
    assert.equal("two\n", rest)
    local back = assert(net.wrap(number))
    back:close()
    endpoint:close()
  end)
end)
