-- Connects to the list of its arguments and closes. Run by tests that need a process without a history.
local net = require "connectbylist"
local sock, message = net.connect_by_list({ ... }, { timeout = 5 })
if not sock then error(message, 0) end
sock:close()
