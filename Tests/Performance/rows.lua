-- The rows of the table, in its order. A row has
--   key       its name in `limits.lua`
--   what      its title
--   digits    digits after the point
--   counts    the peers that `check` measures too; nil for times, which do not repeat
--   measure   (peers, results): the numbers by peer; `results` has the numbers of earlier rows, by key
local measure = require "measure"

local all = { "ours", "floor", "luasocket", "cqueues", "luv" }
local lua_peers = { "luasocket", "cqueues", "luv" }
local all_lua = { "ours", "luasocket", "cqueues", "luv" }
local ours = { "ours" }

-- Each of these functions returns a row's `measure`. `peers`: those that have the job.

local function each(peers, number_of)
  return function(wanted)
    local numbers = {}
    for _, peer in ipairs(peers) do
      if wanted[peer] then numbers[peer] = number_of(peer) end
    end
    return numbers
  end
end

local function calls(job, peers)
  return each(peers, function(peer) return measure.calls(peer, job, 200) end)
end

local function instructions(job, count, peers)
  return each(peers, function(peer) return measure.instructions(peer, job, count) end)
end

local function reported(job, count)
  return each(ours, function(peer) return measure.reported(peer, job, count) end)
end

--- Medians of the rounds, which are kept in `results.rounds`. `scaled` converts a median to what is shown.
local function times(job, count, round_count, peers, scaled)
  return function(wanted, results)
    local present, medians = {}, {}
    for _, peer in ipairs(peers) do
      if wanted[peer] then present[#present + 1] = peer end
    end
    local rounds = measure.rounds(present, job, count, round_count)
    results.rounds[job] = rounds
    for peer, numbers in pairs(rounds) do
      medians[peer] = measure.median(numbers)
      if scaled then medians[peer] = scaled(medians[peer]) end
    end
    return medians
  end
end

--- One number that is computed from earlier rows; nil if a peer is not installed.
local function from(number_of)
  return function(_, results) return { ours = number_of(results) } end
end

--- The ratio of our times to another peer's, in the same rounds.
local function against(job, peer)
  return from(function(results)
    local rounds = results.rounds[job]
    return rounds[peer] and measure.ratio(rounds, "ours", peer)
  end)
end

--- The ratio of our times to those of the fastest Lua peer. `swapped`: the ratio of speeds.
local function against_best(job, swapped)
  return from(function(results)
    local rounds, worst = results.rounds[job], nil
    for _, peer in ipairs(lua_peers) do
      local ratio = rounds[peer] and measure.ratio(rounds, "ours", peer)
      if ratio and (not worst or ratio > worst) then worst = ratio end
    end
    return worst and (swapped and 1 / worst or worst)
  end)
end

--- The ratio of our count to the least count of a Lua peer.
local function against_least(key)
  return from(function(results)
    local numbers, least = results[key], nil
    for _, peer in ipairs(lua_peers) do
      local number = numbers[peer]
      if number and (not least or number < least) then least = number end
    end
    return least and numbers.ours / least
  end)
end

local function megabytes_a_second(block_us) return 65536 / block_us end

local function module_kb()
  local file <close> = assert(io.open(os.getenv "TOOLS" .. "/connectbylist/core.so"))
  return file:seek "end" / 1000
end

--- Numbers of the program ConnectByListMeasureCore, which runs once.
local core
local function of_core(key)
  return from(function()
    core = core or measure.output_of(assert(os.getenv "MEASURE_CORE"))
    return (assert(tonumber(core:match(key .. " (%S+)")), core))
  end)
end

local function row(key, what, digits, how, counts)
  return { key = key, what = what, digits = digits, measure = how, counts = counts }
end

-- An odd number, so that one of the rounds is the median.
local rounds = 11
local lines_peers = { "ours", "floor", "luasocket", "cqueues" }

return {
  row("connect_calls", "connect, close: system calls", 1, calls("connect", all), ours),
  row("connect_delaying_calls", "… without the option `nodelay`: system calls", 1,
    calls("connect_delaying", ours), ours),
  row("names_calls", "connect, ask for both addresses, close: system calls", 1, calls("names", all), ours),
  row("connect_two_calls", "connect to two literals, of which the first connects: system calls", 1,
    calls("connect_two", ours), ours),
  row("connect_two_more_calls", "… more than with one literal: system calls", 1, from(function(results)
    return results.connect_two_calls.ours - results.connect_calls.ours
  end), ours),

  row("connect_instructions", "connect, close: instructions", 0,
    instructions("connect", 1000, all), all_lua),
  row("connect_instructions_ratio", "… divided by the fewest of a Lua peer", 2,
    against_least "connect_instructions", ours),
  row("names_instructions", "connect, ask for both addresses, close: instructions", 0,
    instructions("names", 1000, all), ours),
  row("names_instructions_ratio", "… divided by the fewest of a Lua peer", 2,
    against_least "names_instructions"),
  row("connect_each_instructions", "make a list, connect, close: instructions", 0,
    instructions("connect_each", 1000, ours)),

  row("connect_us", "connect, close: µs", 1, times("connect", 2000, rounds, all)),
  row("connect_ratio", "… divided by raw C's", 2, against("connect", "floor")),
  row("connect_peers_ratio", "… divided by the fastest Lua peer's", 2, against_best "connect"),
  row("names_us", "connect, ask for both addresses, close: µs", 1, times("names", 2000, rounds, all)),
  row("names_ratio", "… divided by raw C's", 2, against("names", "floor")),
  row("names_peers_ratio", "… divided by the fastest Lua peer's", 2, against_best "names"),
  -- Here all peers make the same calls: no option is set.
  row("names_delaying_us", "… without `nodelay`, which only ConnectByList sets by default: µs", 1,
    times("names_delaying", 2000, rounds, all)),
  row("names_delaying_ratio", "… divided by raw C's", 2, against("names_delaying", "floor")),
  row("names_delaying_peers_ratio", "… divided by the fastest Lua peer's", 2,
    against_best "names_delaying"),
  row("connect_each_us", "make a list, connect, close: µs", 1,
    times("connect_each", 2000, rounds, ours)),

  row("at_once_calls", "connects at once in one thread, each: system calls", 1,
    calls("at_once", { "ours", "luv" }), ours),
  row("at_once_us", "… 900 of them, each: µs", 1, times("at_once", 900, rounds, { "ours", "luv" })),
  row("at_once_ratio", "… divided by luv's", 2, against("at_once", "luv")),

  row("read_line_instructions", "a line of 64 bytes by `sock:read(\"l\")`: instructions", 0,
    instructions("read_line", 10000, lines_peers), { "ours", "luasocket" }),
  row("lines_instructions", "a line of 64 bytes by `for line in sock:lines()`: instructions", 0,
    instructions("lines", 10000, { "ours", "cqueues" }), ours),
  row("read_line_luasocket_ratio", "… LuaSocket's instructions divided by those of `read`", 2,
    from(function(results)
      local numbers = results.read_line_instructions
      return numbers.luasocket and numbers.luasocket / numbers.ours
    end), ours),
  row("read_line_us", "a line of 64 bytes, read: µs", 3, times("read_line", 200000, rounds, lines_peers)),

  row("read_block_mb", "blocks of 64 KiB, read: MB/s", 0,
    times("read_block", 4000, rounds, all, megabytes_a_second)),
  row("read_block_ratio", "… divided by the fastest Lua peer's", 2, against_best("read_block", true)),
  row("write_block_mb", "blocks of 64 KiB, written: MB/s", 0,
    times("write_block", 4000, rounds, all, megabytes_a_second)),
  row("write_block_ratio", "… divided by the fastest Lua peer's", 2, against_best("write_block", true)),

  row("require_ms", "`require`: ms", 2,
    times("require", nil, 21, { "ours", "luasocket", "cqueues", "luv" })),
  row("require_ratio", "… divided by LuaSocket's", 2, against("require", "luasocket")),
  row("require_instructions", "`require`: instructions", 0, each(all_lua, measure.require_instructions),
    { "ours", "luasocket" }),
  row("require_instructions_ratio", "… divided by LuaSocket's", 2, from(function(results)
    local numbers = results.require_instructions
    return numbers.luasocket and numbers.ours / numbers.luasocket
  end), ours),
  row("module_kb", "core.so: KB (1000 bytes)", 1, from(module_kb), ours),

  row("entry_bytes", "memory of an entry in a list of 10,000 literals: bytes", 0,
    reported("entry_bytes", 10000), ours),
  -- A power of two: the arrays, which double when they grow, are then full.
  row("attempt_bytes", "memory of an attempt in flight: bytes", 0, reported("attempt_bytes", 256), ours),
  row("idle_bytes", "memory of a connected socket before its first read: bytes", 0,
    reported("idle_bytes", 900), ours),
  row("idle_lua_bytes", "… of it in Lua's allocator: bytes", 0, reported("idle_lua_bytes", 900)),

  row("step_ns", "a step of the race in the core: ns", 0, of_core "step_ns"),
  row("plan_10000_ms", "a plan for 10,000 literals in the core: ms", 1, of_core "plan_10000_ms"),
  row("plan_growth", "… for 20,000 literals, divided by that", 2, of_core "plan_growth"),

  row("behind_5_dead_s", "connect to a literal behind 5 silent ones: s", 2, reported("behind_dead", 5)),
  row("behind_5_dead_steady_s", "… with a start every 250 ms: s", 2, reported("behind_dead_steady", 5)),
  row("behind_20_dead_s", "connect to a literal behind 20 silent ones: s", 2, reported("behind_dead", 20)),
  row("behind_20_dead_steady_s", "… with a start every 250 ms: s", 2, reported("behind_dead_steady", 20)),
  row("behind_60_dead_s", "connect to a literal behind 60 silent ones: s", 2, reported("behind_dead", 60)),
}
