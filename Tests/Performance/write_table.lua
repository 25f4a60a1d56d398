-- Measures everything and writes the table.
local folder = arg[0]:match "^(.*)/" or "."
package.path = folder .. "/?.lua;" .. package.path
local judge = require "judge"
local measure = require "measure"
local rows = require "rows"

--- 12345.6 as 12,346.
local function figure(number, digits)
  local text = ("%." .. digits .. "f"):format(number)
  local head, tail = text:match "^(-?%d+)(.*)$"
  return head:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^(-?),", "%1") .. tail
end

local function machine()
  local file <close> = assert(io.open "/proc/cpuinfo")
  local text = file:read "a"
  local _, count = text:gsub("processor%s*:", "")
  return ("%s, %d cores"):format(text:match "model name%s*: ([^\n]+)" or "unknown", count)
end

local function first_line(command) return measure.output_of(command):match "[^\n]+" end

local function package_version(name)
  local ok, version = pcall(first_line, "dpkg-query -W -f '${Version}' " .. name)
  return ok and (" (package %s %s)"):format(name, version) or ""
end

print("- Machine: " .. machine())
print("- Kernel: " .. first_line "uname -sr")
print("- Swift: " .. first_line "swift --version 2> /dev/null")
print("- Client and server: "
  .. (os.getenv "PINNED" == "" and "where the scheduler puts them" or "on one processor"))
print("- Lua: " .. first_line "lua5.4 -v")

local present = {}
for _, peer in ipairs(measure.peers) do
  local version = measure.version(peer[1])
  present[peer[1]] = version and true
  print(("- %s: %s%s"):format(peer[2], version or "not installed",
    version and peer[3] and package_version(peer[3]) or ""))
end

local titles = {}
for i, peer in ipairs(measure.peers) do titles[i] = peer[2] end
print()
print(("| what | %s | goal | met? |"):format(table.concat(titles, " | ")))
print("|---" .. ("|--:"):rep(#titles + 1) .. "|---|")

--- The last two cells.
local function judged(row, number)
  local goal, is_met, is_least = judge.goal(row, number)
  if not goal then return "", "" end
  local digits = math.type(goal) == "integer" and 0 or 2
  return (is_least and "≥ " or "≤ ") .. figure(goal, digits),
    number and (is_met and "yes" or "no") or "not measured"
end

local results = { rounds = {} }
for _, row in ipairs(rows) do
  local numbers = row.measure(present, results)
  results[row.key] = numbers
  local cells = { row.what }
  for _, peer in ipairs(measure.peers) do
    local number = numbers[peer[1]]
    cells[#cells + 1] =
      number and figure(number, row.digits) or present[peer[1]] and "" or "not installed"
  end
  local goal, met = judged(row, numbers.ours)
  cells[#cells + 1], cells[#cells + 2] = goal, met
  print("| " .. table.concat(cells, " | ") .. " |")
  io.stdout:flush()
end
