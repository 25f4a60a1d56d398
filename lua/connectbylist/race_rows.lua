--- What the drawings of a report have in common: its rows with words for people, those that are left
-- out, and a scale of time.
local api = ...
local addresses, text = api.part "address", api.part "text"
local ipairs, tostring = ipairs, tostring
local floor, max, min = math.floor, math.max, math.min
local format, gsub = string.format, string.gsub
local concat, insert = table.concat, table.insert

local rows = {}

local WORDS = { superseded = "lost the race", timed_out = "timed out", not_started = "not started" }

--- How an attempt ended, of five kinds: "won", "failed", "late", "lost" and "none".
local KINDS = { connected = "won", refused = "failed", unreachable = "failed", reset = "failed",
  failed = "failed", rejected = "failed", timed_out = "late", superseded = "lost", cancelled = "lost",
  not_started = "none" }

-- A number without the comma that some locales have in place of the point.
local function number(pattern, value) return (gsub(format(pattern, value), ",", ".")) end
rows.number = number

--- A time for people: `0.4 ms`, `151 ms`, `2.50 s`.
function rows.time(seconds)
  local milliseconds = seconds * 1000
  if milliseconds < 0.05 then return "0 ms" end
  if milliseconds < 9.95 then return number("%.1f ms", milliseconds) end
  if milliseconds < 999.5 then return number("%.0f ms", milliseconds) end
  return number(seconds < 9.995 and "%.2f s" or "%.1f s", seconds)
end

local time = rows.time

--- Instants from 0 to `elapsed` with a round distance, at most `count` and at least one: an array of
-- {at, text}, and their unit.
function rows.ticks(elapsed, count)
  local unit, factor = "ms", 1000
  if elapsed >= 1 then unit, factor = "s", 1 end
  local step, digits = 1e-6, 0
  while elapsed / step > count do
    digits = (digits + 1) % 3
    -- 1, 2, 5, 10, …
    step = step * (digits == 2 and 2.5 or 2)
  end
  local ticks = {}
  for i = 0, min(floor(elapsed / step + 1e-9), count) do
    ticks[i + 1] = { at = i * step, text = number("%.6g", i * step * factor) }
  end
  return ticks, unit
end

-- The local address of a pair without its port, which the kernel chose.
local function local_text(address, remote)
  if remote.family == "unix" then return "-" end
  return address and addresses.host_with_scope(address) or "route's choice"
end
rows.local_text = local_text

-- What is said of an attempt beside its outcome.
local function details(attempt)
  local said = {}
  if attempt.code and (attempt.outcome == "failed" or attempt.outcome == "rejected") then
    insert(said, attempt.code)
  end
  if attempt.resent and attempt.resent > 0 then
    insert(said, format("SYN sent %d times", attempt.resent + 1))
  end
  if attempt.hedge then insert(said, "second socket") end
  return concat(said, ", ")
end

local function attempt_row(attempt, elapsed)
  local remote, kind = attempt.remote_address, KINDS[attempt.outcome] or "none"
  local row = { rank = attempt.rank, local_text = local_text(attempt.local_address, remote),
    remote = tostring(remote), name = attempt.name and tostring(attempt.name), kind = kind,
    words = WORDS[attempt.outcome] or tostring(attempt.outcome), detail = details(attempt),
    started = attempt.started, ended = attempt.ended or elapsed, attempt = attempt }
  if attempt.started and (kind == "won" or kind == "failed" or kind == "late") then
    row.took = time(row.ended - attempt.started)
  end
  return row
end

--- A name with its port; one whose SRV records are asked for has none.
function rows.name_text(name) return name.port and name.host .. ":" .. name.port or name.host end

-- A name is a row too: attempts of its addresses wait for it.
local function name_row(name, elapsed)
  local words, kind = "not resolved in time", "late"
  if name.addresses > 0 then
    words, kind = format("%d address%s", name.addresses, name.addresses > 1 and "es" or ""), "name"
  elseif name.code then
    words, kind = name.code, "failed"
  end
  return { is_name = true, remote = rows.name_text(name), kind = kind, words = words,
    detail = name.family or "", took = name.ended and time(name.ended - (name.started or 0)),
    started = name.started or 0, ended = name.ended or elapsed }
end

-- `… 30 more: 28 lost the race, 2 refused`
local function folded_row(left_out)
  local counts, order, said = {}, {}, {}
  for _, row in ipairs(left_out) do
    if not counts[row.words] then insert(order, row.words) end
    counts[row.words] = (counts[row.words] or 0) + 1
  end
  for i, words in ipairs(order) do said[i] = format("%d %s", counts[words], words) end
  return { folded = format("%d more: %s", #left_out, concat(said, ", ")) }
end

-- At most `limit` of the rows: the first, the last and the winner's, and a row for each gap.
local function folded(all, limit)
  if #all <= limit then return all end
  local first, last = limit // 2, #all - (limit - limit // 2 - 1) + 1
  local shown, gap = {}, {}
  for i, row in ipairs(all) do
    if i <= first or i >= last or row.kind == "won" then
      if gap[1] then insert(shown, folded_row(gap)) end
      gap = {}
      insert(shown, row)
    else
      insert(gap, row)
    end
  end
  return shown
end

local SOURCES = { pair = "learned from this pair", population = "learned from other addresses",
  loopback = "on loopback", neighbour = "on this link", given = "as given", default = "the default" }

--- Where an attempt delay comes from, in words.
function rows.delay_source(reason) return SOURCES[reason] or reason and tostring(reason) end

-- `attempt delay 30 ms (on loopback)`, or the lowest and the highest; nil if the report has none.
local function delay_text(attempts)
  local low, high, sources, seen
  for _, attempt in ipairs(attempts) do
    local delay = attempt.started and attempt.delay
    if delay then
      sources, seen = sources or {}, seen or {}
      low, high = min(low or delay, delay), max(high or delay, delay)
      local source = rows.delay_source(attempt.delay_reason)
      if source and not seen[source] then
        seen[source] = true
        insert(sources, source)
      end
    end
  end
  if not low then return nil end
  local span = time(low)
  if time(high) ~= span then span = span .. " to " .. time(high) end
  local source = concat(sources, "; ")
  return "attempt delay " .. span .. (source ~= "" and " (" .. source .. ")" or "")
end

-- A number of never started rows up to which each has a row of its own.
local UNSTARTED_ROWS_MAX = 3

--- The rows of a report, at most about `limit` of them; `shows_local`: local addresses differ; and
-- `facts`, what holds for all rows, as texts.
function rows.of(fields, limit)
  local elapsed, facts, started, unstarted = fields.elapsed, {}, {}, {}
  local same_local, shows_local
  for _, attempt in ipairs(fields.attempts) do
    local row = attempt_row(attempt, elapsed)
    if row.kind ~= "none" then
      same_local = same_local or row.local_text
      shows_local = shows_local or row.local_text ~= same_local
    end
    insert(row.kind == "none" and unstarted or started, row)
  end
  local first = started[1] and started[1].attempt
  if first and first.local_address and not shows_local then insert(facts, "from " .. same_local) end
  insert(facts, delay_text(fields.attempts))
  if fields.rounds and fields.rounds > 1 then insert(facts, fields.rounds .. " rounds") end
  local shown = {}
  for _, name in ipairs(fields.names) do insert(shown, name_row(name, elapsed)) end
  shown = folded(shown, limit)
  for _, row in ipairs(folded(started, limit)) do insert(shown, row) end
  local unstarted_count = max(fields.not_started or 0, #unstarted)
  if unstarted_count == #unstarted and unstarted_count <= UNSTARTED_ROWS_MAX then
    for _, row in ipairs(unstarted) do insert(shown, row) end
  else
    insert(shown, { folded = format("%d pairs not started", unstarted_count) })
  end
  return { rows = shown, shows_local = shows_local, facts = facts, elapsed = elapsed }
end

--- The text of a row's remote address, with the name that it came from.
function rows.remote_text(row, is_ascii, without_name)
  local remote = text.printable(row.remote, is_ascii)
  if without_name or not row.name then return remote end
  return text.printable(row.name, is_ascii) .. " " .. remote
end

return rows
