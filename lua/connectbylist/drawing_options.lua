--- Checks the options of a report's drawings, and of a plan's.
local error, pairs, tostring, type = error, pairs, tostring, type
local format, math_type = string.format, math.type

-- What each option must be, by the method.
local OPTIONS = {
  text = { columns = "integer", rows = "integer", ascii = "boolean", color = "boolean", file = "userdata" },
  svg = { theme = "string", rows = "integer" },
}

--- The options of a report's method, checked; none for nil. Raises for what has called the method.
return function(options, method)
  if options == nil then return {} end
  local function misuse(message, ...)
    error(format("bad argument #1 to '%s' (%s)", method, format(message, ...)), 4)
  end
  if type(options) ~= "table" then misuse("table expected, got %s", type(options)) end
  for key, value in pairs(options) do
    local expected = OPTIONS[method][key]
    if not expected then misuse("unknown option '%s'", tostring(key)) end
    local kind = expected == "integer" and math_type(value) or type(value)
    if kind ~= expected then misuse("option '%s' must be of type %s", key, expected) end
    if kind == "integer" and (value < 1 or value > 1000000) then
      misuse("option '%s' must be 1 to 1000000", key)
    end
  end
  local theme = options.theme
  if theme and theme ~= "light" and theme ~= "dark" and theme ~= "auto" then
    misuse("option 'theme' must be 'auto', 'light' or 'dark'")
  end
  return options
end
