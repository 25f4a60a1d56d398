--- Text from outside made fit for a terminal, a JSON text or a picture, and its width on a terminal.
local ipairs, tostring = ipairs, tostring
local byte, find, format, sub = string.byte, string.find, string.format, string.sub
local concat = table.concat
local codepoint, len = utf8.codepoint, utf8.len

local text = {}

-- Ranges of code points that are not printed as they are: a terminal acts on control characters, an
-- override of direction (UAX #9) or an invisible character makes one text look like another, and XML
-- cannot hold the last two of the plane. U+200C and U+200D stay: Persian and Indic words need them.
local UNSAFE = { { 0, 0x1f }, { 0x7f, 0x9f }, { 0x61c, 0x61c }, { 0x200b, 0x200b }, { 0x200e, 0x200f },
  { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xfffe, 0xffff },
  { 0xe0000, 0xe007f } }

-- Code points that take two columns, from the East Asian wide blocks and the emoji; and none.
local WIDE = { { 0x1100, 0x115f }, { 0x2e80, 0xa4cf }, { 0xac00, 0xd7a3 }, { 0xf900, 0xfaff },
  { 0xfe30, 0xfe6f }, { 0xff00, 0xff60 }, { 0xffe0, 0xffe6 }, { 0x1f300, 0x1faff }, { 0x20000, 0x3fffd } }
local NARROW = { { 0x300, 0x36f }, { 0x200c, 0x200d }, { 0x20d0, 0x20ff }, { 0xfe00, 0xfe0f } }

local function is_in(ranges, code)
  for _, range in ipairs(ranges) do
    if code <= range[2] then return code >= range[1] end
  end
  return false
end

-- The character that begins at a position: its bytes, and its code point, false if it is not UTF-8.
local function character(bytes, position)
  local first = byte(bytes, position)
  if first < 0x80 then return sub(bytes, position, position), first end
  local size = first < 0xc2 and 1 or first < 0xe0 and 2 or first < 0xf0 and 3 or 4
  local char = sub(bytes, position, position + size - 1)
  if #char == size and len(char) == 1 then return char, codepoint(char) end
  return sub(char, 1, 1), false
end

--- The text with each unsafe character and each byte that is not UTF-8 replaced by what `escape` gives
-- for its bytes and its code point (false: not UTF-8). With `is_ascii` all but ASCII is replaced.
function text.escaped(given, escape, is_ascii)
  given = tostring(given)
  local unsafe = find(given, "[\0-\31\127-\255]")
  if not unsafe then return given end
  local parts, position = { sub(given, 1, unsafe - 1) }, unsafe
  while position <= #given do
    local char, code = character(given, position)
    position = position + #char
    if not code or is_in(UNSAFE, code) or is_ascii and code > 0x7f then char = escape(char, code) end
    parts[#parts + 1] = char
  end
  return concat(parts)
end

-- Bytes as `\x1b`, code points above ASCII as `\u{202e}`.
local function escape_for_people(char, code)
  return code and code > 0x7f and format("\\u{%x}", code) or format("\\x%02x", byte(char))
end

--- The text in one line, with control characters escaped: for messages and terminals.
function text.printable(given, is_ascii) return text.escaped(given, escape_for_people, is_ascii) end

local function width_of(code)
  if code < 0x300 then return 1 end
  return is_in(WIDE, code) and 2 or is_in(NARROW, code) and 0 or 1
end

--- The columns that a printable text takes on a terminal.
function text.width(given)
  if not find(given, "[\128-\255]") then return #given end
  local width, position = 0, 1
  while position <= #given do
    local char, code = character(given, position)
    width, position = width + width_of(code or 0), position + #char
  end
  return width
end

-- The first characters of a text that take at most `columns`, and the position after them.
local function head(given, columns)
  local position = 1
  while position <= #given do
    local char, code = character(given, position)
    columns = columns - width_of(code or 0)
    if columns < 0 then break end
    position = position + #char
  end
  return sub(given, 1, position - 1), position
end

--- A printable text of at most `columns`: what is too much goes from its end.
function text.cut(given, columns, ellipsis)
  if text.width(given) <= columns then return given end
  return head(given, columns - text.width(ellipsis)) .. ellipsis
end

--- The same, but what is too much goes from its middle: an address ends in its port.
function text.shortened(given, columns, ellipsis)
  local width = text.width(given)
  if width <= columns then return given end
  local left = columns - text.width(ellipsis)
  local tail = left // 2
  local _, position = head(given, width - tail)
  return head(given, left - tail) .. ellipsis .. sub(given, position)
end

--- The lines of a printable text that is broken at spaces; all but the first begin with `indent`.
function text.wrapped(given, columns, indent)
  local lines, line, position = {}, "", 1
  while position <= #given do
    local _, last, word = find(given, "(%S*)%s*", position)
    position = last + 1
    if line ~= "" and text.width(line) + 1 + text.width(word) > columns then
      lines[#lines + 1] = line
      line = indent .. word
    else
      line = line == "" and word or line .. " " .. word
    end
  end
  lines[#lines + 1] = line
  return lines
end

return text
