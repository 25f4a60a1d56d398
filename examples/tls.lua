-- Connects by TLS to the one of four servers whose certificate is right: the handshake is a part of the race.
-- Needs no network: its servers are on loopback. Needs LuaSec (lua-sec), and the program `openssl` for the
-- certificates and two of the servers.
--
--   swift run connectbylist examples/tls.lua
--   lua5.4 examples/tls.lua                 (with the module installed)
--
-- It prints, with another port:
--
--   start       entry 1
--   refused     entry 1
--   start       entry 2
--   connected   entry 2
--   rejected    entry 2
--   start       entry 3
--   connected   entry 3
--   rejected    entry 3
--   start       entry 4
--   connected   entry 4
--   won         entry 4
--   TLSv1.3 with 127.0.0.1:40833
--   It said: olleh
--
-- or, without one of them:
--
--   LuaSec is not installed
--   openssl is not installed

if not pcall(require, "ssl") then
  print "LuaSec is not installed"
  return
end
if not os.execute("command -v openssl > /dev/null 2>&1") then
  print "openssl is not installed"
  return
end

local net = require "connectbylist"
local testing = require "connectbylist.testing"
local tls = require "connectbylist.tls"

-- Certificates for this run: two authorities, and from each one for db.example.net. Only one is trusted.
local folder = os.tmpname()
os.remove(folder)
local function at_end(command)
  return setmetatable({}, { __close = function() os.execute(command) end })
end
local removal <close> = at_end("rm -r " .. folder) -- luacheck: ignore 211
assert(os.execute(([[
  exec 2> /dev/null && mkdir %s && cd %s
  for name in trusted stranger; do
    key='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'
    openssl req -x509 $key -subj /CN=$name -days 2 -keyout ca.key -out $name.pem &&
    openssl req $key -subj /CN=server -keyout $name-server.key -out server.csr &&
    echo 'subjectAltName=DNS:db.example.net' > names &&
    openssl x509 -req -in server.csr -CA $name.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names \
      -out $name-server.pem || exit 1
  done]]):format(folder, folder)))

-- A TLS server that sends back each line reversed: its address, and what ends it.
local function serve(name)
  local port
  do
    local endpoint <close> = testing.refused()
    port = endpoint:address().port
  end
  local pipe <close> = assert(io.popen(([[
    cd %s && exec openssl s_server -accept 127.0.0.1:%d -cert %s-server.pem -key %s-server.key \
      -rev -quiet > /dev/null 2>&1 & echo $!]]):format(folder, port, name, name)))
  local process = pipe:read("n")
  local address = "127.0.0.1:" .. port
  assert(net.connect_by_list({ address }, { timeout = 10, retry = 0.02 })):close()
  return address, at_end("kill " .. process)
end

-- One is down, one accepts and says nothing, one has a certificate of an authority that is not trusted.
local stopped <close> = testing.refused()
local hung <close> = testing.accepting()
local forged, forged_process = serve "stranger"
local forged_end <close> = forged_process -- luacheck: ignore 211
local service, process = serve "trusted"
local service_end <close> = process -- luacheck: ignore 211
local list = net.address_list { stopped, hung, forged, service }

-- 1. The check makes the TLS connection of each candidate. `server_name` is needed here because the entries
-- are addresses; for the entry "db.example.net:5432" it is that name.
local check = tls.validate { cafile = folder .. "/trusted.pem", server_name = "db.example.net" }

-- 2. One attempt after the other, in the order of the list, so that the output is always the same; without
-- `order` and `pace` the likeliest goes first, and handshakes of TCP overlap. A server that says nothing has
-- 0.2 s.
local entries, peer = {}, nil
for i, address in ipairs(list) do entries[tostring(address)] = i end
local connection, message, code, report = net.connect_by_list(list, {
  timeout = 5,
  attempt_timeout = 0.2,
  order = "given",
  pace = "sequential",
  validate = check,
  on_event = function(event)
    peer = event.remote_address
    print(("%-11s entry %d"):format(event.event, entries[tostring(peer)]))
  end,
})
if not connection then
  io.stderr:write(message, " (", code, ")\n", report:text { file = io.stderr }, "\n")
  os.exit(1)
end

-- 3. What the connect returned is LuaSec's connection, verified.
---@cast connection any
print(connection:info("protocol") .. " with " .. peer)
connection:settimeout(5)
connection:send("hello\n")
print("It said: " .. connection:receive("*l"))
connection:close()
