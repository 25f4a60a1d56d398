--- Endpoints on loopback for test suites and examples, served by a thread of this process. They need no
-- network and no privileges.
--
-- Each function takes where to open the endpoint: nothing (127.0.0.1), an IP address as text, or a table
-- with `address`, `port`, `unix` (a Unix path that does not exist yet; `@name`: abstract) and `after` (so
-- many seconds it refuses before it begins). It raises if the endpoint cannot be opened. Leaving its
-- `<close>` scope and garbage collection close an endpoint; a list that has it as an entry keeps it open.
local core = require "connectbylist.core"
local net = require "connectbylist"
-- The standard functions, also where the host has taken them away.
local _ENV = core.environment -- luacheck: ignore

local error, ipairs, math_type, next, tostring, type = error, ipairs, math.type, next, tostring, type
local format, gsub, sub, unpack = string.format, string.gsub, string.sub, table.unpack
local new_endpoint, address_list = core.test_endpoint, net.address_list

local endpoint_core = core.methods "test endpoint"
local endpoint_type = core.types["test endpoint"]
local endpoint = {}
endpoint_type.__index = endpoint

--- The address to connect to.
endpoint.address = endpoint_core.address

--- The number of connections that it has accepted; one whose connect has returned is among them.
-- `endpoint:accepted(count, seconds)` waits until there are `count`, or the time has passed.
endpoint.accepted = endpoint_core.accepted

--- The bytes that its clients have sent; `endpoint:received(i)`: those of the ith connection, nil if there
-- is none. The first MiB of all together is kept. An accepting endpoint reads nothing.
endpoint.received = endpoint_core.received

--- What differed from a script, and what a proxy could not reach: an array of texts.
endpoint.failures = endpoint_core.failures

--- Changes the network of a proxy while it runs: `proxy:set { latency = 0.2, rate = false }`.
function endpoint:set(options) return endpoint_core.set(self, options) end

--- Stops the endpoint and closes its connections. May be called again.
endpoint.close = endpoint_core.close

function endpoint_type:__tostring()
  local kind, is_closed = endpoint_core.state(self)
  return format("test endpoint: %s at %s, %d accepted%s", kind, tostring(self:address()), self:accepted(),
    is_closed and " (closed)" or "")
end

---@type connectbylist.testing
---@diagnostic disable-next-line: missing-fields -- set below
local testing = {}

local function bad_argument(number, name, message, level)
  error(format("bad argument #%d to '%s' (%s)", number, name, message), level + 1)
end

-- Makes an endpoint. `number`: of the argument `options`, for messages.
local function make(kind, number, options, ...)
  if type(options) == "string" then options = { address = options } end
  if options ~= nil and type(options) ~= "table" then
    bad_argument(number, kind, "table or IP address expected, got " .. type(options), 3)
  end
  local arguments = { ... }
  arguments[#arguments + 1] = options or {}
  local made, message, code = new_endpoint(kind, unpack(arguments))
  if made then return made end
  if code == "EINVAL" then bad_argument(number, kind, message, 3) end
  error(kind .. sub(message, #"test_endpoint" + 1), 3)
end

local function maker(kind)
  return function(options)
    local made = make(kind, 1, options)
    return made
  end
end

--- Sends back what it receives.
testing.echo = maker "echo"

--- Reads and drops what it receives.
testing.discard = maker "discard"

--- Accepts connections, reads nothing and says nothing.
testing.accepting = maker "accepting"

--- Refuses connections. No other program can take its port while the endpoint is open.
testing.refused = maker "refused"

--- Completes no handshake: its accept queue is full, so the kernel drops each SYN.
testing.silent = maker "silent"

--- Resets each connection: after accepting it, or after `after_bytes` received bytes or `after_seconds`.
testing.reset = maker "reset"

--- Closes each connection, when `reset` would reset it.
testing.closing = maker "closing"

-- What a step's value has to be; a step that is not here has none.
local step_values = {
  expect = "string", send = "string", wait = "seconds", expect_any = "count", expect_line = "line",
}

local function is_value(kind, value)
  if kind == "string" then return type(value) == "string" end
  if kind == "line" then return value == nil or type(value) == "string" end
  if kind == "seconds" then return type(value) == "number" and value >= 0 end
  if kind == "count" then
    return math_type(value) == "integer" and value >= 1 and value <= 1 << 20
  end
  return value == nil
end

--- An echo whose answers come `seconds` late.
function testing.slow(seconds, options)
  if not is_value("seconds", seconds) then
    bad_argument(1, "slow", "a number of seconds, 0 or more, expected", 2)
  end
  local made = make("slow", 2, options, seconds)
  return made
end

--- Forwards to a service, an address or a test endpoint, through a network with these properties:
-- `latency` and `jitter` (seconds), `rate` (bytes a second), `slice` (the most bytes passed on at a time),
-- `cut_after` and `hang_after` (bytes for the client), `drop` (the share of connections that are reset at
-- once), `seed`.
function testing.proxy(target, options)
  local list, message = address_list { target }
  if not list then bad_argument(1, "proxy", gsub(message, "^entry 1: ", ""), 2) end
  local address = list[1]
  local family = address.family
  if not family then bad_argument(1, "proxy", "an address expected, got a name", 2) end
  local made
  if family == "unix" then
    made = make("proxy", 2, options, address.host, true)
  else
    made = make("proxy", 2, options, tostring(address))
  end
  return made
end

--- The steps of a script, as functions: `steps.expect "PING\r\n"`.
local steps = {}
testing.steps = steps

for _, name in ipairs {
  "expect", "expect_line", "expect_any", "send", "wait", "close", "shut", "reset",
} do
  steps[name] = function(value)
    if not is_value(step_values[name], value) then
      local kind = step_values[name]
      local wanted = kind == "seconds" and "a number of seconds, 0 or more,"
        or kind == "count" and "a whole number, 1 to 1048576," or kind and "string" or "no value"
      bad_argument(1, name, wanted .. " expected", 2)
    end
    return { name, value }
  end
end

local function is_step(value)
  return type(value) == "table" and steps[value[1]] ~= nil and is_value(step_values[value[1]], value[2])
end

-- Appends a script to the flat form that the core takes: name, value, name, value, …
local function flatten(flat, script, where)
  flat.n = flat.n + 2
  flat[flat.n - 1] = "script"
  for i, step in ipairs(script) do
    if not is_step(step) then
      bad_argument(1, "script", format("%s%d is not a step", where, i), 3)
    end
    flat.n = flat.n + 2
    flat[flat.n - 1], flat[flat.n] = step[1], step[2]
  end
end

--- Plays a script on each connection. The argument is an array of steps, the script of all connections; or
-- an array of such arrays, one for each connection in turn. It may also have the fields `address`, `port`,
-- `unix` and `after`. What differs from a script is in `failures()`.
function testing.script(script)
  if type(script) ~= "table" then
    bad_argument(1, "script", "table expected, got " .. type(script), 2)
  end
  local flat, options = { n = 0 }, {}
  for key, value in next, script do
    if math_type(key) ~= "integer" then options[key] = value end
  end
  local first = script[1]
  if type(first) == "table" and type(first[1]) ~= "string" then
    for i, one in ipairs(script) do
      if type(one) ~= "table" then bad_argument(1, "script", format("%d is not a script", i), 2) end
      flatten(flat, one, i .. ".")
    end
  else
    flatten(flat, script, "")
  end
  flat.n = flat.n + 1
  flat[flat.n] = options
  local made, message, code = new_endpoint("script", unpack(flat, 1, flat.n))
  if made then return made end
  if code == "EINVAL" then bad_argument(1, "script", message, 2) end
  error("script" .. sub(message, #"test_endpoint" + 1), 2)
end

--- Allows this state's connects loopback addresses and Unix sockets only, for the rest of its life: the
-- others fail with EACCES, so that a test suite never leaves the machine. Cannot be undone. A proxy that
-- was made before may still connect to its target.
testing.only_loopback = core.only_loopback

return testing
