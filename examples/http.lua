-- Requests a page over a race: LuaSocket's http client, unchanged, with a connect to several addresses.
-- Needs no network: its servers are on loopback, in this process. Needs LuaSocket (lua-socket).
--
--   swift run connectbylist examples/http.lua
--   lua5.4 examples/http.lua                (with the module installed)
--
-- It prints, with another port and time:
--
--   200 hello
--   from 127.0.0.1:40325, connected after 0.05 s
--
-- or, without LuaSocket:
--
--   LuaSocket is not installed

local found, http = pcall(require, "socket.http")
if not found then
  print "LuaSocket is not installed"
  return
end

local socket = require "connectbylist.luasocket"
local testing = require "connectbylist.testing"
local steps = testing.steps

-- Three addresses of a mirror: one is silent, one refuses, one is the server.
local silent <close> = testing.silent()
local stopped <close> = testing.refused()
local server <close> = testing.script {
  steps.expect "GET /page HTTP/1.1\r\n*\r\n\r\n",
  steps.send "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
}

-- 1. A `socket` table whose connects go to this list. Without `list` they race all addresses of the host in
-- the URL. The client closes its socket, so what happened is noted while it happens.
local winner, seconds
local racing = socket.new {
  list = { silent, stopped, server },
  options = {
    timeout = 2,
    order = "given",
    attempt_delay = 0.05,
    on_event = function(event)
      if event.event == "won" then winner, seconds = event.remote_address, event.time end
    end,
  },
}

-- 2. The client takes the function that makes its socket.
local parts = {}
local done, status = http.request {
  url = "http://mirror.example.net/page",
  create = racing.tcp,
  sink = function(chunk)
    parts[#parts + 1] = chunk
    return 1
  end,
}
if not done then
  io.stderr:write("no page: ", status, "\n")
  os.exit(1)
end
print(status .. " " .. table.concat(parts))
print(("from %s, connected after %.2f s"):format(winner, seconds))
