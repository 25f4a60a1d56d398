-- What is measured, in the table's order. A row has
--   key       its name in `limits.lua`
--   what      the words of its first column
--   digits    after the point
--   counts    repeatable: the check measures it as well, of the peers in `counts`
--   measure   (peers, results): numbers by peer; `results` has those of the rows before, by key
local measure = require "measure"

local all = { "ours", "floor", "luasocket", "cqueues", "luv" }
local ours = { "ours" }

-- Ways to measure: each gives a `measure`. `peers`: those that do the job.

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

local function told(job, count)
  return each(ours, function(peer) return measure.told(peer, job, count) end)
end

--- Medians; the rounds themselves stay in `results.rounds`. `scaled`: what is shown.
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

--- One number, from the rows before; nil where a peer is not there.
local function from(number_of)
  return function(_, results) return { ours = number_of(results) } end
end

--- Ours against another in the same rounds.
local function against(job, peer)
  return from(function(results)
    local rounds = results.rounds[job]
    return rounds[peer] and measure.ratio(rounds, "ours", peer)
  end)
end

--- Ours against the Lua peer that is nearest, or ahead; `swapped`: speeds instead of times.
local function against_best(job, swapped)
  return from(function(results)
    local rounds, worst = results.rounds[job], nil
    for _, peer in ipairs { "luasocket", "cqueues", "luv" } do
      local ratio = rounds[peer] and measure.ratio(rounds, "ours", peer)
      if ratio and (not worst or ratio > worst) then worst = ratio end
    end
    return worst and (swapped and 1 / worst or worst)
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

-- Odd, so that there is a middle one.
local rounds = 11
local lines_peers = { "ours", "floor", "luasocket", "cqueues" }

return {
  row("connect_calls", "connect, close: system calls", 1, calls("connect", all), ours),
  row("connect_delaying_calls", "… without `nodelay`", 1, calls("connect_delaying", ours), ours),
  row("names_calls", "connect, both names, close: system calls", 1, calls("names", all), ours),
  row("connect_two_calls", "two literals, the first good: system calls", 1,
    calls("connect_two", ours), ours),
  row("connect_two_more_calls", "… more than with one", 1, from(function(results)
    return results.connect_two_calls.ours - results.connect_calls.ours
  end), ours),

  row("connect_instructions", "connect, close: instructions", 0,
    instructions("connect", 1000, all), ours),
  row("names_instructions", "connect, both names, close: instructions", 0,
    instructions("names", 1000, all), ours),
  row("connect_each_instructions", "connect to a list made in each turn, close: instructions", 0,
    instructions("connect_each", 1000, ours)),

  row("connect_us", "connect, close: µs", 1, times("connect", 2000, rounds, all)),
  row("connect_ratio", "… times raw C", 2, against("connect", "floor")),
  row("connect_peers_ratio", "… times the fastest Lua peer", 2, against_best "connect"),
  row("names_us", "connect, both names, close: µs", 1, times("names", 2000, rounds, all)),
  row("names_ratio", "… times raw C", 2, against("names", "floor")),
  row("names_peers_ratio", "… times the fastest Lua peer", 2, against_best "names"),
  -- All do the same here: no option is set, and both names are asked.
  row("names_delaying_us", "the same without `nodelay`, which only ours sets: µs", 1,
    times("names_delaying", 2000, rounds, all)),
  row("names_delaying_ratio", "… times raw C", 2, against("names_delaying", "floor")),
  row("names_delaying_peers_ratio", "… times the fastest Lua peer", 2,
    against_best "names_delaying"),
  row("connect_each_us", "connect to a list made in each turn, close: µs", 1,
    times("connect_each", 2000, rounds, ours)),

  row("read_line_instructions", "64-byte line, `sock:read(\"l\")`: instructions", 0,
    instructions("read_line", 10000, lines_peers), { "ours", "luasocket" }),
  row("lines_instructions", "64-byte line, `for line in sock:lines()`: instructions", 0,
    instructions("lines", 10000, { "ours", "cqueues" }), ours),
  row("read_line_luasocket_ratio", "… `read`: how many times fewer than LuaSocket", 2,
    from(function(results)
      local numbers = results.read_line_instructions
      return numbers.luasocket and numbers.luasocket / numbers.ours
    end), ours),
  row("read_line_us", "64-byte line, read: µs", 3, times("read_line", 200000, rounds, lines_peers)),

  row("read_block_mb", "64 KiB blocks read: MB/s", 0,
    times("read_block", 4000, rounds, all, megabytes_a_second)),
  row("read_block_ratio", "… times the fastest Lua peer", 2, against_best("read_block", true)),
  row("write_block_mb", "64 KiB blocks written: MB/s", 0,
    times("write_block", 4000, rounds, all, megabytes_a_second)),
  row("write_block_ratio", "… times the fastest Lua peer", 2, against_best("write_block", true)),

  row("require_ms", "`require`: ms", 2,
    times("require", nil, 21, { "ours", "luasocket", "cqueues", "luv" })),
  row("require_ratio", "… times LuaSocket's", 2, against("require", "luasocket")),
  row("module_kb", "the module, stripped: KB", 1, from(module_kb), ours),

  row("entry_bytes", "an entry in a list of 10,000 literals: bytes", 0,
    told("entry_bytes", 10000), ours),
  -- A power of two: then no part of an array that doubles is left over.
  row("attempt_bytes", "an attempt in flight: bytes", 0, told("attempt_bytes", 256), ours),
  row("idle_bytes", "a connected socket, not read from: bytes", 0, told("idle_bytes", 900), ours),
  row("idle_lua_bytes", "… of them Lua's own", 0, told("idle_lua_bytes", 900)),

  row("step_ns", "a step of a race, in the core: ns", 0, of_core "step_ns"),
  row("plan_10000_ms", "a plan of 10,000 literals, in the core: ms", 1, of_core "plan_10000_ms"),
  row("plan_growth", "… of 20,000: times as long", 2, of_core "plan_growth"),

  row("behind_5_dead_s", "one good behind 5 dead: s", 2, told("behind_dead", 5)),
  row("behind_5_dead_steady_s", "… one every 250 ms", 2, told("behind_dead_steady", 5)),
  row("behind_20_dead_s", "one good behind 20 dead: s", 2, told("behind_dead", 20)),
  row("behind_20_dead_steady_s", "… one every 250 ms", 2, told("behind_dead_steady", 20)),
  row("behind_100_dead_s", "one good behind 100 dead: s", 2, told("behind_dead", 100)),
}
