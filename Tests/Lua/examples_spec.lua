-- The scripts in `examples`: each prints what its head says. The suites there are run by
-- testing_example_spec.lua, the programs in C and Swift by tests in Swift.
local support = require "Tests.Lua.support"

-- The scripts, and the library that one needs.
local SCRIPTS = {
  connect = {}, cqueues = { "cqueues" }, http = { "socket.http" }, luv = { "luv" }, ports = {}, primary = {},
  quickstart = {}, redis = {}, tls = { "ssl" }, wait = {},
}

local LIBRARY_NAMES = { cqueues = "cqueues", ["socket.http"] = "LuaSocket", luv = "luv", ssl = "LuaSec" }

local function path_of(name) return "examples/" .. name .. ".lua" end

-- What a script prints, as lines, and what it writes to the standard error.
local function output_of(path)
  local print, lines = support.printer()
  local errors = {}
  local stderr = { write = function(_, ...) errors[#errors + 1] = table.concat { ... } end }
  local environment = setmetatable({
    arg = {},
    print = print,
    io = setmetatable({ stderr = stderr }, { __index = io }),
    os = setmetatable({
      exit = function() error("the example called os.exit: " .. table.concat(errors), 2) end,
    }, { __index = os }),
  }, { __index = _G })
  assert(loadfile(path, "t", environment))()
  return lines, table.concat(errors)
end

-- What a script prints according to its head, as arrays of lines: the indented comment lines after "It
-- prints", and those after "or, without".
local function outputs_in_head(path)
  local outputs, current = {}, nil
  for line in io.lines(path) do
    if line:find "^%-%- It prints" or line:find "^%-%- or, without" then
      current = {}
      outputs[#outputs + 1] = current
    elseif not line:find "^%-%-" or line:find "^%-%- %S" then
      if not line:find "^%-%-" then return outputs end
      current = nil
    elseif current and (#current > 0 or line ~= "--") then
      current[#current + 1] = line:sub(6)
    end
  end
end

-- The lines without what differs from run to run and from terminal to terminal: ports, times, the bars of the
-- picture, its scale, spaces in a row.
local function plain(lines)
  local result = {}
  for _, line in ipairs(lines) do
    line = line:gsub("\27%[%d*m", ""):gsub(":%d%d%d%d%d?%f[%D]", ":PORT")
    if not line:find "^ +0 ms" then
      line = line:gsub("%+?%d+%.?%d* (m?s)%f[%W]", "TIME %1"):gsub("round %d+", "round N"):gsub("●", "*")
      if line:find "^ +#%d" then line = line:gsub("TIME ms [─·%-.x ]+", "TIME ms ") end
      line = line:gsub(" +", " ")
      result[#result + 1] = line
    end
  end
  while result[#result] == "" do result[#result] = nil end
  return result
end

describe("an example", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  it("that is a script is tested here", function()
    local files <close> = assert(io.popen "ls examples/*.lua")
    for file in files:lines() do
      local name = file:match("^examples/([%w_]+)%.lua$")
      if not name:find "_spec$" then
        assert.is_table(SCRIPTS[name], file)
        SCRIPTS[name].is_found = true
      end
    end
    for name, script in pairs(SCRIPTS) do assert.is_true(script.is_found, name) end
  end)

  for name, script in pairs(SCRIPTS) do
    local path, library = path_of(name), script[1]
    local function is_installed() return not library or (pcall(require, library)) end

    it("prints what its head says: " .. path, function()
      if not is_installed() then return pending(library .. " is not installed") end
      -- The loops keep descriptors from their first use until the end of the process.
      if library == "cqueues" then require "cqueues".poll(0) end
      if library == "luv" then support.luv().run("nowait") end
      note_descriptors()
      local lines = output_of(path)
      assert.same(plain(outputs_in_head(path)[1]), plain(lines))
      for _, line in ipairs(lines) do
        assert.is_true(utf8.len((line:gsub("\27%[%d*m", ""))) <= 80, line)
      end
    end)

    if library then
      it("says which library is missing: " .. path, function()
        local loaded, preload = package.loaded[library], package.preload[library]
        package.loaded[library], package.preload[library] = nil, function() error("not here") end
        local lines = output_of(path)
        package.loaded[library], package.preload[library] = loaded, preload
        assert.same({ LIBRARY_NAMES[library] .. " is not installed" }, lines)
        assert.same(lines[1], outputs_in_head(path)[2][1])
      end)
    end
  end

  it("W28 connects a dual-stack socket by list and prints both addresses", function()
    local lines = output_of(path_of "connect")
    assert.matches("^local   %[::ffff:127%.0%.0%.1%]:%d+$", lines[1])
    assert.matches("^remote  %[::ffff:127%.0%.0%.1%]:%d+$", lines[2])
    assert.same({ "said    hello, whoever you are" }, { table.unpack(lines, 3) })
  end)

  it("runs fifty clients in one thread, with cqueues and with luv", function()
    for _, name in ipairs { "cqueues", "luv" } do
      if pcall(require, name) then
        local lines = output_of(path_of(name))
        -- One after the other they would take 5 s.
        assert.is_true(tonumber(lines[2]:match("^%S+")) < 2.5, lines[2])
      end
    end
  end)

  it("shows its progress on the standard error", function()
    local _, errors = output_of(path_of "ports")
    assert.equal("\r1 of 5 ports\r2 of 5 ports\r3 of 5 ports\r4 of 5 ports\r5 of 5 ports\n", errors)
  end)

  -- Loopback needs no 150 ms of silence before the next attempt.
  it("makes the first picture in a tenth of a second", function()
    local best = math.huge
    for _ = 1, 5 do
      local seconds = output_of(path_of "quickstart")[1]:match("^connected after (%S+) s")
      best = math.min(best, tonumber(seconds))
    end
    assert.is_true(best < 0.1, best)
  end)

  it("assigns no global", function()
    local before = {}
    for key in pairs(_G) do before[key] = true end
    for _, name in ipairs { "quickstart", "connect", "primary", "wait", "ports", "redis" } do
      output_of(path_of(name))
    end
    for key in pairs(_G) do assert.is_true(before[key], tostring(key)) end
  end)
end)
