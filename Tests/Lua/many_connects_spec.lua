--- Many connects leak no descriptor and no memory. CONNECTBYLIST_CONNECTS sets how many.
local net = require "connectbylist"
local testing = require "connectbylist.testing"
local support = require "Tests.Lua.support"

local count = tonumber(os.getenv "CONNECTBYLIST_CONNECTS") or 2000
-- Memory that the allocators may keep, whatever the number of connects.
local slack_kib = 1024

describe(("%d connects"):format(count), function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  -- Runs the body until the allocators have reached their size, and then `count` times. Descriptors are
  -- counted after the endpoint is closed: until then it may have some of its own.
  local function leave_no_memory(body)
    for _ = 1, count // 2 do body() end
    collectgarbage()
    collectgarbage()
    local resident, lua = support.resident(), collectgarbage "count"
    for _ = 1, count do body() end
    collectgarbage()
    collectgarbage()
    local grown, grown_lua = support.resident() - resident, collectgarbage "count" - lua
    assert.is_true(grown < slack_kib or support.is_sanitized(), ("%d KiB more"):format(grown))
    assert.is_true(grown_lua < 64, ("%.0f KiB more in Lua"):format(grown_lua))
  end

  it("that succeed leak no descriptor and no memory", function()
    local echo <close> = testing.echo()
    local list = net.address_list { echo:address() }
    leave_no_memory(function()
      local _ <close> = assert(net.connect_by_list(list, { timeout = 5 }))
    end)
  end)

  it("that race leak no descriptor and no memory", function()
    local refused <close> = testing.refused()
    local echo <close> = testing.echo()
    local addresses = { refused:address(), echo:address() }
    leave_no_memory(function()
      local sock <close> = assert(net.connect_by_list(addresses, { order = "given", timeout = 5 }))
      sock:settimeout(5)
      sock:write("x\n")
      assert.equal("x", sock:read("l"))
      local _ = sock:report().winner
    end)
  end)

  it("that fail leak no descriptor and no memory", function()
    local refused <close> = testing.refused()
    local list = net.address_list { refused:address() }
    leave_no_memory(function()
      local sock, _, code = net.connect_by_list(list)
      assert.is_nil(sock)
      assert.equal("ECONNREFUSED", code)
    end)
  end)

  -- In a process of its own with few descriptors and a large heap, which the collector takes long to pass.
  local SCRIPT = [==[
    local net, testing = require "connectbylist", require "connectbylist.testing"
    local core = require "connectbylist.core"
    local ballast = {}
    for i = 1, 20 do ballast[i] = ("x"):rep(1 << 20) .. i end
    for i = 21, 100000 do ballast[i] = {} end
    local echo, silent = testing.echo(), testing.silent()
    local function poll(object) core.poll(object:pollfd(), object:events(), object:timeout()) end
    local function accept() return true end
    local connects = {
      function() return net.connect_by_list({ echo }, { timeout = 20 }) end,
      function() return net.connect_by_list({ silent, echo }, { timeout = 20, order = "given" }) end,
      function() return net.connect_by_list({ echo }, { timeout = 20, wait = poll }) end,
      function()
        return net.connect_by_list({ silent, echo }, { timeout = 20, order = "given", validate = accept })
      end,
      function() return net.connect_by_list(assert(net.socket "inet"), { echo }, { timeout = 20 }) end,
      function()
        local op = assert(net.start({ silent, echo }, { timeout = 20, order = "given" }))
        while true do
          poll(op)
          local sock, message, code = op:step()
          if sock ~= false then return sock, message, code end
        end
      end,
      function()
        return net.connect_by_name("localhost", echo:address().port, { timeout = 20, family = "inet" })
      end,
    }
    local failed, slow, first = 0, 0, ""
    for i = 1, 4000 do
      local began = net.now()
      local kind = (i - 1) % #connects + 1
      local sock, message = connects[kind]()
      if not sock then
        failed = failed + 1
        if first == "" then first = kind .. ": " .. message end
      end
      -- A race whose second socket found no descriptor would wait for its silent first one.
      if net.now() - began > 10 then slow = slow + 1 end
    end
    print(failed, slow, first)
    os.exit(true, false)
  ]==]

  it("whose sockets are not closed never run out of descriptors", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write(SCRIPT)
    file:close()
    local own <close> = assert(io.popen "readlink /proc/$PPID/exe")
    local pipe <close> = assert(io.popen(("ulimit -n 300; exec %s %s 2>&1"):format(own:read("l"), path)))
    local said = pipe:read("a")
    os.remove(path)
    assert.equal("0\t0\t\n", said)
  end)

  it("whose sockets are not closed are closed by the collector", function()
    local echo <close> = testing.echo()
    local list = net.address_list { echo:address() }
    for i = 1, math.min(count, 2000) do
      assert(net.connect_by_list(list, { timeout = 5 }))
      if i % 100 == 0 then collectgarbage() end
    end
  end)
end)
