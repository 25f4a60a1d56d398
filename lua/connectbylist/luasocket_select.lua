--- `select` of connectbylist.luasocket.
local core, net, api = ...
local error, getmetatable, next, tonumber, type = error, getmetatable, next, tonumber, type
local huge, min, tointeger = math.huge, math.min, math.tointeger
local format, sort, unpack = string.format, table.sort, table.unpack
local ready, poll, poll_set, sleep, now = core.ready, core.poll, core.poll_set, net.sleep, net.now
local client_type, step_aside = api.client_type, api.step_aside

-- What can be polled of the objects of one argument of `select`: adds to `events` by descriptor, to
-- `pending` the connects that go on, and to `found` what needs no poll.
local function collect(objects, argument, letter, wanted)
  if objects == nil then return end
  if type(objects) ~= "table" then
    error(format("bad argument #%d to 'select' (table expected, got %s)", argument, type(objects)), 3)
  end
  local i = 1
  while objects[i] ~= nil do
    local object = objects[i]
    local fd = object.getfd and tonumber(object:getfd()) or -1
    if fd >= 0 then
      local item = { object = object, fd = tointeger(fd), letter = letter }
      if letter == "r" and object.dirty and object:dirty() then
        item.is_ready, wanted.has_ready = true, true
      elseif getmetatable(object) == client_type and object.operation then
        item.is_pending = true
      end
      wanted[#wanted + 1] = item
    end
    i = i + 1
  end
end

-- Whether one of the items is ready; marks those that are. `seconds` until a connect wants a step is the
-- second result, nil: none does.
local function look(wanted)
  local any, soonest = wanted.has_ready, nil
  for i = 1, #wanted do
    local item = wanted[i]
    if item.is_pending then
      if item.object.operation then step_aside(item.object) end
      local operation = item.object.operation
      if not operation then
        item.is_pending, item.is_ready, any = false, item.letter == "w" or nil, any or item.letter == "w"
      else
        local left = operation:timeout()
        if left then soonest = soonest and min(soonest, left) or left end
      end
    elseif not item.is_ready then
      local readable, writable = ready(item.fd, item.letter)
      if readable or writable then item.is_ready, any = true, true end
    end
  end
  return any, soonest
end

local function wait_on(fd, seconds)
  local waiter = core.waiter()
  if not waiter then
    poll(fd, "r", seconds)
    return
  end
  waiter {
    pollfd = function() return fd end,
    events = function() return "r" end,
    timeout = function() return seconds end,
  }
end

-- An object whose descriptor is readable when one of the items may be ready.
local function set_of(wanted)
  local events, arguments = {}, {}
  for i = 1, #wanted do
    local item = wanted[i]
    local letter = item.is_pending and "r" or item.letter
    local known = events[item.fd]
    events[item.fd] = known and known ~= letter and "rw" or letter
  end
  for fd, letters in next, events do
    arguments[#arguments + 1] = fd
    arguments[#arguments + 1] = letters
  end
  local set, message = poll_set(unpack(arguments))
  if not set then error("select failed: " .. message, 3) end
  return set
end

local function by_descriptor(a, b) return a.fd < b.fd end

-- LuaSocket's results: arrays in the order of descriptors, those with buffered bytes first, which also have
-- the place of each object.
local function ready_of(wanted, letter)
  local chosen, objects = {}, {}
  for i = 1, #wanted do
    local item = wanted[i]
    if item.letter == letter and item.is_ready then chosen[#chosen + 1] = item end
  end
  sort(chosen, by_descriptor)
  for i = 1, #chosen do
    objects[i] = chosen[i].object
    objects[chosen[i].object] = i
  end
  return objects
end

--- Waits until one of the objects of `readers` can be read from, or one of `writers` written to, or a
-- connect has ended. Objects are those of this module, net sockets, and whatever has a `getfd` method.
return function(readers, writers, seconds)
  local wanted = {}
  collect(readers, 1, "r", wanted)
  collect(writers, 2, "w", wanted)
  seconds = tonumber(seconds)
  local finish = seconds and seconds >= 0 and now() + seconds or nil
  local is_ready, soonest = look(wanted)
  if not is_ready and finish ~= nil and seconds == 0 then
    return {}, {}, "timeout"
  end
  if not is_ready and #wanted == 0 then
    sleep(seconds and seconds >= 0 and seconds or huge)
    return {}, {}, "timeout"
  end
  while not is_ready do
    local left = finish and finish - now() or nil
    if left and left <= 0 then return {}, {}, "timeout" end
    local set <close> = set_of(wanted)
    if soonest then left = left and min(left, soonest) or soonest end
    wait_on(set:getfd(), left)
    is_ready, soonest = look(wanted)
  end
  return ready_of(wanted, "r"), ready_of(wanted, "w")
end
