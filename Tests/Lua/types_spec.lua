--- The types for editors against the module and the documentation, in both directions.
local net = require "connectbylist"
local testing = require "connectbylist.testing"
local documentation = require "Tests.Lua.documentation"
local support = require "Tests.Lua.support"

local PATH = "lua/connectbylist/types.lua"
local sorted_keys, methods_of = documentation.sorted_keys, documentation.methods_of

-- The classes by name, each {parent=, fields = {name = type}}, and the aliases, of the types of the file.
local function parse(path)
  local classes, aliases, current = {}, {}, nil
  for line in io.lines(path) do
    local name, parent = line:match("^%-%-%-@class connectbylist([%w.]*):? ?([%w.]*)$")
    local field, kind = line:match("^%-%-%-@field (%[?[%w_]+%]?)%??%s(.+)$")
    local alias, values = line:match("^%-%-%-@alias connectbylist%.(%w+) (.+)$")
    if name then
      current = { parent = parent:match("^connectbylist%.(.+)$"), fields = {} }
      name = (name:gsub("^%.", ""))
      assert(not classes[name], name .. " is defined twice")
      classes[name] = current
    elseif field then
      assert(not current.fields[field], field .. " is defined twice: " .. line)
      current.fields[field] = kind
    elseif alias then
      aliases[alias] = values
    else
      local is_other = line == "" or line == "---@meta" or line:find "^%-%-%-?[^@]"
        or line:find "^%-%-%-@operator "
      assert(is_other, line)
    end
  end
  return classes, aliases
end

describe("the types for editors", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  local classes, aliases = parse(PATH)
  local reference = documentation.text_of(documentation.catalogue .. "LuaReference.md")

  -- The fields of a class and of those that it inherits from, without those by integer.
  local function fields_of(name)
    local fields = {}
    while name do
      for field, kind in pairs(assert(classes[name], name).fields) do fields[field] = kind end
      name = classes[name].parent
    end
    fields["[integer]"] = nil
    return fields
  end

  -- `...`: the sets whose union the fields of the class are.
  local function check(class, ...)
    local wanted = {}
    for _, set in ipairs { ... } do
      for name in pairs(set) do wanted[name] = true end
    end
    assert.same(sorted_keys(wanted), sorted_keys(fields_of(class)), class)
  end

  -- Fields that are not functions are typed as what they are, and functions as functions.
  local function check_kinds(class, object)
    for name, kind in pairs(fields_of(class)) do
      local is_function = kind:find "^fun" ~= nil or kind:find "^connectbylist%.Waiter%f[%s\0]" ~= nil
      local value = object[name]
      if value ~= nil then assert.equal(is_function, type(value) == "function", class .. "." .. name) end
    end
  end

  it("have the functions of the modules and no other", function()
    local modules = { [""] = net, testing = testing, simulation = require "connectbylist.simulation",
      wait = require "connectbylist.wait", tls = require "connectbylist.tls",
      luasocket = require "connectbylist.luasocket", Steps = testing.steps }
    for class, module in pairs(modules) do
      check(class, module)
      check_kinds(class, module)
    end
  end)

  it("have the methods of the objects and no other", function()
    local server <close> = testing.echo()
    local list = net.address_list { server }
    local sock <close> = assert(net.connect_by_list(list, { timeout = 5 }))
    local op <close> = assert(net.start(list))
    local report = sock:report()
    assert.is_string(tostring(report))
    check("Socket", methods_of(sock, "read"))
    check_kinds("Socket", sock)
    check("Operation", methods_of(op, "step"))
    check("AddressList", methods_of(list, "add"))
    check("TestEndpoint", methods_of(server, "accepted"))
    check("Report", methods_of(report, "json"), documentation.fields(reference, "## Report"))
    check("Address", methods_of(server:address(), "mapped"),
      documentation.fields(reference, "\n## Address\n"))
    check("Waitable", { pollfd = true, events = true, timeout = true })
  end)

  -- reference_spec.lua compares these tables of the reference with the module.
  it("have the fields of the tables and no other", function()
    for class, before in pairs {
      HistoryItem = "### `list:history", Event = "A table that `on_event` gets",
      Attempt = "A table in `report.attempts`", NameResult = "A table in `report.names`",
      PlannedPair = "### `net.explain", LocalAddress = "### `net.local_addresses",
    } do
      check(class, documentation.fields(reference, before))
    end
  end)

  it("have the options and no other", function()
    local options = documentation.text_of(documentation.catalogue .. "ConnectOptions.md")
    local connect = documentation.fields(options, "## Overview", "option")
    check("Options", connect)
    check("Where", documentation.fields(reference, "## Test endpoints", "option"))
    check("ProxyOptions", fields_of "Where", documentation.fields(reference, "### `testing.proxy", "option"))
    check("TextOptions", documentation.fields(reference, "### `report:text", "option"))
    -- The message for an option that does not exist names the nearest one that does.
    for name in pairs(connect) do
      local _, problem = pcall(net.connect_by_list, { "127.0.0.1:9" }, { [name .. "q"] = 1 })
      assert.matches("did you mean '" .. name .. "'", problem)
    end
  end)

  it("have the words of the reference and no other", function()
    local function words(text)
      local found = {}
      for word in text:gmatch('"([%w_]+)"') do found[word] = true end
      return sorted_keys(found)
    end
    assert.same(sorted_keys(documentation.fields(reference, "A table in `report.attempts`", "outcome")),
      words(aliases.Outcome))
    local row = reference:match("\n| `delay_reason` | string |([^\n]+) %(<doc")
    assert.same(words((row:gsub("`", "\""))), words(aliases.DelayReason))
  end)

  it("are defined, and used", function()
    local text = documentation.text_of(PATH)
    local used = {}
    for name in text:gmatch("connectbylist%.([%a.]+)") do
      name = (name:gsub("%.$", ""))
      assert.is_true(classes[name] ~= nil or aliases[name] ~= nil, name)
      used[name] = (used[name] or 0) + 1
    end
    -- Modules are what `require` returns; every other name is named where it is defined and elsewhere.
    local modules = { testing = true, simulation = true, wait = true, tls = true }
    for name, count in pairs(used) do assert.is_true(count > 1 or modules[name] == true, name) end
  end)

  it("are named by each module, so that require has them in an editor", function()
    for _, name in ipairs { "", ".testing", ".simulation", ".wait", ".tls" } do
      local text = documentation.text_of("lua/connectbylist" .. name:gsub("%.", "/", 1) .. ".lua")
      local code = text:match("\n---@type connectbylist" .. name .. "\n(.+)")
      assert.is_string(code, name)
      assert.matches("^local %w+ = {", (code:gsub("^%-%-%-@diagnostic [^\n]*\n", "")), name)
    end
  end)

  it("are comments alone", function()
    assert(loadfile(PATH, "t", setmetatable({}, { __index = error, __newindex = error })))()
    assert.equal("---@meta\n", documentation.text_of(PATH):sub(1, 9))
  end)
end)
