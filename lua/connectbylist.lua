--- Connects to one of several addresses, raced, with one deadline for everything.
--
-- The public API, made from `connectbylist.core` (C and Swift). Only this file uses `require`, and only
-- while it is loaded: its parts in `connectbylist/` are embedded in the core. They load without a
-- descriptor, whatever has become of `require`, `package.path` or the current directory.
-- Without the basic functions there is no _VERSION either.
if _VERSION and _VERSION ~= "Lua 5.4" then
  error("connectbylist is made for Lua 5.4, and this is " .. tostring(_VERSION), 2)
end

-- This file works with the core of its own version alone, CBL_VERSION of cbl_version.h.
local VERSION = "0.1.0"
local _, path = ...
local core, core_path = require "connectbylist.core"
if core.version ~= VERSION then
  error("connectbylist.lua is version " .. VERSION .. " (" .. (path or "?") .. "), and connectbylist.core " ..
    "is version " .. (core.version or "?") .. " (" .. (core_path or "loaded before") .. "): install both " ..
    "from one release", 2)
end

-- The standard functions, for this file, the parts and connectbylist.testing: a host may not have opened the
-- libraries, or may remove functions from the globals after it has loaded this. No file uses a method of a
-- string: its metatable may be gone too.
local _ENV = core.environment -- luacheck: ignore

-- Used in each connect.
local connect, getmetatable, type = core.connect_by_list, getmetatable, type
local start_list = core.start_list
local rawget = rawget

-- What each part is called with. Its functions are set below. `waiter`: how this Lua state waits; nil: the
-- core blocks.
local api = { core = core, waiter = nil }
local parts = {}

--- The result of a part, which is compiled and run by the first call.
function api.part(name)
  local part = parts[name]
  if not part then
    part = core.load("connectbylist." .. name, core.environment)(api)
    parts[name] = part
  end
  return part
end

--- Sets functions of a table that most scripts never call. Each calls the function of its name in a part,
-- which loads with the first call.
function api.defer(functions, part, names)
  for i = 1, #names do
    local name = names[i]
    functions[name] = function(...) return api.part(part)[name](...) end
  end
end

--- For the modules beside this one: their parts, and how this state waits.
core.part = api.part

function core.waiter() return api.waiter end

-- These load at once. The others load when a script uses what they are for.
local fill, sockets = api.part "list".fill, api.part "socket"
local socket_type, connect_socket = sockets.type, sockets.connect_by_list

-- The core makes addresses and reports. Most scripts read no more than the fields of an address.
core.address_type.__name = "address"
api.defer(core.address_type, "address", { "__concat", "__eq", "__index", "__tostring" })
api.defer(core.types.report, "report", { "__index", "__tostring" })

---@type connectbylist
---@diagnostic disable-next-line: missing-fields -- set below
local net = {
  version = VERSION,
  --- An address from a literal with its port, or from a host and a port; `nil, message, "EINVAL"` if it
  -- is malformed.
  address = core.address,
  --- A socket that owns a connected descriptor from now on: `net.wrap(fd)`.
  wrap = core.wrap,
  --- A stream socket that is neither bound nor connected: "inet6" (the default, which can connect to
  -- IPv4 addresses too), "inet" or "unix". To be given to `connect_by_list`.
  socket = core.socket,
}

--- A list of the addresses to try. `entries`: one text, or an array of what `list:add` takes.
-- `default_port`: for entries without a port. A malformed entry gives `nil, message, "EINVAL"`.
function net.address_list(entries, default_port)
  local kind = type(entries)
  if entries ~= nil and kind ~= "table" and kind ~= "string" or type(default_port) == "string" then
    api.part "mistakes".address_list(entries, default_port)
  end
  return fill(core.address_list(nil, default_port), entries or {})
end

--- A list of entries that are text or an array; anything else is returned, for the core to look at.
function api.list_of(entries)
  local kind = type(entries)
  if kind ~= "table" and kind ~= "string" then return entries end
  return fill(core.address_list(), entries, true)
end

--- Options as the core reads them.
function api.plain_options(options)
  local given = type(options) == "table" and rawget(options, "local_addresses")
  if type(given) ~= "table" then return options end
  return api.part "local_addresses".option(options, given)
end

--- Whether a connect with these options cannot be a single call of the core.
function api.needs_steps(options)
  return api.waiter or type(options) == "table" and
    (rawget(options, "validate") or rawget(options, "on_event") or rawget(options, "wait"))
end

-- Every connect but those with nothing but a list and without a waiter, which the core makes at once.
local function connect_by_list(sock, entries, options)
  if getmetatable(sock) ~= socket_type then sock, entries, options = nil, sock, entries end
  if type(options) == "number" and type(entries) == "string" then
    api.part "mistakes".options(sock and 3 or 2)
  end
  local list, message, code = api.list_of(entries)
  if message then return nil, "connect_by_list: " .. message, code, core.failed_report(code) end
  entries = list
  options = api.plain_options(options)
  if api.needs_steps(options) then
    return api.part "operation".run("connect_by_list", sock, options, start_list(entries, options, sock))
  end
  if sock then return connect_socket(sock, entries, options) end
  return connect(entries, options)
end

--- Connects to one address of the list. Returns a socket, or `nil, message, code, report`. If the first
-- argument is a socket made by `net.socket`, that socket is connected and returned.
net.connect_by_list = core.connector(connect_by_list)

-- What they do is said where they are.
api.defer(net, "names", { "connect_by_name", "resolve" })
api.defer(net, "operation", { "start" })
api.defer(net, "explanation", { "explain" })
api.defer(net, "local_addresses", { "local_addresses" })

--- Sets how this Lua state waits: in connects, reads, writes and `net.sleep`, where these have no waiter of
-- their own. `waiter`: a function of an object with `pollfd()`, `events()` and `timeout()`; nil: they block.
function net.setwait(waiter)
  core.setwait(waiter)
  api.waiter = waiter
end

--- Waits for a number of seconds.
function net.sleep(seconds)
  -- The core raises for what is no number of seconds.
  if api.waiter and type(seconds) == "number" and seconds >= 0 then
    return api.part "operation".sleep(seconds)
  end
  return core.sleep(seconds)
end

--- The monotonic clock, in seconds.
net.now = core.now

return net
