-- Read formats: the same bytes in a file and on a socket, on which they arrive in pieces, give the same results.
--
-- The input: how many reads; for each a count of formats and the formats; then the bytes of the stream.
local net = require "connectbylist"

local SIZES = { 0, 1, 2, 3, 7, 10, 100, 1000, 8191, 8192, 8193, 30000 }
local WORDS = { "n", "l", "L", "a", "*n", "*l", "*line", "*Long", "*all", "number" }

local function format_of(byte)
  if byte < 128 then return WORDS[byte % #WORDS + 1] end
  return SIZES[byte % #SIZES + 1]
end

local function shown(results)
  local texts = {}
  for i = 1, results.n do
    local value = results[i]
    -- 0.0 and -0.0 are equal, but their text differs.
    texts[i] = type(value) == "string" and ("%q"):format(value) or
      ("%s %s"):format(math.type(value) or "", value)
  end
  return table.concat(texts, ", ")
end

-- "timed out": nothing was consumed.
local function is_late(results)
  return results.n == 3 and results[1] == nil and results[3] == "ETIMEDOUT"
end

return function(input)
  local lowest = fuzz.lowest_free()
  local position = 1
  local function take()
    local byte = input:byte(position) or 0
    position = position + 1
    return byte
  end
  local reads = {}
  for i = 1, take() % 12 do
    local formats = {}
    for j = 1, take() % 5 do formats[j] = format_of(take()) end
    reads[i] = formats
  end
  local piece = take() + 1
  local text = input:sub(position)

  local ours, theirs = fuzz.pair()
  local sock = assert(net.wrap(ours))
  sock:settimeout(0)
  local file = fuzz.file(text)
  local sent, ended = 0, false
  local function send()
    assert(not ended, "a read waits for more after the end of the stream")
    if sent == #text then
      ended = true
      return fuzz.finish(theirs)
    end
    sent = sent + fuzz.send(theirs, text:sub(sent + 1, sent + piece * 64))
  end
  for i = 1, #reads + 2 do
    local formats = reads[i] or { i == #reads + 1 and "a" or "l" }
    local results
    while true do
      results = table.pack(sock:read(table.unpack(formats)))
      if not is_late(results) then break end
      send()
    end
    local expected = table.pack(file:read(table.unpack(formats)))
    if shown(results) ~= shown(expected) then
      error(("read %d (%s): io has (%s), the socket has (%s)"):format(i, table.concat(formats, ", "),
        shown(expected), shown(results)))
    end
  end
  sock:close()
  file:close()
  fuzz.close(theirs)
  assert(fuzz.lowest_free() == lowest, "a descriptor stays open")
end
