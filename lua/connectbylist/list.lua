--- Address lists: what makes one. What reads from a list, what makes an entry of a table, and what is wrong
-- with an entry, are in parts of their own.
local api = ...
local core = api.core
local getmetatable, next, type = getmetatable, next, type
local tointeger = math.tointeger

local lists = {}

local list = core.methods "address list"
local list_type, test_endpoint_type = core.types["address list"], core.types["test endpoint"]
---@type function, function
local add, count = list.add, list.count
list.count, list.get = nil, nil

--- Adds one entry: text, an address, a table with a host and a port or with a Unix path, a test
-- endpoint, which stays open as long as the list, or another list, whose entries are added.
-- Returns the list, or `nil, message, "EINVAL"` with the list unchanged.
function list:add(entry, port)
  if type(entry) == "table" then return api.part "entry".add(self, entry, port) end
  return add(self, entry, port)
end

api.defer(list, "list_entries", { "remove", "history" })
api.defer(list_type, "list_entries", { "__newindex", "__tostring" })
list_type.__len = count

function list_type:__index(key)
  local position = type(key) == "number" and tointeger(key)
  if position then return api.part "list_entries".get(self, position) end
  return list[key]
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
    local ok, message = (is_plain and add or api.part "entry".add)(new_list, entry)
    if not ok then
      return nil, api.part "entry".message(entries, i, message), "EINVAL"
    end
  end
  return new_list
end

return lists
