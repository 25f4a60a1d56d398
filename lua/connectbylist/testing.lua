--- Endpoints on loopback for test suites and demonstrations, served in this process.
-- Each call gives an object with `address()`, `accepted()` and `close()`; it closes itself with
-- `<close>` and when it is collected. They need no network and no privileges.
--
-- An endpoint is on 127.0.0.1, on the IP address given, or, given `{unix = path}`, on a Unix path
-- that is not there yet (`@name`: abstract); closing it takes the path away.
local core = require "connectbylist.core"
local net = require "connectbylist"

local peer_core = core.methods "test endpoint"
local peer = {}
core.types["test endpoint"].__index = peer

--- Where to connect to.
function peer:address()
  local host, port, family = peer_core.address(self)
  if family == "unix" then return net.address_list({ { unix = host } })[1] end
  return net.address(host, port)
end

--- How many connections it has taken.
peer.accepted = peer_core.accepted

--- Stops serving and closes everything. Closing twice is nothing.
peer.close = peer_core.close

local testing = {}

local function maker(kind)
  return function(address)
    local path = type(address) == "table" and address.unix
    if type(path) == "string" and kind ~= "silent" then
      local made, message = core.test_endpoint(kind, path, true)
      if not made then error(message, 2) end
      return made
    end
    if address ~= nil and not (type(address) == "string" and net.address(address, 1)) then
      error(("bad argument #1 to '%s' (an IP address expected, got %s)")
        :format(kind, type(address) == "string" and address or type(address)), 2)
    end
    local made, message = core.test_endpoint(kind, address)
    if not made then error(message, 2) end
    return made
  end
end

--- Sends back what it gets.
testing.echo = maker "echo"

--- A port that nobody listens on, and that nobody else can take as long as the endpoint is there.
testing.refused = maker "refused"

--- Completes no handshake: its queue of connections is full, so every SYN is dropped.
testing.silent = maker "silent"

return testing
