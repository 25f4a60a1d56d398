--- Shared by the specs. All connections are on loopback and within this process.
local net = require "connectbylist"
local testing = require "connectbylist.testing"

local support = {}

local function text_of(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

--- How many descriptors this process has open: the numbers that have an entry in /proc. Starting another
-- process to list them would open descriptors itself.
function support.descriptors()
  local slots = tonumber(text_of("/proc/self/status"):match("FDSize:%s*(%d+)"))
  local count = 0
  for number = 0, slots - 1 do
    local file = io.open("/proc/self/fdinfo/" .. number)
    if file then
      file:close()
      count = count + 1
    end
  end
  return count
end

--- For `before_each` and `after_each`: fails a spec that leaves descriptors open.
function support.descriptor_guard()
  local before
  local function start()
    collectgarbage()
    collectgarbage()
    before = support.descriptors()
  end
  local function finish()
    collectgarbage()
    collectgarbage()
    local after = support.descriptors()
    if after ~= before then
      error(("%d descriptors before, %d after"):format(before, after), 0)
    end
  end
  return start, finish
end

--- The resident memory of this process, in KiB.
function support.resident()
  return tonumber(text_of("/proc/self/status"):match("VmRSS:%s*(%d+) kB"))
end

--- Whether a sanitizer runs with this process. It delays the freeing of memory, and can be recognised by
-- the terabytes of addresses that it reserves.
function support.is_sanitized()
  return tonumber(text_of("/proc/self/status"):match("VmSize:%s*(%d+) kB")) > 2 ^ 30
end

--- Seconds on a clock that is not the module's; its resolution is 10 ms.
function support.now() return tonumber(text_of("/proc/uptime"):match("^%S+")) end

--- A socket connected to an endpoint.
function support.connected(endpoint)
  return assert(net.connect_by_list({ endpoint:address() }, { timeout = 5 }))
end

--- A socket connected to an echo endpoint, and the endpoint. The socket has a timeout, so that a spec
-- that would hang fails.
function support.echo()
  local endpoint = testing.echo()
  local sock = support.connected(endpoint)
  sock:settimeout(5)
  return sock, endpoint
end

--- The same; the socket receives this text and then the end of the stream.
function support.echoing(...)
  local sock, endpoint = support.echo()
  assert(sock:write(...))
  assert(sock:shutdown("write"))
  return sock, endpoint
end

--- A socket and the peer of its connection, a socket of LuaSocket; nil if LuaSocket is not installed.
function support.pair()
  local found, luasocket = pcall(require, "socket")
  if not found then return nil end
  local listener = assert(luasocket.bind("127.0.0.1", 0))
  local host, port = listener:getsockname()
  local sock = assert(net.connect_by_list({ { host = host, port = port } }, { timeout = 5 }))
  local other = assert(listener:accept())
  listener:close()
  sock:settimeout(5)
  other:settimeout(5)
  return sock, other
end

--- Writes until the kernel's buffers and the echo's are full; returns how many bytes they took. The kernel
-- may accept a little more later, but less than the 16 MiB that setvbuf can buffer.
function support.fill(sock)
  local timeout, total = sock:gettimeout(), 0
  local chunk = ("x"):rep(2 ^ 22)
  sock:settimeout(0.1)
  while true do
    local done, _, _, written = sock:write(chunk)
    total = total + (done and #chunk or written)
    if written == 0 then break end
  end
  sock:settimeout(timeout)
  return total
end

--- The text of the error that a function raises. Raises itself if there is none.
function support.raised(body, ...)
  local ok, message = pcall(body, ...)
  assert(not ok, "nothing was raised")
  return tostring(message)
end

--- A generator of random numbers that gives the same for a seed on each machine.
function support.random(seed)
  local state = seed * 2654435761 % 4294967296
  return function(low, high)
    state = (state * 1664525 + 1013904223) % 4294967296
    return low + (state >> 8) % (high - low + 1)
  end
end

--- A `print` that keeps what it gets, and the lines that it has kept.
function support.printer()
  local lines = {}
  return function(...)
    local texts = table.pack(...)
    for i = 1, texts.n do texts[i] = tostring(texts[i]) end
    for line in (table.concat(texts, "\t") .. "\n"):gmatch("(.-)\n") do
      lines[#lines + 1] = line
    end
  end, lines
end

-- busted forgets modules between files, and luv crashes if a state loads it twice.
local LUV = "connectbylist.tests.luv"
package.preload.luv = function()
  local registry = debug.getregistry()
  if not registry[LUV] then
    local path = assert(package.searchpath("luv", package.cpath))
    registry[LUV] = assert(package.loadlib(path, "luaopen_luv"))()
  end
  return registry[LUV]
end

--- luv; nil if it is not installed.
function support.luv()
  local found, uv = pcall(require, "luv")
  return found and uv or nil
end

--- A scheduler: runs the functions as coroutines, whose waiters yield; polls the first that waits.
function support.run_all(bodies)
  local waiting = {}
  local function resume(thread)
    local _, object = assert(coroutine.resume(thread))
    waiting[thread] = coroutine.status(thread) ~= "dead" and object or nil
  end
  local most = 0
  for _, body in ipairs(bodies) do resume(coroutine.create(body)) end
  while next(waiting) do
    local count, due, least = 0, {}, 0.05
    for thread, object in pairs(waiting) do
      count, due[#due + 1] = count + 1, thread
      least = math.min(least, object:timeout() or least)
    end
    most = math.max(most, count)
    require "connectbylist.core".poll(nil, nil, least / 10)
    for _, thread in ipairs(due) do resume(thread) end
  end
  return most
end

return support
