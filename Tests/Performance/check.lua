-- Measures the counts and compares them with `limits.lua`.
local folder = arg[0]:match "^(.*)/" or "."
package.path = folder .. "/?.lua;" .. package.path
local judge = require "judge"
local rows = require "rows"

judge.require_rows(rows)

local results = { rounds = {} }
local failures = 0

for _, row in ipairs(rows) do
  if row.counts then
    local wanted = {}
    for _, peer in ipairs(row.counts) do wanted[peer] = true end
    local numbers = row.measure(wanted, results)
    results[row.key] = numbers
    local limit, is_kept = judge.limit(row, numbers.ours)
    if limit then
      if not is_kept then failures = failures + 1 end
      print(("%-7s%s (%s): %s, limit %s"):format(is_kept and "ok" or "FAILED", row.key, row.what,
        numbers.ours and judge.rounded(numbers.ours, row.digits) or "not measured", limit))
    end
  end
end

os.exit(failures == 0, true)
