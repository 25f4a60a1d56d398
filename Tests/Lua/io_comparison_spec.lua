--- Compares reading and writing with `io`: the same bytes in a file and on a socket, read with the same
-- random formats, must give the same results. Each round has a seed; CONNECTBYLIST_SEED repeats one.
local support = require "Tests.Lua.support"

local only_seed = tonumber(os.getenv "CONNECTBYLIST_SEED")
local rounds = tonumber(os.getenv "CONNECTBYLIST_ROUNDS") or 40

local numerals = { "0", "1", "-1", "+1", "12345", "007", "1.5", ".5", "-.5", "5.", "+.5e-3", "1e5",
  "1E+5", "1e-5", "1e400", "1e-400", "0x1p4", "0X1P-4", "0x.8", "0x8.", "0xff", "-0x10", "0x1.8p1",
  "0xAbCdEf", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
  "0xffffffffffffffff", "0x1ffffffffffffffff", "3.14159265358979", "1e", "1e+", "0x", "0x1p",
  "0x1p+", "+", "-", ".", "-.", "e5", "x", "nan", "inf", "-inf", "0b1", "1_000", "--5", "+-5",
  "5-3", "1..2", "1.2.3", "1e5e5", "0x1x2", "0xg", "1,5", "1e5.5", "00x1", ("9"):rep(199),
  ("9"):rep(200), ("9"):rep(201), ("1"):rep(250), ("0"):rep(400), "-" .. ("8"):rep(199), "-" ..
  ("8"):rep(200), "0x" .. ("f"):rep(198), "0x" .. ("f"):rep(199), ("7"):rep(100) .. "." ..
  ("7"):rep(99), ("7"):rep(100) .. "." .. ("7"):rep(100), ("6"):rep(198) .. "e5", ("6"):rep(199) ..
  "e5", ("6"):rep(197) .. "e5x", "." .. ("5"):rep(199), ("4"):rep(199) .. ".", ("4"):rep(200) ..
  ".", ("3"):rep(200) .. " ", "0x" .. ("0"):rep(198) .. "p1" }

local spaces = { " ", "\t", "\n", "\r\n", "\v", "\f", "", "  \n \t", (" "):rep(300), "\0", "\xa0" }

-- A text of numerals, short and long lines, zeros and bytes of any kind.
local function make_text(random)
  local parts = {}
  for i = 1, random(0, 40) do
    local kind = random(1, 10)
    if kind <= 5 then
      parts[i] = numerals[random(1, #numerals)]
    elseif kind == 6 then
      local bytes = {}
      for j = 1, random(0, 60) do bytes[j] = string.char(random(0, 255)) end
      parts[i] = table.concat(bytes)
    elseif kind == 7 then
      parts[i] = ("line %d"):format(random(0, 1000)):rep(random(0, 10))
    elseif kind == 8 then
      parts[i] = string.char(random(32, 126)):rep(random(0, 20000))
    elseif kind == 9 then
      parts[i] = "\r\n"
    else
      parts[i] = ("\n"):rep(random(1, 5))
    end
    parts[i] = parts[i] .. spaces[random(1, #spaces)]
  end
  if random(1, 2) == 1 then parts[#parts + 1] = "\n" end
  return table.concat(parts)
end

local sizes = { 0, 0, 1, 1, 2, 3, 7, 10, 100, 1000, 8191, 8192, 8193, 30000 }

local function make_format(random)
  local kind = random(1, 20)
  if kind <= 6 then return "n" end
  if kind <= 10 then return "l" end
  if kind <= 13 then return "L" end
  if kind <= 19 then return sizes[random(1, #sizes)] end
  return "a"
end

local function make_formats(random, most)
  local formats = {}
  for i = 1, random(0, most) do
    local format = make_format(random)
    -- io ignores what follows the letter, and accepts a star before it.
    if type(format) == "string" and random(1, 8) == 1 then format = "*" .. format .. "ine" end
    formats[i] = format
  end
  return formats
end

local function assert_same(expected, actual, what)
  local function text_of(results)
    local texts = {}
    for i = 1, results.n do
      local value = results[i]
      texts[i] = type(value) == "string" and ("%q"):format(value:sub(1, 300)) or
        ("%s %s"):format(math.type(value) or "", value)
    end
    return table.concat(texts, ", ")
  end
  local same = expected.n == actual.n
  for i = 1, expected.n do
    same = same and rawequal(expected[i], actual[i])
      and math.type(expected[i]) == math.type(actual[i])
      -- 0.0 and -0.0 are equal, but their text differs.
      and (expected[i] ~= 0 or tostring(expected[i]) == tostring(actual[i]))
  end
  if not same then
    error(("%s: io has (%s), the socket has (%s)"):format(what, text_of(expected), text_of(actual)), 0)
  end
end

describe("compared with io,", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  -- Runs `body(random, sock, file)` once for each seed.
  local function each_round(body)
    for seed = only_seed or 1, only_seed or rounds do
      local sock, endpoint = support.echo()
      local file = assert(io.tmpfile())
      local ok, message = pcall(body, support.random(seed), sock, file)
      file:close()
      sock:close()
      endpoint:close()
      if not ok then error(("CONNECTBYLIST_SEED=%d: %s"):format(seed, message), 0) end
    end
  end

  local function fill(file, text)
    assert(file:write(text))
    assert(file:seek("set"))
  end

  -- Returns a function that sends the next random piece of a text, and after the last one shuts down.
  local function sender(random, sock, text)
    local position, ended = 1, false
    return function()
      if ended then return end
      if position > #text then
        ended = true
        assert(sock:shutdown("write"))
        return
      end
      local size = random(1, random(1, 3) == 1 and 20000 or 50)
      assert(sock:write(text:sub(position, position + size - 1)))
      position = position + size
    end
  end

  it("a stream that has arrived completely reads the same", function()
    each_round(function(random, sock, file)
      local text = make_text(random)
      fill(file, text)
      local send = sender(random, sock, text)
      for _ = 1, #text + 2 do send() end
      for i = 1, 60 do
        local formats = make_formats(random, 5)
        assert_same(table.pack(file:read(table.unpack(formats))),
          table.pack(sock:read(table.unpack(formats))),
          ("read %d (%s)"):format(i, table.concat(formats, ", ")))
      end
    end)
  end)

  -- The socket reads with a timeout of 0, and the next piece is sent after each timeout. So every read is
  -- repeated on incomplete data, and must not consume any of it before it succeeds.
  it("a stream that arrives in pieces, with timeouts in between, reads the same", function()
    each_round(function(random, sock, file)
      local text = make_text(random)
      fill(file, text)
      local send = sender(random, sock, text)
      for i = 1, 60 do
        local formats = make_formats(random, 5)
        local results
        repeat
          sock:settimeout(0)
          results = table.pack(sock:read(table.unpack(formats)))
          local is_late = results.n == 3 and results[1] == nil and results[3] == "ETIMEDOUT"
          if is_late then
            send()
            -- Long enough for the echo to answer.
            sock:settimeout(0.0005)
            results = table.pack(sock:read(table.unpack(formats)))
            is_late = results.n == 3 and results[1] == nil and results[3] == "ETIMEDOUT"
          end
        until not is_late
        assert_same(table.pack(file:read(table.unpack(formats))), results,
          ("read %d (%s)"):format(i, table.concat(formats, ", ")))
      end
    end)
  end)

  it("lines gives the same", function()
    each_round(function(random, sock, file)
      local text = make_text(random)
      fill(file, text)
      local send = sender(random, sock, text)
      for _ = 1, #text + 2 do send() end
      local formats = make_formats(random, 4)
      -- Formats that never give nil would make an endless loop.
      for i, format in ipairs(formats) do
        if format == 0 or type(format) == "string" and format:find "a" then formats[i] = "L" end
      end
      local of_file = file:lines(table.unpack(formats))
      local of_socket = sock:lines(table.unpack(formats))
      for i = 1, 10000 do
        local expected, actual = table.pack(of_file()), table.pack(of_socket())
        -- At the end io returns no value, and a socket nil.
        if expected[1] == nil and actual[1] == nil then break end
        assert_same(expected, actual, ("line %d (%s)"):format(i, table.concat(formats, ", ")))
      end
      -- A format that failed may have ended the loop early; the rest must be the same.
      assert_same(table.pack(file:read("a")), table.pack(sock:read("a")), "the rest")
    end)
  end)

  it("the same is written, with any buffering", function()
    local function make_value(random)
      local kind = random(1, 8)
      if kind == 1 then return random(-1000000, 1000000) end
      if kind == 2 then return random(0, 1000000) / 2 ^ random(0, 40) end
      if kind == 3 then return (random(0, 1) * 2 - 1) * 10.0 ^ random(-320, 309) end
      if kind == 4 then return random(0, 16777215) << random(0, 40) end
      if kind == 5 then
        local special = { 0 / 0, 1 / 0, -1 / 0, 0.0, -0.0, math.maxinteger, math.mininteger,
          2 ^ 53, 2.0 ^ 63 }
        return special[random(1, #special)]
      end
      if kind == 6 then return string.char(random(0, 255)):rep(random(0, 3000)) end
      if kind == 7 then return "\n" end
      return ("text %d\r\n\0"):format(random(0, 9))
    end
    local modes = { "no", "full", "line" }
    each_round(function(random, sock, file)
      for _ = 1, 40 do
        local action = random(1, 10)
        if action == 1 then
          assert.equal(file:flush(), sock:flush())
        elseif action == 2 then
          local mode, size = modes[random(1, 3)], random(1, 5000)
          assert(sock:setvbuf(mode, size))
        else
          local values = {}
          for i = 1, random(0, action == 3 and 100 or 5) do values[i] = make_value(random) end
          assert.equal(file, file:write(table.unpack(values)))
          assert.equal(sock, sock:write(table.unpack(values)))
        end
      end
      assert(sock:shutdown("write"))
      file:seek("set")
      assert_same(table.pack(file:read("a")), table.pack(sock:read("a")), "what was written")
    end)
  end)
end)
