--- The lookups of `net.resolve`, which wait like connects.
local api = ...
local core, operations = api.core, api.part "operation"
local rawget, type = rawget, type

local resolution = core.methods "resolution"
local resolve, advance, block = core.resolve, resolution.resolve, resolution.wait
resolution.resolve, resolution.wait = nil, nil

-- A waiter gets a resolution.
core.types.resolution.__index = resolution

--- Looks a name up. `service`: false where `host` is a name with SRV records.
return function(host, service, options)
  local lookup, message, code = resolve(host, service, options)
  if not lookup then return nil, message, code end
  local scope <close> = lookup -- luacheck: ignore scope
  local wait = type(options) == "table" and rawget(options, "wait") or operations.waiter or block
  while true do
    local list, problem, problem_code = advance(lookup)
    if list ~= false then return list, problem, problem_code end
    wait(lookup)
  end
end
