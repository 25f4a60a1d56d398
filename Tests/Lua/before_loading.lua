--- For loading_spec.lua: takes standard libraries away, then loads the module, which must not give them back,
-- and uses it. Prints "all works" at the end.
--
--   connectbylist Tests/Lua/before_loading.lua LIBRARY…     `_G`: the basic functions, but for `require`
local require, assert, print, pcall, pairs, type = require, assert, print, pcall, pairs, type
local find, getmetatable, next, arg, globals = string.find, getmetatable, next, arg, _G
local libraries = { globals, string, math, table, utf8 }

getmetatable("").__index = nil
for i = 1, #arg do
  local library = globals[arg[i]]
  for name, value in pairs(library) do
    if type(value) == "function" and value ~= require then library[name] = nil end
  end
  globals[arg[i]] = nil
  if arg[i] == "_G" then globals._VERSION = nil end
end

local string_metatable, before = getmetatable "", {}
for i = 1, #libraries do
  for name, value in next, libraries[i] do before[i .. name] = value end
end

local net = require "connectbylist"
local testing = require "connectbylist.testing"

for i = 1, #libraries do
  for name, value in next, libraries[i] do assert(value == before[i .. name], name) end
end
assert(getmetatable "" == string_metatable and string_metatable.__index == nil)

local refused, echo <close> = testing.refused(), testing.echo()
local list = net.address_list { refused, echo, "[2001:db8::1]:80" }
local sock <close>, message = net.connect_by_list(list, { order = "given", timeout = 5 })
assert(sock, message)
local report = sock:report()
assert(find(report:table() and report:json(), "refused", 1, true))
for _, object in pairs { list, list[1], sock, report, assert(net.explain(list)), echo } do
  local text = getmetatable(object).__tostring(object)
  assert(type(text) == "string" and #text > 0)
end
sock:settimeout(5)
assert(sock:write("a line\n") and sock:read("l") == "a line")
assert(#list:history() > 0 and net.address("[::ffff:192.0.2.1]", 80):unmapped().host == "192.0.2.1")
assert(not pcall(net.explain, list, { tmeout = 1 }) and not pcall(testing.slow, "soon"))
assert(not pcall(testing.script, { testing.steps.close(), "no step" }))
assert(not pcall(testing.proxy, "a name:80"))
local result = require "connectbylist.simulation".simulate
  "local 10.0.0.5/24\nremote 10.0.0.9:80 answers 5ms"
assert(result.event == "won" and result.remote_address.port == 80)

print "all works"
