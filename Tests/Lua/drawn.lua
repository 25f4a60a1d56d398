--- The parts that draw reports, for reports that are made up: a race with a given course needs no network.
local core = require "connectbylist.core"

local drawn = {}

local api = { core = core }
local parts = {}

function api.part(name)
  if not parts[name] then
    parts[name] = assert(loadfile("lua/connectbylist/" .. name .. ".lua", "t"))(api)
  end
  return parts[name]
end

drawn.part = api.part

local addresses = api.part "address"

--- An address, of a text.
function drawn.address(text) return core.address(text) end

local function local_address(host)
  if not host then return nil end
  return addresses.adopt { host = host, port = 0, family = host:find(":") and "inet6" or "inet" }
end

--- The fields of a report. `rows`: {remote, outcome, started, ended, local, others} in the order of ranks;
-- times in milliseconds.
function drawn.fields(rows, elapsed, others)
  local fields = { elapsed = elapsed / 1000, deadline = false, names = {}, attempts = {} }
  for i, row in ipairs(rows) do
    local attempt = { rank = i, remote_address = drawn.address(row[1]), outcome = row[2],
      started = row[3] and row[3] / 1000, ended = row[4] and row[4] / 1000,
      local_address = local_address(row[5]), reasons = { "never tried" }, chance = 0.5 }
    for key, value in pairs(row[6] or {}) do attempt[key] = value end
    fields.attempts[i] = attempt
    if row[2] == "connected" then fields.winner = i end
  end
  fields.summary = ("connected after %.3f s: %d pairs tried"):format(fields.elapsed, #rows)
  for key, value in pairs(others or {}) do fields[key] = value end
  return fields
end

--- A race of `count` attempts from two addresses with most kinds of ends; the last attempt but one wins.
function drawn.race(count, is_inet6)
  local rows, elapsed = {}, 25 * (count - 1) + 31
  local ends = { "superseded", "refused", "superseded", "unreachable", "superseded", "failed" }
  for i = 1, count do
    local remote = is_inet6 and ("[2001:db8:85a3:8d3:1319:8a2e:370:%x]:7000"):format(0x7000 + i)
      or ("192.0.2.%d:7000"):format(i)
    local started, outcome = 25 * (i - 1), ends[(i - 1) % 6 + 1]
    if i == math.max(count - 1, 1) then outcome = "connected" end
    local ended = outcome == "superseded" and elapsed or started + (outcome == "connected" and 31 or i)
    if outcome == "connected" then elapsed = ended end
    rows[i] = { remote, outcome, started, ended,
      is_inet6 and "2001:db8:1::" .. i % 2 + 1 or "198.51.100." .. i % 2 + 1 }
    if outcome == "failed" then rows[i][6] = { code = "EACCES" } end
  end
  for _, row in ipairs(rows) do row[4] = math.min(row[4], elapsed) row[3] = math.min(row[3], elapsed) end
  return drawn.fields(rows, elapsed)
end

return drawn
