local net = require "connectbylist"
local testing = require "connectbylist.testing"
local support = require "Tests.Lua.support"

describe("the options of connect_by_list", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  -- Sends nothing, because options are read first.
  local function misuse(options)
    return support.raised(function() local _ = net.connect_by_list({ "127.0.0.1:1" }, options) end)
  end

  local slips = {
    { "timout", "timeout" }, { "time_out", "timeout" }, { "attemptdelay", "attempt_delay" },
    { "mininum_delay", "minimum_delay" }, { "attempt_timeouts", "attempt_timeout" },
    { "paces", "pace" }, { "ordre", "order" }, { "sede", "seed" }, { "hegde", "hedge" },
    { "interleav", "interleave" }, { "inflight", "in_flight" }, { "famly", "family" },
    { "local_address", "local_addresses" }, { "interfaces", "interface" }, { "sockets", "socket" },
  }
  for _, slip in ipairs(slips) do
    it(("are suggested for '%s'"):format(slip[1]), function()
      local expected = ("bad argument #2 to 'connect_by_list' "
        .. "(unknown option '%s'; did you mean '%s'?)"):format(slip[1], slip[2])
      assert.is_not_nil(misuse({ [slip[1]] = 1 }):find(expected, 1, true))
    end)
  end

  it("are not suggested if none is near", function()
    assert.matches("%(unknown option 'colour'%)", misuse { colour = "red" })
    assert.matches("%(unknown option ''%)", misuse { [""] = 1 })
    assert.matches("%(unknown option 'x\\x00\\x1b\\''%)", misuse { ["x\0\27'"] = 1 })
    assert.matches("%(unknown option 'x+…'%)", misuse { [("x"):rep(1000)] = 1 })
  end)

  it("are suggested for socket options too", function()
    assert.matches("%(unknown option 'no_delay'; did you mean 'nodelay'%?%)",
      misuse { socket = { no_delay = true } })
    assert.matches("%(option 'nodelay' must be a boolean; got 1%)",
      misuse { socket = { nodelay = 1 } })
    assert.matches("%(option 'socket' must be a table of socket options; got boolean%)",
      misuse { socket = true })
    assert.matches("%(unknown option ''%)", misuse { socket = { true } })
  end)

  it("have names: an array raises", function()
    assert.matches("%(option names are strings%)", misuse { 5 })
    assert.matches("%(option names are strings%)", misuse { [{}] = 5 })
  end)

  it("are a table", function()
    assert.matches("bad argument #2 to 'connect_by_list' %(table expected, got number%)", misuse(5))
    assert.matches("bad argument #2 to 'connect_by_list' %(table expected, got string%)",
      misuse("timeout"))
  end)

  local wrong = {
    { "timeout", { -1, 0 / 0, -math.huge, "1", true, {} }, "a number of seconds, 0 or more" },
    { "attempt_delay", { 0, 0.009, 61, math.huge, "1", {} }, "a number of seconds, 0.01 to 60" },
    { "minimum_delay", { 0, 0.009, 61, "1" }, "a number of seconds, 0.01 to 60" },
    { "attempt_timeout", { 0, -1, 0 / 0, "1" }, "a number of seconds above 0" },
    { "pace", { "fast", "", 5, true, {} }, "'accelerating', 'steady', 'parallel' or 'sequential'" },
    { "order", { "Likely", "best", 1 }, "'likely', 'given' or 'random'" },
    { "seed", { -1, 1.5, 2 ^ 53 + 2, "1", math.huge, 0 / 0 }, "a whole number, 0 to 2^53" },
    { "hedge", { 0, 0.001, -1, "1" }, "a number of seconds, 0.01 or more" },
    { "retry", { 0, 0.001, -1, "1" }, "a number of seconds, 0.01 or more" },
    { "interleave", { 0, 1, "true", {} }, "a boolean" },
    { "in_flight", { 0, -1, 1.5, 4097, math.huge, "64" }, "a whole number, 1 to 4096" },
    { "family", { "ipv4", "", 4, true }, "'any', 'inet', 'inet6' or 'unix'" },
    { "interface", { 1, true, {} }, "the name of an interface" },
    { "local_addresses", { true, 5, "127.0.0.1", { 5 }, { {} }, { "nonesuch" }, { "127.1" },
      { { host = "127.0.0.1" } } }, "an array of IP addresses, or false" },
  }
  for _, row in ipairs(wrong) do
    it(("raise for a wrong value of '%s'; the message gives the range"):format(row[1]), function()
      local expected = ("bad argument #2 to 'connect_by_list' (option '%s' must be %s; got ")
        :format(row[1], row[3])
      for _, value in ipairs(row[2]) do
        local message = misuse { [row[1]] = value }
        assert.is_not_nil(message:find(expected, 1, true), message)
      end
    end)
  end

  it("are shown in the message", function()
    assert.matches("got %-1%)$", misuse { timeout = -1 })
    assert.matches("got %-1%)$", misuse { timeout = -1.0 })
    assert.matches("got a number%)$", misuse { timeout = -1.5 })
    assert.matches("got NaN%)$", misuse { timeout = 0 / 0 })
    assert.matches("got 'soon'%)$", misuse { timeout = "soon" })
    assert.matches("got boolean%)$", misuse { timeout = true })
    assert.matches("got table%)$", misuse { timeout = {} })
    assert.matches("got function%)$", misuse { timeout = print })
    assert.matches("got userdata%)$", misuse { timeout = io.stdout })
    assert.matches("got userdata%)$", misuse { timeout = net.address_list() })
    assert.matches("got '\\x00'%)$", misuse { timeout = "\0" })
  end)

  it("refuse an empty array of local addresses", function()
    assert.matches("the array is empty; false means the route's choice",
      misuse { local_addresses = {} })
  end)

  it("are limited in number and depth", function()
    local many = {}
    for i = 1, 5000 do many["key" .. i] = i end
    assert.matches("a table with too many fields", misuse(many))
    assert.matches("a table with too many fields", misuse { socket = many })
    local deep = {}
    deep.socket = deep
    assert.matches("unknown option 'socket'", misuse(deep))
  end)

  it("are read without metamethods", function()
    local echo <close> = testing.echo()
    local options = setmetatable({}, { __index = function() error("looked up") end })
    net.connect_by_list({ echo:address() }, options):close()
  end)

  it("may all be given at once", function()
    local echo <close> = testing.echo()
    local sock <close> = assert(net.connect_by_list({ echo:address() }, {
      timeout = 5, attempt_delay = 0.25, minimum_delay = 0.02, attempt_timeout = 4,
      pace = "steady", order = "random", seed = 7, hedge = 1, interleave = false, in_flight = 8,
      family = "inet", local_addresses = { "127.0.0.1" }, socket = { nodelay = false },
    }))
    assert.equal("127.0.0.1", sock:local_address().host)
  end)

  it("may be infinite times", function()
    local echo <close> = testing.echo()
    for _, key in ipairs { "timeout", "attempt_timeout", "hedge", "retry" } do
      net.connect_by_list({ echo:address() }, { [key] = math.huge }):close()
    end
    net.connect_by_list({ echo:address() }, { timeout = 1e300 }):close()
  end)

  it("choose the local address", function()
    local echo <close> = testing.echo()
    local sock <close> = assert(net.connect_by_list({ echo:address() },
      { local_addresses = { "127.0.0.7" } }))
    assert.equal("127.0.0.7", sock:local_address().host)
  end)

  it("accept a local address of net.local_addresses", function()
    local echo <close> = testing.echo()
    local own = {}
    for _, item in ipairs(assert(net.local_addresses())) do
      if item.address.host == "127.0.0.1" then own[1] = item.address end
    end
    assert.equal(0, own[1].port)
    local sock <close> = assert(net.connect_by_list({ echo:address() }, { local_addresses = own }))
    assert.equal("127.0.0.1", sock:local_address().host)
  end)

  it("use the port of a local address", function()
    local echo <close> = testing.echo()
    local probe = support.connected(echo)
    local free = probe:local_address()
    probe:close()
    local mine = net.address("127.0.0.9", free.port)
    local sock <close> = assert(net.connect_by_list({ echo:address() },
      { local_addresses = { mine } }))
    assert.is_true(sock:local_address() == mine)
  end)

  it("make a connect fail if no interface has the local address", function()
    local echo <close> = testing.echo()
    local sock, _, code, report = net.connect_by_list({ echo:address() },
      { local_addresses = { "192.0.2.99" } })
    assert.is_nil(sock)
    assert.equal("EADDRNOTAVAIL", code)
    assert.equal(1, #report.attempts)
  end)

  it("choose the interface", function()
    local echo <close> = testing.echo()
    local sock <close> = assert(net.connect_by_list({ echo:address() }, { interface = "lo" }))
    assert.is_true(sock:connected())
  end)

  it("choose the family", function()
    local four <close> = testing.echo()
    local six <close> = testing.echo("::1")
    for family, wanted in pairs { inet = four, inet6 = six } do
      local sock <close> = assert(net.connect_by_list({ four:address(), six:address() },
        { family = family }))
      assert.is_true(sock:remote_address() == wanted:address())
    end
  end)

  it("shuffle by a seed, and the same seed gives the same order", function()
    local endpoints, list = {}, net.address_list()
    for i = 1, 8 do
      endpoints[i] = testing.refused()
      list:add(endpoints[i]:address())
    end
    local function order(seed)
      local _, _, _, report = net.connect_by_list(list, { order = "random", seed = seed })
      local ports = {}
      for i, attempt in ipairs(report.attempts) do ports[i] = attempt.remote_address.port end
      return ports
    end
    assert.same(order(1), order(1))
    local differs = false
    for seed = 2, 5 do differs = differs or table.concat(order(seed)) ~= table.concat(order(1)) end
    assert.is_true(differs)
    for i = 1, 8 do endpoints[i]:close() end
  end)

  it("keep the order that was given", function()
    local endpoints, list, ports = {}, net.address_list(), {}
    for i = 1, 8 do
      endpoints[i] = testing.refused(i % 2 == 0 and "::1" or nil)
      list:add(endpoints[i]:address())
      ports[i] = endpoints[i]:address().port
    end
    local _, _, _, report = net.connect_by_list(list, { order = "given" })
    assert.equal(8, #report.attempts)
    for i, attempt in ipairs(report.attempts) do
      assert.equal(ports[i], attempt.remote_address.port)
    end
    for i = 1, 8 do endpoints[i]:close() end
  end)

  it("run one attempt at a time with pace 'sequential'", function()
    local endpoints, list = {}, net.address_list()
    for i = 1, 3 do
      endpoints[i] = testing.silent()
      list:add(endpoints[i]:address())
    end
    local _, _, code, report = net.connect_by_list(list,
      { pace = "sequential", attempt_timeout = 0.05 })
    assert.equal("ETIMEDOUT", code)
    for i = 2, 3 do
      assert.is_true(report.attempts[i].started >= report.attempts[i - 1].ended)
    end
    for i = 1, 3 do endpoints[i]:close() end
  end)
end)
