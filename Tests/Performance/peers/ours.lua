-- The jobs with ConnectByList.
local net = require "connectbylist"

local jobs = { version = net.version }

local function literal(port, host) return ("%s:%d"):format(host or "127.0.0.1", port) end

local function connected(port) return assert(net.connect_by_list { literal(port) }) end

function jobs.connect(count, ports)
  local list = net.address_list { literal(ports.sink) }
  for _ = 1, count do
    local sock = net.connect_by_list(list)
    sock:close()
  end
end

function jobs.names(count, ports)
  local list = net.address_list { literal(ports.sink) }
  for _ = 1, count do
    local sock = net.connect_by_list(list)
    sock:local_address()
    sock:remote_address()
    sock:close()
  end
end

--- So many connects at once, as operations that this loop steps. It waits for the first that is left.
function jobs.at_once(count, ports)
  local wait = require "connectbylist.wait".blocking
  local list = net.address_list { literal(ports.sink) }
  local pending = {}
  for i = 1, count do pending[i] = net.start(list) end
  while true do
    local left = 0
    for i = 1, #pending do
      local op = pending[i]
      local sock = op:step()
      pending[i] = nil
      if sock then
        sock:close()
      else
        left = left + 1
        pending[left] = op
      end
    end
    if left == 0 then return end
    wait(pending[1])
  end
end

--- Makes a new list for each connect.
function jobs.connect_each(count, ports)
  local text = literal(ports.sink)
  for _ = 1, count do
    local sock = net.connect_by_list { text }
    sock:close()
  end
end

-- `nodelay` is the only socket option that is set by default.
local delaying = { socket = { nodelay = false } }

function jobs.connect_delaying(count, ports)
  local list = net.address_list { literal(ports.sink) }
  for _ = 1, count do
    local sock = net.connect_by_list(list, delaying)
    sock:close()
  end
end

function jobs.names_delaying(count, ports)
  local list = net.address_list { literal(ports.sink) }
  for _ = 1, count do
    local sock = net.connect_by_list(list, delaying)
    sock:local_address()
    sock:remote_address()
    sock:close()
  end
end

--- Two literals, of which the first connects.
function jobs.connect_two(count, ports)
  local list = net.address_list { literal(ports.sink), literal(ports.sink, "127.0.0.2") }
  for _ = 1, count do
    local sock = net.connect_by_list(list)
    sock:close()
  end
end

function jobs.read_line(count, ports)
  local sock = connected(ports.source)
  for _ = 1, count do sock:read("l") end
  sock:close()
end

function jobs.lines(count, ports)
  local sock = connected(ports.source)
  for _ in sock:lines() do
    count = count - 1
    if count == 0 then break end
  end
  sock:close()
end

function jobs.read_block(count, ports)
  local sock = connected(ports.source)
  for _ = 1, count do sock:read(65536) end
  sock:close()
end

function jobs.write_block(count, ports)
  local sock, block = connected(ports.sink), ("x"):rep(65536)
  for _ = 1, count do sock:write(block) end
  sock:close()
end

-- Memory. These jobs return bytes.

local function collect()
  collectgarbage()
  collectgarbage()
end

local function silent_list(count, port)
  local list = net.address_list()
  for i = 0, count - 1 do list:add(("127.1.%d.%d:%d"):format(i // 250, i % 250 + 1, port)) end
  return list
end

--- The memory of an entry in a list of literals.
function jobs.entry_bytes(count, ports, meter)
  -- The first list allocates what later lists share.
  silent_list(1, ports.silent)
  collect()
  local before = meter.heap()
  local list = silent_list(count, ports.silent)
  collect()
  local bytes = meter.heap() - before
  assert(#list == count)
  return bytes / count
end

--- The memory of an attempt in flight: the difference between `count` and 2 * `count` attempts at once, from
-- the same list of silent addresses.
function jobs.attempt_bytes(count, ports, meter)
  local list = silent_list(2 * count, ports.silent)
  local function heap_with(in_flight)
    collect()
    list:forget()
    meter.heap_in(0.3)
    local sock =
      net.connect_by_list(list, { pace = "parallel", in_flight = in_flight, timeout = 0.6 })
    assert(not sock, "a silent address answered")
    return meter.heap_then()
  end
  heap_with(count)
  return (heap_with(2 * count) - heap_with(count)) / count
end

local function idle(count, ports, size)
  local list, held = net.address_list { literal(ports.sink) }, {}
  for i = 1, count do held[i] = false end
  net.connect_by_list(list):close()
  collect()
  local before = size()
  for i = 1, count do held[i] = assert(net.connect_by_list(list)) end
  collect()
  local bytes = size() - before
  for i = 1, count do held[i]:close() end
  return bytes / count
end

--- The memory of a connected socket before its first read.
function jobs.idle_bytes(count, ports, meter) return idle(count, ports, meter.heap) end

--- The part of it that Lua's allocator holds.
function jobs.idle_lua_bytes(count, ports)
  return idle(count, ports, function() return collectgarbage "count" * 1024 end)
end

-- A list of silent addresses and a last one that connects. These jobs return seconds.

local function behind_dead(count, ports, meter, options)
  local list = silent_list(count, ports.silent)
  list:add(literal(ports.sink))
  options.order, options.timeout = "given", 30
  local began = meter.now()
  local sock = assert(net.connect_by_list(list, options))
  local elapsed = meter.now() - began
  sock:close()
  return elapsed
end

function jobs.behind_dead(count, ports, meter) return behind_dead(count, ports, meter, {}) end

--- The delay that RFC 8305 recommends: 250 ms.
function jobs.behind_dead_steady(count, ports, meter)
  return behind_dead(count, ports, meter, { pace = "steady", attempt_delay = 0.25 })
end

return jobs
