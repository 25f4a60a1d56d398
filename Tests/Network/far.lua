-- What the scripts far_*_test.lua share: the SYNs that the far network has seen, and the kernel's metrics.
local far = {}

local log = os.getenv "FAR_SYNS"

local function size()
  local file <close> = assert(io.open(log))
  return file:seek "end"
end

--- Runs a function. Returns the SYNs of the client meanwhile, "SOURCE DESTINATION" a line, and its results.
function far.syns(body)
  local before = size()
  local results = table.pack(body())
  local file <close> = assert(io.open(log))
  file:seek("set", before)
  return (file:read("a"):gsub("\n$", "")), table.unpack(results, 1, results.n)
end

--- Runs a function while the kernel stores the metrics of connections that end. It does not store them
-- otherwise, so that tests do not depend on each other: only a privileged process could make it forget them.
function far.storing_metrics(body)
  local function set(value)
    local file <close> = assert(io.open("/proc/sys/net/ipv4/tcp_no_metrics_save", "w"))
    assert(file:write(value))
  end
  set "0"
  local ok, problem = xpcall(body, debug.traceback)
  set "1"
  if not ok then error(problem, 0) end
end

--- Waits until the kernel has metrics of a pair: it stores them when the connection's end is acknowledged.
function far.await_metrics(destination, source)
  for _ = 1, 200 do
    local file <close> = assert(io.popen("ip tcp_metrics show " .. destination .. " 2> /dev/null"))
    -- At once: what is read line by line ends at a signal.
    for line in file:read("a"):gmatch "[^\n]+" do
      if line:find("source " .. source, 1, true) and line:find("rtt", 1, true) then return end
    end
    os.execute "sleep 0.01"
  end
  error("the kernel has no metrics of " .. source .. " " .. destination, 2)
end

--- Seconds of a clock that goes on while the process waits.
function far.now()
  local file <close> = assert(io.popen "date +%s.%N")
  return tonumber(file:read "a")
end

--- Stops this process from one time to another, in seconds from now.
function far.stop_this_process(from, to)
  local file <close> = assert(io.open "/proc/self/stat")
  local id = file:read "n"
  assert(os.execute(("(sleep %s; kill -STOP %d; sleep %s; kill -CONT %d) &"):format(from, id, to - from, id)))
end

--- Runs a script of this folder in a process of its own; it must succeed.
function far.in_another_process(script, ...)
  local command = { os.getenv "HOST", os.getenv "NETWORK_TESTS" .. "/" .. script, ... }
  for i = 1, #command do command[i] = "'" .. tostring(command[i]) .. "'" end
  assert(os.execute(table.concat(command, " ")), script .. " failed")
end

return far
