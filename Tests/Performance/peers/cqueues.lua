-- The jobs with cqueues, in a coroutine of one controller.
local cqueues = require "cqueues"
local socket = require "cqueues.socket"

local jobs = { version = tostring(cqueues.VERSION) }

local function job(body)
  return function(count, ports)
    local controller = cqueues.new()
    controller:wrap(function() body(count, ports) end)
    assert(controller:loop())
  end
end

-- Binary, unbuffered writes, reads of 64 KiB: the fastest of the modes tried.
local function connected(port)
  local sock = socket.connect("127.0.0.1", port)
  sock:setmode("bf", "bn")
  sock:setbufsiz(65536, 65536)
  assert(sock:connect())
  return sock
end

jobs.connect = job(function(count, ports)
  local port = ports.sink
  for _ = 1, count do
    local sock = socket.connect("127.0.0.1", port)
    sock:connect()
    sock:close()
  end
end)

jobs.names = job(function(count, ports)
  local port = ports.sink
  for _ = 1, count do
    local sock = socket.connect("127.0.0.1", port)
    sock:connect()
    sock:localname()
    sock:peername()
    sock:close()
  end
end)

-- cqueues sets no option by default.
jobs.names_delaying = jobs.names

jobs.read_line = job(function(count, ports)
  local sock = connected(ports.source)
  for _ = 1, count do sock:read("*l") end
  sock:close()
end)

jobs.lines = job(function(count, ports)
  local sock = connected(ports.source)
  for _ in sock:lines() do
    count = count - 1
    if count == 0 then break end
  end
  sock:close()
end)

jobs.read_block = job(function(count, ports)
  local sock = connected(ports.source)
  for _ = 1, count do sock:read(65536) end
  sock:close()
end)

jobs.write_block = job(function(count, ports)
  local sock, block = connected(ports.sink), ("x"):rep(65536)
  for _ = 1, count do sock:write(block) end
  sock:close()
end)

return jobs
