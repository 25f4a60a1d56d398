--- Address lists. What makes an entry of a table, and what is wrong with one, is in a part of its own.
local api = ...
local core, addresses = api.core, api.part "address"
local entry_of = addresses.entry
local error, getmetatable, ipairs, next, tostring, type = error, getmetatable, ipairs, next, tostring, type
local min, tointeger = math.min, math.tointeger
local concat, format = table.concat, string.format

local SHOWN_MAX = 20 -- entries in a list's text

local lists = {}

local list = core.methods "address list"
local list_type, test_endpoint_type = core.types["address list"], core.types["test endpoint"]
---@type function, function, function, function, function
local add, count, get, remove, history = list.add, list.count, list.get, list.remove, list.history
list.count, list.get = nil, nil

-- Adds an entry that is not text.
local function add_table(self, entry, port) return api.part "entry".add(self, entry, port) end

--- Adds one entry: text, an address, a table with a host and a port or with a Unix path, a test
-- endpoint, which stays open as long as the list, or another list, whose entries are added.
-- Returns the list, or `nil, message, "EINVAL"` with the list unchanged.
function list:add(entry, port)
  if type(entry) == "table" then return add_table(self, entry, port) end
  return add(self, entry, port)
end

--- Removes the entry at a position and returns it.
function list:remove(position) return entry_of(remove(self, position)) end

--- The results of earlier connects with this list: an array, in the list's order, of {address,
-- connected, successes, failures, round_trip, code, age}.
function list:history()
  local known = history(self)
  for _, item in ipairs(known) do addresses.adopt(item.address) end
  return known
end

list_type.__len = count

function list_type:__index(key)
  local position = type(key) == "number" and tointeger(key)
  if position then return entry_of(get(self, position)) end
  return list[key]
end

function list_type.__newindex()
  error("an address list has no assignment; use list:add(entry) and list:remove(position)", 2)
end

function list_type:__tostring()
  local total, texts = count(self), {}
  for i = 1, min(total, SHOWN_MAX) do texts[i] = tostring(self[i]) end
  if total > SHOWN_MAX then texts[SHOWN_MAX + 1] = format("… (%d in all)", total) end
  return "address list: " .. concat(texts, ", ")
end

--- Adds entries, one text or an array, to a new list and returns it; `nil, message, "EINVAL"` if one is
-- malformed, or if the array has a key that is no position: if it has no entries, and, with `are_all`, also
-- if it has some. A script's own table may have other keys beside its entries.
function lists.fill(new_list, entries, are_all)
  if type(entries) == "string" then entries = { entries } end
  local total = #entries
  -- The key after the last position of an array is nil, or one that is no position.
  local key = next(entries, total > 0 and total or nil)
  if type(key) == "string" and (are_all or total == 0) then
    return nil, api.part "entry".misplaced_key(entries, key, total), "EINVAL"
  end
  for i = 1, total do
    local entry = entries[i]
    local kind = getmetatable(entry)
    local is_plain = type(entry) == "string" or kind == test_endpoint_type or kind == list_type
    local ok, message = (is_plain and add or add_table)(new_list, entry)
    if not ok then
      return nil, api.part "entry".message(entries, i, message), "EINVAL"
    end
  end
  return new_list
end

return lists
