--- Endpoints on loopback for test suites and demonstrations, served in this process.
-- Each call gives an object with `address()`, `accepted()` and `close()`; it closes itself with
-- `<close>` and when it is collected. They need no network and no privileges.
local core = require "connectbylist.core"
local net = require "connectbylist"

local peer_type = core.types["test endpoint"]
local peer_core = peer_type.__index
local peer = {}
peer_type.__index = peer

--- Where to connect to.
function peer:address()
  local host, port = peer_core.address(self)
  return net.address(host, port)
end

--- How many connections it has taken.
peer.accepted = peer_core.accepted

--- Stops serving and closes everything. Closing twice is nothing.
peer.close = peer_core.close

local testing = {}

local function maker(kind)
  return function(address)
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
