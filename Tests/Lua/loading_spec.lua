--- What loads with the first use of it comes from the module itself. It once came from `require`: then
-- `tostring(report)` failed in a script that had no descriptor left, just when it was needed.
local core = require "connectbylist.core"

--- The program that runs these specs.
local function interpreter()
  local first = 0
  while arg[first - 1] do first = first - 1 end
  return arg[first]
end

describe("the module works after a host has taken away", function()
  -- A new process for each: what is loaded lazily must not be loaded already.
  local function run(what, shell_prefix)
    local command = ("%s exec '%s' Tests/Lua/after_loading.lua '%s' 2>&1")
      :format(shell_prefix or "", interpreter(), what)
    local pipe <close> = assert(io.popen(command))
    assert.equal("all works\n", pipe:read("a"))
  end

  for _, what in ipairs { "nothing", "require and the file system", "the paths",
    "the standard functions" } do
    it(what, function() run(what) end)
  end

  it("the descriptors", function() run("the descriptors", "ulimit -n 64;") end)

  -- With a relative path, a file that is loaded after chdir is not found.
  it("the working directory", function()
    run("the working directory", "export LUA_PATH='./lua/?.lua;;';")
  end)
end)

describe("the module loads without", function()
  for _, libraries in ipairs { "utf8", "math", "string", "table", "_G", "coroutine io os debug",
    "utf8 math string table coroutine io os debug _G" } do
    it(libraries, function()
      local command = ("exec '%s' Tests/Lua/before_loading.lua %s 2>&1"):format(interpreter(), libraries)
      local pipe <close> = assert(io.popen(command))
      assert.equal("all works\n", pipe:read("a"))
    end)
  end
end)

describe("core.environment", function()
  -- As the parts and the modules that run in it name them.
  it("has each standard function that a Lua file uses", function()
    local libraries, found = { math = true, string = true, table = true, utf8 = true }, {}
    local pipe <close> = assert(io.popen "ls lua/connectbylist.lua lua/connectbylist/*.lua")
    for path in pipe:lines() do
      local file <close> = assert(io.open(path))
      for line in file:lines() do
        local code = line:gsub("%-%-.*", ""):gsub('".-"', "")
        for library, field in code:gmatch "%f[%w_.](%w+)%.(%w+)" do
          if libraries[library] then
            found[library] = (found[library] or 0) + 1
            assert.is_not_nil(core.environment[library][field], ("%s: %s.%s"):format(path, library, field))
          end
        end
      end
    end
    -- What the files have now, so that a pattern that finds nothing fails.
    for library in pairs(libraries) do assert.is_true((found[library] or 0) > 0, library) end
  end)

  it("has the functions of the host, where it has them", function()
    assert.equal(string.format, core.environment.string.format)
    assert.equal(setmetatable, core.environment.setmetatable)
  end)
end)

describe("core.load", function()
  it("gives a file as a function that sees only the globals it is given", function()
    local seen = {}
    local globals = setmetatable({}, { __index = function(_, name) seen[name] = true end })
    assert.is_false((pcall(core.load("connectbylist.drawing", globals), { part = function() end })))
    assert.is_true(seen.math)
    assert.is_nil(seen.require)
  end)

  it("names the file's path in its messages", function()
    local chunk = core.load("connectbylist.drawing", {})
    assert.equal("connectbylist/drawing.lua", debug.getinfo(chunk, "S").short_src)
    assert.matches("^connectbylist/drawing%.lua:%d+: ", select(2, pcall(chunk)))
  end)

  it("knows no other file", function()
    for _, name in ipairs { "", "drawing", "connectbylist.none", "os" } do
      local ok, message = pcall(core.load, name, {})
      assert.is_false(ok)
      assert.matches("no such file", message)
    end
    assert.is_false((pcall(core.load, "connectbylist.drawing")))
  end)
end)
