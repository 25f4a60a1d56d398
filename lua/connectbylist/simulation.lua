--- The race on a virtual clock: what a list and options would do in a described network. Nothing is sent and
-- no time passes, so a test suite can check them exactly. The text that describes a network is that of the
-- program's `--simulate`.
local core = require "connectbylist.simulation_core"
local net = require "connectbylist"
-- The standard functions, also where the host has taken them away.
local _ENV = require "connectbylist.core".environment -- luacheck: ignore

local setmetatable, tonumber, type, error = setmetatable, tonumber, type, error
local find, format, gmatch, match, sub = string.find, string.format, string.gmatch, string.match, string.sub
local address_type = getmetatable(net.address("127.0.0.1", 1))

---@type connectbylist.simulation
---@diagnostic disable-next-line: missing-fields -- set below
local simulation = {}

-- An address from its text in a transcript: a remote endpoint, or a local address, whose port is 0 unless the
-- scenario states it. nil for "-", a pair without a source. Interfaces of a scenario need not exist here.
local function address_of(text)
  if text == "" or text == "-" then return nil end
  local host, port = match(text, "^%[(.+)%]:(%d+)$")
  if not host then host, port = match(text, "^([^:]+):(%d+)$") end
  local bare, scope = match(host or text, "^([^%%]+)%%?(.*)$")
  return setmetatable({
    host = bare, port = tonumber(port) or 0, family = find(bare, ":", 1, true) and "inet6" or "inet",
    scope = scope ~= "" and scope or nil,
  }, address_type)
end

local EVENT = "^(%d+)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)$"

local function event_of(line)
  local time, event, attempt, from, to, name, count, code = match(line, EVENT)
  return {
    time = tonumber(time) / 1e9, event = event, attempt = tonumber(attempt),
    local_address = address_of(from), remote_address = address_of(to),
    name = name ~= "" and name or nil, count = tonumber(count), code = code ~= "" and code or nil,
  }
end

-- The text of each transcript and explanation, for `tostring`.
local texts = setmetatable({}, { __mode = "k" })
local text_type = { __tostring = function(value) return texts[value] end }

local function with_text(value, text)
  -- Without the last newline: `print` adds one.
  texts[value] = sub(text, 1, -2)
  return setmetatable(value, text_type)
end

local function check_text(text, name)
  if type(text) ~= "string" then
    error(format("bad argument #1 to '%s' (string expected, got %s)", name, type(text)), 3)
  end
end

--- Runs the race that the text describes. Returns its end (the last event: `won`, `lost` or `cancelled`) and
-- the transcript, an array of events `{time, event, attempt, local_address, remote_address, name, count,
-- code}`; `tostring` of it is the text that `--simulate` prints. A text that is not understood gives `nil,
-- message, "EINVAL"`; the message names the line.
function simulation.simulate(text)
  check_text(text, "simulate")
  local rows, transcript = core.simulate(text)
  if not rows then return nil, "simulate: " .. transcript, "EINVAL" end
  local events = {}
  for line in gmatch(rows, "[^\n]+") do events[#events + 1] = event_of(line) end
  return events[#events], with_text(events, transcript)
end

--- The plan of the race that the text describes: an array of `{rank, local_address, remote_address, chance,
-- reasons}` as `net.explain` gives it; `tostring` of it is the text that `--explain` prints.
function simulation.explain(text)
  check_text(text, "explain")
  local plan, message = core.explain(text)
  if not plan then return nil, "explain: " .. message, "EINVAL" end
  local pairs_of_plan = {}
  for line in gmatch(plan, "[^\n]+") do
    local rank, from, to, chance, words = match(line, "^(%S+) (%S+) (%S+) (%S+) ?(.*)$")
    local reasons = {}
    for reason in gmatch(words .. "; ", "(.-); ") do reasons[#reasons + 1] = reason end
    pairs_of_plan[#pairs_of_plan + 1] = {
      rank = tonumber(rank), local_address = address_of(from), remote_address = address_of(to),
      chance = tonumber(chance), reasons = reasons,
    }
  end
  return with_text(pairs_of_plan, plan)
end

return simulation
