--- Ctrl-C, that is SIGINT, in each wait of a script, in the interpreter that runs these specs.
local net = require "connectbylist"

-- In the script: `wait` is what is interrupted, `works` checks that what the script holds still does.
local SCRIPT = [==[
local net, testing = require "connectbylist", require "connectbylist.testing"
local echo, silent, accepting = testing.echo(), testing.silent(), testing.accepting()
local sock, mute = assert(net.connect_by_list { echo }), assert(net.connect_by_list { accepting })
local long, part = ("x"):rep(2 ^ 26), ("x"):rep(2 ^ 20)
local options = { timeout = 20 }
local waits = {
  connect = function() return net.connect_by_list({ silent }, options) end,
  events = function() return net.connect_by_list({ silent }, { timeout = 20, on_event = function() end }) end,
  check = function()
    return net.connect_by_list({ accepting }, { validate = function(candidate) return candidate:read() end })
  end,
  read = function() return sock:read() end,
  line = function() for line in sock:lines() do error(line) end end,
  write = function() return mute:write(long) end,
  flush = function()
    mute:setvbuf("full", 2 ^ 24)
    while true do assert(mute:write(part)) end
  end,
  sleep = function() net.sleep(20) end,
  receive = function() return sock:receive() end,
}
local function works()
  sock:settimeout(5)
  return mute:connected() and sock:write("still here\n") and sock:read()
end
local wait = waits[arg[1]]
if arg[2] == "coroutine" then
  local inner = wait
  wait = function()
    local ok, message = coroutine.resume(coroutine.create(inner))
    error(message, 0)
  end
end
io.stdout:setvbuf("no")
print "waiting"
local ok, message
if arg[2] == "uncaught" then wait() else ok, message = pcall(wait) end
local ended = net.now()
print(("%.6f"):format(ended))
print((tostring(message):gsub("\n.*", "")))
print(works())
]==]

local function shell(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

-- The program that runs this spec.
local function interpreter()
  local pipe <close> = assert(io.popen "readlink /proc/$PPID/exe")
  return pipe:read("l")
end

describe("Ctrl-C", function()
  local path
  setup(function()
    path = os.tmpname()
    local file <close> = assert(io.open(path, "w"))
    file:write(SCRIPT)
  end)
  teardown(function() os.remove(path) end)

  -- Runs the script, interrupts it in its wait, and returns its lines and the seconds that it took to end.
  local function interrupted(...)
    local words = { shell(interpreter()), shell(path), ... }
    local command = "echo $$; exec " .. table.concat(words, " ") .. " 2>&1"
    local pipe <close> = assert(io.popen("sh -c " .. shell(command)))
    local pid = assert(pipe:read("l"))
    assert.equal("waiting", pipe:read("l"))
    -- It has said so just before.
    net.sleep(0.1)
    local began = net.now()
    assert(os.execute("kill -INT " .. pid))
    local lines = {}
    for line in pipe:lines() do lines[#lines + 1] = line end
    return lines, (tonumber(lines[1]) or net.now()) - began
  end

  local waits = { "connect", "events", "check", "read", "line", "write", "flush", "sleep", "receive" }
  for _, wait in ipairs(waits) do
    it("ends a wait, and closes nothing: " .. wait, function()
      local lines, took = interrupted(wait)
      assert.matches("interrupted!", lines[2])
      assert.equal("still here", lines[3])
      -- 0.001 s to 0.004 s are measured; `kill` has to be started first.
      assert.is_true(took < 1, took)
    end)
  end

  -- The same, with Ctrl-C typed on a pseudo-terminal, as `script` of util-linux makes one.
  local function interrupted_by_key(wait)
    local fifo = os.tmpname()
    os.remove(fifo)
    assert(os.execute("mkfifo " .. shell(fifo)))
    local program = ("exec %s %s %s"):format(shell(interpreter()), shell(path), wait)
    local command = ("script -qec %s /dev/null <%s"):format(shell(program), shell(fifo))
    local pipe <close> = assert(io.popen(command))
    local keys <close> = assert(io.open(fifo, "w"))
    os.remove(fifo)
    keys:setvbuf "no"
    assert.equal("waiting\r", pipe:read "l")
    net.sleep(0.1)
    local began = net.now()
    keys:write "\3"
    local lines = {}
    for line in pipe:lines() do
      lines[#lines + 1] = line:gsub("\r$", ""):gsub("^%^C", "")
      if #lines == 3 then break end
    end
    return lines, (tonumber(lines[1]) or math.huge) - began
  end

  for _, wait in ipairs { "connect", "read", "write", "sleep" } do
    it("typed on a terminal ends a wait within 0.1 s: " .. wait, function()
      local least = math.huge
      -- On a busy machine a process may have to wait for the processor that long.
      for _ = 1, 3 do
        local lines, took = interrupted_by_key(wait)
        assert.matches("interrupted!", lines[2])
        assert.equal("still here", lines[3])
        least = math.min(least, took)
        if least < 0.1 then break end
      end
      assert.is_true(least < 0.1, least)
    end)
  end

  it("ends a wait in a coroutine", function()
    for _, wait in ipairs { "connect", "read", "sleep" } do
      local lines, took = interrupted(wait, "coroutine")
      assert.matches("interrupted!", lines[2])
      assert.equal("still here", lines[3])
      assert.is_true(took < 1.5, took)
    end
  end)

  it("ends the script that does not catch it", function()
    local lines, took = interrupted("sleep", "uncaught")
    assert.matches("interrupted!", lines[1])
    assert.is_true(took < 5, took)
  end)
end)
