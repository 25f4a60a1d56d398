--- Reports as JSON text. The fields are in a fixed order, so that reports can be compared as text.
local api = ...
local addresses, text = api.part "address", api.part "text"
local ipairs, pairs, tostring, type = ipairs, pairs, tostring, type
local math_type = math.type
local byte, format, gsub, sub = string.byte, string.format, string.gsub, string.sub
local concat = table.concat

local json = {}

-- A change of what a field means, or a field that is gone, is a new version; a new field is not.
local VERSION = 1

local REPORT_FIELDS = { "version", "elapsed", "deadline", "code", "winner", "mptcp", "rounds", "not_started",
  "summary" }
local NAME_FIELDS = { "host", "port", "family", "addresses", "started", "ended", "code" }
local ATTEMPT_FIELDS = { "rank", "local_address", "remote_address", "entry", "name", "chance", "delay",
  "delay_reason", "started", "ended", "outcome", "code", "resent", "hedge" }

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

-- JSON must be UTF-8, and a Unix path need not be: then its bytes are written as `\xff`, with a backslash.
-- Others as an escape of JSON, those above U+FFFF as the two of UTF-16.
local function escape(char, code)
  if not code then return format("\\\\x%02x", byte(char)) end
  if code < 0x10000 then return ESCAPES[char] or format("\\u%04x", code) end
  code = code - 0x10000
  return format("\\u%04x\\u%04x", 0xd800 + (code >> 10), 0xdc00 + (code & 0x3ff))
end

local function text_value(given)
  return '"' .. text.escaped(gsub(given, '["\\]', ESCAPES), escape) .. '"'
end

local function value_text(value)
  if type(value) == "string" then return text_value(value) end
  -- Some locales print a comma in place of the point.
  if math_type(value) == "float" then return (gsub(format("%.9g", value), ",", ".")) end
  return tostring(value)
end

-- An object of the fields that are not nil.
local function object(fields, names)
  local parts = {}
  for _, name in ipairs(names) do
    if fields[name] ~= nil then
      parts[#parts + 1] = text_value(name) .. ":" .. value_text(fields[name])
    end
  end
  return "{" .. concat(parts, ",") .. "}"
end

-- The object with one more field, an array of JSON texts.
local function with_array(object_text, name, texts)
  return format('%s,"%s":[%s]}', sub(object_text, 1, -2), name, concat(texts, ","))
end

local function attempt_object(attempt)
  local copy, reasons = {}, {}
  for key, value in pairs(attempt) do copy[key] = value end
  copy.local_address = attempt.local_address and addresses.without_free_port(attempt.local_address)
  copy.remote_address = tostring(attempt.remote_address)
  for i, reason in ipairs(attempt.reasons) do reasons[i] = text_value(reason) end
  return with_array(object(copy, ATTEMPT_FIELDS), "reasons", reasons)
end

--- A report as JSON text.
function json.report(fields)
  local names, attempts = {}, {}
  for i, name in ipairs(fields.names) do names[i] = object(name, NAME_FIELDS) end
  for i, attempt in ipairs(fields.attempts) do attempts[i] = attempt_object(attempt) end
  local copy = { version = VERSION }
  for key, value in pairs(fields) do copy[key] = value end
  local report = with_array(object(copy, REPORT_FIELDS), "names", names)
  return with_array(report, "attempts", attempts)
end

return json
