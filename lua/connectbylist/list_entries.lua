--- What reads from address lists: their entries, history and text.
local api = ...
local core, addresses = api.core, api.part "address"
local entry_of = addresses.entry
local error, ipairs, tostring = error, ipairs, tostring
local concat, format, min = table.concat, string.format, math.min

local SHOWN_MAX = 20 -- entries in a list's text

local entries = {}

local list = core.methods "address list"
---@type function, function, function, function
local count, get, remove, history = list.count, list.get, list.remove, list.history

--- The entry at a position; nil if there is none.
function entries:get(position) return entry_of(get(self, position)) end

--- Removes the entry at a position and returns it.
function entries:remove(position) return entry_of(remove(self, position)) end

--- The results of earlier connects with this list: an array, in the list's order, of {address,
-- connected, successes, failures, round_trip, code, age}.
function entries:history()
  local known = history(self)
  for _, item in ipairs(known) do addresses.adopt(item.address) end
  return known
end

function entries.__newindex()
  error("an address list has no assignment; use list:add(entry) and list:remove(position)", 2)
end

function entries:__tostring()
  local total, texts = count(self), {}
  for i = 1, min(total, SHOWN_MAX) do texts[i] = tostring(entries.get(self, i)) end
  if total > SHOWN_MAX then texts[SHOWN_MAX + 1] = format("… (%d in all)", total) end
  return "address list: " .. concat(texts, ", ")
end

return entries
