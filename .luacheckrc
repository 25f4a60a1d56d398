-- The Lua of the module, the examples and the tests: `luacheck lua examples Tests`.
std = "lua54"
max_line_length = 110
exclude_files = { ".build" }

-- A loop that runs at most once reads the first of an iterator's values.
ignore = { "512" }

files["Tests/Lua/*_spec.lua"] = { std = "+busted" }
-- A descriptor that the script holds by its number.
files["Tests/Lua/every_name.lua"] = { globals = { "loose" } }
