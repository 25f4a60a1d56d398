--- The fields of a report, its drawings, and the explanation of a plan.
local api = ...
local core, addresses = api.core, api.part "address"
local error, ipairs, pairs, setmetatable, tostring, type =
  error, ipairs, pairs, setmetatable, tostring, type
local math_type = math.type
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

-- The addresses of pairs, in the tables that the core makes, become addresses.
local function adopt_addresses(pairs_of_plan)
  for _, pair in ipairs(pairs_of_plan) do
    addresses.adopt(pair.remote_address)
    addresses.adopt(pair.local_address)
  end
end

local function fields_of(report)
  local fields = known[report]
  if fields then return fields end
  fields = report_table(report)
  adopt_addresses(fields.attempts)
  known[report] = fields
  return fields
end

-- What an option of a drawing must be, by its name.
local TEXT_OPTIONS = { columns = "integer", rows = "integer", ascii = "boolean", color = "boolean",
  file = "userdata" }
local SVG_OPTIONS = { theme = "string", rows = "integer" }

-- The options of a drawing, checked; none for nil.
local function checked(options, allowed, method)
  if options == nil then return {} end
  local function misuse(message, ...)
    error(format("bad argument #1 to '%s' (%s)", method, format(message, ...)), 4)
  end
  if type(options) ~= "table" then misuse("table expected, got %s", type(options)) end
  for key, value in pairs(options) do
    local expected = allowed[key]
    if not expected then misuse("unknown option '%s'", tostring(key)) end
    local kind = expected == "integer" and math_type(value) or type(value)
    if kind ~= expected then misuse("option '%s' must be of type %s", key, expected) end
    if kind == "integer" and (value < 1 or value > 1000000) then
      misuse("option '%s' must be 1 to 1000000", key)
    end
  end
  local theme = options.theme
  if theme and theme ~= "light" and theme ~= "dark" and theme ~= "auto" then
    misuse("option 'theme' must be 'auto', 'light' or 'dark'")
  end
  return options
end

local methods = {}

--- The report as JSON text; times are seconds since the call.
function methods:json() return api.part "json".report(fields_of(self)) end

--- The report as a plain table.
function methods:table() return fields_of(self) end

--- The report as a waterfall. Options: `file`, for whose terminal it is drawn; `columns`, `ascii` and
-- `color` in place of what that terminal has; `rows`, how many attempts have a row (20).
function methods:text(options)
  return api.part "drawing".waterfall(fields_of(self), checked(options, TEXT_OPTIONS, "text"))
end

--- The report as a picture in SVG. Options: `theme`, "light", "dark" or "auto" (the default: as the viewer
-- prefers); `rows`, how many attempts have a row (100).
function methods:svg(options)
  return api.part "svg".report(fields_of(self), checked(options, SVG_OPTIONS, "svg"))
end

local report_type = core.types.report

function report_type:__index(key)
  local method = methods[key]
  if method then return method end
  local value = fields_of(self)[key]
  if value == nil and not is_field[key] then
    error(format("a report has no field '%s'; its fields are %s, and its methods %s", tostring(key),
      concat(FIELDS, ", "), concat(METHODS, ", ")), 2)
  end
  return value
end

function report_type:__tostring() return methods.text(self) end

local plan_methods = {}

--- The plan as a table for people. Options as those of a report's `text`; `rows` is 80.
function plan_methods:text(options)
  return api.part "drawing".plan(self, checked(options, TEXT_OPTIONS, "text"))
end

local explanation_type = { __name = "explanation", __index = plan_methods }

function explanation_type:__tostring() return plan_methods.text(self) end

--- Makes an explanation of the pairs of a plan.
function reports.explanation(pairs_of_plan)
  adopt_addresses(pairs_of_plan)
  return setmetatable(pairs_of_plan, explanation_type)
end

return reports
