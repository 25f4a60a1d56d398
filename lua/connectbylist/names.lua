--- Connects to a host name, and the lookups of `net.resolve`, which wait like connects.
local api = ...
local core = api.core
local rawget, type = rawget, type

local resolution = core.methods "resolution"
local resolve, advance, block = core.resolve, resolution.resolve, resolution.wait
resolution.resolve, resolution.wait = nil, nil

local connect_by_name, start_name = core.connect_by_name, core.start_name

local names = {}

--- net.connect_by_name: connects to one of the addresses of a host name, as `connect_by_list` does:
-- `net.connect_by_name("db.test", "https")`. `service`: a port or the name of a service.
function names.connect_by_name(host, service, options)
  options = api.plain_options(options)
  if api.needs_steps(options) then
    return api.part "operation".run("connect_by_name", nil, options, start_name(host, service, options))
  end
  return connect_by_name(host, service, options)
end

-- A waiter gets a resolution.
core.types.resolution.__index = resolution

--- net.resolve: an address list of what a host name has now: `net.resolve("db.test", "https")`; or, with
-- `{srv = "_redis._tcp.example.net"}` in place of host and service, of the targets of its SRV records, in the
-- order in which they are to be tried. `nil, message, code` where there is no address.
function names.resolve(host, service, options)
  -- The core takes a name with SRV records as a host whose service is false.
  if type(host) == "table" and rawget(host, "srv") ~= nil then
    host, service, options = host.srv, false, options or service
  end
  options = api.plain_options(options)
  local lookup, message, code = resolve(host, service, options)
  if not lookup then return nil, message, code end
  local scope <close> = lookup -- luacheck: ignore scope
  local wait = type(options) == "table" and rawget(options, "wait") or api.waiter or block
  while true do
    local list, problem, problem_code = advance(lookup)
    if list ~= false then return list, problem, problem_code end
    wait(lookup)
  end
end

return names
