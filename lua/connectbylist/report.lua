--- The fields of a report, and the explanation of a plan.
local api = ...
local core, addresses = api.core, api.part "address"
local ipairs, setmetatable = ipairs, setmetatable

local reports = {}

local report_table = core.methods "report".table

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

local methods = {}

--- The report as JSON text; times are seconds since the call.
function methods:json() return api.part "json".report(fields_of(self)) end

--- The report as a plain table.
function methods:table() return fields_of(self) end

local report_type = core.types.report

function report_type:__index(key)
  local method = methods[key]
  if method then return method end
  return fields_of(self)[key]
end

function report_type:__tostring() return api.part "drawing".waterfall(fields_of(self)) end

local explanation_type = { __name = "explanation" }

function explanation_type:__tostring() return api.part "drawing".plan(self) end

--- Makes an explanation of the pairs of a plan.
function reports.explanation(pairs_of_plan)
  adopt_addresses(pairs_of_plan)
  return setmetatable(pairs_of_plan, explanation_type)
end

return reports
