local support = require "Tests.Lua.support"

--- What a script prints, as lines.
local function output_of(path)
  local print, lines = support.printer()
  local environment = setmetatable({ print = print }, { __index = _G })
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
    assert.matches("^connected after 0%.%d+ s: 5 pairs tried$", lines[1])
    assert.equal("from 127.0.0.1", lines[2]:match("^from [%d.]+"))
    -- The picture fits a terminal.
    for i = 1, 8 do assert.is_true(utf8.len((lines[i]:gsub("\27%[%d*m", ""))) <= 80, lines[i]) end
    assert.matches("#2 127%.0%.0%.1:%d+ .-refused", text)
    assert.matches("#5 127%.0%.0%.1:%d+ .-connected", text)
    assert.matches("\nConnected from 127%.0%.0%.1:%d+ to 127%.0%.0%.1:%d+\n", text)
    assert.matches("\nIt said: hello, whoever you are\n", text)
    assert.matches("\nPair #5 won after %d+ ms: ", text)
  end)

  it("assigns no global", function()
    local before = {}
    for key in pairs(_G) do before[key] = true end
    output_of("examples/quickstart.lua")
    output_of("examples/connect.lua")
    for key in pairs(_G) do assert.is_true(before[key], tostring(key)) end
  end)
end)
