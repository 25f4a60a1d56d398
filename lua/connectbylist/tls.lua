--- TLS inside the race, by LuaSec: an endpoint whose handshake or certificate fails is not the winner.
local core = require "connectbylist.core"
require "connectbylist"
local ssl = require "ssl"
-- The standard functions, also where the host has taken them away.
local _ENV = core.environment -- luacheck: ignore

local error, ipairs, next, setmetatable, type = error, ipairs, next, setmetatable, type
local byte, format, gsub, match = string.byte, string.format, string.gsub, string.match
local await = core.methods "socket".await

---@type connectbylist.tls
---@diagnostic disable-next-line: missing-fields -- set below
local tls = {}

-- In the form in which certificates are compared: small letters, no dot at the end.
local LOWER = {}
for code = byte "A", byte "Z" do LOWER[format("%c", code)] = format("%c", code + 32) end
local function plain_name(name) return (gsub(gsub(name, "%u", LOWER), "%.$", "")) end

-- Whether a name of a certificate is that of the host, as RFC 6125 section 6.4.3 has it: a `*` is a whole
-- label, the first, and there are two labels behind it.
local function matches(pattern, host)
  pattern = plain_name(pattern)
  if pattern == host then return true end
  local rest = match(pattern, "^%*(%.[^*]+%.[^*]+)$")
  local suffix = rest and match(host, "^[^.]+(%..+)$")
  return suffix ~= nil and suffix == rest
end

-- An IP address in canonical form, so that equal addresses are equal texts; nil for other text.
local function canonical(text)
  local address = core.address(text, 1)
  return address and address.host
end

local NAMES = "2.5.29.17" -- subjectAltName

-- Whether the certificate is for the host. The common name does not count (RFC 9525 section 1.2).
local function is_for(certificate, host, is_ip)
  local extension = certificate:extensions()[NAMES]
  if not extension then return false end
  for _, name in ipairs(extension[is_ip and "iPAddress" or "dNSName"] or {}) do
    if is_ip and canonical(name) == host or not is_ip and matches(name, host) then return true end
  end
  return false
end

-- Ends a handshake that was not finished: whether it failed or something raised. The connection closes the
-- descriptor, so the socket forgets it first.
local guard_type = {
  __close = function(guard)
    if guard.is_done then return end
    if guard.sock:connected() then
      guard.sock:setfd(-1)
      guard.connection:close()
    end
  end,
}

local function handshake(sock, connection)
  connection:settimeout(0)
  while true do
    local done, message = connection:dohandshake()
    if done then return true end
    local events = message == "wantwrite" and "w" or (message == "wantread" or message == "timeout") and "r"
    if not events then return nil, message end
    if not await(sock, events) then return nil, "timeout" end
  end
end

-- Whether LuaSec's `verify`, a word or an array of words, has the chain checked.
local function verifies(words)
  if type(words) ~= "table" then return words ~= "none" end
  for _, word in ipairs(words) do
    if word == "peer" then return true end
  end
  return false
end

local function copy(params)
  local copied = {}
  for key, value in next, params or {} do copied[key] = value end
  return copied
end

--- A `validate` for a connect's options that makes a LuaSec connection of each candidate, within the race
-- and its deadline. The connect returns the connection in place of a socket.
--
-- `params`: LuaSec's, with these defaults: mode "client", protocol "any", options "all", verify "peer" (the
-- chain is checked), and the system's authorities in /etc/ssl/certs. Beside them:
--   server_name  the name to ask for (SNI) and to find in the certificate; unless set, the name of the entry
--                that the race has reached, or its IP address; false: neither is done
-- A certificate that was not verified (verify "none") is not searched for the name either.
function tls.validate(params)
  if params ~= nil and type(params) ~= "table" then
    error("bad argument #1 to 'validate' (table expected, got " .. type(params) .. ")", 2)
  end
  params = copy(params)
  local server_name = params.server_name
  params.server_name = nil
  params.mode = params.mode or "client"
  params.protocol = params.protocol or "any"
  params.options = params.options or "all"
  params.verify = params.verify or "peer"
  if not params.cafile and not params.capath then params.capath = "/etc/ssl/certs" end
  local context, problem = ssl.newcontext(params)
  if not context then error("tls.validate: " .. problem, 2) end
  local is_verified = verifies(params.verify)

  return function(sock)
    local host = server_name
    if host == nil then host = sock:name() or sock:remote_address().host end
    local is_ip = host and canonical(host) ~= nil
    -- LuaSec takes the descriptor of what it wraps. The socket keeps it until the handshake is done: the
    -- waiting is the socket's.
    local lender = { getfd = function() return sock:getfd() end, setfd = function() end }
    local connection, message = ssl.wrap(lender, context)
    if not connection then return false, message end
    local guard <close> = setmetatable({ sock = sock, connection = connection }, guard_type)
    if host then
      host = is_ip and canonical(host) or plain_name(host)
      if not is_ip then connection:sni(host) end
    end
    local done
    done, message = handshake(sock, connection)
    if not done then return false, message end
    if host and is_verified then
      local certificate = connection:getpeercertificate()
      if not certificate or not is_for(certificate, host, is_ip) then
        return false, "the certificate is not for " .. host
      end
    end
    sock:setfd(-1)
    guard.is_done = true
    connection:settimeout(nil)
    return true, connection
  end
end

return tls
