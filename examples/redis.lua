-- A small Redis client: it connects to one of several servers, speaks RESP2, and connects again when the
-- connection is lost. `examples/redis_spec.lua` is its test suite.
--
--   local redis = require "examples.redis"
--   local client <close> = redis.new { "10.0.0.1:6379", "10.0.0.2:6379", timeout = 1 }
--
-- As a script it sends two commands to the servers that it is given, or else to a test endpoint on loopback:
--
--   swift run connectbylist examples/redis.lua [server...]
--   lua5.4 examples/redis.lua [server...]   (with the module installed)
--
-- It prints:
--
--   SET greeting hello: OK
--   GET greeting: hello

local net = require "connectbylist"

local client = {}
client.__index = client

-- Closes the connection: after an error it is unknown which reply would be read next.
local function give_up(self, message, code)
  self:close()
  return nil, message, code
end

-- Reads one reply. Returns it, false for a null; nil and a message on an error.
local function read_reply(self)
  local sock = self.sock
  local line, message, code = sock:read("l")
  if not line then return give_up(self, message or "the server closed the connection", code or "EPIPE") end
  line = line:gsub("\r$", "")
  local kind, rest = line:sub(1, 1), line:sub(2)
  if kind == "+" then return rest end
  if kind == "-" then return nil, rest, "EREDIS" end
  local number = math.tointeger(tonumber(rest))
  if kind == ":" and number then return number end
  if kind == "$" and number then
    if number < 0 then return false end
    local bytes
    bytes, message, code = sock:read(number + 2)
    if not bytes or #bytes < number + 2 then
      return give_up(self, message or "the server closed the connection", code or "EPIPE")
    end
    return bytes:sub(1, number)
  end
  if kind == "*" and number then
    local items = {}
    for i = 1, number do
      local item
      item, message, code = read_reply(self)
      if item == nil then return nil, message, code end
      items[i] = item
    end
    return items
  end
  return give_up(self, "not a reply of Redis: " .. line, "EPROTO")
end

-- The connection; a new one if there is none.
local function connection(self)
  if self.sock then return self.sock end
  local sock, message, code = net.connect_by_list(self.list, { timeout = self.timeout })
  if not sock then return nil, message, code end
  sock:settimeout(self.timeout)
  self.sock = sock
  return sock
end

--- Sends a command and returns its reply: text, a number, an array, or false for a null. An error of the
-- server is `nil, message, "EREDIS"`, another failure `nil, message, code`. The next call connects again.
function client:call(...)
  local sock, message, code = connection(self)
  if not sock then return nil, message, code end
  local parts = { "*", select("#", ...), "\r\n" }
  for i = 1, select("#", ...) do
    local text = tostring((select(i, ...)))
    parts[#parts + 1] = "$" .. #text .. "\r\n" .. text .. "\r\n"
  end
  local written
  written, message, code = sock:write(table.concat(parts))
  if not written then return give_up(self, message, code) end
  return read_reply(self)
end

function client:close()
  if self.sock then self.sock:close() end
  self.sock = nil
end

client.__close = client.close
client.__gc = client.close

local redis = {}

--- A client of the servers in the array. `timeout`: for each connect, and for each reply; 2 s.
function redis.new(servers)
  local list = assert(net.address_list(servers, 6379))
  return setmetatable({ list = list, timeout = servers.timeout or 2 }, client)
end

-- `require` passes the name of the module, and the name of its file.
if ... == "examples.redis" then return redis end

local testing = require "connectbylist.testing"
local steps = testing.steps
local endpoint <close> = testing.script {
  steps.expect "*$3\r\nSET\r\n*hello\r\n", steps.send "+OK\r\n",
  steps.expect "*$3\r\nGET\r\n*greeting\r\n", steps.send "$5\r\nhello\r\n",
}
local servers = #arg > 0 and arg or { endpoint }
local redis_client <close> = redis.new { table.unpack(servers) }
print("SET greeting hello: " .. assert(redis_client:call("SET", "greeting", "hello")))
print("GET greeting: " .. assert(redis_client:call("GET", "greeting")))
