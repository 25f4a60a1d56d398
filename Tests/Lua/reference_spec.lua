-- The Lua reference against the module: every public name is documented and every documented name
-- exists; and each Lua example of the documentation runs and prints what it says.
local net = require "connectbylist"
local testing = require "connectbylist.testing"
local support = require "Tests.Lua.support"
local documentation = require "Tests.Lua.documentation"

local text_of, sorted_keys, methods_of =
  documentation.text_of, documentation.sorted_keys, documentation.methods_of
local documented_fields = documentation.fields

local CATALOGUE = documentation.catalogue
local REFERENCE = CATALOGUE .. "LuaReference.md"

-- The names in the headings of the reference, by what is before the dot or colon:
-- documented.sock.read is true because of the heading "### `sock:read(…)`".
local function documented_names(text)
  local documented = {}
  for owner, name in text:gmatch("\n### `(%l+)[.:]([%w_]+)") do
    documented[owner] = documented[owner] or {}
    documented[owner][name] = true
  end
  return documented
end

-- Adds the keys of a table to a set.
local function collect(set, object)
  for key in pairs(object) do set[key] = true end
end

-- The Lua examples of a page: { line = where it begins, code = text, printed = expected lines }.
-- What follows "-->" in an example is what the lines before it print.
local function examples_of(path)
  local examples, current = {}, nil
  local number = 0
  for line in io.lines(path) do
    number = number + 1
    if line == "```lua" then
      current = { line = number, lines = {}, printed = {} }
    elseif line == "```" and current then
      current.code = table.concat(current.lines, "\n")
      examples[#examples + 1], current = current, nil
    elseif current then
      current.lines[#current.lines + 1] = line
      local printed = line:match("%-%->(.*)$")
      if printed then current.printed[#current.printed + 1] = (printed:gsub("^ ", "")) end
    end
  end
  assert(not current, "an example of " .. path .. " has no end")
  return examples
end

-- A pattern that matches the expected text; "…" stands for any text.
local function pattern_of(text)
  local pattern = text:gsub("%p", "%%%0"):gsub("…", ".-")
  return "^" .. pattern .. "$"
end

-- Runs an example and returns the lines that it prints.
local function run(example, path)
  local print, lines = support.printer()
  local environment = setmetatable({
    print = print,
    -- An example that gives up is a failure of its test, not the end of the run.
    os = setmetatable(
      { exit = function() error("the example called os.exit", 2) end }, { __index = os }),
  }, { __index = _G })
  local chunk = ("\n"):rep(example.line) .. example.code
  assert(load(chunk, "@" .. path, "t", environment))()
  return lines
end

local PAGES = { "README.md" }
for _, name in ipairs {
  "LuaReference", "ConnectOptions", "SocketOptions", "Host", "TestSuites", "LuaSocketAndTLS", "EventLoops",
  "Retrying", "ChoosingThePeer", "ReadingAReport",
} do
  PAGES[#PAGES + 1] = CATALOGUE .. name .. ".md"
end

describe("the Lua reference", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  local text = text_of(REFERENCE)
  local documented = documented_names(text)

  -- Both directions at once: the sets of names are equal.
  local function check(owner, exports)
    assert.same(sorted_keys(exports), sorted_keys(documented[owner]))
  end

  it("has every name of the module and no other", function()
    check("net", net)
    check("testing", testing)
    check("simulation", require "connectbylist.simulation")
    check("wait", require "connectbylist.wait")
  end)

  it("has every method and no other", function()
    local server <close> = testing.echo()
    local list = net.address_list { server:address() }
    local sock <close> = assert(net.connect_by_list(list, { timeout = 5 }))
    local report = sock:report()
    assert.is_string(tostring(report))
    check("list", methods_of(list, "add"))
    check("address", methods_of(server:address(), "mapped"))
    check("sock", methods_of(sock, "read"))
    check("report", methods_of(report, "json"))
    check("endpoint", methods_of(server, "accepted"))
    local op <close> = assert(net.start(list))
    check("op", methods_of(op, "step"))
  end)

  it("has every field of a report and no other", function()
    local server <close> = testing.echo()
    local stopped <close> = testing.refused()
    local silent <close> = testing.silent()
    local fields, names, attempts = {}, {}, {}
    local function add(report)
      local found = report:table()
      collect(fields, found)
      for _, name in ipairs(found.names) do collect(names, name) end
      for _, attempt in ipairs(found.attempts) do collect(attempts, attempt) end
    end
    -- Between them these connects have every field that a report can have.
    local sock <close> = assert(net.connect_by_list({ server:address() }, { mptcp = true }))
    add(sock:report())
    add(select(4, net.connect_by_list({ stopped:address() }, { timeout = 5 })))
    add(select(4, net.connect_by_list({ silent:address() }, { timeout = 0.1, hedge = 0.01 })))
    add(select(4, net.connect_by_name("localhost", "no-such-service", { timeout = 5 })))
    local named <close> = assert(net.connect_by_name("localhost", server:address().port, { timeout = 5 }))
    add(named:report())
    add(select(4, net.connect_by_name("localhost", stopped:address().port, { timeout = 5 })))
    assert.same(sorted_keys(fields), sorted_keys(documented_fields(text, "## Report")))
    assert.same(sorted_keys(names), sorted_keys(documented_fields(text, "A table in `report.names`")))
    assert.same(sorted_keys(attempts),
      sorted_keys(documented_fields(text, "A table in `report.attempts`")))
  end)

  it("has every field of a plan, of a list's history and of a local address", function()
    local stopped <close> = testing.refused()
    local server <close> = testing.echo()
    local list = net.address_list { stopped:address(), server:address() }
    local sock <close> = assert(net.connect_by_list(list, { timeout = 5, order = "given" }))
    assert.is_true(sock:connected())
    local plan, history, locals = {}, {}, {}
    for _, pair in ipairs(assert(net.explain(list))) do collect(plan, pair) end
    for _, item in ipairs(list:history()) do collect(history, item) end
    for _, item in ipairs(assert(net.local_addresses())) do collect(locals, item) end
    assert.same(sorted_keys(plan), sorted_keys(documented_fields(text, "### `net.explain")))
    assert.same(sorted_keys(history), sorted_keys(documented_fields(text, "### `list:history")))
    assert.same(sorted_keys(locals), sorted_keys(documented_fields(text, "### `net.local_addresses")))
  end)

  it("has every field of an event", function()
    local server <close> = testing.echo()
    local stopped <close> = testing.refused()
    local found = {}
    local function note(event) collect(found, event) end
    local list = net.address_list { stopped:address() }
    list:add("localhost", server:address().port)
    local sock <close> = assert(net.connect_by_list(list, { timeout = 5, on_event = note }))
    assert.is_true(sock:connected())
    assert.same(sorted_keys(found), sorted_keys(documented_fields(text, "A table that `on_event` gets")))
  end)

  it("has every field of an address", function()
    local address = assert(net.address("[fe80::1%lo]:80"))
    assert.same(sorted_keys(address), sorted_keys(documented_fields(text, "\n## Address\n")))
  end)

  it("uses every function and method in an example", function()
    local code = {}
    for _, example in ipairs(examples_of(REFERENCE)) do code[#code + 1] = example.code end
    local all = table.concat(code, "\n")
    local prefixes =
      { net = "net%.", testing = "testing%.", simulation = "simulation%.", wait = "wait%." }
    for owner, names in pairs(documented) do
      for name in pairs(names) do
        assert.matches((prefixes[owner] or "[:.]") .. name .. "%f[^%w_]", all, owner .. ": " .. name)
      end
    end
  end)
end)

-- The loops keep descriptors from their first use until the end of the process.
pcall(function() require "cqueues".poll(0) end)
pcall(function() require "luv".run("nowait") end)

describe("an example of the documentation", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  for _, path in ipairs(PAGES) do
    for _, example in ipairs(examples_of(path)) do
      it(("runs: %s, line %d"):format(path, example.line), function()
        local before = {}
        for key in pairs(_G) do before[key] = true end
        local lines = run(example, path)
        for key in pairs(_G) do assert.is_true(before[key], "assigns the global " .. tostring(key)) end
        if #example.printed == 0 then return end
        local printed = table.concat(lines, "\n")
        local expected = {}
        for i, line in ipairs(example.printed) do expected[i] = line end
        assert.matches(pattern_of(table.concat(expected, "\n")), printed)
      end)
    end
  end

  it("is found on the pages that have some", function()
    assert.is_true(#examples_of(REFERENCE) > 10)
    assert.is_true(#examples_of("README.md") > 0)
  end)
end)
