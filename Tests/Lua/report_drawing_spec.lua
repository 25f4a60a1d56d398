-- The drawings of reports and plans: waterfalls, explanations, pictures and JSON, of races that are made up.

local net = require "connectbylist"
local testing = require "connectbylist.testing"
local decoded = require "Tests.Lua.json_reader"
local drawn = require "Tests.Lua.drawn"
local support = require "Tests.Lua.support"

local drawing, json, svg, text = drawn.part "drawing", drawn.part "json", drawn.part "svg", drawn.part "text"

local function lines_of(given)
  local lines = {}
  for line in (given .. "\n"):gmatch("(.-)\n") do lines[#lines + 1] = line end
  return lines
end

-- Checks that no line is wider than the terminal, and returns the lines.
local function fitting(given, columns)
  local lines = lines_of(given)
  for _, line in ipairs(lines) do assert(text.width(line) <= columns, line) end
  return lines
end

describe("a waterfall", function()
  it("of 12 attempts is drawn whole at 80 columns", function()
    local fields = drawn.race(12)
    assert.equal([[
connected after 0.281 s: 12 pairs tried
                                              0 ms   100    200
   #1 198.51.100.2 → 192.0.2.1:7000     +0 ms ───────────────────· lost the race
   #2 198.51.100.1 → 192.0.2.2:7000    +25 ms   x                  refused
   #3 198.51.100.2 → 192.0.2.3:7000    +50 ms    ────────────────· lost the race
   #4 198.51.100.1 → 192.0.2.4:7000    +75 ms      x               unreachable
   #5 198.51.100.2 → 192.0.2.5:7000   +100 ms        ────────────· lost the race
   #6 198.51.100.1 → 192.0.2.6:7000   +125 ms         ─x           failed
   #7 198.51.100.2 → 192.0.2.7:7000   +150 ms           ─────────· lost the race
   #8 198.51.100.1 → 192.0.2.8:7000   +175 ms             x        refused
   #9 198.51.100.2 → 192.0.2.9:7000   +200 ms               ─────· lost the race
  #10 198.51.100.1 → 192.0.2.10:7000  +225 ms                ─x    unreachable
  #11 198.51.100.2 → 192.0.2.11:7000  +250 ms                  ──● connected
  #12 198.51.100.1 → 192.0.2.12:7000  +275 ms                    x failed]],
      drawing.waterfall(fields, { columns = 80, ascii = false }))
  end)

  for _, columns in ipairs { 20, 40, 60, 80, 120, 200 } do
    for _, is_inet6 in ipairs { false, true } do
      it(("fits %d columns with %s addresses"):format(columns, is_inet6 and "IPv6" or "IPv4"), function()
        for _, count in ipairs { 1, 2, 12, 60 } do
          local fields = drawn.race(count, is_inet6)
          local lines = fitting(drawing.waterfall(fields, { columns = columns, ascii = false }), columns)
          local all = table.concat(lines, "\n")
          for rank = 1, math.min(count, 8) do assert.matches("%f[%S]#" .. rank .. "%f[^%d] ", all) end
          assert.matches("●", all)
          if columns >= 40 then assert.matches("● connected", all) end
        end
      end)
    end
  end

  it("has at least 12 columns of bars at 60 columns, also with long addresses", function()
    local line = lines_of(drawing.waterfall(drawn.race(12, true), { columns = 60, ascii = false }))[3]
    local _, dashes = line:gsub("─", "")
    assert.is_true(dashes >= 12, line)
  end)

  it("says what it has room for: how long it took, codes, SYNs that were sent again", function()
    local fields = drawn.fields({
      { "192.0.2.1:80", "failed", 0, 4, nil, { code = "EACCES" } },
      { "192.0.2.2:80", "timed_out", 10, 2500, nil, { resent = 1, hedge = true } },
    }, 2500)
    local drawing_text = drawing.waterfall(fields, { columns = 120, ascii = false })
    assert.matches("failed, 4.0 ms, EACCES", drawing_text)
    assert.matches("timed out, 2.49 s, SYN sent 2 times, second socket", drawing_text)
    assert.matches("+10 ms", drawing_text)
    assert.is_nil(drawing.waterfall(fields, { columns = 60, ascii = false }):find("SYN", 1, true))
  end)

  it("has a column of local addresses only where they differ", function()
    local same = drawn.fields({
      { "192.0.2.1:80", "refused", 0, 4, "198.51.100.1" },
      { "192.0.2.2:80", "connected", 4, 8, "198.51.100.1" },
    }, 8)
    local lines = lines_of(drawing.waterfall(same, { columns = 80, ascii = true }))
    assert.equal("from 198.51.100.1", lines[2])
    assert.is_nil(table.concat(lines, "\n"):find("->", 1, true))
    same.attempts[2].local_address.host = "198.51.100.2"
    local differing = drawing.waterfall(same, { columns = 80, ascii = true })
    assert.is_nil(differing:find("from 198", 1, true))
    assert.matches("198.51.100.2 %-> 192.0.2.2:80", differing)
  end)

  it("shows names, their lookups, and why a delay holds", function()
    local fields = drawn.fields({
      { "192.0.2.1:80", "superseded", 20, 60, nil,
        { name = "db.test", delay = 0.03, delay_reason = "pair" } },
      { "192.0.2.2:80", "connected", 50, 60, nil,
        { name = "db.test", delay = 0.15, delay_reason = "default" } },
    }, 60, { rounds = 2, names = {
      { host = "db.test", port = "http", addresses = 2, started = 0, ended = 0.02 },
      { host = "gone.test", port = 80, addresses = 0, ended = 0.01, code = "EAI_NONAME" },
      { host = "slow.test", port = 80, addresses = 0 },
    } })
    local lines = fitting(drawing.waterfall(fields, { columns = 90, ascii = false }), 90)
    assert.equal("attempt delay 30 ms to 150 ms (learned from this pair; the default); 2 rounds", lines[2])
    assert.matches("^ +db.test:http +%+0 ms ┄.*● +2 addresses, 20 ms$", lines[4])
    assert.matches("^ +gone.test:80 +%+0 ms ┄.*x +EAI_NONAME, 10 ms$", lines[5])
    assert.matches("^ +slow.test:80 +%+0 ms ┄.*… +not resolved in time$", lines[6])
    assert.matches("#1 db.test 192.0.2.1:80 +%+20 ms", lines[7])
  end)

  it("of many attempts has about 20 rows, the winner's among them, and counts of the others", function()
    local fields = drawn.race(60)
    local lines = lines_of(drawing.waterfall(fields, { columns = 80, ascii = false }))
    assert.equal(22, #lines)
    local all = table.concat(lines, "\n")
    assert.matches("… 41 more: %d+ lost the race, %d+ failed", all)
    assert.matches("#59 .*● connected", all)
    -- A winner in the middle keeps its row.
    fields.attempts[30].outcome, fields.attempts[59].outcome = "connected", "superseded"
    all = drawing.waterfall(fields, { columns = 80, ascii = false })
    assert.matches("… %d+ more.-#30 .-● +connected\n.-… %d+ more", all)
    assert.equal(63, #lines_of(drawing.waterfall(fields, { columns = 80, ascii = false, rows = 100 })) + 1)
  end)

  it("counts the pairs that never started", function()
    local rows = { { "192.0.2.1:80", "connected", 0, 4 } }
    for i = 2, 30 do rows[i] = { ("192.0.2.%d:80"):format(i), "not_started" } end
    assert.matches("\n +~ 29 pairs not started$",
      drawing.waterfall(drawn.fields(rows, 4), { columns = 80, ascii = true }))
    assert.matches("\n +~ 5000 pairs not started$",
      drawing.waterfall(drawn.fields(rows, 4, { not_started = 5000 }), { columns = 80, ascii = true }))
  end)

  it("is ASCII where the locale is not UTF-8", function()
    local fields = drawn.race(12)
    fields.attempts[1].name = "bücher.test"
    local ascii = drawing.waterfall(fields, { columns = 80, ascii = true })
    assert.is_nil(ascii:find("[\128-\255]"))
    assert.matches("b\\u{fc}cher", drawing.waterfall(fields, { columns = 120, ascii = true }))
    assert.matches("%-%* connected", ascii)
  end)

  it("has colours only where they are asked for", function()
    local fields = drawn.race(12)
    local plain = drawing.waterfall(fields, { columns = 80, ascii = false })
    assert.is_nil(plain:find("\27", 1, true))
    local colored = drawing.waterfall(fields, { columns = 80, ascii = false, color = true })
    assert.matches("\27%[32m──●\27%[0m \27%[32mconnected\27%[0m", colored)
    assert.equal(plain, (colored:gsub("\27%[%d*m", "")))
  end)

  it("is drawn though no time has passed, or nothing was tried", function()
    fitting(drawing.waterfall(drawn.fields({ { "192.0.2.1:80", "refused", 0, 0 } }, 0), { columns = 60 }), 60)
    assert.equal("connected after 0.000 s: 0 pairs tried",
      drawing.waterfall(drawn.fields({}, 0), { columns = 60 }))
  end)

  it("goes to a file that is no terminal without colours, at 80 columns", function()
    local _, _, _, report = net.connect_by_list { "127.0.0.1:1" }
    local file <close> = assert(io.open("/dev/null", "w"))
    assert.is_nil(report:text { file = file }:find("\27", 1, true))
    fitting(report:text { file = file }, 80)
    file:close()
    assert.matches("closed file", support.raised(report.text, report, { file = file }))
  end)
end)

describe("an explanation", function()
  for _, columns in ipairs { 40, 60, 80, 120 } do
    it(("fits %d columns"):format(columns), function()
      local plan = assert(net.explain { "127.0.0.1:1", "[::1]:1", "192.0.2.1:80",
        "[2001:db8:85a3:8d3:1319:8a2e:370:7001]:7000", { unix = "/run/" .. ("x"):rep(80) } })
      local all = table.concat(fitting(plan:text { columns = columns, ascii = true }, columns), "\n")
      for _, pair in ipairs(plan) do assert.matches("#" .. pair.rank .. " ", all) end
      assert.matches("route's source", all)
    end)
  end

  it("has the attempt delay and its source, and the names", function()
    local plan = drawn.fields({
      { "192.0.2.1:80", "not_started", nil, nil, "198.51.100.1",
        { name = "db.test", delay = 0.03, delay_reason = "neighbour" } },
      { "192.0.2.2:80", "not_started", nil, nil, "198.51.100.2", { chance = 0.25 } },
    }, 0).attempts
    assert.equal([[
  rank local        remote               chance     delay because
  #1   198.51.100.1 db.test 192.0.2.1:80 0.500  ### 30 ms never tried; attempt delay on this link
  #2   198.51.100.2 192.0.2.2:80         0.250  #         never tried]],
      drawing.plan(plan, { columns = 100, ascii = true }))
  end)

  it("of very many pairs ends with a count", function()
    local entries = {}
    for i = 1, 200 do entries[i] = ("127.0.0.1:%d"):format(i) end
    assert.matches("\n  ~ 120 more pairs$", assert(net.explain(entries)):text { ascii = true })
  end)
end)

-- What a terminal would act on, or what makes one text look like another.
local HOSTILE = "a\27[2J\194\155\255\226\128\174z\xc0\x80\u{feff}\u{e0041}<&>\"'"

describe("text from outside", function()
  it("is escaped", function()
    assert.equal("a\\x1b[2J\\u{9b}\\xff\\u{202e}z\\xc0\\x80\\u{feff}\\u{e0041}<&>\"'",
      text.printable(HOSTILE))
    assert.equal("bücher 日本 \u{1f600}", text.printable("bücher 日本 \u{1f600}"))
    assert.equal("b\\u{fc}", text.printable("bü", true))
    -- Surrogates, and what is above U+10FFFF, are not UTF-8.
    assert.equal("\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80", text.printable("\xed\xa0\x80\xf4\x90\x80\x80"))
    assert.equal("\\xe2\\x82", text.printable("\xe2\x82"))
  end)

  it("has the width that a terminal gives it", function()
    assert.equal(3, text.width("abc"))
    assert.equal(4, text.width("日本"))
    assert.equal(1, text.width("e\u{301}"))
    assert.equal("日…", text.cut("日本語", 4, "…"))
    assert.equal("[2001…:7000", text.shortened("[2001:db8::1]:7000", 11, "…"))
  end)

  it("is escaped in a waterfall, in a picture and in JSON", function()
    local fields = drawn.fields({ { "192.0.2.1:80", "connected", 0, 4, nil, { name = HOSTILE } } }, 4,
      { summary = HOSTILE, names = { { host = HOSTILE, port = HOSTILE, addresses = 0, code = HOSTILE } } })
    local outputs = { drawing.waterfall(fields, { columns = 200, ascii = false }), svg.report(fields, {}),
      json.report(fields) }
    for _, output in ipairs(outputs) do
      assert.is_truthy(utf8.len(output))
      assert.is_nil(output:find("[%z\1-\9\11-\31\127]"))
      for _, bad in ipairs { "\194\155", "\u{202e}", "\u{feff}", "\u{e0041}" } do
        assert.is_nil(output:find(bad, 1, true))
      end
    end
    assert.is_nil(outputs[2]:find("2J[^<]*<&"))
    -- The value of JSON is the text itself, but for the bytes that are not UTF-8.
    assert.equal("a\27[2J\u{9b}\\xff\u{202e}z\\xc0\\x80\u{feff}\u{e0041}<&>\"'", decoded(outputs[3]).summary)
  end)

  it("is escaped in lists, names and messages", function()
    local list = net.address_list()
    local ok, message = list:add("a\194\155b:x y")
    assert.is_nil(ok)
    assert.matches("'a\\u{9b}b:x y'", message, 1, true)
    assert(list:add("a\255\u{202e}b:80"))
    assert.equal("address list: a\\xff\\u{202e}b:80", tostring(list))
    assert(list:add { unix = "/run/\194\155\255\u{202e}\u{e0041}" })
    assert.equal("unix:/run/\\u{9b}\\xff\\u{202e}\\u{e0041}", tostring(list[2]))
  end)
end)

-- The elements of a document: checks that they are closed in order, and that their text has no bare & or <.
local function elements_of(document)
  local counts, open = {}, {}
  local rest = document:gsub("<style>.-</style>", "")
  for before, closing, name, attributes, alone in rest:gmatch("([^<]*)<(/?)([%a]+)([^<>]-)(/?)>") do
    assert.is_nil(before:gsub("&%a+;", ""):gsub("&#%d+;", ""):find("[&>]"))
    if closing == "/" then
      assert.equal(name, table.remove(open))
    else
      local class = attributes:match('class="([^"]*)"')
      counts[name .. (class and "." .. class:gsub(" ", ".") or "")] =
        (counts[name .. (class and "." .. class:gsub(" ", ".") or "")] or 0) + 1
      if alone ~= "/" then open[#open + 1] = name end
    end
  end
  assert.same({}, open)
  return counts
end

describe("a picture", function()
  for _, count in ipairs { 1, 12, 60 } do
    it(("of %d attempts has a bar, a mark and words for each"):format(count), function()
      local fields = drawn.race(count)
      local document = svg.report(fields, { theme = "light" })
      local counts = elements_of(document)
      local bars, kinds = 0, { won = 0, failed = 0, lost = 0 }
      for name, number in pairs(counts) do
        if name:find("^rect.bar") then bars = bars + number end
        local kind = name:match("^text%.(%a+)$")
        if kinds[kind] then kinds[kind] = kinds[kind] + number end
      end
      assert.equal(count, bars)
      assert.equal(count, counts["text.rank"])
      assert.equal(count, kinds.won + kinds.failed + kinds.lost)
      assert.equal(1, kinds.won)
      for _, attempt in ipairs(fields.attempts) do
        assert.is_truthy(document:find(tostring(attempt.remote_address), 1, true))
      end
    end)
  end

  it("is light, dark, or as the viewer prefers", function()
    local fields = drawn.race(3)
    local light, dark = svg.report(fields, { theme = "light" }), svg.report(fields, { theme = "dark" })
    assert.is_not_equal(light, dark)
    assert.is_nil(light:find("prefers-color-scheme", 1, true))
    assert.is_truthy(svg.report(fields, {}):find("@media (prefers-color-scheme:dark)", 1, true))
    local _, _, _, report = net.connect_by_list { "127.0.0.1:1" }
    assert.matches("^<svg xmlns=", report:svg())
    assert.matches("\n</svg>\n$", report:svg { theme = "dark" })
  end)

  it("draws nothing outside of its edges", function()
    local document = svg.report(drawn.race(60, true), {})
    local width, height = document:match('viewBox="0 0 (%d+) (%d+)"')
    local rectangle = '<rect class="[^"]*" x="([%d.]+)" y="([%d.]+)" width="([%d.]+)" height="(%d+)"'
    for x, y, w, h in document:gmatch(rectangle) do
      assert.is_true(x + w <= tonumber(width) and y + h <= tonumber(height))
    end
    for x, y in document:gmatch('<text class="[^"]*" x="([%d.]+)" y="([%d.]+)"') do
      assert.is_true(tonumber(x) < tonumber(width) and tonumber(y) < tonumber(height))
    end
  end)
end)

-- Whether a value agrees with a schema, of the keywords that our schema uses; what is wrong otherwise.
local function check_schema(schema, value, path)
  local kinds = type(schema.type) == "table" and schema.type or { schema.type }
  local function is(kind)
    if kind == "integer" then return math.type(value) == "integer" end
    if kind == "object" or kind == "array" then return type(value) == "table" end
    return type(value) == kind
  end
  local fits = #kinds == 0
  for _, kind in ipairs(kinds) do fits = fits or is(kind) end
  assert(fits, path .. ": type")
  if schema.const ~= nil then assert(value == schema.const, path .. ": const") end
  if schema.enum then
    local found = false
    for _, one in ipairs(schema.enum) do found = found or one == value end
    assert(found, path .. ": enum")
  end
  if schema.minimum then assert(value >= schema.minimum, path .. ": minimum") end
  if schema.maximum then assert(value <= schema.maximum, path .. ": maximum") end
  for _, name in ipairs(schema.required or {}) do assert(value[name] ~= nil, path .. ": no " .. name) end
  if schema.items then
    for i, item in ipairs(value) do check_schema(schema.items, item, path .. "[" .. i .. "]") end
  end
  if schema.properties then
    for name, item in pairs(value) do
      -- The schema allows more; what we write must be in it.
      local property = assert(schema.properties[name], path .. ": " .. name .. " is not documented")
      check_schema(property, item, path .. "." .. name)
    end
  end
end

describe("the schema of the JSON", function()
  local page = assert(io.open("Sources/ConnectByList/ConnectByList.docc/ReportJSON.md")):read("a")
  local schema = decoded(page:match("```json\n(.-)```"))

  it("holds for reports of each kind of end", function()
    local refused <close> = testing.refused()
    local silent <close> = testing.silent()
    local echo <close> = testing.echo()
    local sock <close> = assert(net.connect_by_list({ refused, silent, echo },
      { order = "given", timeout = 5, mptcp = true }))
    local reports = { sock:report(), select(4, net.connect_by_list({})),
      (select(4, net.connect_by_list({ silent, refused }, { timeout = 0.05, hedge = 0.01 }))),
      (select(4, net.connect_by_name("localhost", "no-such-service", { timeout = 5 }))) }
    assert.equal(4, #reports)
    for _, report in ipairs(reports) do check_schema(schema, decoded(report:json()), "report") end
  end)

  it("has every field, those that are rare included", function()
    local others = { code = "EPROTO", entry = 1, name = "a.test", delay = 0.1, delay_reason = "given",
      resent = 1, hedge = true }
    local name = { host = "a.test", port = 80, family = "inet", addresses = 1, started = 0, ended = 0.1,
      code = "EAI_NONAME" }
    local fields = drawn.fields({ { "192.0.2.1:80", "rejected", 0, 4, "198.51.100.1", others } }, 4,
      { rounds = 2, not_started = 3, mptcp = "fallback", code = "EPROTO", winner = 1, names = { name } })
    local object = decoded(json.report(fields))
    check_schema(schema, object, "report")
    for key in pairs(schema.properties) do assert(object[key] ~= nil, key) end
    for _, list in ipairs { "names", "attempts" } do
      for key in pairs(schema.properties[list].items.properties) do
        assert(object[list][1][key] ~= nil, key)
      end
    end
  end)
end)
