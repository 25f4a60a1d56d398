--- Connects that a script drives step by step, with its callbacks and its way to wait.
local api = ...
local core, addresses = api.core, api.part "address"
local error, ipairs, rawget, setmetatable, type = error, ipairs, rawget, setmetatable, type

local operations = {}

local operation = core.methods "operation"
local operation_type = core.types.operation
local advance, take, accept, reject = operation.advance, operation.take, operation.accept, operation.reject
local conclude, failure, log = operation.conclude, operation.failure, operation.log
local block, close = operation.wait, operation.close
local socket_methods = core.methods "socket"
local setwait, is_open, waiter_of = socket_methods.setwait, socket_methods.is_open, core.socket_waiter
operation.advance, operation.take, operation.accept, operation.reject = nil, nil, nil, nil
operation.conclude, operation.failure, operation.log, operation.wait = nil, nil, nil, nil

-- By operation, until it has ended: its callbacks and what they have said.
local states = setmetatable({}, { __mode = "k" })

-- The socket to connect waits again as it did before the check of a candidate.
local function restore_waiter(state)
  if not state.is_checked then return end
  state.is_checked = nil
  setwait(state.target, state.waiter_before)
end

local function turn_down(op, state, sock)
  restore_waiter(state)
  reject(op, sock)
end

-- What ends an operation whose callback raises, or whose coroutine is closed while a callback waits.
local guard_type = {
  __close = function(guard)
    if guard.is_done then return end
    guard.is_done = true
    local op, state = guard.operation, guard.state
    local sock = state.candidate or state.accepted
    if sock then turn_down(op, state, sock) end
    states[op] = nil
    close(op)
  end,
  -- A coroutine that is collected while a callback waits closes nothing.
  __gc = function(guard)
    if not guard.is_done then restore_waiter(guard.state) end
  end,
}

--- Takes in what `core.start` returns. `name`: of the function for messages. `target`: the socket to connect.
function operations.adopt(name, target, options, op, ...)
  if not op then return op, ... end
  local state = { name = name, target = target }
  if options then
    state.validate, state.on_event = rawget(options, "validate"), rawget(options, "on_event")
    state.wait = rawget(options, "wait")
  end
  states[op] = state
  return op
end

local function tell(op, state)
  for _, event in ipairs(log(op)) do
    addresses.adopt(event.local_address)
    addresses.adopt(event.remote_address)
    state.on_event(event)
  end
end

-- Has the script check a candidate. The socket to connect, where there is one, is the candidate meanwhile.
local function check(op, state)
  local sock = take(op) or state.target
  if sock == state.target then state.is_checked, state.waiter_before = true, waiter_of(sock) end
  state.candidate = sock
  if state.wait then setwait(sock, state.wait) end
  local is_wanted, value = state.validate(sock)
  state.candidate, state.accepted, state.value = nil, nil, nil
  if is_wanted and accept(op, sock) then
    state.accepted, state.value = sock, value
  else
    turn_down(op, state, sock)
  end
end

-- What a connect returns that has been won.
local function result_of(op, state)
  local sock = state.accepted
  if sock then
    -- Otherwise the check has taken the connection out, and the socket to connect stays as it was.
    local is_connected = is_open(sock)
    local done, message, code = conclude(op, sock)
    if message or not is_connected then
      restore_waiter(state)
    elseif state.wait then
      setwait(sock, state.wait)
    end
    if message then return done, state.name .. string.sub(message, #"conclude" + 1), code end
  else
    local message, code
    sock, message, code = take(op)
    if message then return nil, state.name .. string.sub(message, #"take" + 1), code end
    sock = sock or state.target
    if state.wait then setwait(sock, state.wait) end
  end
  if state.value ~= nil then return state.value end
  return sock
end

local function step(op, state)
  local phase = advance(op)
  if state.on_event then tell(op, state) end
  while phase == "check" do
    check(op, state)
    phase = advance(op)
    if phase ~= "won" and state.accepted then
      -- An option of the winner could not be set: it was rejected after all.
      turn_down(op, state, state.accepted)
      state.accepted = nil
    end
    if state.on_event then tell(op, state) end
  end
  if not phase then return false end
  states[op] = nil
  if phase == "won" then return result_of(op, state) end
  return failure(op, state.name)
end

local function finish_guarded(guard, ...)
  guard.is_done = true
  guard.state.is_busy = nil
  return ...
end

--- Takes in what has happened. Returns false while it goes on; then, once, what `connect_by_list` returns.
function operation:step()
  local state = states[self]
  if not state then
    -- Raises for what is no operation, and for a closed one.
    operation.timeout(self)
    error("the operation has ended", 2)
  end
  if not state.validate and not state.on_event then return step(self, state) end
  if state.is_busy then error("the operation's callback has not returned", 2) end
  state.is_busy = true
  local guard <close> = setmetatable({ operation = self, state = state }, guard_type)
  return finish_guarded(guard, step(self, state))
end

operation_type.__index = operation

function operation_type:__tostring()
  return states[self] and "operation: pending" or "operation: ended"
end

--- Drives an operation to its end.
function operations.drive(op, ...)
  if not op then return op, ... end
  local scope <close> = op -- luacheck: ignore scope
  local wait = states[op].wait or api.waiter or block
  while true do
    local result, message, code, report = op:step()
    if result ~= false then return result, message, code, report end
    wait(op)
  end
end

--- Takes in a new operation and drives it to its end.
function operations.run(...) return operations.drive(operations.adopt(...)) end

--- net.start: the same as `connect_by_list`, step by step: returns an operation. Its `step()` returns false
-- while it goes on, then once what `connect_by_list` returns; `pollfd()`, `events()` and `timeout()` say what
-- to wait for.
function operations.start(entries, options)
  local list, message, code = api.list_of(entries)
  if message then return nil, "start: " .. message, code, core.failed_report(code) end
  options = api.plain_options(options)
  local given = type(options) == "table" and options
  return operations.adopt("start", nil, given, core.start(list, options))
end

-- What a waiter gets when only time has to pass.
local pause = {}
local pause_type = { __index = pause, __name = "pause" }

function pause.pollfd() return nil end

function pause.events() return "r" end

function pause:timeout()
  local left = self.until_time - core.now()
  return left > 0 and left or 0
end

--- Waits for a number of seconds through the state's waiter.
function operations.sleep(seconds)
  local waiter = api.waiter
  local sleeping = setmetatable({ until_time = core.now() + seconds }, pause_type)
  while sleeping:timeout() > 0 do waiter(sleeping) end
end

return operations
