--- What the specs share. They need no network: everything is on loopback, in this process.
local net = require "connectbylist"
local testing = require "connectbylist.testing"

local support = {}

local function text_of(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

--- How many descriptors this process has open. No other process is asked, as that would take
-- descriptors itself: a number is open where /proc has something to say about it.
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

--- For `before_each` and `after_each`: what the spec leaves open is its failure.
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

--- Whether a sanitizer runs with this process: it keeps freed memory for a while, and has reserved
-- terabytes of addresses, which shows.
function support.is_sanitized()
  return tonumber(text_of("/proc/self/status"):match("VmSize:%s*(%d+) kB")) > 2 ^ 30
end

--- Seconds on a clock that no part of the module has a hand in; it ticks a hundred times a second.
function support.now() return tonumber(text_of("/proc/uptime"):match("^%S+")) end

--- A socket connected to an endpoint.
function support.connected(endpoint)
  return assert(net.connect_by_list({ endpoint:address() }, { timeout = 5 }))
end

--- An echo endpoint and a socket connected to it, whose reads and writes are bounded: what hangs
-- fails.
function support.echo()
  local endpoint = testing.echo()
  local sock = support.connected(endpoint)
  sock:settimeout(5)
  return sock, endpoint
end

--- The same, with this text on its way back, and the end of the stream after it.
function support.echoing(...)
  local sock, endpoint = support.echo()
  assert(sock:write(...))
  assert(sock:shutdown("write"))
  return sock, endpoint
end

--- A socket of ours and the other end of its connection, which is LuaSocket's; nil where there is
-- none.
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

--- Writes until neither the kernel nor the echo takes more; returns how many bytes they took. A
-- little more may go out later, when the kernel finds room, but not the 16 MiB that setvbuf can
-- hold.
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

--- What a function raises, as text; an error of the spec where it raises nothing.
function support.raised(body, ...)
  local ok, message = pcall(body, ...)
  assert(not ok, "nothing was raised")
  return tostring(message)
end

--- Random numbers of a spec's own, the same for a seed everywhere.
function support.random(seed)
  local state = seed * 2654435761 % 4294967296
  return function(low, high)
    state = (state * 1664525 + 1013904223) % 4294967296
    return low + (state >> 8) % (high - low + 1)
  end
end

return support
