--- The fields of a report. What draws it is in parts of its own.
local api = ...
local core, addresses = api.core, api.part "address"
local error, ipairs, setmetatable, tostring = error, ipairs, setmetatable, tostring
local concat, format = table.concat, string.format

local reports = {}

local report_table = core.methods "report".table

-- All fields of a report; a report has not all of them.
local FIELDS = { "elapsed", "deadline", "code", "summary", "mptcp", "winner", "rounds", "not_started",
  "names", "attempts" }
local METHODS = { "text", "svg", "json", "table" }

local is_field = {}
for _, name in ipairs(FIELDS) do is_field[name] = true end

-- The fields by report. They are made when the first is asked for, and kept as long as the report.
local known = setmetatable({}, { __mode = "k" })

--- The addresses of pairs, in the tables that the core makes, become addresses.
function reports.adopt_addresses(pairs_of_plan)
  for _, pair in ipairs(pairs_of_plan) do
    addresses.adopt(pair.remote_address)
    addresses.adopt(pair.local_address)
  end
end

local function fields_of(report)
  local fields = known[report]
  if fields then return fields end
  fields = report_table(report)
  reports.adopt_addresses(fields.attempts)
  known[report] = fields
  return fields
end

local methods = {}

--- The report as JSON text; times are seconds since the call.
function methods:json() return api.part "json".report(fields_of(self)) end

--- The report as a plain table.
function methods:table() return fields_of(self) end

--- The report as a waterfall. Options: `file`, for whose terminal it is drawn; `columns`, `ascii` and
-- `color` in place of what that terminal has; `rows`, how many attempts have a row (20).
function methods:text(options)
  return api.part "drawing".waterfall(fields_of(self), api.part "drawing_options"(options, "text"))
end

--- The report as a picture in SVG. Options: `theme`, "light", "dark" or "auto" (the default: as the viewer
-- prefers); `rows`, how many attempts have a row (100).
function methods:svg(options)
  return api.part "svg".report(fields_of(self), api.part "drawing_options"(options, "svg"))
end

-- The metatable's functions.

function reports:__index(key)
  local method = methods[key]
  if method then return method end
  local value = fields_of(self)[key]
  if value == nil and not is_field[key] then
    error(format("a report has no field '%s'; its fields are %s, and its methods %s", tostring(key),
      concat(FIELDS, ", "), concat(METHODS, ", ")), 2)
  end
  return value
end

function reports:__tostring() return methods.text(self) end

return reports
