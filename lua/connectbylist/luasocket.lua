--- A `socket` table for code that was written for LuaSocket and connects: its connects race.
--
--   local http = require "socket.http"
--   http.request { url = …, create = require "connectbylist.luasocket".tcp }
--
-- What a function returns is what LuaSocket's returns. There are no servers and no datagrams.
local core = require "connectbylist.core"
local net = require "connectbylist"
-- The standard functions, also where the host has taken them away.
local _ENV = core.environment -- luacheck: ignore

local error, getmetatable, next, pairs, pcall = error, getmetatable, next, pairs, pcall
local rawget, select, setmetatable, tonumber, tostring, type =
  rawget, select, setmetatable, tonumber, tostring, type
local min = math.min
local find, format, sub = string.find, string.format, string.sub
local unpack = table.unpack
local connect_by_list, start, address_list = net.connect_by_list, net.start, net.address_list
local sleep, now = net.sleep, net.now
local list_type, socket_type = core.types["address list"], core.types.socket
local ready, poll, poll_set, error_word = core.ready, core.poll, core.poll_set, core.error_word

local sockets = socket_type.__index -- the methods of a net socket
local socket_send, socket_receive = sockets.send, sockets.receive

local closed_send, closed_receive = unpack(core.closed_methods)

local BAD_DESCRIPTOR = error_word "EBADF"

-- --- the object that `tcp` returns ---
--
-- Fields: `sock`, a net socket, or what a `validate` has made of one; `operation`, a connect without waiting;
-- `outcome`, how that ended in `select`;
-- `block` and `total`, the timeouts; `received`, `sent` and `birthday`, the statistics without a connection; `settings`, socket options for the connect; `bound`, the local address;
-- `family` of tcp4 and tcp6; `defaults`, what `new` was given.

local methods = {}
local master_type = { __name = "tcp{master}" }
local client_type = { __name = "tcp{client}" }

local function check_client(self, name)
  if getmetatable(self) == client_type then return end
  local kind = getmetatable(self) == master_type and "" or " got " .. type(self)
  error(format("calling '%s' on bad self (tcp{client} expected%s)", name, kind), 3)
end

-- A string or a number as a string.
local function check_text(value, argument, name)
  if type(value) == "string" or type(value) == "number" then return tostring(value) end
  error(format("bad argument #%d to '%s' (string expected, got %s)", argument, name,
    value == nil and "no value" or type(value)), 3)
end

local function is_native(self) return getmetatable(self.sock) == socket_type end

local function apply_timeouts(self)
  local sock = self.sock
  if is_native(self) then
    sock:settimeout(self.block, "b")
    sock:settimeout(self.total, "t")
  else
    sock:settimeout(self.block)
    if self.total >= 0 then sock:settimeout(self.total, "t") end
  end
end

--- LuaSocket's mode "b" bounds a call, and with mode "t" beside it each wait of the call; "t" bounds a call.
function methods:settimeout(seconds, mode)
  if seconds == nil then seconds = -1 end
  local number = tonumber(seconds)
  if not number then
    error("bad argument #1 to 'settimeout' (number expected, got " .. type(seconds) .. ")", 2)
  end
  local letter = sub(mode or "b", 1, 1)
  if letter == "b" then
    self.block = number + 0.0
  elseif letter == "t" or letter == "r" then
    self.total = number + 0.0
  else
    error("bad argument #2 to 'settimeout' (invalid timeout mode)", 2)
  end
  if self.sock then apply_timeouts(self) end
  return 1.0
end

function methods:gettimeout() return self.block, self.total end

-- Ends a connect: `sock` is connected, or `code` says why not.
local function conclude(self, sock, code)
  self.operation = nil
  setmetatable(self, client_type)
  if not sock then return nil, error_word(code) end
  self.sock = sock
  apply_timeouts(self)
  return 1.0
end

-- Takes a step of a connect that does not wait.
local function step(self)
  local sock, _, code = self.operation:step()
  if sock == false then return nil, "timeout" end
  return conclude(self, sock, code)
end

-- The same in `select`: the next `connect` returns what has become of it.
local function step_aside(self)
  local result, word = step(self)
  if word ~= "timeout" or not self.operation then self.outcome = { result, word } end
end

-- The list of a connect; nil and a word if it is malformed.
local function list_for(self, host, port)
  local given = self.defaults.list
  if given then return given end
  if type(host) == "table" or getmetatable(host) == list_type then return host end
  local list = address_list()
  if list:add { host = host, port = tonumber(port) or port } then return list end
  return nil, error_word "EAI_NONAME"
end

local function options_for(self)
  local options, settings = {}, {}
  for key, value in next, self.defaults.options or {} do options[key] = value end
  for key, value in next, options.socket or {} do settings[key] = value end
  for key, value in next, self.settings do settings[key] = value end
  options.socket = settings
  if self.family then options.family = self.family end
  if self.bound then options.local_addresses = { self.bound } end
  local block, total = self.block, self.total
  if block >= 0 then options.timeout = block end
  if total >= 0 then options.timeout = block >= 0 and min(block, total) or total end
  return options
end

--- Connects to one of the addresses of the host, raced, within the timeout. In the place of the host there may be
-- an address list, or what one is made of in a table. With a timeout of 0 it returns nil, "timeout" and goes on in
-- `select` and in the next `connect`.
function methods:connect(host, port)
  local own = self.defaults.list or type(host) == "table" or getmetatable(host) == list_type
  if not own then host, port = check_text(host, 1, "connect"), check_text(port, 2, "connect") end
  local outcome = self.outcome
  self.outcome = nil
  if outcome then return outcome[1], outcome[2] end
  if self.operation then return step(self) end
  if self.sock then return nil, error_word "EISCONN" end
  local list, word = list_for(self, host, port)
  if not list then
    setmetatable(self, client_type)
    return nil, word
  end
  local options = options_for(self)
  if options.timeout == 0 then
    options.timeout = nil
    local op, _, code = start(list, options)
    if not op then return conclude(self, nil, code) end
    self.operation = op
    setmetatable(self, client_type)
    return step(self)
  end
  local sock, _, code = connect_by_list(list, options)
  return conclude(self, sock, code)
end

methods.setpeername = methods.connect

--- Binds to a local IP address; the race then uses no other. `*`: to any.
function methods:bind(host, port)
  host, port = check_text(host, 1, "bind"), check_text(port, 2, "bind")
  if host == "*" then host = self.family == "inet6" and "::" or "0.0.0.0" end
  local number = tonumber(port)
  -- An address has a port from 1; 0 leaves the choice to the kernel.
  local address = net.address(host, number == 0 and 1 or number or port)
  if not address then return nil, error_word "EAI_NONAME" end
  local is_any = address.host == "::" or address.host == "0.0.0.0"
  self.name = { address.host, port, address.family }
  self.bound = number ~= 0 and address or not is_any and host or nil
  return 1.0
end

methods.setsockname = methods.bind

function methods:send(data, first, last)
  local sock = self.sock
  if sock then
    if getmetatable(sock) == socket_type then return socket_send(sock, data, first, last) end
    return sock:send(data, first, last)
  end
  check_client(self, "send")
  return closed_send(self, data, first, last)
end

function methods:receive(pattern, prefix)
  local sock = self.sock
  if sock then
    if getmetatable(sock) == socket_type then return socket_receive(sock, pattern, prefix) end
    return sock:receive(pattern or "*l", prefix)
  end
  check_client(self, "receive")
  return closed_receive(self, pattern, prefix)
end

--- Closes. The object may connect again.
function methods:close()
  local sock, operation = self.sock, self.operation
  if sock and is_native(self) then methods.setstats(self, sock:getstats()) end
  self.sock, self.operation, self.outcome = nil, nil, nil
  if operation then operation:close() end
  if sock then sock:close() end
  return 1.0
end

function methods:shutdown(how)
  check_client(self, "shutdown")
  if how ~= nil and how ~= "both" and how ~= "send" and how ~= "receive" then
    error("bad argument #1 to 'shutdown' (invalid option '" .. tostring(how) .. "')", 2)
  end
  if self.sock and is_native(self) then self.sock:shutdown(how) end
  return 1.0
end

function methods:getpeername()
  if self.sock then return self.sock:getpeername() end
  return nil, self.family and error_word "ENOTCONN" or BAD_DESCRIPTOR
end

function methods:getsockname()
  if self.sock then return self.sock:getsockname() end
  if self.name then return unpack(self.name) end
  if getmetatable(self) == master_type and self.family then
    return self.family == "inet6" and "::" or "0.0.0.0", "0", self.family
  end
  return nil, BAD_DESCRIPTOR
end

function methods:getfamily()
  local family = self.family
  if self.sock and is_native(self) then family = self.sock:getfamily() end
  return family == "inet6" and "inet6" or "inet4"
end

--- The bytes received and sent, and the age in seconds. They outlive the connection.
function methods:getstats()
  if self.sock then return self.sock:getstats() end
  return self.received, self.sent, now() - self.birthday
end

function methods:setstats(received, sent, age)
  if self.sock and is_native(self) then self.sock:setstats(received, sent, age) end
  self.received, self.sent = received and received + 0.0 or self.received, sent and sent + 0.0 or self.sent
  if age then self.birthday = now() - age end
  return 1.0
end

function methods:dirty() return self.sock ~= nil and self.sock:dirty() or false end

--- The descriptor; -1 if there is none. While a connect goes on, one that is readable when it wants a step:
-- `select` of this module knows, and that of LuaSocket does not.
function methods:getfd()
  if self.sock then return self.sock:getfd() + 0.0 end
  if self.operation then return (self.operation:pollfd() or -1) + 0.0 end
  return -1.0
end

--- -1: forgets the descriptor, which then is the caller's to close. Another: owns that connected one from now on.
function methods:setfd(fd)
  local number = math.tointeger(tonumber(fd))
  if not number then error("bad argument #1 to 'setfd' (number expected, got " .. type(fd) .. ")", 2) end
  local sock = self.sock
  self.sock = nil
  if sock then sock:setfd(-1) end
  if number >= 0 then
    local owner, message = net.wrap(number)
    if not owner then error(message, 2) end
    conclude(self, owner)
  end
end

function methods:setoption(name, value)
  name = check_text(name, 1, "setoption")
  if not self.sock then
    if getmetatable(self) ~= master_type then return nil, "setsockopt failed" end
    self.settings[name] = value
    return 1.0
  end
  local ok, result = pcall(self.sock.setoption, self.sock, name, value)
  if not ok then
    if find(result, "unknown option", 1, true) then
      result = format("bad argument #1 to 'setoption' (unsupported option `%s')", sub(name, 1, 35))
    end
    error(result, 2)
  end
  return result and 1.0 or nil, not result and "setsockopt failed" or nil
end

function methods:getoption(name)
  name = check_text(name, 1, "getoption")
  if not self.sock then return nil, "getsockopt failed" end
  local ok, value, message = pcall(self.sock.getoption, self.sock, name)
  if not ok then
    error(format("bad argument #1 to 'getoption' (unsupported option `%s')", sub(name, 1, 35)), 2)
  end
  if message then return nil, "getsockopt failed" end
  if name == "linger" then return { on = value ~= false, timeout = value or 0 } end
  if name == "error" then return value and value ~= 0 and tostring(value) or nil end
  return value
end

--- How it was connected: not LuaSocket's.
function methods:report() return self.sock and is_native(self) and self.sock:report() or nil end

local function close_object(self) methods.close(self) end

for _, class in pairs { master_type, client_type } do
  local own = { class = class.__name }
  for name, method in next, methods do own[name] = method end
  class.__index = own
  class.__close = close_object
  function class:__tostring()
    -- The text of a table with this metatable would be this function's again.
    local sock = rawget(self, "sock")
    return format("%s: %s", class.__name, sock and sub(tostring(sock), #"tcp{client}: " + 1) or "closed")
  end
end

-- --- functions ---

local api = {
  _VERSION = "LuaSocket 3.0.0",
  _SETSIZE = 1024,
  _SOCKETINVALID = -1,
  BLOCKSIZE = 2048,
  sinkt = {},
  sourcet = {},
  --- The wall clock, in seconds since 1970.
  gettime = core.wall_clock,
}

--- Waits for so many seconds.
function api.sleep(seconds)
  local number = tonumber(seconds)
  if not number then
    error("bad argument #1 to 'sleep' (number expected, got " .. type(seconds) .. ")", 2)
  end
  sleep(number > 0 and number or 0)
end

--- Its arguments without the first so many.
function api.skip(count, ...) return select(count + 1, ...) end

-- Tables that `newtry` has raised, each with its message as the only item.
local raised = setmetatable({}, { __mode = "k" })

--- A function that returns its arguments if the first is true; otherwise it calls `finalizer` and raises the second
-- so that `protect` returns it.
function api.newtry(finalizer)
  return function(...)
    if ... then return ... end
    if finalizer then finalizer() end
    local exception = { (select(2, ...)) }
    raised[exception] = true
    error(exception, 0)
  end
end

local function unprotect(ok, ...)
  if ok then return ... end
  local problem = ...
  if type(problem) == "table" and raised[problem] then return nil, problem[1] end
  error(problem, 0)
end

--- A function like `body`; where a `try` in it fails it returns nil and the message.
function api.protect(body)
  return function(...) return unprotect(pcall(body, ...)) end
end

api.try = api.newtry()

--- A function that calls the one that its first argument names: sinks and sources by kind.
function api.choose(functions)
  return function(name, first, second)
    if type(name) ~= "string" then name, first, second = "default", name, first end
    local found = functions[name]
    if not found then error("unknown key (" .. tostring(name) .. ")", 3) end
    return found(first, second)
  end
end

-- A sink or a source: can be called, and given to `select`.
local function callable(sock, call)
  return setmetatable({
    getfd = function() return sock:getfd() end,
    dirty = function() return sock:dirty() end,
  }, { __call = call })
end

api.sinkt["close-when-done"] = function(sock)
  return callable(sock, function(_, chunk)
    if chunk then return sock:send(chunk) end
    sock:close()
    return 1
  end)
end

api.sinkt["keep-open"] = function(sock)
  return callable(sock, function(_, chunk)
    if chunk then return sock:send(chunk) end
    return 1
  end)
end

api.sinkt.default = api.sinkt["keep-open"]
api.sink = api.choose(api.sinkt)

api.sourcet["by-length"] = function(sock, length)
  return callable(sock, function()
    if length <= 0 then return nil end
    local chunk, word = sock:receive(min(api.BLOCKSIZE, length))
    if word then return nil, word end
    length = length - #chunk
    return chunk
  end)
end

api.sourcet["until-closed"] = function(sock)
  local is_done = false
  return callable(sock, function()
    if is_done then return nil end
    local chunk, word, rest = sock:receive(api.BLOCKSIZE)
    if not word then return chunk end
    if word ~= "closed" then return nil, word end
    sock:close()
    is_done = true
    return rest
  end)
end

api.sourcet.default = api.sourcet["until-closed"]
api.source = api.choose(api.sourcet)

-- --- select ---

-- What can be polled of the objects of one argument of `select`: adds to `events` by descriptor, to `pending` the
-- connects that go on, and to `found` what needs no poll.
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
      local item = { object = object, fd = math.tointeger(fd), letter = letter }
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

-- Whether one of the items is ready; marks those that are. `seconds` until a connect wants a step is the second
-- result, nil: none does.
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

-- LuaSocket's results: arrays in the order of descriptors, those with buffered bytes first, which also have the
-- place of each object.
local function ready_of(wanted, letter)
  local chosen, objects = {}, {}
  for i = 1, #wanted do
    local item = wanted[i]
    if item.letter == letter and item.is_ready then chosen[#chosen + 1] = item end
  end
  table.sort(chosen, by_descriptor)
  for i = 1, #chosen do
    objects[i] = chosen[i].object
    objects[chosen[i].object] = i
  end
  return objects
end

--- Waits until one of the objects of `readers` can be read from, or one of `writers` written to, or a connect has
-- ended. Objects are those of this module, net sockets, and whatever has a `getfd` method.
function api.select(readers, writers, seconds)
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
    sleep(seconds and seconds >= 0 and seconds or math.huge)
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

-- --- new ---

--- A `socket` table whose connects use a list, an address list or what one is made of, in place of the host and
-- port that they are given, and these options of `connect_by_list`. A `timeout` among them counts until
-- `settimeout` sets another.
function api.new(given)
  given = given or {}
  for key in next, given do
    if key ~= "list" and key ~= "options" then
      error("bad argument #1 to 'new' (unknown key '" .. tostring(key) .. "')", 2)
    end
  end
  local defaults, module = { options = given.options }, {}
  if given.list ~= nil then
    local list, message = given.list, nil
    if getmetatable(list) ~= list_type then list, message = address_list(list) end
    if not list then error("bad argument #1 to 'new' (" .. message .. ")", 2) end
    defaults.list = list
  end
  for key, value in next, api do module[key] = value end

  local function create(family)
    return setmetatable(
      { block = -1.0, total = -1.0, settings = {}, family = family, defaults = defaults,
        received = 0.0, sent = 0.0, birthday = now() }, master_type)
  end

  function module.tcp() return create() end
  function module.tcp4() return create "inet" end
  function module.tcp6() return create "inet6" end

  --- A connected object; `nil, word` if the connect fails.
  function module.connect(host, port, local_host, local_port, family)
    if family == "unspec" then family = nil end
    local sock = create(family)
    if local_host then
      local ok, word = sock:bind(local_host, local_port or 0)
      if not ok then return nil, word end
    end
    local ok, word = sock:connect(host, port)
    if not ok then return nil, word end
    return sock
  end

  function module.connect4(host, port, local_host, local_port)
    return module.connect(host, port, local_host, local_port, "inet")
  end

  function module.connect6(host, port, local_host, local_port)
    return module.connect(host, port, local_host, local_port, "inet6")
  end

  return module
end

return api.new()
