-- The jobs with LuaSocket.
local socket = require "socket"

local jobs = { version = socket._VERSION }

local function connected(port)
  local sock = assert(socket.tcp())
  assert(sock:connect("127.0.0.1", port))
  return sock
end

function jobs.connect(count, ports)
  local port = ports.sink
  for _ = 1, count do
    local sock = socket.tcp()
    sock:connect("127.0.0.1", port)
    sock:close()
  end
end

function jobs.names(count, ports)
  local port = ports.sink
  for _ = 1, count do
    local sock = socket.tcp()
    sock:connect("127.0.0.1", port)
    sock:getsockname()
    sock:getpeername()
    sock:close()
  end
end

-- LuaSocket sets no option by default.
jobs.names_delaying = jobs.names

function jobs.read_line(count, ports)
  local sock = connected(ports.source)
  for _ = 1, count do sock:receive("*l") end
  sock:close()
end

function jobs.read_block(count, ports)
  local sock = connected(ports.source)
  for _ = 1, count do sock:receive(65536) end
  sock:close()
end

function jobs.write_block(count, ports)
  local sock, block = connected(ports.sink), ("x"):rep(65536)
  for _ = 1, count do sock:send(block) end
  sock:close()
end

return jobs
