-- Measures what is repeatable and holds it against `limits.lua`.
local folder = arg[0]:match "^(.*)/" or "."
package.path = folder .. "/?.lua;" .. package.path
local judge = require "judge"
local rows = require "rows"

local results = { rounds = {} }
local failures = 0

for _, row in ipairs(rows) do
  if row.counts then
    local wanted = {}
    for _, peer in ipairs(row.counts) do wanted[peer] = true end
    local numbers = row.measure(wanted, results)
    results[row.key] = numbers
    local bound, holds = judge.bound(row, numbers.ours)
    if bound then
      local goal, is_met = judge.goal(row, numbers.ours)
      if not holds then failures = failures + 1 end
      print(("%-7s%s (%s): %s, limit %s%s"):format(holds and "ok" or "FAILED", row.key, row.what,
        judge.rounded(numbers.ours, row.digits), bound,
        (is_met or not goal) and "" or (", goal %s"):format(goal)))
    end
  end
end

os.exit(failures == 0, true)
