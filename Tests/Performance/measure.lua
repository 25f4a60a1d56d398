-- Counts and times the work of a peer. A count for one job is (count for 2 n jobs - count for n jobs) / n,
-- which leaves out what a process does once.
local measure = {}

local folder = arg[0]:match "^(.*)/" or "."
local tools = assert(os.getenv "TOOLS", "TOOLS: the folder that `prepare` made")

--- The peers in the table's order: the key, which names a file in `peers`, the title, the Debian package.
measure.peers = {
  { "ours", "ours" }, { "floor", "raw C" }, { "luasocket", "LuaSocket", "lua-socket" },
  { "cqueues", "cqueues", "lua-cqueues" }, { "luv", "luv", "lua-luv" },
}

--- The output of a command; raises if the command fails.
function measure.output_of(command)
  local pipe <close> = assert(io.popen(command .. " 2>&1"))
  local text = pipe:read "a"
  if not pipe:close() then error(("failed: %s\n%s"):format(command, text), 0) end
  return text
end

local function command(peer, job, count)
  if peer == "floor" then return ("%s/floor %s %d"):format(tools, job, count) end
  return ("lua5.4 %s/client.lua %s %s %s"):format(folder, peer, job, count or "")
end

--- The peer's own text for its version; nil if it is not installed.
function measure.version(peer)
  if peer == "floor" then return measure.output_of(tools .. "/cc --version"):match "[^\n]+" end
  local ok, text = pcall(measure.output_of, command(peer, "version"))
  return ok and text:match "[^\n]+" or nil
end

--- The number that client.lua prints.
function measure.reported(peer, job, count)
  local text = measure.output_of(command(peer, job, count))
  return (assert(tonumber(text), text))
end

--- The count for one job, from `total(n)`, the count for a process that does n.
local function difference(total, count) return (total(2 * count) - total(count)) / count end

local function number_in(text, pattern)
  return (assert(tonumber(text:match(pattern)), text))
end

--- System calls for one job. The fewest of three measurements: where another process holds the processor for
-- longer than a race waits for its only remote, the race asks for routes and metrics.
function measure.calls(peer, job, count)
  return difference(function(total_count)
    local fewest = math.huge
    for _ = 1, 3 do
      local trace = tools .. "/strace.txt"
      measure.output_of(
        ("strace -f -c -U calls,name -o %s %s"):format(trace, command(peer, job, total_count)))
      local file <close> = assert(io.open(trace))
      fewest = math.min(fewest, number_in(file:read "a", "(%d+) total"))
    end
    return fewest
  end, count)
end

-- Instructions of a process, without the kernel's. The least of four measurements: each Lua state hashes
-- strings with its own seed, and a collision on the lookup of a method costs 2 %. The seed comes from the
-- time in seconds and an address on the stack, which text in the environment moves.
local function process_instructions(peer, job, count)
  local least = math.huge
  for round = 1, 4 do
    local text = measure.output_of(
      ("MOVED=%s valgrind --tool=callgrind --callgrind-out-file=/dev/null %s")
        :format(("x"):rep(48 * round), command(peer, job, count)))
    least = math.min(least, number_in(text, "Collected : (%d+)"))
  end
  return least
end

--- Instructions for one job.
function measure.instructions(peer, job, count)
  return difference(function(total_count) return process_instructions(peer, job, total_count) end, count)
end

--- Instructions of the peer's `require`.
function measure.require_instructions(peer)
  return process_instructions(peer, "require") - process_instructions("none", "require")
end

--- For each peer the number of each round. Within a round the peers run one after the other, in reversed
-- order in every second round, so that other load on the machine affects all of them.
function measure.rounds(peers, job, count, round_count)
  local rounds = {}
  for _, peer in ipairs(peers) do rounds[peer] = {} end
  for round = 1, round_count do
    for i = 1, #peers do
      local peer = peers[round % 2 == 1 and i or #peers + 1 - i]
      rounds[peer][round] = measure.reported(peer, job, count)
    end
  end
  return rounds
end

function measure.median(numbers)
  local sorted = table.move(numbers, 1, #numbers, 1, {})
  table.sort(sorted)
  local middle = (#sorted + 1) // 2
  return #sorted % 2 == 1 and sorted[middle] or (sorted[middle] + sorted[middle + 1]) / 2
end

--- The median of the ratios of one peer to another, round by round.
function measure.ratio(rounds, over, under)
  local ratios = {}
  for i, number in ipairs(rounds[over]) do ratios[i] = number / rounds[under][i] end
  return measure.median(ratios)
end

return measure
