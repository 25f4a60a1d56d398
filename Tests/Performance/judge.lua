-- Numbers against `limits.lua`.
local limits = require "limits"

local judge = {}

--- The number as it is shown; what is beyond the last digit is noise and judged by nobody.
function judge.rounded(number, digits) return tonumber(("%." .. digits .. "f"):format(number)) end

local function holds(limit, bound, number)
  if limit.least then return number >= bound end
  return number <= bound
end

--- The goal of a row, and whether a number meets it; nothing where it has none.
function judge.goal(row, number)
  local limit = limits[row.key]
  if not limit or not limit.goal then return nil end
  local is_met = number and holds(limit, limit.goal, judge.rounded(number, row.digits))
  return limit.goal, is_met, limit.least
end

--- What the check holds the row to, and whether the number keeps to it.
function judge.bound(row, number)
  local limit = limits[row.key]
  if not limit then return nil end
  local bound = limit.ceiling or limit.goal
  return bound, holds(limit, bound, judge.rounded(number, row.digits))
end

return judge
