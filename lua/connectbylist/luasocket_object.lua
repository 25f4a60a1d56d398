--- The object that `tcp` of connectbylist.luasocket returns: a socket as LuaSocket's, whose connect races.
--
-- Fields: `sock`, a net socket, or what a `validate` has made of one; `operation`, a connect without
-- waiting; `outcome`, how that ended in `select`; `block` and `total`, the timeouts; `received`, `sent` and
-- `birthday`, the statistics without a connection; `settings`, socket options for the connect; `bound`, the
-- local address; `family` of tcp4 and tcp6; `defaults`, what `new` was given.
local core, net = ...
local error, getmetatable, next, pairs, pcall = error, getmetatable, next, pairs, pcall
local rawget, setmetatable, tonumber, tostring, type = rawget, setmetatable, tonumber, tostring, type
local min, tointeger = math.min, math.tointeger
local find, format, sub = string.find, string.format, string.sub
local unpack = table.unpack
local connect_by_list, start, address_list, now = net.connect_by_list, net.start, net.address_list, net.now
local list_type, socket_type, error_word = core.types["address list"], core.types.socket, core.error_word

local sockets = socket_type.__index -- the methods of a net socket
local socket_send, socket_receive = sockets.send, sockets.receive
local closed_send, closed_receive = unpack(core.part "dialect".closed)

local BAD_DESCRIPTOR = error_word "EBADF"


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

--- Connects to one of the addresses of the host, raced, within the timeout. In the place of the host there
-- may be an address list, or what one is made of in a table. With a timeout of 0 it returns nil, "timeout"
-- and goes on in `select` and in the next `connect`.
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

--- -1: forgets the descriptor, which then is the caller's to close. Another: owns that connected one from
-- now on.
function methods:setfd(fd)
  local number = tointeger(tonumber(fd))
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

-- An unknown option is reported as LuaSocket does; other errors, of memory too, pass on.
local function raise_option(problem, name, method)
  if type(problem) == "string" and find(problem, "unknown option", 1, true) then
    error(format("bad argument #1 to '%s' (unsupported option `%s')", method, sub(name, 1, 35)), 3)
  end
  error(problem, 0)
end

function methods:setoption(name, value)
  name = check_text(name, 1, "setoption")
  if not self.sock then
    if getmetatable(self) ~= master_type then return nil, "setsockopt failed" end
    self.settings[name] = value
    return 1.0
  end
  local ok, result = pcall(self.sock.setoption, self.sock, name, value)
  if not ok then raise_option(result, name, "setoption") end
  return result and 1.0 or nil, not result and "setsockopt failed" or nil
end

function methods:getoption(name)
  name = check_text(name, 1, "getoption")
  if not self.sock then return nil, "getsockopt failed" end
  local ok, value, message = pcall(self.sock.getoption, self.sock, name)
  if not ok then raise_option(value, name, "getoption") end
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

local objects = { client_type = client_type, step_aside = step_aside }

--- A new object. `family`: "inet", "inet6" or nil, of its connects. `defaults`: what `new` was given.
function objects.create(family, defaults)
  local object = {
    family = family, defaults = defaults, settings = {}, block = -1.0, total = -1.0,
    received = 0.0, sent = 0.0, birthday = now(),
  }
  return setmetatable(object, master_type)
end

return objects
