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
  local method = object[known]
  local queue, seen = { getmetatable(object).__index }, {}
  local function add(value)
    if (type(value) == "table" or type(value) == "function") and not seen[value] then
      seen[value] = true
      queue[#queue + 1] = value
    end
  end
  for _, value in ipairs(queue) do
    if type(value) == "table" then
      if rawget(value, known) == method then return value end
      for _, inner in next, value do add(inner) end
    else
      for i = 1, 255 do
        local name, upvalue = debug.getupvalue(value, i)
        if not name then break end
        add(upvalue)
      end
    end
  end
  error("no methods found")
end

return documentation
