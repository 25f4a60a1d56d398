-- The suite of the Redis client in `examples`, run with the other specs; it leaves nothing open.
local support = require "Tests.Lua.support"

describe("the example of a test suite", function()
  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)
  -- In the environment of this file, which has `describe` and `it`.
  assert(loadfile("examples/redis_spec.lua", "t", _ENV))()
end)
