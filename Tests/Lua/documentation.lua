--- What the specs read from the documentation and from the module to compare the two.
local documentation = {}

--- The folder of the articles.
documentation.catalogue = "Sources/ConnectByList/ConnectByList.docc/"

function documentation.text_of(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

function documentation.sorted_keys(set)
  local keys = {}
  for key in pairs(set) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

--- The names in the first column of the table that follows the line `before`. `head`: the title of that
-- column, "field" unless given.
function documentation.fields(text, before, head)
  local start = assert(text:find(before, 1, true), before)
  local rows = assert(text:match("\n(| " .. (head or "field") .. " |.-)\n\n", start))
  local fields = {}
  for cell in rows:gmatch("\n| ([^|]+) |") do
    for name in cell:gmatch("`([%w_]+)`") do fields[name] = true end
  end
  return fields
end

--- The table that holds the methods of an object: the metatable's __index, or one that __index reaches where
-- it is a function. `known` is the name of one of the methods.
function documentation.methods_of(object, known)
  local seen = {}
  local function search(value, depth)
    if type(value) == "table" then
      if rawget(value, known) ~= nil and rawget(value, known) == object[known] then return value end
      if depth == 0 or seen[value] then return nil end
      seen[value] = true
      for _, inner in next, value do
        local found = search(inner, depth - 1)
        if found then return found end
      end
    elseif type(value) == "function" and not seen[value] then
      seen[value] = true
      for i = 1, 60 do
        local name, upvalue = debug.getupvalue(value, i)
        if not name then return nil end
        local found = search(upvalue, depth)
        if found then return found end
      end
    end
  end
  return (assert(search(getmetatable(object).__index, 4), "no methods found"))
end

return documentation
