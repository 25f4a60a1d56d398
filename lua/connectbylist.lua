--- Connects to one of several addresses, raced, with one deadline for everything.
--
-- The public API, made from `connectbylist.core` (C and Swift). Only this file uses `require`, and only
-- while it is loaded: its parts in `connectbylist/` are embedded in the core. They load without a
-- descriptor, whatever has become of `require`, `package.path` or the current directory.
local core = require "connectbylist.core"

-- Used in each connect.
local connect, getmetatable, type = core.connect_by_list, getmetatable, type

local rawget, error = rawget, error

-- The global variables of the parts. They are copied now: a host may remove functions, or whole
-- libraries, from the globals after it has loaded this module.
local globals = {
  getmetatable = getmetatable, ipairs = ipairs, next = next, pairs = pairs, rawget = rawget,
  setmetatable = setmetatable, tostring = tostring, type = type,
  math = {
    floor = math.floor, max = math.max, min = math.min, tointeger = math.tointeger,
    type = math.type,
  },
  string = {
    byte = string.byte, find = string.find, format = string.format, gsub = string.gsub,
    rep = string.rep, sub = string.sub,
  },
  table = { concat = table.concat, insert = table.insert },
  utf8 = { len = utf8.len },
}

-- What each part is called with.
local api = { core = core }
local parts = {}

--- The result of a part, which is compiled and run by the first call.
function api.part(name)
  local part = parts[name]
  if not part then
    part = core.load("connectbylist." .. name, globals)(api)
    parts[name] = part
  end
  return part
end

-- These load at once. `drawing` and `json` are larger, and most scripts never need them: they load
-- when a report is printed.
local addresses, lists, sockets = api.part "address", api.part "list", api.part "socket"
local reports = api.part "report"
local make_address, fill, plain_options = addresses.make, lists.fill, lists.plain_options
local socket_type, connect_socket = sockets.type, sockets.connect_by_list

local net = {
  version = core.version,
  --- A socket that owns a connected descriptor from now on: `net.wrap(fd)`.
  wrap = core.wrap,
  --- A stream socket that is neither bound nor connected: "inet6" (the default, which can connect to
  -- IPv4 addresses too), "inet" or "unix". To be given to `connect_by_list`.
  socket = core.socket,
}

--- An address from a literal with its port, or from a host and a port; `nil, message, "EINVAL"` if it
-- is malformed.
function net.address(host, port) return make_address(core.address(host, port)) end

--- A list of the addresses to try. `entries`: one text, or an array of what `list:add` takes.
-- `default_port`: for entries without a port. A malformed entry gives `nil, message, "EINVAL"`.
function net.address_list(entries, default_port)
  local kind = type(entries)
  if entries ~= nil and kind ~= "table" and kind ~= "string" then
    error("bad argument #1 to 'address_list' (table or string expected, got " .. kind .. ")", 2)
  end
  return fill(core.address_list(nil, default_port), entries or {})
end

--- Connects to one address of the list. Returns a socket, or `nil, message, code, report`. If the first
-- argument is a socket made by `net.socket`, that socket is connected and returned.
function net.connect_by_list(sock, entries, options)
  if getmetatable(sock) ~= socket_type then sock, entries, options = nil, sock, entries end
  local kind = type(entries)
  if kind == "table" or kind == "string" then
    local list, message, code = fill(core.address_list(), entries)
    if not list then
      return nil, "connect_by_list: " .. message, code, core.failed_report(code)
    end
    entries = list
  end
  if options and type(options) == "table" and rawget(options, "local_addresses") then
    options = plain_options(options)
  end
  if sock then return connect_socket(sock, entries, options) end
  return connect(entries, options)
end

local connect_name = core.connect_by_name

--- The same for the addresses of one host name: `net.connect_by_name("db.test", "https")`. `service`:
-- a port or the name of a service.
function net.connect_by_name(host, service, options)
  return connect_name(host, service, plain_options(options))
end

local resolve = core.resolve

--- An address list of what a host name has now: `net.resolve("db.test", "https")`; or, with
-- `{srv = "_redis._tcp.example.net"}` in place of host and service, of the targets of its SRV records, in the
-- order in which they are to be tried. `nil, message, code` where there is no address.
function net.resolve(host, service, options)
  if type(host) == "table" and rawget(host, "srv") ~= nil then
    return resolve(host.srv, false, plain_options(options or service))
  end
  return resolve(host, service, plain_options(options))
end

--- The plan of a connect, without sending a packet: an array of {rank, local_address, remote_address,
-- chance, reasons}; `tostring` prints it as a table. Names are not resolved.
function net.explain(entries, options)
  local kind = type(entries)
  if kind == "table" or kind == "string" then
    local list, message, code = fill(core.address_list(), entries)
    if not list then return nil, "explain: " .. message, code end
    entries = list
  end
  local plan, message, code = core.explain(entries, plain_options(options))
  if not plan then return nil, message, code end
  return reports.explanation(plan)
end

--- This machine's addresses: an array of {address, prefix, interface, flags}.
function net.local_addresses()
  local found, message, code = core.local_addresses()
  if not found then return nil, message, code end
  for i = 1, #found do addresses.adopt(found[i].address) end
  return found
end

return net
