-- The limits of the rows, by their keys.
--
--   most     the number must not be above it
--   least    the number must not be below it
--   goal     what the number is to come down to. `most` is then what was reached, plus 3 % for the
--            measurement;
--            it is lowered with each step, until it is the goal
--
-- `check` fails on a count that breaks its limit; `run` shows the limits beside all numbers.
return {
  -- socket, setsockopt (nodelay), connect, getpeername, getsockname, close; poll too but over loopback.
  connect_calls = { most = 6 },
  connect_delaying_calls = { most = 5 },
  names_calls = { most = 6 },
  connect_two_more_calls = { most = 0.5 },
  at_once_calls = { most = 7 },

  connect_instructions = { most = 10500 },
  -- Fewer than each peer's, by 1 % at least.
  connect_instructions_ratio = { most = 0.99 },
  names_instructions = { most = 20000 },

  connect_ratio = { most = 1.10 },
  connect_peers_ratio = { most = 1.00 },
  names_ratio = { most = 1.10 },
  names_peers_ratio = { most = 1.00 },
  names_delaying_ratio = { most = 1.10 },
  names_delaying_peers_ratio = { most = 1.00 },
  at_once_ratio = { most = 1.30 },

  read_line_instructions = { most = 1300 },
  lines_instructions = { most = 1150 },
  read_line_luasocket_ratio = { least = 2.3 },

  read_block_ratio = { least = 1.0 },
  write_block_ratio = { least = 1.0 },

  require_ratio = { most = 2.0 },
  require_instructions_ratio = { most = 1.7 },
  module_kb = { most = 628, goal = 300 },

  entry_bytes = { most = 64 },
  attempt_bytes = { most = 1024 },
  idle_bytes = { most = 1760, goal = 1024 },

  step_ns = { most = 1000 },
  plan_10000_ms = { most = 20 },
  -- n log n gives 2.15; the rest allows for caches.
  plan_growth = { most = 3 },

  behind_5_dead_s = { most = 0.35 },
  behind_20_dead_s = { most = 0.52 },
  behind_60_dead_s = { most = 1.4 },
}
