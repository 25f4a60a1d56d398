--- Ways to wait, for `net.setwait`, `sock:setwait` and the option `wait`: in an event loop's thread, so that
-- connects, reads, writes and `net.sleep` let the others run.
--
--   net.setwait(require "connectbylist.wait".cqueues)
--
-- A waiter is called with an object that has `pollfd()` (nil: only time passes), `events()` ("r", "w" or
-- "rw") and `timeout()` (seconds; nil: for ever). It returns when something may have changed, or earlier.
--
-- Each of the loops is loaded by the first wait in it.
local core = require "connectbylist.core"
local net = require "connectbylist"
local coroutine, debug, package, require = coroutine, debug, package, require
-- The standard functions, also where the host has taken them away.
local _ENV = core.environment -- luacheck: ignore

local error, next, setmetatable, tostring, type = error, next, setmetatable, tostring, type
local find = string.find
local ceil = math.ceil
local poll = core.poll

---@type connectbylist.wait
---@diagnostic disable-next-line: missing-fields -- set below
local wait = {}

-- A waiter that is made by its first call.
local function lazily(make)
  local waiter
  return function(object)
    waiter = waiter or make()
    waiter(object)
  end
end

--- Blocks the thread of the operating system: as without a waiter.
function wait.blocking(object) poll(object:pollfd(), object:events(), object:timeout()) end

--- A waiter for a scheduler of one's own: `yield(object)` is called in the coroutine that waits, and returns
-- when the object is to be tried again. Without an argument: `coroutine.yield`.
function wait.coroutines(yield)
  if yield == nil then return function(object) coroutine.yield(object) end end
  if type(yield) ~= "function" then
    error("bad argument #1 to 'coroutines' (function expected, got " .. type(yield) .. ")", 2)
  end
  return function(object) yield(object) end
end

-- How many wait in cqueues for a descriptor, by its number.
local polled = {}

local polling_type = {
  __close = function(polling)
    local number = polling.number
    local left = polled[number] - 1
    polled[number] = left > 0 and left or nil
    -- Otherwise cqueues would take the next descriptor of this number for the same one.
    if left == 0 then polling.cancel(number) end
  end,
}

--- In a thread of a cqueues controller. Outside of one it blocks.
wait.cqueues = lazily(function()
  local cqueues = require "cqueues"
  local sleep, poll_in, cancel = cqueues.sleep, cqueues.poll, cqueues.cancel
  return function(object)
    local number = object:pollfd()
    if not number then return sleep(object:timeout()) end
    polled[number] = (polled[number] or 0) + 1
    local polling <close> = -- luacheck: ignore 211
      setmetatable({ number = number, cancel = cancel }, polling_type)
    poll_in(object, object:timeout())
  end
end)

-- copas waits for objects that LuaSocket's `select` takes. This one is ready when its descriptor is and, once
-- it is done, at once: it then has a descriptor that is always open, whatever has become of its own.
local watched = {}
local watched_type = { __index = watched }

function watched:getfd() return self.is_done and self.open:getfd() or self.number end

function watched:dirty() return self.is_done end

-- `copas.receive` and `copas.send` call these until they succeed, and wait in between.
function watched:receive()
  if self.has_begun or self.is_done then return "" end
  self.has_begun = true
  return nil, "timeout"
end

function watched:send()
  if self.has_begun or self.is_done then return 1 end
  self.has_begun = true
  return nil, "timeout", 0
end

local function watch(copas, object, open)
  local target = setmetatable({ number = object:pollfd(), open = open }, watched_type)
  local is_write = object:events() == "w"
  return target, function()
    if is_write then copas.send(target, "") else copas.receive(target, 0) end
  end
end

--- In a thread of copas, version 3 or later.
--
-- Its own timeouts of sockets are a tenth of a second coarse, too coarse for a race. So a wait that ends by
-- time sleeps in copas, and a second thread ends it when the descriptor is ready.
wait.copas = lazily(function()
  local copas = require "copas"
  local open, message = net.socket "unix"
  if not open then error(message, 0) end
  -- The older versions have `sleep` alone; a negative time is for ever.
  local sleep = copas.pause or copas.sleep
  local sleep_forever = copas.pauseforever or function() copas.sleep(-1) end
  return function(object)
    local timeout = object:timeout()
    if not object:pollfd() then
      if timeout then sleep(timeout) else sleep_forever() end
      return
    end
    local target, until_ready = watch(copas, object, open)
    if not timeout then return until_ready() end
    local waiting = coroutine.running()
    copas.addthread(function()
      until_ready()
      if target.is_done then return end
      target.is_done = true
      copas.wakeup(waiting)
    end)
    sleep(timeout)
    -- The second thread may still wait, and ends in the next turn of the loop.
    target.is_done = true
  end
end)

local LONGEST = 1e9 -- seconds; libuv counts milliseconds in 64 bits

-- libuv allows one poll handle for a descriptor: waiters for the same descriptor share it. By its number.
local shared = {}

-- Makes a handle watch for all that its waiters need. Closes it when no waiter is left.
local function watch_for_all(entry)
  local reads, writes = false, false
  for waiter in next, entry.waiters do
    reads = reads or find(waiter.events, "r", 1, true)
    writes = writes or find(waiter.events, "w", 1, true)
  end
  if not (reads or writes) then
    shared[entry.number] = nil
    entry.handle:stop()
    if not entry.handle:is_closing() then entry.handle:close() end
    return
  end
  entry.handle:start(reads and writes and "rw" or reads and "r" or "w", entry.wake)
end

local function resume(waiter)
  if waiter.is_awake then return end
  waiter.is_awake = true
  local ok, message = coroutine.resume(waiter.thread)
  -- Raised into the loop, where luv prints it or the program's own handler takes it.
  if not ok then error(debug and debug.traceback(waiter.thread, tostring(message)) or message, 0) end
end

local function entry_of(uv, number)
  local entry = shared[number]
  if entry then return entry end
  local handle, message = uv.new_poll(number)
  if not handle then error(message, 0) end
  entry = { number = number, handle = handle, waiters = {} }
  function entry.wake(problem, events)
    local due, count = {}, 0
    for waiter in next, entry.waiters do
      -- "rw" is "r" or "w".
      local is_due = problem or find(events or "", waiter.events == "w" and "w" or "r", 1, true)
        or waiter.events == "rw"
      if is_due then
        count = count + 1
        due[count] = waiter
      end
    end
    for i = 1, count do resume(due[i]) end
  end
  shared[number] = entry
  return entry
end

-- Runs when the wait ends, also by an error and when its coroutine is closed.
local waiter_type = {
  __close = function(waiter)
    waiter.is_awake = true
    if waiter.timer then
      waiter.timer:stop()
      if not waiter.timer:is_closing() then waiter.timer:close() end
    end
    local entry = waiter.entry
    if entry then
      entry.waiters[waiter] = nil
      watch_for_all(entry)
    end
  end,
}

local function wait_in(uv, object)
  local number, timeout = object:pollfd(), object:timeout()
  local waiter <close> = setmetatable(
    { thread = coroutine.running(), events = object:events() }, waiter_type)
  if timeout and timeout < LONGEST then
    waiter.timer = uv.new_timer()
    -- The loop's time is that of its last turn.
    uv.update_time()
    waiter.timer:start(ceil(timeout * 1000), 0, function() resume(waiter) end)
  end
  if number then
    waiter.entry = entry_of(uv, number)
    waiter.entry.waiters[waiter] = true
    watch_for_all(waiter.entry)
  end
  coroutine.yield()
end

--- In a coroutine, while `uv.run` runs. Outside of a coroutine it blocks.
wait.luv = lazily(function()
  -- luv calls its callbacks in the thread that has loaded it, and a coroutine would be suspended then.
  if coroutine and coroutine.isyieldable() and not (package and package.loaded.luv) then
    error("luv has to be loaded outside of coroutines before the first wait in it", 0)
  end
  local uv = require "luv"
  return function(object)
    if not coroutine or not coroutine.isyieldable() then return wait.blocking(object) end
    wait_in(uv, object)
  end
end)

return wait
