--- Rounds of mixture.lua in a process of stock lua5.4, as its standard input asks for them.
--
--   lua5.4 process.lua MIXTURE
--
-- Lines of input: a seed; or "rest". Lines of output: "ok KIND BYTES LATE", see mixture.lua; "failed MESSAGE"; "rests".
-- luacheck: globals rest round
dofile(arg[1])
io.stdout:setvbuf "line"
for line in io.lines() do
  if line == "rest" then
    rest()
    print "rests"
  else
    local ok, kind, bytes, late = pcall(round, math.tointeger(line))
    if ok then
      print(("ok %s %d %.9f"):format(kind, bytes, late))
    else
      print("failed " .. tostring(kind):gsub("\n", " | "))
    end
  end
end
os.exit(true, true)
