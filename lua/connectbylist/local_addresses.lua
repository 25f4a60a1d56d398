--- Local addresses: the option of a connect, and those of this machine.
local api = ...
local core, addresses = api.core, api.part "address"
local host_with_scope, is_address = addresses.host_with_scope, addresses.is_address
local ipairs, next, tostring = ipairs, next, tostring

local local_addresses = {}

--- A copy of a connect's options with its local addresses as text, because the core reads no address
-- objects. A port of 0 is left out: the kernel chooses one.
function local_addresses.option(options, given)
  local texts, copy = {}, {}
  for i, item in ipairs(given) do
    if is_address(item) then
      item = item.port == 0 and host_with_scope(item) or tostring(item)
    end
    texts[i] = item
  end
  for key, value in next, options do copy[key] = value end
  copy.local_addresses = texts
  return copy
end

--- net.local_addresses: this machine's addresses: an array of {address, prefix, interface, flags}.
function local_addresses.local_addresses()
  local found, message, code = core.local_addresses()
  if not found then return nil, message, code end
  for i = 1, #found do addresses.adopt(found[i].address) end
  return found
end

return local_addresses
