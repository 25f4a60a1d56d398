--- What the public face has beyond connecting, reading and writing: loaded with the first call of any of
-- it. Takes what the face shares, and puts these functions where those stand that fetched them.
return function(face)
  local core, net, address_type = face.core, face.net, face.address_type
  local make_address = face.make_address
  local list_core, socket_core = core.methods "address list", core.methods "socket"

  -- Addresses.

  local function host_of(self)
    return self.scope and self.host .. "%" .. self.scope or self.host
  end

  function address_type:__tostring()
    return core.address_text(host_of(self), self.port, self.family == "unix")
  end

  function face.name_type:__tostring()
    return (self.host:find ":" and "[%s]:%s" or "%s:%s"):format(self.host, self.port)
  end

  --- The v4-mapped IPv6 form (::ffff:a.b.c.d); any but an IPv4 address as it is.
  function face.address:mapped()
    if self.family == "unix" then return self end
    return make_address(core.convert_address(host_of(self), self.port, true))
  end

  --- The IPv4 address inside a v4-mapped one; any other as it is.
  function face.address:unmapped()
    if self.family == "unix" then return self end
    return make_address(core.convert_address(host_of(self), self.port))
  end

  --- An address from a literal with its port, or from a host and a port.
  function net.address(host, port) return make_address(core.address(host, port)) end

  function address_type.__concat(a, b) return tostring(a) .. tostring(b) end

  function address_type.__eq(a, b)
    return a.host == b.host and a.port == b.port and a.scope == b.scope and a.family == b.family
  end

  -- Lists.

  -- The path of an entry that is a Unix address; nil where it is none, and what is wrong with it.
  -- Only the field `unix` and an address can say it: text from outside never means a path.
  local function unix_path_of(entry)
    local path = entry.unix
    if path == nil then
      local is_address = getmetatable(entry) == address_type and entry.family == "unix"
      return is_address and entry.host or nil
    end
    if type(path) ~= "string" then return nil, "the Unix path is not a string" end
    if entry.host or entry.port then return nil, "a Unix address has no host and no port" end
    return path
  end

  -- Host and port of an entry that is a table; nil, and what is wrong with it.
  local function parts_of(entry, port)
    -- The field names of an address, of luv's and luaposix's resolvers, and of LuaSocket's.
    local host, scope = entry.host or entry.addr or entry.ip, entry.scope
    if type(host) ~= "string" then return nil, "a table without a host" end
    if type(scope) == "string" or math.type(scope) == "integer" then
      host = host .. "%" .. scope
    elseif scope then
      return nil, "the scope is neither the name of an interface nor its number"
    end
    port = entry.port or port
    if type(port) == "number" then port = math.tointeger(port) or false end
    if port ~= nil and type(port) ~= "string" and type(port) ~= "number" then
      return nil, "the port is neither a whole number nor text"
    end
    return host, port
  end

  --- Adds an entry that is not a text.
  function face.add_table(list, entry, port)
    if type(entry) ~= "table" then
      return nil, "string or table expected, got " .. type(entry), "EINVAL"
    end
    local path, problem = unix_path_of(entry)
    if problem then return nil, problem, "EINVAL" end
    if path then return list_core.add(list, path, nil, true) end
    local host, own_port = parts_of(entry, port)
    if not host then return nil, own_port, "EINVAL" end
    return list_core.add(list, host, own_port)
  end

  --- Takes an entry out and returns it.
  function face.list:remove(position) return make_address(list_core.remove(self, position)) end

  --- How the endpoints did in earlier connects with this list: an array, in the list's order.
  function face.list:history()
    local known = list_core.history(self)
    for _, item in ipairs(known) do setmetatable(item.address, address_type) end
    return known
  end

  local list_type = core.types["address list"]

  function list_type:__tostring()
    local texts = {}
    for i = 1, math.min(#self, 20) do texts[i] = tostring(self[i]) end
    if #self > #texts then texts[#texts + 1] = ("… (%d in all)"):format(#self) end
    return "address list: " .. table.concat(texts, ", ")
  end

  -- Connecting.

  --- A malformed entry is told as any connect that fails, with a report.
  function face.failed(message) return nil, message, "EINVAL", core.failed_report "EINVAL" end

  --- Options whose local addresses may be address objects, with these as text: the border reads plain
  -- values only. A port of 0 is the kernel's to choose and goes without.
  function face.with_plain_locals(options)
    if type(options) ~= "table" or type(rawget(options, "local_addresses")) ~= "table" then
      return options
    end
    local texts, copy = {}, {}
    for i, item in ipairs(options.local_addresses) do
      if getmetatable(item) == address_type then
        item = item.port == 0 and host_of(item) or tostring(item)
      end
      texts[i] = item
    end
    for key, value in next, options do copy[key] = value end
    copy.local_addresses = texts
    return copy
  end

  --- The same for one host name and a port or a service: `net.connect_by_name("db.test", "https")`.
  function net.connect_by_name(host, service, options)
    local made = core.address_list()
    local ok, message = list_core.add(made, host, service)
    if not ok then return face.failed("connect_by_name: " .. message) end
    local sock, code, report
    sock, message, code, report = core.connect_by_list(made, face.with_plain_locals(options))
    if sock then return sock end
    return nil, message:gsub("^connect_by_list", "connect_by_name"), code, report
  end

  --- The plan, without sending a packet: an array of {rank, local_address, remote_address, chance,
  -- reasons}; `tostring` prints a table. Names are not looked up for it.
  function net.explain(entries, options)
    local list = entries
    if type(entries) == "table" or type(entries) == "string" then
      local made, message, code = face.fill(core.address_list(), entries)
      if not made then return nil, "explain: " .. message, code end
      list = made
    end
    local rows, message, code = core.explain(list, face.with_plain_locals(options))
    if not rows then return nil, message, code end
    return require("connectbylist.report").explanation(rows, address_type)
  end

  --- This machine's addresses: an array of {address, prefix, interface, flags}.
  function net.local_addresses()
    local found, message, code = core.local_addresses()
    if not found then return nil, message, code end
    for _, item in ipairs(found) do setmetatable(item.address, address_type) end
    return found
  end

  -- Sockets.

  --- Gives a socket that is not connected the address, and the port unless it is 0, to connect from.
  -- Takes an address, or a host and a port.
  function face.socket:bind(host, port)
    if type(host) == "table" then host, port = host_of(host), host.port end
    return socket_core.bind(self, host, port)
  end

  --- The descriptor, and the duty to close it. With `true` the bytes that came and were not read are
  -- a second value; without it they are a reason to refuse (EBUSY).
  function face.socket:detach(takes_rest)
    -- The text is made first: if there is no memory for it, the descriptor is still the socket's.
    local rest = takes_rest and socket_core.unread(self) or nil
    local fd, message, code = socket_core.detach(self, takes_rest and true)
    if not fd then return nil, message, code end
    return fd, rest
  end

  function face.socket:getfamily()
    local own, message, code = self:local_address()
    if not own then return nil, message, code end
    return own.family
  end

  local socket_type = core.types.socket

  function socket_type:__tostring()
    if not socket_core.is_open(self) then return "tcp{client}: closed" end
    if not socket_core.connected(self) then return "tcp{client}: not connected" end
    return ("tcp{client}: %s -> %s"):format(self:local_address(), self:remote_address())
  end

  -- Reports: their face is a file of its own, and loads when one is looked at.

  local report_type = core.types.report

  local function report_face()
    require("connectbylist.report").install(report_type, core.methods "report", address_type)
    return report_type
  end

  function report_type:__index(key) return report_face().__index(self, key) end

  function report_type:__tostring() return report_face().__tostring(self) end
end
