-- Makes a peer do one job COUNT times. Prints the microseconds for one, or the number that the job returns.
--
--   lua5.4 client.lua PEER JOB COUNT
--   lua5.4 client.lua PEER require      milliseconds of its `require`
--   lua5.4 client.lua PEER version
--
-- PORTS: what server.c prints. LUA_CPATH must include the folder of meter.so.
local meter = require "meter"

local peer, job, count = arg[1], arg[2], math.tointeger(tonumber(arg[3]))
local folder = arg[0]:match "^(.*)/" or "."

local modules = {
  ours = "connectbylist", luasocket = "socket", cqueues = "cqueues.socket", luv = "luv",
  none = "meter", -- which is loaded
}

if job == "require" then
  local began = meter.now()
  require(modules[peer])
  print((meter.now() - began) * 1000)
  os.exit(true) -- without closing the state
end

local ports = {}
for role, port in (os.getenv "PORTS" or ""):gmatch "(%w+)=(%d+)" do
  ports[role] = math.tointeger(port)
end

local jobs = dofile(("%s/peers/%s.lua"):format(folder, peer))
if job == "version" then return print(jobs.version) end

local began = meter.now()
local number = jobs[job](count, ports, meter)
print(number or (meter.now() - began) * 1e6 / count)
