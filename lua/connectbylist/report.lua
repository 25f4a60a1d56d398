--- What a report of a connect looks like: its fields, its waterfall, its JSON.
local face = {}

local WATERFALL_WIDTH = 32

local function milliseconds(seconds) return ("%.1f ms"):format(seconds * 1000) end

-- Text from outside may hold anything: control bytes are shown, not sent to the terminal.
local function printable(text)
  return (tostring(text):gsub("%c", function(c) return ("\\x%02x"):format(c:byte()) end))
end

-- A port of 0 means that the kernel was to choose it, and that it is not known. A Unix address is
-- connected to from no address.
local function local_text(address, remote)
  if not address then return remote.family == "unix" and "-" or "route's choice" end
  local text = tostring(address)
  return address.port == 0 and text:gsub(":0$", "") or text
end

local MARKS = { connected = "●", refused = "x", unreachable = "x", reset = "x", failed = "x",
  rejected = "x", timed_out = "…", superseded = "·", cancelled = "·" }

--- One row of the waterfall: blanks until the start, a line while in flight, a mark at the end.
local function bar(attempt, elapsed)
  if not attempt.started then return "" end
  local scale = elapsed > 0 and (WATERFALL_WIDTH - 1) / elapsed or 0
  local first = math.floor(attempt.started * scale)
  local last = math.floor((attempt.ended or elapsed) * scale)
  return (" "):rep(first) .. ("─"):rep(last - first) .. (MARKS[attempt.outcome] or "?")
end

local function width(text) return utf8.len(text) or #text end

local function padded(text, columns) return text .. (" "):rep(columns - width(text)) end

local function row(attempt, elapsed)
  local told = attempt.outcome:gsub("_", " ")
  if attempt.code and attempt.outcome == "failed" then told = told .. " " .. attempt.code end
  local times = ""
  if attempt.started then
    times = ("%s to %s"):format(milliseconds(attempt.started), milliseconds(attempt.ended or elapsed))
  end
  if attempt.resent and attempt.resent > 0 then
    told = ("%s (SYN sent %d times)"):format(told, attempt.resent + 1)
  end
  local remote = attempt.remote_address
  return { ("#%d"):format(attempt.rank), local_text(attempt.local_address, remote), "→",
    printable(remote), bar(attempt, elapsed), told, times }
end

-- Cells in columns; each column as wide as its widest cell.
local function columns_of(rows)
  local widths, lines = {}, {}
  for _, cells in ipairs(rows) do
    for j, cell in ipairs(cells) do widths[j] = math.max(widths[j] or 0, width(cell)) end
  end
  for i, cells in ipairs(rows) do
    local line = {}
    for j, cell in ipairs(cells) do line[j] = padded(cell, widths[j]) end
    lines[i] = ("  " .. table.concat(line, " ")):gsub("%s+$", "")
  end
  return lines
end

local function name_line(name)
  local told = name.code or "not resolved in time"
  if name.addresses > 0 then
    told = ("%d address%s"):format(name.addresses, name.addresses > 1 and "es" or "")
  end
  if name.ended then told = ("%s after %s"):format(told, milliseconds(name.ended)) end
  return ("  %s:%s: %s"):format(printable(name.host), printable(name.port), told)
end

--- The waterfall for a terminal: a summary, then a line a pair in the order of ranks.
local function waterfall(fields)
  local rows = {}
  for i, attempt in ipairs(fields.attempts) do rows[i] = row(attempt, fields.elapsed) end
  local lines = columns_of(rows)
  for i = #fields.names, 1, -1 do table.insert(lines, 1, name_line(fields.names[i])) end
  table.insert(lines, 1, printable(fields.summary))
  return table.concat(lines, "\n")
end

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

local function json_text(text)
  -- A Unix path may be no UTF-8, which JSON has to be.
  if not utf8.len(text) then
    text = text:gsub("[\128-\255]", function(c) return ("\\x%02x"):format(c:byte()) end)
  end
  return '"' .. text:gsub('[%c"\\\127]', function(c)
    return ESCAPES[c] or ("\\u%04x"):format(c:byte())
  end) .. '"'
end

local function json_value(value)
  if type(value) == "string" then return json_text(value) end
  if math.type(value) == "float" then
    -- %.9g may print a comma where the locale has one.
    return (("%.9g"):format(value):gsub(",", "."))
  end
  return tostring(value)
end

-- Fields in a fixed order, so that two reports can be compared as text.
local function json_object(object, names)
  local parts = {}
  for _, name in ipairs(names) do
    if object[name] ~= nil then
      parts[#parts + 1] = ("%s:%s"):format(json_text(name), json_value(object[name]))
    end
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local ATTEMPT_FIELDS = { "rank", "local_address", "remote_address", "chance", "started", "ended",
  "outcome", "code", "resent", "hedge" }

local NAME_FIELDS = { "host", "port", "addresses", "ended", "code" }

local function json(fields)
  local attempts = {}
  for i, attempt in ipairs(fields.attempts) do
    local copy = {}
    for key, value in pairs(attempt) do copy[key] = value end
    copy.local_address = attempt.local_address and local_text(attempt.local_address)
    copy.remote_address = tostring(attempt.remote_address)
    local reasons = {}
    for j, reason in ipairs(attempt.reasons) do reasons[j] = json_text(reason) end
    local object = json_object(copy, ATTEMPT_FIELDS)
    attempts[i] = ('%s,"reasons":[%s]}'):format(object:sub(1, -2), table.concat(reasons, ","))
  end
  local head = json_object(fields, { "elapsed", "deadline", "code", "winner", "mptcp", "summary" })
  local names = {}
  for i, name in ipairs(fields.names) do names[i] = json_object(name, NAME_FIELDS) end
  return ('%s,"names":[%s],"attempts":[%s]}'):format(head:sub(1, -2), table.concat(names, ","),
    table.concat(attempts, ","))
end

local explanation_type = { __name = "explanation" }

function explanation_type:__tostring()
  local rows = { { "rank", "local", "", "remote", "chance", "because" } }
  for i, pair in ipairs(self) do
    local remote = pair.remote_address
    rows[i + 1] = { ("#%d"):format(pair.rank), local_text(pair.local_address, remote), "→",
      printable(remote), ("%.3f"):format(pair.chance), table.concat(pair.reasons, "; ") }
  end
  return table.concat(columns_of(rows), "\n")
end

--- Gives the pairs of a plan the face of an explanation.
function face.explanation(pairs_of_plan, address_type)
  for _, pair in ipairs(pairs_of_plan) do
    setmetatable(pair.remote_address, address_type)
    if pair.local_address then setmetatable(pair.local_address, address_type) end
  end
  return setmetatable(pairs_of_plan, explanation_type)
end

--- Gives the reports of the core their face. Called once, by the first report that is looked at.
function face.install(report_type, report_core, address_type)
  local known = setmetatable({}, { __mode = "k" })

  -- The fields are made when the first is asked for, and kept as long as the report is.
  local function fields_of(report)
    local fields = known[report]
    if fields then return fields end
    fields = report_core.table(report)
    for _, attempt in ipairs(fields.attempts) do
      setmetatable(attempt.remote_address, address_type)
      if attempt.local_address then setmetatable(attempt.local_address, address_type) end
    end
    known[report] = fields
    return fields
  end

  local methods = {}

  --- The report as JSON text; times are seconds since the call.
  function methods:json() return json(fields_of(self)) end

  --- The report as a plain table.
  function methods:table() return fields_of(self) end

  function report_type:__index(key)
    local method = methods[key]
    if method then return method end
    return fields_of(self)[key]
  end

  function report_type:__tostring() return waterfall(fields_of(self)) end
end

return face
