--- The explanation of a plan.
local api = ...
local explain, setmetatable = api.core.explain, setmetatable

local plan_methods = {}

--- The plan as a table for people. Options as those of a report's `text`; `rows` is 80.
function plan_methods:text(options)
  return api.part "drawing".plan(self, api.part "drawing_options"(options, "text"))
end

local explanation_type = { __name = "explanation", __index = plan_methods }

function explanation_type:__tostring() return plan_methods.text(self) end

local explanations = {}

--- net.explain: the plan of a connect, without sending a packet: an array of {rank, local_address,
-- remote_address, chance, reasons}; `tostring` prints it as a table. Names are not resolved.
function explanations.explain(entries, options)
  local list, problem, problem_code = api.list_of(entries)
  if problem then return nil, "explain: " .. problem, problem_code end
  local plan, message, code = explain(list, api.plain_options(options))
  if not plan then return nil, message, code end
  api.part "report".adopt_addresses(plan)
  return setmetatable(plan, explanation_type)
end

return explanations
