-- Measures what is repeatable and holds it against `limits.lua`.
local folder = arg[0]:match "^(.*)/" or "."
package.path = folder .. "/?.lua;" .. package.path
local limits = require "limits"
local rows = require "rows"

local results = { rounds = {} }
local failures = 0

for _, row in ipairs(rows) do
  if row.counts then
    local wanted = {}
    for _, peer in ipairs(row.counts) do wanted[peer] = true end
    local numbers = row.measure(wanted, results)
    results[row.key] = numbers
    local limit = limits[row.key]
    if limit then
      local bound = limit.ceiling or limit.goal
      local number = numbers.ours
      local holds
      if limit.least then holds = number >= bound else holds = number <= bound end
      if not holds then failures = failures + 1 end
      print(("%-7s %-28s %10.2f, limit %s%s"):format(holds and "ok" or "FAILED", row.key, number, bound,
        limit.ceiling and (" (goal %s)"):format(limit.goal) or ""))
    end
  end
end

os.exit(failures == 0, true)
