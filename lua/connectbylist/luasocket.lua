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

local error, getmetatable, next, pcall = error, getmetatable, next, pcall
local select, setmetatable, tonumber, tostring, type = select, setmetatable, tonumber, tostring, type
local min = math.min
local address_list, list_type, sleep = net.address_list, core.types["address list"], net.sleep

local function part(name, ...)
  return core.load("connectbylist.luasocket_" .. name, core.environment)(core, net, ...)
end

local objects = part "object"
local create = objects.create

local api = {
  _VERSION = "LuaSocket 3.0.0",
  _SETSIZE = 1024,
  _SOCKETINVALID = -1,
  BLOCKSIZE = 2048,
  sinkt = {},
  sourcet = {},
  --- The wall clock, in seconds since 1970.
  gettime = core.wall_clock,
  select = part("select", objects),
}

--- Waits for a number of seconds.
function api.sleep(seconds)
  local number = tonumber(seconds)
  if not number then
    error("bad argument #1 to 'sleep' (number expected, got " .. type(seconds) .. ")", 2)
  end
  sleep(number > 0 and number or 0)
end

--- Returns the arguments after the first `count`.
function api.skip(count, ...) return select(count + 1, ...) end

-- Tables that `newtry` has raised, each with its message as the only item.
local raised = setmetatable({}, { __mode = "k" })

--- A function that returns its arguments if the first is true; otherwise it calls `finalizer` and raises the
-- second so that `protect` returns it.
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

--- A `socket` table whose connects use a list, an address list or what one is made of, in place of the host
-- and port that they are given, and these options of `connect_by_list`. A `timeout` among them counts until
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

  function module.tcp() return create(nil, defaults) end
  function module.tcp4() return create("inet", defaults) end
  function module.tcp6() return create("inet6", defaults) end

  --- A connected object; `nil, word` if the connect fails.
  function module.connect(host, port, local_host, local_port, family)
    if family == "unspec" then family = nil end
    local sock = create(family, defaults)
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
