--- Reports and plans as text for a terminal.
local api = ...
local addresses = api.part "address"
local ipairs, tostring = ipairs, tostring
local floor, max = math.floor, math.max
local byte, find, format, gsub = string.byte, string.find, string.format, string.gsub
local rep, sub = string.rep, string.sub
local concat, insert, len = table.concat, table.insert, utf8.len

local drawing = {}

local BAR_COLUMNS = 32

local function milliseconds(seconds) return format("%.1f ms", seconds * 1000) end

-- Text from outside with its control bytes escaped: a terminal would act on them.
local function printable(text)
  return (gsub(tostring(text), "%c", function(c) return format("\\x%02x", byte(c)) end))
end

-- The local address of a pair. A connection to a Unix address has none.
local function local_text(address, remote)
  if not address then return remote.family == "unix" and "-" or "route's choice" end
  return addresses.without_free_port(address)
end

-- The display columns of a text whose characters take one each; its bytes if it is not UTF-8.
local function width(text) return len(text) or #text end

-- Lines of the cells in columns, each as wide as its widest cell.
local function lines_of(rows)
  local widths, lines = {}, {}
  for _, cells in ipairs(rows) do
    for j, cell in ipairs(cells) do widths[j] = max(widths[j] or 0, width(cell)) end
  end
  for i, cells in ipairs(rows) do
    local line = {}
    for j, cell in ipairs(cells) do line[j] = cell .. rep(" ", widths[j] - width(cell)) end
    local text = "  " .. concat(line, " ")
    lines[i] = sub(text, 1, find(text, "%s*$") - 1)
  end
  return lines
end

local MARKS = { connected = "●", refused = "x", unreachable = "x", reset = "x", failed = "x",
  rejected = "x", timed_out = "…", superseded = "·", cancelled = "·" }

-- An attempt in the waterfall: blanks until its start, a line while it is in flight, a mark at its end.
local function bar(attempt, elapsed)
  if not attempt.started then return "" end
  local scale = elapsed > 0 and (BAR_COLUMNS - 1) / elapsed or 0
  local first = floor(attempt.started * scale)
  local last = floor((attempt.ended or elapsed) * scale)
  return rep(" ", first) .. rep("─", last - first) .. (MARKS[attempt.outcome] or "?")
end

local function outcome_text(attempt)
  local text = gsub(attempt.outcome, "_", " ")
  if attempt.code and attempt.outcome == "failed" then text = text .. " " .. attempt.code end
  if attempt.resent and attempt.resent > 0 then
    text = format("%s (SYN sent %d times)", text, attempt.resent + 1)
  end
  return text
end

local function attempt_cells(attempt, elapsed)
  local times = ""
  if attempt.started then
    local ended = attempt.ended or elapsed
    times = format("%s to %s", milliseconds(attempt.started), milliseconds(ended))
  end
  local remote = attempt.remote_address
  return { format("#%d", attempt.rank), local_text(attempt.local_address, remote), "→",
    printable(remote), bar(attempt, elapsed), outcome_text(attempt), times }
end

local function name_line(name)
  local result = name.code or "not resolved in time"
  if name.addresses > 0 then
    result = format("%d address%s", name.addresses, name.addresses > 1 and "es" or "")
  end
  if name.ended then result = format("%s after %s", result, milliseconds(name.ended)) end
  local port = name.port and ":" .. printable(name.port) or ""
  return format("  %s%s %s: %s", printable(name.host), port, name.family, result)
end

--- A report: its summary, a line for each name, then a line for each pair in the order of ranks.
function drawing.waterfall(fields)
  local lines, rows = { printable(fields.summary) }, {}
  for _, name in ipairs(fields.names) do insert(lines, name_line(name)) end
  for i, attempt in ipairs(fields.attempts) do rows[i] = attempt_cells(attempt, fields.elapsed) end
  for _, line in ipairs(lines_of(rows)) do insert(lines, line) end
  return concat(lines, "\n")
end

--- A plan: a line for each pair in the order of ranks.
function drawing.plan(pairs_of_plan)
  local rows = { { "rank", "local", "", "remote", "chance", "because" } }
  for i, pair in ipairs(pairs_of_plan) do
    local remote = pair.remote_address
    rows[i + 1] = { format("#%d", pair.rank), local_text(pair.local_address, remote), "→",
      printable(remote), format("%.3f", pair.chance), concat(pair.reasons, "; ") }
  end
  return concat(lines_of(rows), "\n")
end

return drawing
