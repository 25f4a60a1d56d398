-- connectbylist.tls: LuaSec's handshake inside the race, against `openssl s_server` with certificates made
-- here.
local support = require "Tests.Lua.support"
local net = require "connectbylist"
local testing = require "connectbylist.testing"
local has_ssl = pcall(require, "ssl")
local has_openssl = os.execute("command -v openssl >/dev/null 2>&1")

describe("connectbylist.tls", function()
  if not has_ssl or not has_openssl then
    pending("LuaSec or openssl is not installed")
    return
  end
  local tls = require "connectbylist.tls"
  local folder

  -- A certificate for the name, of the authority "ca", in `<folder>/<file>.pem` with its key.
  local function certify(file, names, issuer)
    local path = folder .. "/" .. file
    assert(os.execute(([[
      exec >/dev/null 2>&1
      openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=test \
        -keyout %s.key -out %s.csr &&
      printf 'subjectAltName=%s\n' >%s.ext &&
      openssl x509 -req -in %s.csr -CA %s.pem -CAkey %s.key -CAcreateserial -days 2 \
        -extfile %s.ext -out %s.pem
    ]]):format(path, path, names, path, path, folder .. "/" .. issuer, folder .. "/" .. issuer, path, path)))
  end

  local function authority(file)
    local path = folder .. "/" .. file
    assert(os.execute(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
      .. "-keyout %s.key -out %s.pem -subj /CN=%s -days 2 >/dev/null 2>&1"):format(path, path, file)))
  end

  setup(function()
    folder = os.tmpname()
    os.remove(folder)
    assert(os.execute("mkdir " .. folder))
    authority "ca"
    authority "stranger"
    certify("right", "DNS:db.test,DNS:*.wild.test,IP:127.0.0.1", "ca")
    certify("other", "DNS:other.test", "ca")
    certify("forged", "DNS:db.test,IP:127.0.0.1", "stranger")
  end)

  teardown(function() os.execute("rm -rf " .. folder) end)

  local note_descriptors, check_descriptors = support.descriptor_guard()
  before_each(note_descriptors)
  after_each(check_descriptors)

  -- A server with this certificate that sends back each line reversed; its address, and what ends it.
  local function server(certificate)
    local endpoint = testing.refused()
    local port = endpoint:address().port
    endpoint:close()
    local pipe = assert(io.popen(("openssl s_server -accept 127.0.0.1:%d -cert %s/%s.pem -key %s/%s.key "
      .. "-rev -quiet >/dev/null 2>&1 & echo $!"):format(port, folder, certificate, folder, certificate)))
    local pid = pipe:read("n")
    pipe:close()
    local address = "127.0.0.1:" .. port
    assert(net.connect_by_list({ address }, { timeout = 10, retry = 0.02 })):close()
    return address, setmetatable({}, { __close = function() os.execute("kill " .. pid) end })
  end

  local function params(more)
    local all = { cafile = folder .. "/ca.pem" }
    for key, value in pairs(more or {}) do all[key] = value end
    return all
  end

  local function exchange(connection)
    connection:settimeout(5)
    assert(connection:send("hello\n"))
    return (assert(connection:receive("*l")))
  end

  it("returns a LuaSec connection whose certificate is for the address", function()
    local address, stop = server "right"
    local _ <close> = stop
    local connection = assert(net.connect_by_list({ address },
      { timeout = 5, validate = tls.validate(params()) }))
    assert.matches("^SSL connection", tostring(connection))
    assert.equal("olleh", exchange(connection))
    connection:close()
  end)

  it("verifies the name that it is given, with wildcards", function()
    local address, stop = server "right"
    local _ <close> = stop
    for name, is_right in pairs { ["db.test"] = true, ["DB.test."] = true, ["a.wild.test"] = true,
      ["wild.test"] = false, ["a.b.wild.test"] = false, ["test"] = false, ["other.test"] = false } do
      local connection, message, code = net.connect_by_list({ address },
        { timeout = 5, validate = tls.validate(params { server_name = name }) })
      assert.equal(is_right, connection ~= nil, name)
      if connection then connection:close() else assert.is_string(message .. code) end
    end
  end)

  it("takes the name of the entry", function()
    local address, stop = server "right"
    local _ <close> = stop
    local port = address:match(":(%d+)$")
    -- "localhost" is not in the certificate.
    assert.is_nil((net.connect_by_list({ "localhost:" .. port },
      { timeout = 5, validate = tls.validate(params()) })))
    local name
    local sock = assert(net.connect_by_list({ "localhost:" .. port },
      { timeout = 5, validate = function(candidate)
        name = candidate:name()
        return true
      end }))
    assert.same({ "localhost", "localhost" }, { name, sock:name() })
    sock:close()
  end)

  it("rejects a wrong certificate and a silent endpoint, within 60 % of the timeout", function()
    local wrong, stop_wrong = server "forged"
    local _ <close> = stop_wrong
    local right, stop = server "right"
    local _ <close> = stop
    local silent <close> = testing.accepting()
    local timeout = 2
    local began = net.now()
    local connection, message = net.connect_by_list({ wrong, silent, right },
      { timeout = timeout, order = "given", validate = tls.validate(params()) })
    local elapsed = net.now() - began
    assert(connection, message)
    assert.is_true(elapsed < 0.6 * timeout, ("%.3f s"):format(elapsed))
    assert.equal("olleh", exchange(connection))
    connection:close()
  end)

  it("says in the report that an endpoint was rejected", function()
    local wrong, stop = server "other"
    local _ <close> = stop
    local connection, _, _, report = net.connect_by_list({ wrong },
      { timeout = 5, validate = tls.validate(params()) })
    assert.is_nil(connection)
    assert.equal("rejected", report.attempts[1].outcome)
  end)

  it("waits by the waiter", function()
    local address, stop = server "right"
    local _ <close> = stop
    -- Each answer is late, so something is waited for.
    local late <close> = testing.proxy(address, { latency = 0.02 })
    local waits = 0
    local thread = coroutine.wrap(function()
      return net.connect_by_list({ late }, { timeout = 5, validate = tls.validate(params()),
        wait = function(object)
          waits = waits + 1
          coroutine.yield(object)
        end })
    end)
    local connection
    repeat connection = thread() until not connection or tostring(connection):find "^SSL"
    assert(connection)
    assert.is_true(waits > 0)
    assert.equal("olleh", exchange(connection))
    connection:close()
  end)

  it("leaks nothing when the waiter raises in a handshake", function()
    local silent <close> = testing.accepting()
    local count = 0
    local message = support.raised(net.connect_by_list, { silent }, { timeout = 5,
      validate = tls.validate(params()),
      wait = function(object)
        if object.report == nil or tostring(object):find "^tcp" then
          count = count + 1
          error("enough")
        end
        net.sleep(0.001)
      end })
    assert.matches("enough", message)
    assert.equal(1, count)
  end)

  it("carries http over a race", function()
    local found, http = pcall(require, "socket.http")
    if not found then return pending("LuaSocket is not installed") end
    local address, stop = server "right"
    local _ <close> = stop
    local socket = require "connectbylist.luasocket"
    local sock = assert(socket.new {
      list = { address }, options = { timeout = 5, validate = tls.validate(params()) },
    }.connect("ignored", 443))
    sock:settimeout(5)
    assert.equal(6, sock:send("hello\n"))
    assert.equal("olleh", (sock:receive()))
    sock:close()
    local _ = http
  end)
end)
