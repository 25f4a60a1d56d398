-- What --deny denies gets no SYN, however it is spelled. The counter is the namespace's own: ActiveOpens of
-- /proc/net/snmp, which counts each connect of TCP that comes as far as a SYN.
--
-- The script runs itself again under the policy, with the name of a part of the test.
local net = require "connectbylist"

local ENTRIES = 100000
local BATCH = 1000

-- The policy, and what it does not deny: the loopback addresses and 2001:db8:77::2.
local POLICY = "--deny 10.0.0.0/8 --deny link-local --deny 2001:db8:78::/48 --deny metadata"

local function active_opens()
  local file <close> = assert(io.open "/proc/net/snmp")
  local names, values = file:read("a"):match "\nTcp: (%a[^\n]*)\nTcp: ([^\n]*)"
  local value = values:gmatch "%S+"
  for name in names:gmatch "%S+" do
    local number = value()
    if name == "ActiveOpens" then return math.tointeger(number) end
  end
  error "no ActiveOpens"
end

local parts = {}

-- One spelling of a denied address.
local random = math.random
local function spelled()
  local a, b = random(0, 255), random(0, 255)
  local quad = random(10) == 1 and "169.254.169.254" or random(3) == 1 and "10.77.0.2"
    or ("10.78.%d.%d"):format(a, b)
  local bytes = { quad:match "(%d+)%.(%d+)%.(%d+)%.(%d+)" }
  for i = 1, 4 do bytes[i] = math.tointeger(bytes[i]) end
  local high, low = bytes[1] << 8 | bytes[2], bytes[3] << 8 | bytes[4]
  local port = random(1, 65535)
  local spellings = {
    function() return ("%s:%d"):format(quad, port) end,
    function() return ("[::ffff:%s]:%d"):format(quad, port) end,
    function() return ("[::FFFF:%X:%x]:%05d"):format(high, low, port) end,
    function() return ("[0000:0:00::ffff:%04x:%04X]:%d"):format(high, low, port) end,
    function() return ("[64:ff9b::%x:%x]:%d"):format(high, low, port) end,
    function() return ("[64:FF9B::%s]:%d"):format(quad, port) end,
    function() return ("[2002:%x:%x::%x]:%d"):format(high, low, a + 1, port) end,
    function() return ("[2001:db8:78:%x::%x]:%d"):format(a, b + 1, port) end,
    function() return ("[2001:0DB8:0078:%04X:0:0:0:%x]:%d"):format(a, b + 1, port) end,
    function() return ("[fe80::%x%%works]:%d"):format(b + 1, port) end,
    function() return ("[fe80::%x]:%d"):format(b + 1, port) end,
    function() return { host = quad, port = port } end,
    -- What inet_aton would read as a denied address is none, or refused.
    function() return ("0%o.%d.%d.%d:%d"):format(bytes[1], bytes[2], bytes[3], bytes[4], port) end,
    function() return ("0x%x:%d"):format(high << 16 | low, port) end,
    function() return ("%d:%d"):format(high << 16 | low, port) end,
  }
  return spellings[random(#spellings)]()
end

function parts.spellings()
  local before = active_opens()
  local tried, refused, left = 0, 0, ENTRIES
  while left > 0 do
    local list = net.address_list()
    for _ = 1, BATCH do
      if list:add(spelled()) then tried = tried + 1 else refused = refused + 1 end
    end
    left = left - BATCH
    local sock, _, code, report = net.connect_by_list(list, { local_addresses = false, timeout = 100 })
    assert(not sock, "connected")
    assert(code == "EACCES", code)
    for _, attempt in ipairs(report.attempts) do
      if attempt.code ~= "EACCES" then
        error(("%s: %s"):format(attempt.remote_address, attempt.code or attempt.outcome))
      end
    end
  end
  return active_opens() - before, tried, refused
end

function parts.names()
  local before = active_opens()
  local sock, message = net.connect_by_name("works.test", os.getenv "PORT", { timeout = 100 })
  assert(sock, message)
  assert(sock:remote_address().family == "inet6")
  return active_opens() - before
end

-- A name that is another address each time.
function parts.rebinding()
  local echo <close> = require "connectbylist.testing".echo()
  local port, before, connected = echo:address().port, active_opens(), 0
  for i = 1, 100 do
    local file = assert(io.open("/etc/hosts", "w"))
    file:write(i % 2 == 0 and "127.0.0.1 flips.test\n" or "10.77.0.2 flips.test\n"):close()
    local sock <close> = net.connect_by_name("flips.test", port, { family = "inet", timeout = 100 })
    if sock then connected = connected + 1 end
  end
  assert(connected == 50)
  return active_opens() - before
end

if arg[1] then
  print(parts[arg[1]]())
  return
end

local check = require "check"

-- Routes for all that is denied: without one an attempt fails before the policy is asked.
local routes = { "169.254.0.0/16", "64:ff9b::/96", "2002::/16" }
local function change_routes(verb)
  for _, route in ipairs(routes) do
    os.execute(("ip route %s %s dev hole 2> /dev/null"):format(verb, route))
  end
end

local function under_policy(part, prefix)
  local command = ("%s '%s' %s '%s' %s 2>&1"):format(prefix or "", arg[-1], POLICY, arg[0], part)
  local pipe <close> = assert(io.popen(command))
  local output = pipe:read "a"
  local results = {}
  for number in output:gmatch "(%d+)%s" do results[#results + 1] = math.tointeger(number) end
  if not output:find "^%d+[%d%s]*$" then error(output) end
  return table.unpack(results)
end

check.test("the counter counts what is allowed", function()
  local before = active_opens()
  check.connect(check.list(check.echo "10.77.0.2")):close()
  check.equal(active_opens() - before, 1, "connections begun")
end)

check.test("of 100,000 denied entries in every spelling none gets a SYN", function()
  change_routes "add"
  local opens, tried, refused = under_policy "spellings"
  change_routes "del"
  check.equal(opens, 0, "connections begun")
  check.equal(tried + refused, ENTRIES, "entries")
  print(("# %d entries tried, %d refused as malformed"):format(tried, refused))
end)

if os.getenv "NAMES" == "yes" then
  check.test6("a name with a denied address connects to its other one", function()
    local port = check.port "2001:db8:77::2"
    check.equal(under_policy("names", "PORT=" .. port), 1, "connections begun")
  end)

  check.test("a name that changes its address is asked for each address", function()
    check.equal(under_policy "rebinding", 50, "connections begun")
  end)
end

check.done()
