-- Measures all rows and prints the table, in Markdown.
local folder = arg[0]:match "^(.*)/" or "."
package.path = folder .. "/?.lua;" .. package.path
local judge = require "judge"
local measure = require "measure"
local rows = require "rows"

--- 12345.6 as 12,346, for 0 digits.
local function figure(number, digits)
  local text = ("%." .. digits .. "f"):format(judge.rounded(number, digits) + 0.0) -- of -0.0 it makes 0.0
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
  .. (os.getenv "PINNED" == "" and "not pinned to a processor" or "on one processor"))
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
print(("| what | %s | limit | kept? |"):format(table.concat(titles, " | ")))
print("|---" .. ("|--:"):rep(#titles + 1) .. "|---|")

--- The last two cells.
local function judged(row, number)
  local limit, is_kept = judge.limit(row, number)
  if not limit then return "", "" end
  return limit, number and (is_kept and "yes" or "no") or "not measured"
end

judge.require_rows(rows)

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
  local limit, kept = judged(row, numbers.ours)
  cells[#cells + 1], cells[#cells + 2] = limit, kept
  print("| " .. table.concat(cells, " | ") .. " |")
  io.stdout:flush()
end
