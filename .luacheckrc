std = "lua54"
max_line_length = 110
cache = false

-- luacheck 1.1 does not count `<close>` as a use of a variable: `sock` is the usual name of one.
files["Tests/Lua"] = { std = "lua54+busted", ignore = { "211/sock" } }

-- A declaration for editors is one line.
files["lua/connectbylist/types.lua"] = { max_line_length = false }

files["examples/*_spec.lua"] = { std = "lua54+busted" }

-- Every function is called in every way: also as the iterator of a loop that ends in its first turn.
files["Tests/Lua/every_name.lua"] = { ignore = { "512", "211/sock" }, globals = { "loose" } }
files["Tests/Lua/socket_read_spec.lua"] = { ignore = { "512", "211/sock" } }

-- `sock = nil` makes a socket garbage, which is what the test is about.
files["Tests/Lua/socket_life_spec.lua"] = { ignore = { "311/sock", "211/sock" } }

-- A variable is cleared to make its value garbage.
files["Tests/Campaign"] = { globals = { "fuzz" }, ignore = { "311", "331", "211/sock" }, max_line_length = 120 }
