local net = require "connectbylist"
local testing = require "connectbylist.testing"
local decoded = require "Tests.Lua.json_reader"
local support = require "Tests.Lua.support"

describe("the report of a connect", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  -- A race with one refused, one silent, one connected and one that never started.
  local function race(body)
    local refused <close> = testing.refused()
    local silent <close> = testing.silent()
    local echo <close> = testing.echo()
    local spare <close> = testing.echo("::1")
    local list = net.address_list { refused:address(), silent:address(), echo:address(),
      spare:address() }
    local sock <close> = assert(net.connect_by_list(list,
      { order = "given", pace = "steady", timeout = 5 }))
    body(sock:report(), sock, list)
  end

  it("has every attempt, in the order of ranks", function()
    race(function(report, sock, list)
      assert.is_true(#report.attempts >= 4)
      for i = 1, 4 do
        local attempt = report.attempts[i]
        assert.equal(i, attempt.rank)
        assert.is_true(attempt.remote_address == list[i])
        assert.is_true(#attempt.reasons >= 1)
        for _, reason in ipairs(attempt.reasons) do assert.is_string(reason) end
      end
      local refused, silent, winner, spare = table.unpack(report.attempts)
      assert.equal("refused", refused.outcome)
      assert.equal("ECONNREFUSED", refused.code)
      assert.equal("superseded", silent.outcome)
      assert.equal("connected", winner.outcome)
      assert.is_nil(winner.code)
      assert.equal("not_started", spare.outcome)
      assert.is_nil(spare.started)
      assert.equal(3, report.winner)
      assert.is_true(winner.local_address == sock:local_address())
    end)
  end)

  it("has consistent times in seconds since the call", function()
    race(function(report)
      local elapsed = report.elapsed
      assert.is_true(elapsed >= 0.15 and elapsed < 2)
      local refused, silent, winner = table.unpack(report.attempts)
      assert.is_true(0 <= refused.started and refused.started <= refused.ended)
      assert.is_true(refused.ended <= silent.started)
      assert.is_true(winner.started - silent.started >= 0.15)
      assert.is_true(winner.started <= winner.ended and winner.ended <= elapsed)
      assert.is_true(silent.ended <= elapsed)
      assert.equal("integer", math.type(winner.resent))
      assert.is_false(report.deadline)
      assert.is_nil(report.code)
    end)
  end)

  it("has the silent attempts after a deadline", function()
    local silent <close> = testing.silent()
    local _, _, _, report = net.connect_by_list({ silent:address() }, { timeout = 0.1 })
    assert.equal("ETIMEDOUT", report.code)
    assert.is_true(report.deadline)
    assert.is_nil(report.winner)
    assert.equal(1, #report.attempts)
    assert.equal("timed_out", report.attempts[1].outcome)
    assert.is_true(report.attempts[1].ended >= 0.1)
  end)

  it("is empty after a connect to an empty list", function()
    local _, _, _, report = net.connect_by_list {}
    assert.equal("EINVAL", report.code)
    assert.equal(0, report.elapsed)
    assert.is_false(report.deadline)
    assert.same({}, report.attempts)
    assert.same({}, report.names)
    assert.equal("invalid argument", tostring(report))
    assert.same({ version = 1, elapsed = 0, deadline = false, code = "EINVAL", names = {}, attempts = {},
      summary = "invalid argument" }, decoded(report:json()))
  end)

  it("outlives its socket", function()
    local kept
    race(function(report) kept = report end)
    collectgarbage()
    assert.equal("connected", kept.attempts[3].outcome)
  end)

  it("is the same in each call of sock:report", function()
    race(function(report, sock)
      assert.equal(report:json(), sock:report():json())
      assert.equal(tostring(report), tostring(sock:report()))
      assert.equal(report.attempts, report.attempts)
    end)
  end)

  it("prints as a waterfall: a summary, a scale, then a line for each attempt", function()
    race(function(report, _, list)
      local lines = {}
      for line in (report:text { ascii = false } .. "\n"):gmatch("(.-)\n") do lines[#lines + 1] = line end
      assert.matches("^connected after %d+%.%d%d%d s: 3 pairs tried", lines[1])
      local first = #lines - #report.attempts
      assert.matches("^ +0 m?s", lines[first])
      for i = 1, 4 do
        assert.matches("^  #" .. i .. " ", lines[first + i])
        assert.is_not_nil(lines[first + i]:find(tostring(list[i]), 1, true))
        assert.is_nil(lines[first + i]:find("%s$"))
      end
      assert.matches("x +refused, %d", lines[first + 1])
      assert.matches("─· +lost the race$", lines[first + 2])
      assert.matches("● +connected, %d", lines[first + 3])
      assert.matches(" not started$", lines[first + 4])
    end)
  end)

  it("does not print 'none answered' after a success", function()
    local echo <close> = testing.echo()
    local sock <close> = support.connected(echo)
    assert.matches("^connected after %d+%.%d+ s: 1 pair tried$",
      tostring(sock:report()):match("^[^\n]*"))
  end)

  it("prints as JSON with the same values", function()
    race(function(report)
      local object = decoded(report:json())
      assert.equal(report.winner, object.winner)
      assert.is_false(object.deadline)
      assert.equal(#report.attempts, #object.attempts)
      for i, attempt in ipairs(report.attempts) do
        local other = object.attempts[i]
        assert.equal(tostring(attempt.remote_address), other.remote_address)
        assert.equal(attempt.outcome, other.outcome)
        assert.equal(attempt.code, other.code)
        assert.equal(attempt.rank, other.rank)
        assert.same(attempt.reasons, other.reasons)
        if attempt.started then
          assert.is_true(math.abs(attempt.started - other.started) < 1e-6)
        else
          assert.is_nil(other.started)
        end
      end
    end)
  end)

  it("prints as JSON after a failure", function()
    local refused <close> = testing.refused()
    local _, message, _, report = net.connect_by_list { refused:address() }
    local object = decoded(report:json())
    assert.equal("ECONNREFUSED", object.code)
    assert.equal("connect_by_list: " .. object.summary, message)
    assert.is_nil(object.winner)
  end)

  it("gives its fields as a plain table", function()
    race(function(report)
      local plain = report:table()
      assert.is_table(plain)
      assert.is_nil(getmetatable(plain))
      for _, key in ipairs { "elapsed", "deadline", "winner", "code" } do
        assert.equal(report[key], plain[key])
      end
      assert.equal(#report.attempts, #plain.attempts)
    end)
  end)

  it("has address objects", function()
    race(function(report)
      for _, attempt in ipairs(report.attempts) do
        assert.matches("^%[?[%x.:]+%]?:%d+$", tostring(attempt.remote_address))
        if attempt.local_address then assert.is_string(attempt.local_address.host) end
      end
    end)
  end)

  it("has no other field, and is read-only", function()
    race(function(report)
      assert.matches("a report has no field 'nonesuch'; its fields are elapsed, ",
        support.raised(function() return report.nonesuch end))
      assert.matches("a report has no field '1'", support.raised(function() return report[1] end))
      assert.is_nil(report.code)
      assert.is_false((pcall(function() report.elapsed = 1 end)))
    end)
  end)
end)

describe("explain", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  it("returns the plan without sending a packet", function()
    local echo <close> = testing.echo()
    local refused <close> = testing.refused()
    local plan = assert(net.explain({ refused:address(), echo:address() }, { order = "given" }))
    assert.is_true(#plan >= 2)
    for i, pair in ipairs(plan) do
      assert.equal(i, pair.rank)
      assert.is_true(pair.chance > 0 and pair.chance <= 1)
      assert.is_true(#pair.reasons >= 1)
    end
    assert.is_true(plan[1].remote_address == refused:address())
    assert.is_true(plan[2].remote_address == echo:address())
    local sock <close> = support.connected(echo)
    sock:settimeout(5)
    sock:write("x")
    sock:read(1)
    assert.equal(1, echo:accepted())
  end)

  it("prints as a table with a line for each pair", function()
    local plan = assert(net.explain { "127.0.0.1:9", "[::1]:9" })
    local count = select(2, tostring(plan):gsub("[^\n]+", ""))
    assert.is_true(count >= #plan + 1)
    assert.matches("^rank", (tostring(plan):gsub("^%s+", "")))
    assert.matches("127%.0%.0%.1:9", tostring(plan))
  end)

  it("fails and raises as the connect does", function()
    assert.same({ nil, "explain: the list is empty", "EINVAL" }, { net.explain {} })
    assert.same({ nil, "explain: entry 1: '127.1:9': "
      .. "a host that ends in a number must be an IPv4 address of four decimal parts", "EINVAL" },
      { net.explain { "127.1:9" } })
    assert.matches("bad argument #2 to 'explain' "
      .. "%(unknown option 'timout'; did you mean 'timeout'%?%)",
      support.raised(net.explain, { "127.0.0.1:9" }, { timout = 1 }))
    assert.matches("bad argument #1 to 'explain' "
      .. "%(address list, table or string expected, got nil%)",
      support.raised(net.explain))
  end)
end)
