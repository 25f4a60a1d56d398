-- One peer does one job so many times; prints microseconds for one, or the number that the job gives.
--
--   lua5.4 client.lua PEER JOB COUNT
--   lua5.4 client.lua PEER require      milliseconds of its `require`
--   lua5.4 client.lua PEER version
--
-- With PORTS as server.c prints them, and the folder of meter.so among the paths of C modules.
local meter = require "meter"

local peer, job, count = arg[1], arg[2], math.tointeger(tonumber(arg[3]))
local folder = arg[0]:match "^(.*)/" or "."

local modules = {
  ours = "connectbylist", luasocket = "socket", cqueues = "cqueues.socket", luv = "luv",
}

if job == "require" then
  local began = meter.now()
  require(modules[peer])
  print((meter.now() - began) * 1000)
  return
end

local ports = {}
for role, port in (os.getenv "PORTS" or ""):gmatch "(%w+)=(%d+)" do
  ports[role] = math.tointeger(port)
end

local jobs = dofile(("%s/peers/%s.lua"):format(folder, peer))
if job == "version" then return print(jobs.version) end

local began = meter.now()
local own = jobs[job](count, ports, meter)
print(own or (meter.now() - began) * 1e6 / count)
