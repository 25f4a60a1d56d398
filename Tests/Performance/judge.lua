-- Compares numbers with `limits.lua`.
local limits = require "limits"

local judge = {}

--- The number as it is shown: with the row's digits. Digits beyond are noise, and are not compared.
function judge.rounded(number, digits) return tonumber(("%." .. digits .. "f"):format(number)) end

--- The limit of a row as text, and whether a number keeps it; nil for a row without a limit.
function judge.limit(row, number)
  local limit = limits[row.key]
  if not limit then return nil end
  local shown = number and judge.rounded(number, row.digits)
  if limit.least then return "≥ " .. limit.least, shown and shown >= limit.least end
  return "≤ " .. limit.most, shown and shown <= limit.most
end

--- Raises if a limit has no row, which a misspelt key would hide.
function judge.require_rows(rows)
  local keys = {}
  for _, row in ipairs(rows) do keys[row.key] = true end
  for key in pairs(limits) do
    if not keys[key] then error("limits.lua: there is no row " .. key, 0) end
  end
end

return judge
