--- For loading_spec.lua: loads the module, takes something away, then uses what the module needs a part
-- for that was not used before. Prints "all works" at the end.
--
--   connectbylist Tests/Lua/after_loading.lua WHAT      WHAT: a key of `take_away`
local net = require "connectbylist"
local testing = require "connectbylist.testing"

local assert, pairs, print, setmetatable, tostring = assert, pairs, print, setmetatable, tostring
local pcall, rawequal, find = pcall, rawequal, string.find
local has_descriptors = true

local take_away = {}

function take_away.nothing() end

-- As a host does that gives scripts no access to files.
take_away["require and the file system"] = function()
  package.searchers, package.loaded, package.preload = {}, {}, {}
  for _, name in ipairs { "require", "package", "io", "os", "debug", "load", "loadfile", "dofile" } do
    _G[name] = nil
  end
end

take_away["the paths"] = function() package.path, package.cpath = "", "" end

take_away["the working directory"] = function() assert(require "lfs".chdir "/") end

take_away["the descriptors"] = function()
  local files = setmetatable({}, { __mode = "" })
  repeat
    local file = io.open "/dev/null"
    files[#files + 1] = file
  until not file
  package.loaded.kept_open = files
  has_descriptors = false
end

-- Each function of each library, and each global function.
take_away["the standard functions"] = function()
  for _, library in ipairs { string, table, math, utf8, coroutine, package, io, os, debug, _G } do
    for name in pairs(library) do library[name] = nil end
  end
end

local refused, echo = testing.refused(), testing.echo()
local list = net.address_list { refused:address(), echo:address() }
local options = { order = "given", timeout = 5 }
local sock = assert(net.connect_by_list(list, options))
sock:settimeout(5)
-- The echo has accepted the connection when it answers. Without a descriptor it could not.
assert(sock:write("early\n") and sock:read("l") == "early")
local _, _, _, failure = net.connect_by_list { refused:address() }

take_away[arg[1]]()

-- Reports.
local report = sock:report()
assert(find(tostring(report), "refused", 1, true) and find(tostring(report), "connected", 1, true))
assert(find(report:json(), '"winner":2', 1, true))
assert(report.winner == 2 and report.attempts[2].remote_address == echo:address())
assert(failure.code == "ECONNREFUSED" and find(failure:json(), "ECONNREFUSED", 1, true))

-- Lists and addresses.
local history = list:history()
assert(#history == 2 and history[2].address == echo:address() and history[2].connected)
local address = assert(net.address("[::ffff:192.0.2.1]:80"))
assert(tostring(address:unmapped()) == "192.0.2.1:80" and "" .. address == "[::ffff:192.0.2.1]:80")
assert(list:add { host = "192.0.2.1", port = 80 } == list and list:add { unix = "@x" } == list)
assert(#list == 4 and find(tostring(list), "192.0.2.1:80", 1, true))
assert(list:remove(4).family == "unix" and list:remove(3) == address:unmapped())

-- Malformed entries, and misuse.
local none, message, code = net.address_list { "127.1:80" }
assert(not none and find(message, "entry 1: '127.1:80'", 1, true) and code == "EINVAL")
none, message, code, report = net.connect_by_list { "127.1:80" }
assert(not none and message and code == "EINVAL" and report.code == "EINVAL")
none, message, code, report = net.connect_by_name("127.1", 80)
assert(not none and find(message, "connect_by_name: '127.1'", 1, true) and report.code == code)
assert(not pcall(net.address_list, 5) and not pcall(net.explain, list, { tmeout = 1 }))

-- Sockets.
assert(sock:getfamily() == "inet" and sock:remote_address() == echo:address())
assert(find(tostring(sock), "tcp{client}: 127.0.0.1:", 1, true))
assert(rawequal(sock:write("text\n"), sock) and sock:read("l") == "text")

-- What needs descriptors of its own.
if has_descriptors then
  local plan = assert(net.explain(list, { local_addresses = { net.address("127.0.0.1", 1) } }))
  assert(find(tostring(plan), "because", 1, true))
  assert(#net.local_addresses() > 0)
  local again = assert(net.connect_by_name("localhost", echo:address().port,
    { family = "inet", timeout = 5 }))
  again:close()
  local silent = testing.silent()
  none, _, code = net.connect_by_list({ silent:address() }, { timeout = 0.05 })
  assert(not none and code == "ETIMEDOUT")
else
  none, message, code, report = net.connect_by_list({ echo:address() }, options)
  assert(not none and message and code == "EMFILE" and report.code == "EMFILE" and tostring(report))
end
sock:close()

print "all works"
