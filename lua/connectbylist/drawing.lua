--- Reports and plans as text that fits a terminal.
local api = ...
local core, race_rows, text = api.core, api.part "race_rows", api.part "text"
local ipairs, pairs, tostring = ipairs, pairs, tostring
local ceil, floor, max, min = math.ceil, math.floor, math.max, math.min
local find, format, rep, sub = string.find, string.format, string.rep, string.sub
local concat, insert = table.concat, table.insert
local printable, width = text.printable, text.width

local drawing = {}

local COLUMNS = 80 -- of an unknown terminal
local COLUMNS_MIN = 20
local ROWS = 20 -- of a report, so that it fits a terminal of 24 lines; a plan has four times as many
local SHORTEST_CELL = 8

local UNICODE = { line = "─", name = "┄", arrow = "→", ellipsis = "…", won = "●", failed = "x", late = "…",
  lost = "·", full = "█", partial = { "▏", "▎", "▍", "▌", "▋", "▊", "▉" } }
local ASCII = { line = "-", name = ".", arrow = "->", ellipsis = "~", won = "*", failed = "x", late = ">",
  lost = ".", full = "#", partial = {} }

-- Colours of ECMA-48 by the kind of an attempt's end.
local COLORS = { won = "\27[32m", failed = "\27[31m", late = "\27[33m", lost = "\27[2m", name = "\27[36m",
  none = "\27[2m" }

local function colored(given, kind, style)
  local color = style.color and COLORS[kind]
  return color and given ~= "" and color .. given .. "\27[0m" or given
end

-- How to draw: what `options` says, and for the rest what the terminal can. Without a file it is unknown
-- where the text goes, so it has no colours.
local function style_of(options)
  local columns, is_utf8, has_color = core.terminal(options.file)
  local style = { columns = max(options.columns or columns or COLUMNS, COLUMNS_MIN), rows = options.rows }
  style.ascii = options.ascii
  if style.ascii == nil then style.ascii = not is_utf8 end
  style.color = options.color
  if style.color == nil then style.color = has_color end
  style.marks = style.ascii and ASCII or UNICODE
  return style
end

local function pad(given, columns) return given .. rep(" ", columns - width(given)) end
local function pad_left(given, columns) return rep(" ", columns - width(given)) .. given end

local function without_end_spaces(line) return sub(line, 1, find(line, "%s*$") - 1) end

local function add_wrapped(lines, given, style)
  for _, line in ipairs(text.wrapped(printable(given, style.ascii), style.columns, "  ")) do
    insert(lines, text.cut(line, style.columns, style.marks.ellipsis))
  end
end

-- What a waterfall gives up, one after the other, until its bar has the columns of the step: details,
-- long local addresses, names, times, and the middle of long addresses.
local STEPS = {
  { bar = 18 },
  { bar = 18, no_detail = true },
  { bar = 16, no_detail = true, local_max = 22 },
  { bar = 16, no_detail = true, local_max = 16, no_name = true },
  { bar = 14, no_detail = true, local_max = 16, no_name = true, no_took = true },
  { bar = 12, no_detail = true, local_max = 16, no_name = true, no_took = true, remote_max = 32 },
  { bar = 12, no_detail = true, local_max = 12, no_name = true, no_took = true, no_start = true,
    remote_max = 24 },
  { bar = 8, no_detail = true, no_local = true, no_name = true, no_took = true, no_start = true,
    remote_max = 21 },
  { bar = 4, no_detail = true, no_local = true, no_name = true, no_took = true, no_start = true,
    remote_max = 13 },
  { bar = 0, no_detail = true, no_local = true, no_name = true, no_took = true, no_start = true,
    no_words = true, remote_max = SHORTEST_CELL },
}

local function outcome_text(row, step, style)
  if step.no_words then return "" end
  local said = printable(row.words, style.ascii)
  if row.took and not step.no_took then said = said .. ", " .. row.took end
  if row.detail ~= "" and not step.no_detail then
    said = said .. ", " .. printable(row.detail, style.ascii)
  end
  return said
end

local function start_text(row, step)
  if step.no_start or not row.started then return "" end
  return "+" .. race_rows.time(row.started)
end

-- The cells of the rows, all but the bar, and the widths of their columns.
local function cells_of(race, step, style)
  local ellipsis = style.marks.ellipsis
  local cells, widths = {}, { rank = 0, local_text = 0, remote = 0, start = 0, words = 0 }
  for i, row in ipairs(race.rows) do
    local cell = {}
    cells[i] = cell
    if not row.folded then
      cell.rank = row.rank and "#" .. row.rank or ""
      cell.local_text = ""
      if race.shows_local and not step.no_local and row.local_text then
        cell.local_text = text.shortened(printable(row.local_text, style.ascii),
          step.local_max or style.columns, ellipsis)
      end
      cell.remote = text.shortened(race_rows.remote_text(row, style.ascii, step.no_name),
        step.remote_max or style.columns, ellipsis)
      cell.start = start_text(row, step)
      cell.words = outcome_text(row, step, style)
      for key, value in pairs(cell) do widths[key] = max(widths[key], width(value)) end
    end
  end
  return cells, widths
end

-- The columns before the bar.
local function columns_before_bar(widths, style)
  local columns = 2 + widths.rank + 1 + widths.remote + 1
  if widths.local_text > 0 then columns = columns + widths.local_text + 2 + width(style.marks.arrow) end
  if widths.start > 0 then columns = columns + 1 + widths.start + 1 end
  return columns
end

local function laid_out(race, style)
  for _, step in ipairs(STEPS) do
    local cells, widths = cells_of(race, step, style)
    local before = columns_before_bar(widths, style)
    local bar = style.columns - before - (widths.words > 0 and widths.words + 1 or 0)
    if bar >= step.bar then return cells, widths, bar, before end
    if step.bar == 0 then return cells, widths, max(bar, 1), before end
  end
end

-- The column of an instant in a bar.
local function column_at(instant, elapsed, columns)
  if elapsed <= 0 then return 0 end
  return max(0, min(columns - 1, floor(instant / elapsed * (columns - 1) + 0.5)))
end

-- Blanks until the start, a line while it runs, a mark at its end.
local function bar_of(row, elapsed, columns, style)
  if not row.started then return rep(" ", columns) end
  local first = column_at(row.started, elapsed, columns)
  local last = column_at(row.ended, elapsed, columns)
  local marks = style.marks
  local line = rep(row.is_name and marks.name or marks.line, last - first)
  local mark = row.kind == "name" and marks.won or marks[row.kind] or "?"
  return rep(" ", first) .. colored(line .. mark, row.kind, style) .. rep(" ", columns - last - 1)
end

-- The scale over the bars, with its unit at the first label; a label that does not fit is left out.
local function scale_line(race, columns, before, style)
  local ticks, unit = race_rows.ticks(race.elapsed, max(1, columns // 6))
  local line = ticks[1].text .. " " .. unit
  for i = 2, #ticks do
    local column = column_at(ticks[i].at, race.elapsed, columns)
    if column >= #line + 2 and before + column + #ticks[i].text <= style.columns then
      line = line .. rep(" ", column - #line) .. ticks[i].text
    end
  end
  return rep(" ", before) .. line
end

local function row_line(cell, row, widths, bar, style)
  local parts = { "  ", pad_left(cell.rank, widths.rank), " " }
  if widths.local_text > 0 then
    insert(parts, pad(cell.local_text, widths.local_text) .. " ")
    insert(parts, (cell.local_text == "" and rep(" ", width(style.marks.arrow)) or style.marks.arrow) .. " ")
  end
  insert(parts, pad(cell.remote, widths.remote) .. " ")
  if widths.start > 0 then insert(parts, " " .. pad_left(cell.start, widths.start) .. " ") end
  insert(parts, bar)
  insert(parts, " ")
  insert(parts, colored(cell.words, row.kind, style))
  return without_end_spaces(concat(parts))
end

--- A report: its summary, what holds for all attempts, a scale of time, then a line for each name and
-- each attempt in the order of ranks.
function drawing.waterfall(fields, options)
  local style = style_of(options)
  local race = race_rows.of(fields, style.rows or ROWS)
  local lines = {}
  add_wrapped(lines, fields.summary, style)
  if #race.rows == 0 then return concat(lines, "\n") end
  if race.facts[1] then add_wrapped(lines, concat(race.facts, "; "), style) end
  local cells, widths, columns, before = laid_out(race, style)
  if race.elapsed > 0 then insert(lines, scale_line(race, columns, before, style)) end
  for i, row in ipairs(race.rows) do
    if row.folded then
      insert(lines, text.cut("  " .. rep(" ", widths.rank) .. " " .. style.marks.ellipsis .. " " ..
        row.folded, style.columns, style.marks.ellipsis))
    else
      insert(lines, row_line(cells[i], row, widths, bar_of(row, race.elapsed, columns, style), style))
    end
  end
  return concat(lines, "\n")
end

-- A probability as a bar of `columns`.
local function chance_bar(chance, columns, style)
  local marks = style.marks
  local eighths = ceil(max(0, min(1, chance)) * columns * 8)
  local full, rest = eighths // 8, eighths % 8
  if style.ascii then return rep(marks.full, rest >= 4 and full + 1 or full) end
  return rep(marks.full, full) .. (marks.partial[rest] or "")
end

local CHANCE_COLUMNS = 5
local REASON_COLUMNS_MIN = 24

-- The cells of a plan before its reasons, with the names of the columns first.
local function plan_cells(plan, shown, style, remote_max, has_delays)
  local header = { "rank", "remote", "chance", "" }
  local cells, locals, delays, differ = { header }, {}, {}, false
  for i = 1, shown do
    local pair = plan[i]
    locals[i] = printable(race_rows.local_text(pair.local_address, pair.remote_address), style.ascii)
    differ = differ or locals[i] ~= locals[1]
    delays[i] = pair.delay and race_rows.time(pair.delay) or ""
    local remote = { remote = tostring(pair.remote_address), name = pair.name }
    cells[i + 1] = { "#" .. pair.rank,
      text.shortened(race_rows.remote_text(remote, style.ascii), remote_max, style.marks.ellipsis),
      race_rows.number("%.3f", pair.chance), chance_bar(pair.chance, CHANCE_COLUMNS, style) }
  end
  local function insert_column(position, name, column)
    for i, cell in ipairs(cells) do insert(cell, position, i == 1 and name or column[i - 1]) end
  end
  if has_delays and find(concat(delays), "%S") then insert_column(5, "delay", delays) end
  if not differ then return cells, locals[1] end
  for i, local_text in ipairs(locals) do
    locals[i] = text.shortened(local_text, remote_max, style.marks.ellipsis)
  end
  insert_column(2, "local", locals)
  return cells
end

-- Each cell as wide as the widest in its column; the width of the lines.
local function padded_lines(cells)
  local widths, lines = {}, {}
  for _, cell in ipairs(cells) do
    for j, value in ipairs(cell) do widths[j] = max(widths[j] or 0, width(value)) end
  end
  local total = 1
  for _, column in ipairs(widths) do total = total + 1 + column end
  for i, cell in ipairs(cells) do
    for j, value in ipairs(cell) do cell[j] = pad(value, widths[j]) end
    lines[i] = "  " .. concat(cell, " ")
  end
  return lines, total
end

local function reasons_text(pair, style)
  local reasons = concat(pair.reasons, "; ")
  local source = pair.delay and race_rows.delay_source(pair.delay_reason)
  if source then reasons = reasons .. "; attempt delay " .. source end
  return printable(reasons, style.ascii)
end

-- A line for each name, whose addresses will have a place of their own.
local function names_of(plan, style)
  local lines, names = {}, plan.names or {}
  for i = 1, min(#names, ROWS) do
    local name = printable(race_rows.name_text(names[i]), style.ascii)
    local line = "  " .. name .. (names[i].port and "" or " (SRV)") .. " to be looked up"
    insert(lines, text.cut(line, style.columns, style.marks.ellipsis))
  end
  if #names > ROWS then
    insert(lines, format("  %s %d more names to be looked up", style.marks.ellipsis, #names - ROWS))
  end
  return lines
end

--- A plan: for each pair in the order of ranks its chance and the reasons of its place. Reasons stand
-- beside the pair where they have the room, else below it.
function drawing.plan(plan, options)
  local style = style_of(options)
  local columns, shown = style.columns, min(#plan, style.rows or (4 * ROWS))
  if #plan == 0 then
    local lines = names_of(plan, style)
    return lines[1] and concat(lines, "\n") or "no pairs"
  end
  local heads, head_width, common
  -- Addresses are shortened step by step until the table fits; if it does not fit then, delays are left out.
  for _, remote_max in ipairs { columns, 48, 32, 21, SHORTEST_CELL, 0 } do
    local cells
    cells, common = plan_cells(plan, shown, style, max(remote_max, SHORTEST_CELL), remote_max > 0)
    heads, head_width = padded_lines(cells)
    if head_width <= columns then break end
  end
  local beside = columns - head_width - 1 >= REASON_COLUMNS_MIN
  local lines = {}
  if common and common ~= "-" then
    insert(lines, text.cut("from " .. common, columns, style.marks.ellipsis))
  end
  insert(lines, without_end_spaces(heads[1] .. (beside and " because" or "")))
  local indent = beside and head_width + 1 or 6
  for i = 1, shown do
    local first = heads[i + 1]
    for j, line in ipairs(text.wrapped(reasons_text(plan[i], style), columns - indent, "")) do
      line = text.cut(line, columns - indent, style.marks.ellipsis)
      if j == 1 and beside then
        first = first .. " " .. line
      else
        if first then insert(lines, without_end_spaces(first)) end
        first = rep(" ", indent) .. line
      end
    end
    insert(lines, without_end_spaces(first))
  end
  if #plan > shown then
    insert(lines, format("  %s %d more pairs", style.marks.ellipsis, #plan - shown))
  end
  for _, line in ipairs(names_of(plan, style)) do insert(lines, line) end
  return concat(lines, "\n")
end

return drawing
