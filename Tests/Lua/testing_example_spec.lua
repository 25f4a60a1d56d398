-- The suites in `examples`, run with the other specs; they leave nothing open.
local support = require "Tests.Lua.support"

describe("the examples of test suites", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)
  -- In the environment of this file, which has `describe` and `it`.
  assert(loadfile("examples/redis_spec.lua", "t", _ENV))()
  assert(loadfile("examples/simulation_spec.lua", "t", _ENV))()
end)
