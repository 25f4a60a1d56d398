-- What a report and an explanation tell of the pace, the list's entries and the rounds.

local net = require "connectbylist"
local testing = require "connectbylist.testing"
local support = require "Tests.Lua.support"

describe("the report of a race", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  it("names the list's entry, and the host name where the entry is one", function()
    local stopped <close> = testing.refused()
    local port = stopped:address().port
    local _, _, _, report = net.connect_by_list({ stopped:address(), "localhost:" .. port },
      { timeout = 5, order = "given", family = "inet", local_addresses = false })
    assert.equal(1, report.attempts[1].entry)
    assert.is_nil(report.attempts[1].name)
    for i = 2, #report.attempts do
      assert.equal(2, report.attempts[i].entry)
      assert.equal("localhost", report.attempts[i].name)
    end
  end)

  it("tells the delay of each attempt, and which one held", function()
    local silent <close> = testing.silent()
    local echo <close> = testing.echo()
    local list = net.address_list { silent:address(), echo:address() }
    local sock <close> = assert(net.connect_by_list(list, { order = "given", timeout = 5 }))
    local first = sock:report().attempts[1]
    assert.equal("loopback", first.delay_reason)
    assert.equal(0.01, first.delay)
    local paced <close> = assert(net.connect_by_list(list,
      { order = "given", timeout = 5, attempt_delay = 0.05 }))
    first = paced:report().attempts[1]
    assert.equal("given", first.delay_reason)
    assert.equal(0.05, first.delay)
    -- The echo has connected: its own round trip is known now.
    local plan = net.explain(list)
    for _, pair in ipairs(plan) do
      if pair.entry == 2 then
        assert.equal("pair", pair.delay_reason)
        assert.is_true(pair.delay >= 0.01 and pair.delay < 1)
      end
    end
  end)

  it("keeps the first hundred pairs that never started, and counts all", function()
    local echo <close> = testing.echo()
    local list = net.address_list { echo:address() }
    for i = 1, 1000 do list:add(("127.1.%d.%d"):format(i // 250, i % 250 + 1), 9) end
    local sock <close> = assert(net.connect_by_list(list, { order = "given", timeout = 5 }))
    local report = sock:report()
    -- On a busy machine the answer may take longer than the delay, and more attempts start.
    local started = 1001 - report.not_started
    assert.is_true(started >= 1 and started < 900)
    assert.equal(100 + started, #report.attempts)
    assert.equal(1, report.winner)
    for i = started + 1, 100 + started do
      assert.equal("not_started", report.attempts[i].outcome)
      assert.equal(i, report.attempts[i].rank)
      assert.is_nil(report.attempts[i].delay)
    end
    assert.equal(1, report.rounds)
  end)

  it("counts the rounds of a list that is tried again", function()
    local stopped <close> = testing.refused()
    local _, _, code, report = net.connect_by_list({ stopped:address() },
      { timeout = 0.1, retry = 0.02 })
    assert.equal("ETIMEDOUT", code)
    assert.is_true(report.rounds >= 3 and report.rounds <= 6)
  end)
end)
