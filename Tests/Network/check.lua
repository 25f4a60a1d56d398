-- Shared by the test scripts: named tests, assertions, and the addresses where the server listens.
local net = require "connectbylist"

-- Seconds. `soon`: the most that a busy machine needs for what costs no time. `long`: an attempt_delay
-- that must not pass in a test.
local check = { soon = 5, long = 10, failures = 0, has_inet6 = os.getenv "FAMILIES" == "both" }

local ports = {}
for host, port in os.getenv("PORTS"):gmatch "(%S+)=(%d+)" do ports[host] = math.tointeger(port) end

--- The address of the echo endpoint on a host of the server.
function check.echo(host) return net.address(host, assert(ports[host], host)) end

--- The port of the echo endpoint on a host of the server.
function check.port(host) return assert(ports[host], host) end

--- A list in the given order; entries are texts or addresses.
function check.list(...)
  local list = net.address_list()
  for _, entry in ipairs { ... } do assert(list:add(entry)) end
  return list
end

--- Runs a test and prints its result.
function check.test(sentence, body)
  local ok, problem = xpcall(body, debug.traceback)
  if not ok then check.failures = check.failures + 1 end
  print((ok and "ok      " or "not ok  ") .. sentence)
  if not ok then print(problem) end
end

--- Runs a test that needs IPv6; prints that it is skipped where there is none.
function check.test6(sentence, body)
  if check.has_inet6 then return check.test(sentence, body) end
  check.skip("no IPv6: " .. sentence)
end

function check.skip(reason) print("skipped: " .. reason) end

function check.equal(got, wanted, what)
  if got ~= wanted then
    error(("%s: got %s, wanted %s"):format(what or "value", tostring(got), tostring(wanted)), 2)
  end
end

--- Asserts `low` <= `got` < `high`.
function check.between(got, low, high, what)
  if not (got >= low and got < high) then
    error(("%s: got %s, wanted %s to %s"):format(what or "value", got, low, high), 2)
  end
end

--- A connect that must succeed and reach an echo endpoint: returns the socket and its report.
function check.connect(list, options)
  local sock, message, _, report = net.connect_by_list(list, options)
  if not sock then error(message .. "\n" .. tostring(report), 2) end
  sock:settimeout(20)
  assert(sock:write "hello\n")
  check.equal(sock:read "l", "hello", "echo")
  return sock, sock:report()
end

--- A connect that must fail: returns the code and the report.
function check.fail(list, options)
  local sock, _, code, report = net.connect_by_list(list, options)
  if sock then error("connected: " .. tostring(sock), 2) end
  return code, report
end

--- The outcome and the code of the first attempt at a host, and the attempt; nothing if there is none.
function check.outcome(report, host)
  for i = 1, #report.attempts do
    local attempt = report.attempts[i]
    if attempt.remote_address.host == host then return attempt.outcome, attempt.code, attempt end
  end
end

--- How many attempts were started.
function check.started(report)
  local count = 0
  for i = 1, #report.attempts do
    if report.attempts[i].started then count = count + 1 end
  end
  return count
end

--- Ends the script; its status says whether all tests passed.
function check.done() os.exit(check.failures == 0, true) end

return check
