-- What the rows are held to, by their keys. `goal`: what was set out to be reached; where there is none,
-- or it is not met yet, `ceiling` is what the check holds, 3 % over what was measured, so that it gets
-- no worse: lower it with what is won. `least`: not less, instead of not more.
return {
  -- One of them is setsockopt, for `nodelay`.
  connect_calls = { goal = 7 },
  connect_delaying_calls = { goal = 6 },
  names_calls = { goal = 7 },
  connect_two_more_calls = { goal = 3 },
  connect_instructions = { goal = 8000 },
  names_instructions = { ceiling = 18200 },
  connect_ratio = { goal = 1.10 },
  connect_peers_ratio = { goal = 1.00 },
  names_ratio = { goal = 1.10 },
  names_peers_ratio = { goal = 1.00 },
  names_delaying_ratio = { goal = 1.10 },
  names_delaying_peers_ratio = { goal = 1.00 },

  read_line_instructions = { goal = 1300 },
  lines_instructions = { goal = 1150 },
  read_line_luasocket_ratio = { goal = 2.3, least = true },

  read_block_ratio = { goal = 1.0, least = true },
  write_block_ratio = { goal = 1.0, least = true },

  require_ratio = { goal = 1.0 },
  module_kb = { goal = 120, ceiling = 236 },

  entry_bytes = { goal = 64 },
  attempt_bytes = { goal = 1024 },
  idle_bytes = { goal = 512 },

  step_ns = { goal = 1000 },
  plan_10000_ms = { goal = 20 },
  -- n log n: 2.15; what is left is for the caches.
  plan_growth = { goal = 3 },

  behind_5_dead_s = { goal = 0.35 },
  behind_20_dead_s = { goal = 0.52 },
  behind_100_dead_s = { goal = 1.4 },
}
