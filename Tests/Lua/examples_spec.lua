local support = require "Tests.Lua.support"

--- What a script prints, as lines.
local function output_of(path)
  local lines = {}
  local environment = setmetatable({
    print = function(...)
      local texts = table.pack(...)
      for i = 1, texts.n do texts[i] = tostring(texts[i]) end
      for line in (table.concat(texts, "\t") .. "\n"):gmatch("(.-)\n") do
        lines[#lines + 1] = line
      end
    end,
  }, { __index = _G })
  assert(loadfile(path, "t", environment))()
  return lines
end

describe("an example", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  it("W28 connects a dual-stack socket by list and prints both addresses", function()
    local lines = output_of("examples/connect.lua")
    assert.matches("^local   %[::ffff:127%.0%.0%.1%]:%d+$", lines[1])
    assert.matches("^remote  %[::ffff:127%.0%.0%.1%]:%d+$", lines[2])
    assert.same({ "said    hello, whoever you are" }, { table.unpack(lines, 3) })
  end)

  it("connects after three that are silent and one that refuses, and prints the race", function()
    local lines = output_of("examples/quickstart.lua")
    local text = table.concat(lines, "\n")
    assert.equal("Connected", lines[1])
    assert.matches("^  from  127%.0%.0%.1:%d+$", lines[2])
    assert.matches("^  to    127%.0%.0%.1:%d+$", lines[3])
    assert.equal("  said  hello, whoever you are", lines[4])
    assert.matches("\nPair #%d won after %d+ ms, because:\n", text)
    assert.matches("was refused", text)
    assert.matches("was silent", text)
    assert.matches("\nThe race\nconnected after", text)
  end)

  it("assigns no global", function()
    local before = {}
    for key in pairs(_G) do before[key] = true end
    output_of("examples/quickstart.lua")
    output_of("examples/connect.lua")
    for key in pairs(_G) do assert.is_true(before[key], tostring(key)) end
  end)
end)
