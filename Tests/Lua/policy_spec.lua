--- connectbylist.testing.only_loopback. It holds for the rest of a state's life, so each test is a process.

local function interpreter()
  local first = 0
  while arg[first - 1] do first = first - 1 end
  return arg[first]
end

-- Runs a script in a process of its own; returns what it prints.
local function output_of(script)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write([[
    local net, testing = require "connectbylist", require "connectbylist.testing"
    local function code_of(entry)
      local sock <close>, _, code = net.connect_by_list({ entry }, { timeout = 5 })
      return sock and "connected" or code
    end
    local elsewhere = { "192.0.2.1:80", "[2001:db8::1]:80", "[::ffff:192.0.2.1]:80", "[64:ff9b::7f00:1]:80" }
  ]], script):close()
  local pipe <close> = assert(io.popen(("'%s' '%s' 2>&1"):format(interpreter(), path)))
  local output = pipe:read("a")
  os.remove(path)
  return output
end

describe("testing.only_loopback", function()
  it("lets loopback and Unix sockets through, and nothing else", function()
    assert.equal("connected connected\nEACCES EACCES EACCES EACCES\n", output_of [[
      testing.only_loopback()
      local echo <close> = testing.echo()
      local unix <close> = testing.echo { unix = "@policy-spec" }
      print(code_of(echo), code_of(unix))
      for i, entry in ipairs(elsewhere) do elsewhere[i] = code_of(entry) end
      print(table.unpack(elsewhere))
    ]]:gsub("\t", " "))
  end)

  it("has a row in the report for each attempt", function()
    assert.equal("EACCES\tfailed\tEACCES\t192.0.2.1:80\n", output_of [[
      testing.only_loopback()
      local options = { local_addresses = false, timeout = 5 }
      local _, _, code, report = net.connect_by_list({ "192.0.2.1:80" }, options)
      local row = report.attempts[1]
      print(code, row.outcome, row.code, row.remote_address)
    ]])
  end)

  it("can be called again, from a coroutine, and holds when the module is loaded again", function()
    assert.equal("EACCES\nEACCES\n", output_of [[
      coroutine.wrap(testing.only_loopback)()
      testing.only_loopback()
      print(code_of(elsewhere[1]))
      for name in pairs(package.loaded) do
        if name:find "^connectbylist" then package.loaded[name] = nil end
      end
      net = require "connectbylist"
      print(code_of(elsewhere[1]))
    ]])
  end)

  it("cannot be undone with debug", function()
    assert.equal("EACCES\nEACCES\n", output_of [[
      local registry = debug.getregistry()
      registry[1] = coroutine.create(print)
      testing.only_loopback()
      print(code_of(elsewhere[1]))
      for key, value in pairs(registry) do
        if type(value) == "userdata" then registry[key] = nil end
      end
      collectgarbage()
      print(code_of(elsewhere[1]))
    ]])
  end)

  it("leaves nothing behind when the state ends", function()
    assert.equal("done\n", output_of [[
      testing.only_loopback()
      setmetatable({}, { __gc = function() code_of(elsewhere[1]) print "done" end })
    ]])
  end)
end)

describe("a proxy of a narrowed state", function()
  it("is a loopback endpoint whose target is not reached", function()
    local echo <close> = require "connectbylist.testing".echo()
    assert.equal(0, echo:accepted())
    assert.equal("1\n", output_of [[
      testing.only_loopback()
      local proxy <close> = testing.proxy "192.0.2.1:80"
      local sock <close> = net.connect_by_list({ proxy }, { timeout = 5 })
      if sock then sock:settimeout(5) sock:read "l" end
      print(#proxy:failures())
    ]])
  end)
end)
