-- Mistakes that people make, each with its message: what is wrong, and what to write instead.

local net = require "connectbylist"
local testing = require "connectbylist.testing"
local support = require "Tests.Lua.support"

local SEVERAL = "a text is one entry; several are an array: {'a.example:1', 'b.example:2'}"
local URL = "a URL is not an entry; an entry is a host and a port: 'example.net:80'"
local PATH = "text does not mean a Unix path; the entry of one is a table: {unix = '/run/x.sock'}"

local function connect(...) return net.connect_by_list(...) end

local function of_list(body)
  return function() return body(net.address_list { "127.0.0.1:1" }) end
end

local function of_report(body)
  return function()
    local _, _, _, report = net.connect_by_list { "127.0.0.1:1" }
    return body(report)
  end
end

local function of_socket(body)
  return function()
    local echo <close> = testing.echo()
    local sock <close> = support.connected(echo)
    return body(sock)
  end
end

-- The mistake, and the text that its message has. `code`: the call returns nil, the message and this code;
-- without it the call raises.
local MISTAKES = {
  { "several entries as one text", connect, { "a:1,b:2" },
    "entry 1: 'a:1,b:2': " .. SEVERAL, code = "EINVAL" },
  { "several entries in lines", connect, { "a:1\nb:2" }, "'a:1\\x0ab:2': " .. SEVERAL, code = "EINVAL" },
  { "several entries with a space", net.address_list, { "a:1 b:2" }, SEVERAL, code = "EINVAL" },
  { "a URL", connect, { "http://h:80/" }, "'http://h:80/': " .. URL, code = "EINVAL" },
  { "a URL without a port", connect, { { "https://h" } }, URL, code = "EINVAL" },
  { "a path as text", connect, { "/run/x.sock" }, "'/run/x.sock': " .. PATH, code = "EINVAL" },
  { "the text of a Unix address", connect, { "unix:/run/x.sock" }, PATH, code = "EINVAL" },
  { "an abstract name as text", connect, { "@x" }, PATH, code = "EINVAL" },
  { "a host and a port in an array", connect, { { "127.0.0.1", 80 } },
    "entry 1: '127.0.0.1': no port, and there is no default port; host and port are one entry: " ..
      "'127.0.0.1:80'",
    code = "EINVAL" },
  { "a host and a port in an array of an array", connect, { { { "127.0.0.1", 80 } } },
    "a table without a host; write { host = 'a.example', port = 80 } or 'a.example:80'", code = "EINVAL" },
  { "an entry that is no array", connect, { { host = "127.0.0.1", port = 80 } },
    "the array of entries is one entry; put it into an array: { { host = 'a.example', port = 80 } }",
    code = "EINVAL" },
  { "two entries as two arguments", net.address_list, { "a:1", "b:2" },
    "bad argument #2 to 'address_list' (number expected, got string; it is the default port, and several " ..
      "entries are an array: { 'a.example:1', 'b.example:2' })" },
  { "a host and a port as two arguments", connect, { "127.0.0.1", 80 },
    "bad argument #2 to 'connect_by_list' (table expected, got number; host and port are one entry: " ..
      "'a.example:80')" },
  { "the entries under a key", connect, { { addresses = { "127.0.0.1:1" }, timeout = 1 } },
    "entries stand in it without a key, and options are the argument after it", code = "EINVAL" },
  { "options among the entries", connect, { { "127.0.0.1:1", timeout = 1 } },
    "the array of entries has the key 'timeout'; options are the argument after it", code = "EINVAL" },
  { "options among the entries of explain", net.explain, { { "127.0.0.1:1", order = "given" } },
    "explain: the array of entries has the key 'order'", code = "EINVAL" },
  { "a socket option among the options", connect, { { "127.0.0.1:1" }, { keepalive = true } },
    "bad argument #2 to 'connect_by_list' (unknown option 'keepalive'; it is a socket option: socket = " ..
      "{keepalive = …})" },
  { "an option among the socket options", connect, { { "127.0.0.1:1" }, { socket = { timeout = 1 } } },
    "(unknown option 'timeout' of a socket; it is an option of the connect)" },
  { "a misspelt option", connect, { { "127.0.0.1:1" }, { timout = 1 } },
    "(unknown option 'timout'; did you mean 'timeout'?)" },
  { "a misspelt option of a connect with a socket", function()
      local sock <close> = net.socket()
      return net.connect_by_list(sock, { "127.0.0.1:1" }, { timout = 1 })
    end, {}, "bad argument #3 to 'connect_by_list' (unknown option 'timout'; did you mean 'timeout'?)" },
  { "C's name of an option", of_socket(function(sock) return sock:setoption("TCP_NODELAY", true) end), {},
    "bad argument #1 to 'setoption' (unknown option 'TCP_NODELAY'; did you mean 'nodelay'?)" },
  { "C's name of an option of level SOL_SOCKET",
    of_socket(function(sock) return sock:getoption("SO_KEEPALIVE") end), {},
    "bad argument #1 to 'getoption' (unknown option 'SO_KEEPALIVE'; did you mean 'keepalive'?)" },
  { "an interface that is not there", connect, { { "127.0.0.1:1" }, { interface = "eth99" } },
    "connect_by_list: no such interface: 'eth99'", code = "ENODEV" },
  { "a local address that is not there", connect,
    { { "127.0.0.1:1" }, { local_addresses = { "192.0.2.77" } } },
    "last: 127.0.0.1:1 cannot be reached from the given local addresses", code = "EADDRNOTAVAIL" },
  { "an interface among the local addresses", connect,
    { { "127.0.0.1:1" }, { local_addresses = { "lo" } } },
    "got 'lo'; to connect through an interface: interface = 'lo')" },
  { "a service that is not known", connect, { { "localhost:htpp" } },
    "localhost:htpp: service not known; write its port number, or a name of /etc/services",
    code = "EAI_SERVICE" },
  { "an unknown field of a report", of_report(function(report) return report.winnr end), {},
    "a report has no field 'winnr'; its fields are elapsed, deadline, code, summary, mptcp, winner, " ..
      "rounds, not_started, names, attempts, and its methods text, svg, json, table" },
  { "an unknown option of a drawing", of_report(function(report) return report:text { width = 80 } end), {},
    "bad argument #1 to 'text' (unknown option 'width')" },
  { "an assignment to a list", of_list(function(list) list[1] = "a:1" end), {},
    "an address list has no assignment; use list:add(entry) and list:remove(position)" },
  { "a list's method without the colon", of_list(function(list) return list.add("a:1") end), {},
    "bad argument #1 to 'add' (address list expected, got string)" },
  { "a socket's method without the colon", of_socket(function(sock) return sock.write("x") end), {},
    "bad argument #1 to 'write' (socket expected, got string)" },
  { "a misspelt key of an entry", of_list(function(list) return list:add { host = "h", prt = 1 } end), {},
    "an entry has no key 'prt'; its keys are host, port and scope, or unix, or srv" },
  { "a port with a fraction", of_list(function(list) return list:add("h", 1.5) end), {},
    "the port is neither a whole number nor text", code = "EINVAL" },
  { "a port with a fraction in a table",
    of_list(function(list) return list:add { host = "h", port = 1.5 } end), {},
    "the port is neither a whole number nor text", code = "EINVAL" },
}

describe("a mistake gets an answer:", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  for _, mistake in ipairs(MISTAKES) do
    local what, body, arguments, expected = table.unpack(mistake)
    it(what, function()
      local results = table.pack(pcall(body, table.unpack(arguments)))
      local message = results[2]
      if mistake.code then
        assert.is_true(results[1], tostring(message))
        assert.is_nil(results[2])
        message = results[3]
        assert.equal(mistake.code, results[4])
      else
        assert.is_false(results[1])
      end
      assert(message:find(expected, 1, true), message)
    end)
  end
end)

describe("an entry list", function()
  it("takes a test endpoint, which has its address", function()
    local echo <close> = testing.echo()
    local sock <close> = assert(net.connect_by_list({ echo }, { timeout = 5 }))
    assert.is_true(sock:remote_address() == echo:address())
  end)

  it("takes another list, or itself, whose entries are added", function()
    local path = os.tmpname()
    os.remove(path)
    do
      local other
      do
        -- The list alone keeps it open.
        local echo = testing.echo { unix = path }
        other = net.address_list { "192.0.2.1:80", { unix = "/run/x.sock" }, "a.example:https", echo }
      end
      local list = net.address_list { "192.0.2.9:9", other }
      other:clear()
      collectgarbage()
      collectgarbage()
      assert.equal("address list: 192.0.2.9:9, 192.0.2.1:80, unix:/run/x.sock, a.example:https, unix:" ..
        path, tostring(list))
      local sock <close> = assert(net.connect_by_list({ list }, { family = "unix", timeout = 5 }))
      assert.equal(path, sock:remote_address().host)
      assert.equal(10, #list:add(list))
      assert.equal(list[1], list[6])
      list:clear()
    end
  end)

  it("may be a script's table with fields of its own", function()
    assert.equal(1, #assert(net.address_list { "a.example:1", timeout = 3 }))
  end)
end)

describe("another version of Lua", function()
  it("is named, before anything else is loaded", function()
    local old = { _VERSION = "Lua 5.1", error = error, tostring = tostring }
    local message = support.raised(assert(loadfile("lua/connectbylist.lua", "t", old)))
    assert.matches("connectbylist is made for Lua 5.4, and this is Lua 5.1", message)
  end)
end)

describe("another version of the core", function()
  local function message_with(core, core_path)
    local globals = setmetatable({ require = function() return core, core_path end }, { __index = _G })
    local main = assert(loadfile("lua/connectbylist.lua", "t", globals))
    return support.raised(main, "connectbylist", "/usr/share/connectbylist.lua")
  end

  it("is refused, by a message with both versions and where they are", function()
    local message = message_with({ version = "0.0.9" }, "/usr/lib/core.so")
    assert.matches("connectbylist.lua is version " .. net.version .. " (/usr/share/connectbylist.lua), " ..
      "and connectbylist.core is version 0.0.9 (/usr/lib/core.so): install both from one release",
      message, 1, true)
  end)

  it("is refused if it says no version, and if it was loaded before", function()
    local message = message_with {}
    assert.matches("connectbylist.core is version ? (loaded before): ", message, 1, true)
  end)

  it("is another than that of the header", function()
    local file <close> = assert(io.open "Sources/CConnectByListLua/include/cbl_version.h")
    assert.equal(net.version, file:read("a"):match '#define CBL_VERSION "(.-)"')
    assert.equal(net.version, require "connectbylist.core".version)
  end)
end)

describe("an address", function()
  it("prints though its interface is gone, or has a name that cannot be parsed", function()
    local address = assert(net.address("[fe80::1%lo]:80"))
    address.scope = "gone0"
    assert.equal("[fe80::1%gone0]:80", tostring(address))
    address.scope = "a]b"
    assert.equal("[fe80::1%a]b]:80", tostring(address))
    address.scope = "a\27[2J"
    assert.equal("[fe80::1%a\\x1b[2J]:80", tostring(address))
  end)
end)
