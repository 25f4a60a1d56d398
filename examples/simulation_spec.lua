-- A test suite for a program's address list and options: no socket is opened and no time passes.
--
--   busted --lua="$(command -v connectbylist)" examples/simulation_spec.lua
--   busted --lua=/usr/bin/lua5.4 examples/simulation_spec.lua     (with the module installed)
--
-- It prints, with another time:
--
--   ●●●
--   3 successes / 0 failures / 0 errors / 0 pending : 0.003236 seconds
--
-- The network is described in the text that `connectbylist --simulate` takes.

local simulation = require "connectbylist.simulation"

-- What the program connects with.
local OPTIONS = [[
  option timeout 2s
  option attempt_timeout 800ms
]]

-- Its three database servers, each in one of the states of `states`.
local function servers(states)
  local lines = { "local 10.0.0.5/24", OPTIONS }
  for i, state in ipairs(states) do lines[#lines + 1] = ("remote 10.0.0.%d:5432 %s"):format(10 + i, state) end
  return table.concat(lines, "\n")
end

describe("our servers", function()
  it("are reached within half a second while one of them is up", function()
    for up = 1, 3 do
      local states = { "silent", "silent", "silent" }
      states[up] = "answers 20ms"
      local result = simulation.simulate(servers(states))
      assert.equals("won", result.event)
      assert.is_true(result.time < 0.5)
    end
  end)

  it("are given up within the timeout when all are silent", function()
    local result = simulation.simulate(servers { "silent", "silent", "silent" })
    assert.equals("lost", result.event)
    assert.equals("ETIMEDOUT", result.code)
    assert.is_true(result.time <= 2)
  end)

  it("cost one connection while the first is healthy", function()
    local _, transcript = simulation.simulate(servers { "answers 20ms", "answers 20ms", "answers 20ms" })
    local starts = 0
    for _, event in ipairs(transcript) do
      if event.event == "start" then starts = starts + 1 end
    end
    assert.equals(1, starts)
  end)
end)
