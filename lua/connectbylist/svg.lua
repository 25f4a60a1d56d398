--- Reports as pictures in SVG 1.1, without scripts and without files from elsewhere.
local api = ...
local race_rows, text = api.part "race_rows", api.part "text"
local ipairs = ipairs
local max, min = math.max, math.min
local format, gsub, rep = string.format, string.gsub, string.rep
local concat, insert = table.concat, table.insert

local svg = {}

-- Lengths in units of the picture, which are pixels where it is not scaled.
local WIDTH = 960
local MARGIN = 24
local ROW = 24
local BAR = 12
local CHARACTER = 7.3 -- at most, of a monospaced font of 12
local LABEL_MAX = 400
local WORDS_MAX = 200
local ROWS = 100

-- Contrasts of text to its background are at least 4.5 to 1 (WCAG 2.1, 1.4.3).
local LIGHT = [[--back:#ffffff;--text:#1f2328;--faint:#59636e;--grid:#d9dee3;--won:#1a7f37;]] ..
  [[--failed:#cf222e;--late:#9a6700;--lost:#8c959f;--name:#0969da]]
local DARK = [[--back:#0d1117;--text:#e6edf3;--faint:#9198a1;--grid:#30363d;--won:#3fb950;]] ..
  [[--failed:#f85149;--late:#d29922;--lost:#7d8590;--name:#58a6ff]]

local STYLE = [[
text{font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:var(--text)}
.title{font:600 16px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
.fact,.tick,.legend,.folded,.none{fill:var(--faint)}.rank{fill:var(--faint);text-anchor:end}
.grid{stroke:var(--grid);stroke-width:1}.back{fill:var(--back)}.winner{font-weight:700}
.bar.won,.dot.won{fill:var(--won)}.bar.failed{fill:var(--failed);fill-opacity:.35}
.bar.late{fill:var(--late);fill-opacity:.35}.bar.lost{fill:var(--lost);fill-opacity:.45}
.bar.name{fill:var(--name);fill-opacity:.45}.dot.name{fill:var(--name)}
.dot.failed{stroke:var(--failed);stroke-width:2.5;fill:none}
.dot.late{fill:var(--late)}.dot.lost{fill:var(--back);stroke:var(--lost);stroke-width:2}
.end{stroke:var(--text);stroke-width:1;stroke-dasharray:4 3}
text.won{fill:var(--won)}text.failed{fill:var(--failed)}text.late{fill:var(--late)}text.name{fill:var(--name)}
text.lost{fill:var(--faint)}
]]

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

-- Text from outside as the content of an element.
local function content(given) return (gsub(text.printable(given), "[&<>\"']", ENTITIES)) end

local function cut(given, columns) return text.shortened(text.printable(given), columns, "…") end

-- Coordinates have a point in every locale.
local function coordinate(value) return race_rows.number("%.1f", value) end

local function add_text(parts, class, x, y, given, title)
  local tip = title and "<title>" .. content(title) .. "</title>" or ""
  insert(parts, format('<text class="%s" x="%s" y="%s">%s%s</text>', class, coordinate(x), coordinate(y),
    content(given), tip))
end

local function add_line(parts, class, x, top, bottom)
  x = coordinate(x)
  insert(parts, format('<line class="%s" x1="%s" y1="%s" x2="%s" y2="%s"/>', class, x, coordinate(top), x,
    coordinate(bottom)))
end

-- The mark of an end: its form says the same as its colour.
local function mark_of(kind, x, y)
  if kind == "failed" then
    return format('<path class="dot failed" d="M%s %sl8 8m0 -8l-8 8"/>', coordinate(x - 4),
      coordinate(y - 4))
  end
  if kind == "late" then
    return format('<rect class="dot late" x="%s" y="%s" width="4" height="16"/>', coordinate(x - 2),
      coordinate(y - 8))
  end
  return format('<circle class="dot %s" cx="%s" cy="%s" r="%s"/>', kind, coordinate(x), coordinate(y),
    kind == "won" and "6" or "4")
end

-- What a pointer over a bar shows.
local function tip_of(row)
  local said = { row.remote, row.words .. (row.took and " after " .. row.took or "") }
  if row.name then insert(said, 1, row.name) end
  if row.local_text and row.local_text ~= "-" then insert(said, "from " .. row.local_text) end
  if row.started then insert(said, "started after " .. race_rows.time(row.started)) end
  if row.detail ~= "" then insert(said, row.detail) end
  local attempt = row.attempt
  if attempt then
    local reasons = concat(attempt.reasons, ", ")
    if reasons ~= "" then insert(said, "its place: " .. reasons) end
    if attempt.delay then insert(said, "attempt delay " .. race_rows.time(attempt.delay)) end
  end
  return concat(said, "; ")
end

local function label_of(row, shows_local)
  local label = race_rows.remote_text(row)
  if shows_local and row.local_text then label = row.local_text .. " → " .. label end
  return label
end

local function words_of(row)
  local said = row.took and row.words .. ", " .. row.took or row.words
  return row.detail ~= "" and said .. ", " .. row.detail or said
end

-- The widest of the texts, in units of the picture, between two bounds.
local function column_width(rows, text_of, least, most)
  local widest = least
  for _, row in ipairs(rows) do
    if not row.folded then widest = max(widest, text.width(text.printable(text_of(row))) * CHARACTER) end
  end
  return min(widest, most)
end

local LEGEND = { { "won", "connected" }, { "failed", "failed" }, { "late", "timed out" },
  { "lost", "closed, another connected first" }, { "name", "name looked up" },
  { "end", "end of the connect" } }
local LEGEND_HEAD = "A bar is an attempt, from its start to its end:"

-- Explains the marks that the picture has, in as many lines as that takes; returns the last line's place.
local function add_legend(parts, rows, y)
  local seen, x = { ["end"] = true }, MARGIN
  for _, row in ipairs(rows) do seen[row.kind or ""] = true end
  add_text(parts, "legend", x, y + 4, LEGEND_HEAD)
  x = x + (#LEGEND_HEAD + 2) * CHARACTER
  for _, item in ipairs(LEGEND) do
    local kind, words = item[1], item[2]
    if seen[kind] then
      local width = 12 + #words * CHARACTER
      if x + width > WIDTH - MARGIN then x, y = MARGIN + 6, y + 22 end
      if kind == "end" then
        add_line(parts, "end", x, y - 8, y + 8)
      else
        insert(parts, mark_of(kind, x, y))
      end
      add_text(parts, "legend", x + 12, y + 4, words)
      x = x + width + 24
    end
  end
  return y
end

local function add_row(parts, row, race, plot, y)
  local middle = y + ROW / 2
  if row.folded then
    add_text(parts, "folded", plot.label, middle + 4, "… " .. row.folded)
    return
  end
  if row.rank then add_text(parts, "rank", plot.rank, middle + 4, "#" .. row.rank) end
  local label = label_of(row, race.shows_local)
  add_text(parts, row.kind == "won" and "winner" or row.kind == "none" and "none" or "label", plot.label,
    middle + 4, cut(label, plot.label_columns), label)
  if row.started then
    local first, last = plot.x(row.started), plot.x(row.ended)
    insert(parts, format(
      '<rect class="bar %s" x="%s" y="%s" width="%s" height="%d" rx="3"><title>%s</title></rect>', row.kind,
      coordinate(first), coordinate(middle - BAR / 2), coordinate(max(2, last - first)), BAR,
      content(tip_of(row))))
    insert(parts, mark_of(row.kind, max(last, first + 2), middle))
  end
  local words = words_of(row)
  add_text(parts, row.kind, plot.words, middle + 4, cut(words, plot.words_columns), words)
end

-- Where the columns of the picture begin.
local function plot_of(race)
  local rank = MARGIN + 4 * CHARACTER
  local label = rank + 12
  local label_width = column_width(race.rows, function(row) return label_of(row, race.shows_local) end, 100,
    LABEL_MAX)
  local words_width = column_width(race.rows, words_of, 80, WORDS_MAX)
  local left, right = label + label_width + 20, WIDTH - MARGIN - words_width - 14
  return { rank = rank, label = label, label_columns = label_width // CHARACTER, words = right + 14,
    words_columns = words_width // CHARACTER, left = left, right = right,
    x = function(instant)
      return race.elapsed > 0 and left + (right - left) * min(instant / race.elapsed, 1) or left
    end }
end

local function root_style(theme)
  if theme == "light" then return ":root{" .. LIGHT .. "}\n" end
  if theme == "dark" then return ":root{" .. DARK .. "}\n" end
  return ":root{" .. LIGHT .. "}\n@media (prefers-color-scheme:dark){:root{" .. DARK .. "}}\n"
end

--- A report as an SVG document: its summary, what holds for all attempts, a row with a bar for each name
-- and attempt, a scale of time, and a legend.
function svg.report(fields, options)
  local race = race_rows.of(fields, options.rows or ROWS)
  local plot, parts = plot_of(race), {}
  local y = MARGIN + 16
  local titles = text.wrapped(text.printable(fields.summary), 100, "  ")
  for _, line in ipairs(titles) do
    add_text(parts, "title", MARGIN, y, text.cut(line, 100, "…"))
    y = y + 22
  end
  if race.facts[1] then
    add_text(parts, "fact", MARGIN, y, cut(concat(race.facts, "; "), (WIDTH - 2 * MARGIN) // CHARACTER))
    y = y + 20
  end
  if #race.rows > 0 then
    local top = y + 24
    local bottom = top + #race.rows * ROW
    local ticks, unit = race_rows.ticks(race.elapsed, max(1, (plot.right - plot.left) // 90))
    for _, tick in ipairs(ticks) do
      add_line(parts, "grid", plot.x(tick.at), top, bottom)
      add_text(parts, "tick", plot.x(tick.at), top - 8, tick.text .. " " .. unit)
    end
    if race.elapsed > 0 then add_line(parts, "end", plot.right, top, bottom) end
    for i, row in ipairs(race.rows) do add_row(parts, row, race, plot, top + (i - 1) * ROW) end
    y = add_legend(parts, race.rows, bottom + 28)
  end
  local height = y + MARGIN
  local head = format('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" ' ..
    'role="img" aria-labelledby="race-title">\n<title id="race-title">%s</title>\n<style>\n%s%s</style>\n' ..
    '<rect class="back" width="%d" height="%d"/>\n', WIDTH, height, WIDTH, height,
    content(fields.summary), root_style(options.theme), STYLE, WIDTH, height)
  return head .. concat(parts, "\n") .. rep("\n", 1) .. "</svg>\n"
end

return svg
