--- What is raised for arguments that a script has mistaken for others. The functions of connectbylist.lua
-- call these for such arguments alone. The errors are in the lines of the scripts that call those.
local error, type = error, type

local mistakes = {}

function mistakes.address_list(entries, default_port)
  local kind = type(entries)
  if entries ~= nil and kind ~= "table" and kind ~= "string" then
    error("bad argument #1 to 'address_list' (table or string expected, got " .. kind .. ")", 3)
  end
  if type(default_port) == "string" then
    error("bad argument #2 to 'address_list' (number expected, got string; it is the default port, and " ..
      "several entries are an array: { 'a.example:1', 'b.example:2' })", 3)
  end
end

--- The options of a connect are the port. `number`: of the argument.
function mistakes.options(number)
  error("bad argument #" .. number .. " to 'connect_by_list' (table expected, got number; host and port " ..
    "are one entry: 'a.example:80')", 4)
end

return mistakes
