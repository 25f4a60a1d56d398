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

  it("whose sockets are not closed are closed by the collector", function()
    local echo <close> = testing.echo()
    local list = net.address_list { echo:address() }
    for i = 1, math.min(count, 2000) do
      assert(net.connect_by_list(list, { timeout = 5 }))
      if i % 100 == 0 then collectgarbage() end
    end
  end)
end)
