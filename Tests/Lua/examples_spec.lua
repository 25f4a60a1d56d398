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

  -- What a script prints according to its head: the comment lines after "It prints", up to the next sentence.
  local function head_of(path)
    local lines, is_output = {}, false
    for line in io.lines(path) do
      if line:find "^%-%- It prints" then
        is_output = true
      elseif is_output and line:find "^%-%-   " then
        lines[#lines + 1] = line:sub(6)
      elseif is_output and #lines > 0 then
        return lines
      end
    end
  end

  it("connects to the primary alone, and prints what its head says", function()
    local lines, head = output_of("examples/primary.lua"), head_of("examples/primary.lua")
    for _, texts in ipairs { lines, head } do
      for i, line in ipairs(texts) do texts[i] = line:gsub(":%d+$", ":PORT") end
    end
    assert.same(head, lines)
  end)

  it("runs fifty clients in one thread with cqueues", function()
    local found, cqueues = pcall(require, "cqueues")
    if not found then pending("lua-cqueues is not installed") end
    -- cqueues keeps descriptors from its first use until the end of the process.
    cqueues.poll(0)
    note_descriptors()
    local lines, head = output_of("examples/cqueues.lua"), head_of("examples/cqueues.lua")
    assert.equal(head[1], lines[1])
    assert.equal((head[2]:gsub("^%S+", "")), (lines[2]:gsub("^%S+", "")))
    -- One after the other they would take 5 s.
    assert.is_true(tonumber(lines[2]:match("^%S+")) < 2.5, lines[2])
    assert.equal(2, #lines)
  end)

  it("says that cqueues is missing", function()
    local loaded, preload = package.loaded.cqueues, package.preload.cqueues
    package.loaded.cqueues, package.preload.cqueues = nil, function() error("not here") end
    local lines = output_of("examples/cqueues.lua")
    package.loaded.cqueues, package.preload.cqueues = loaded, preload
    assert.same({ "cqueues is not installed" }, lines)
  end)

  it("assigns no global", function()
    local before = {}
    for key in pairs(_G) do before[key] = true end
    output_of("examples/quickstart.lua")
    output_of("examples/connect.lua")
    output_of("examples/primary.lua")
    for key in pairs(_G) do assert.is_true(before[key], tostring(key)) end
  end)
end)
