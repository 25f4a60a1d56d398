-- The jobs with luv: callbacks in one loop. luv cannot read lines.
local uv = require "luv"

local jobs = { version = uv.version_string() }

local function each_connect(count, ports, on_connect)
  local port = ports.sink
  local function turn()
    if count == 0 then return end
    count = count - 1
    local tcp = uv.new_tcp()
    tcp:connect("127.0.0.1", port, function()
      on_connect(tcp)
      tcp:close(turn)
    end)
  end
  turn()
  uv.run()
end

function jobs.connect(count, ports) each_connect(count, ports, function() end) end

--- So many connects at once.
function jobs.at_once(count, ports)
  for _ = 1, count do
    local tcp = uv.new_tcp()
    tcp:connect("127.0.0.1", ports.sink, function(problem)
      assert(not problem, problem)
      tcp:close()
    end)
  end
  uv.run()
end

function jobs.names(count, ports)
  each_connect(count, ports, function(tcp)
    tcp:getsockname()
    tcp:getpeername()
  end)
end

-- luv sets no option by default.
jobs.names_delaying = jobs.names

--- Reads chunks of at most 64 KiB until `count` blocks of 64 KiB have come.
function jobs.read_block(count, ports)
  local left = count * 65536
  local tcp = uv.new_tcp()
  tcp:connect("127.0.0.1", ports.source, function(problem)
    assert(not problem, problem)
    tcp:read_start(function(_, chunk)
      left = left - #chunk
      if left > 0 or tcp:is_closing() then return end
      tcp:close()
    end)
  end)
  uv.run()
end

--- Eight writes at a time: with one, each would wait for an iteration of the loop.
function jobs.write_block(count, ports)
  local block = ("x"):rep(65536)
  local tcp = uv.new_tcp()
  local left = count
  local function turn()
    left = left - 1
    if left == 0 then return tcp:close() end
    if count == 0 then return end
    count = count - 1
    tcp:write(block, turn)
  end
  tcp:connect("127.0.0.1", ports.sink, function(problem)
    assert(not problem, problem)
    for _ = 1, math.min(count, 8) do
      count = count - 1
      tcp:write(block, turn)
    end
  end)
  uv.run()
end

return jobs
