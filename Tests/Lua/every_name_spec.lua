--- The sections of every_name.lua without a failing allocation.
local net = require "connectbylist"
local documentation = require "Tests.Lua.documentation"
local support = require "Tests.Lua.support"

describe("every public name", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  local path = "Tests/Lua/every_name.lua"

  for _, section in ipairs(dofile(path)) do
    -- policy_spec.lua tests in processes of their own what changes this one.
    local test = section.is_lasting and function() end or it
    test("works and checks its arguments: " .. section.name, function()
      local world = section.setup and section.setup()
      -- AllocationTests, too, runs it again in the same state.
      for _ = 1, 2 do section.run(world) end
      if world then
        world.echo:close()
        world.refused:close()
      end
    end)
  end

  it("is in those files", function()
    local text = ""
    for _, part in ipairs { path, "Tests/Lua/every_name_engine.lua" } do
      local file <close> = assert(io.open(part))
      text = text .. file:read("a")
    end
    local sock, endpoint = support.echo()
    local list, address = net.address_list(), net.address("127.0.0.1:9")
    local op <close> = assert(net.start({ address }))
    local tables = { net, getmetatable(sock).__index, documentation.methods_of(address, "mapped"),
      getmetatable(endpoint).__index, getmetatable(op).__index,
      require "connectbylist.testing", require "connectbylist.wait" }
    for _, names in ipairs(tables) do
      for name in pairs(names) do
        assert.is_not_nil(text:find('[.:"]' .. name .. '%f[^%w_]'), name)
      end
    end
    for _, name in ipairs { "add", "remove", "clear", "history", "forget" } do
      assert.is_function(list[name])
      assert.is_not_nil(text:find("[.:]" .. name .. "%f[^%w_]"), name)
    end
    sock:close()
    endpoint:close()
  end)
end)
