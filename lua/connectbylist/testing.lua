--- Endpoints on loopback for test suites and examples, served by a thread of this process. They need no
-- network and no privileges.
--
-- Each call returns an endpoint with `address()`, `accepted()` and `close()`; `<close>` and garbage
-- collection close it too. It is on 127.0.0.1, on the IP address given, or, given `{unix = path}`, on a
-- Unix path that does not exist yet (`@name`: abstract). Closing it removes the path.
local core = require "connectbylist.core"
local net = require "connectbylist"

local error, type = error, type
local format = string.format
local new_endpoint, address_list, parse_address = core.test_endpoint, net.address_list, net.address

local endpoint_core = core.methods "test endpoint"
local endpoint = {}
core.types["test endpoint"].__index = endpoint

--- The address to connect to.
function endpoint:address()
  local host, port, family = endpoint_core.address(self)
  if family == "unix" then return address_list({ { unix = host } })[1] end
  return parse_address(host, port)
end

--- The number of connections that it has accepted.
endpoint.accepted = endpoint_core.accepted

--- Stops the endpoint and closes its connections. May be called again.
endpoint.close = endpoint_core.close

local testing = {}

local function maker(kind)
  return function(address)
    local path = type(address) == "table" and address.unix
    if type(path) == "string" and kind ~= "silent" then
      local made, message = new_endpoint(kind, path, true)
      if not made then error(message, 2) end
      return made
    end
    if address ~= nil and not (type(address) == "string" and parse_address(address, 1)) then
      local got = type(address) == "string" and address or type(address)
      error(format("bad argument #1 to '%s' (an IP address expected, got %s)", kind, got), 2)
    end
    local made, message = new_endpoint(kind, address)
    if not made then error(message, 2) end
    return made
  end
end

--- Sends back what it receives.
testing.echo = maker "echo"

--- Refuses connections. No other program can take its port while the endpoint is open.
testing.refused = maker "refused"

--- Completes no handshake: its accept queue is full, so the kernel drops each SYN.
testing.silent = maker "silent"

return testing
