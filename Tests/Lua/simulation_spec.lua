local net = require "connectbylist"
local simulation = require "connectbylist.simulation"

local simulate, explain = simulation.simulate, simulation.explain

describe("connectbylist.simulation", function()
  local two = [[
    local 10.0.0.5/24
    remote 192.0.2.1:80 refuses 12ms
    remote 192.0.2.2:80 answers 30ms
  ]]

  it("gives the end of the race and its events", function()
    local result, transcript = simulate(two)
    assert.equals("won", result.event)
    assert.equals(0.042, result.time)
    assert.equals(net.address("192.0.2.2", 80), result.remote_address)
    assert.equals("10.0.0.5", result.local_address.host)
    assert.equals(0, result.local_address.port)
    assert.equals(transcript[#transcript], result)
    local seen = {}
    for i, event in ipairs(transcript) do
      seen[i] = ("%g %s %d %s"):format(event.time, event.event, event.attempt, event.code or "-")
    end
    assert.same({
      "0 start 1 -", "0.012 refused 1 ECONNREFUSED", "0.012 start 2 -", "0.042 connected 2 -",
      "0.042 won 2 -",
    }, seen)
  end)

  it("prints the transcript as --simulate does", function()
    local _, transcript = simulate(two)
    assert.equals([[
0.000 start 10.0.0.5 192.0.2.1:80
12.000 refused 10.0.0.5 192.0.2.1:80
12.000 start 10.0.0.5 192.0.2.2:80
42.000 connected 10.0.0.5 192.0.2.2:80
42.000 won 10.0.0.5 192.0.2.2:80]], tostring(transcript))
  end)

  it("tells names, counts and codes", function()
    local result, transcript = simulate [[
      local 10.0.0.5/24
      name db.test ipv4 after 5ms 192.0.2.1 192.0.2.2 port 80
      name no.test fails after 7ms EAI_NONAME
      world 192.0.2.1 refuses 1ms
      world 192.0.2.2 refuses 1ms
    ]]
    local by_event = {}
    for _, event in ipairs(transcript) do by_event[event.event] = event end
    assert.equals("db.test", by_event.resolved.name)
    assert.equals(2, by_event.resolved.count)
    assert.equals("no.test", by_event.unresolved.name)
    assert.equals("EAI_NONAME", by_event.unresolved.code)
    assert.equals("lost", result.event)
    assert.is_string(result.code)
    assert.is_nil(result.remote_address)
  end)

  it("knows a pair without a source, IPv6 and interfaces that do not exist here", function()
    local _, transcript = simulate [[
      local fe80::5%eth7/64
      local 10.0.0.5/24
      remote 192.0.2.9:80 noroute
      remote [fe80::9%eth7]:80 answers 1ms
      option order given
    ]]
    local failed
    for _, event in ipairs(transcript) do
      if event.event == "failed" then failed = event end
    end
    assert.is_nil(failed.local_address)
    assert.equals("ENETUNREACH", failed.code)
    local won = transcript[#transcript]
    local to, from = won.remote_address, won.local_address
    assert.same({ "fe80::9", 80, "inet6", "eth7" }, { to.host, to.port, to.family, to.scope })
    assert.same({ "fe80::5", "eth7" }, { from.host, from.scope })
  end)

  it("explains the plan", function()
    local text = "local 10.0.0.5/24\nremote 192.0.2.1:80 silent\nremote 192.0.2.8:80 silent\n"
    local plan = explain(text)
    assert.equals(2, #plan)
    assert.equals(1, plan[1].rank)
    assert.equals("192.0.2.1", plan[1].remote_address.host)
    assert.equals(0.784, plan[1].chance)
    assert.equals("route's source", plan[1].reasons[1])
    assert.equals("delay 150 ms: default", plan[1].reasons[2])
    assert.equals(3, #plan[2].reasons)
    assert.matches("^1 10%.0%.0%.5 192%.0%.2%.1:80 0%.784 route's source; delay 150 ms: default\n2 ",
      tostring(plan))
  end)

  it("says which line is not understood", function()
    for name, call in pairs(simulation) do
      local none, message, code = call "local 10.0.0.5/24\nfoo bar"
      assert.is_nil(none)
      assert.matches("^" .. name .. ": line 2: unknown statement 'foo'", message)
      assert.equals("EINVAL", code)
      assert.error_matches(function() call(7) end,
        "bad argument #1 to '" .. name .. "' %(string expected, got number%)")
      assert.matches("simulation_spec", select(2, pcall(function() call() end)))
    end
  end)

  it("takes no time: hours of a race pass on its own clock", function()
    local lines = { "local 10.0.0.5/24", "option timeout 10000s" }
    for i = 1, 40 do lines[#lines + 1] = ("remote 192.0.2.%d:80 silent"):format(i) end
    local result = assert(simulate(table.concat(lines, "\n")))
    assert.equals("lost", result.event)
    assert.is_true(result.time > 100)
  end)
end)
