--- A small strict JSON parser: anything that it does not know is an error.
local function decoded(text)
  local position = 1
  local value
  local function fail(what) error(("%s at %d in %s"):format(what, position, text), 0) end
  local function skip() position = text:match("^[ \t\r\n]*()", position) end
  local function take(pattern)
    local found, after = text:match("^(" .. pattern .. ")()", position)
    if found then position = after end
    return found
  end
  local function string_value()
    local parts = {}
    while true do
      local plain = take('[^%c"\\]+')
      if plain then parts[#parts + 1] = plain end
      if take('"') then return table.concat(parts) end
      local escape = take('\\["\\/bfnrt]') or take("\\u%x%x%x%x") or fail("a bad string")
      local code = tonumber(escape:match("u(%x+)") or "", 16)
      if code and code & 0xfc00 == 0xd800 then
        local low = take("\\u%x%x%x%x") or fail("half a character")
        code = 0x10000 + ((code & 0x3ff) << 10) + (tonumber(low:sub(3), 16) & 0x3ff)
      end
      local plain_ones = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
      parts[#parts + 1] = code and utf8.char(code) or plain_ones[escape:sub(2)] or escape:sub(2)
    end
  end
  local function object_value()
    local object = {}
    skip()
    if take("}") then return object end
    repeat
      skip()
      if not take('"') then fail("no key") end
      local key = string_value()
      skip()
      if not take(":") then fail("no colon") end
      object[key] = value()
      skip()
    until not take(",")
    if not take("}") then fail("no brace") end
    return object
  end
  local function array_value()
    local array = {}
    skip()
    if take("%]") then return array end
    repeat
      array[#array + 1] = value()
      skip()
    until not take(",")
    if not take("%]") then fail("no bracket") end
    return array
  end
  function value()
    skip()
    if take("{") then return object_value() end
    if take("%[") then return array_value() end
    if take('"') then return string_value() end
    if take("true") then return true end
    if take("false") then return false end
    local number = take("%-?%d+%.?%d*[eE]?[-+]?%d*") or fail("no value")
    return tonumber(number)
  end
  local result = value()
  skip()
  if position <= #text then fail("more than a value") end
  return result
end

return decoded
