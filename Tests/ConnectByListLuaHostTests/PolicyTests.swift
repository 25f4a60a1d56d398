import ConnectByListLuaHost
import ConnectByListTesting
import Testing

/// What scripts of a state may connect to.
@Suite struct PolicyTests {
  private let connect = """
    local net = connectbylist or require "connectbylist"
    local sock, message, code, report = net.connect_by_list({...}, {timeout = 5})
    if sock then return "connected" end
    return code, #report.attempts, report.attempts[1].outcome, report.attempts[1].code
    """

  @Test func `an attempt to a denied address fails with EACCES, and another entry wins`() throws {
    let echo = try TestEndpoint(.echo)
    let lua = try LuaState(policy: EgressPolicy("deny 127.0.0.2"))
    let denied = LuaValue.string("127.0.0.2:\(echo.endpoint.port)")
    #expect(try lua.run(connect, arguments: [denied]) == ["EACCES", 1, "failed", "EACCES"])
    #expect(
      try lua.run(connect, arguments: [denied, .string(echo.endpoint.text)]) == ["connected"])
  }

  @Test func `every way to connect is under the policy`() throws {
    let echo = try TestEndpoint(.echo)
    let lua = try LuaState(policy: EgressPolicy("deny loopback"))
    let results = try lua.run(
      """
      local net = require "connectbylist"
      local entry = ...
      local codes = {}
      local function note(_, _, code) codes[#codes + 1] = code or "none" end
      note(net.connect_by_list(entry, {timeout = 5}))
      note(net.connect_by_list(net.socket "inet", entry, {timeout = 5}))
      note(net.connect_by_list(entry, {timeout = 5, validate = function() return true end}))
      note(net.connect_by_name("localhost", net.address_list(entry)[1].port, {timeout = 5, family = "inet"}))
      local op = net.start(entry, {timeout = 5})
      local sock, message, code
      repeat sock, message, code = op:step() until sock ~= false
      note(sock, message, code)
      return table.concat(codes, " ")
      """, arguments: [.string(echo.endpoint.text)])
    #expect(results == ["EACCES EACCES EACCES EACCES EACCES"])
    #expect(echo.acceptedCount == 0)
  }

  @Test func `names that resolve to a denied address are denied`() throws {
    let echo = try TestEndpoint(.echo)
    let lua = try LuaState(policy: EgressPolicy("deny loopback"))
    let results = try lua.run(connect, arguments: [.string("localhost:\(echo.endpoint.port)")])
    #expect(results.first == "EACCES")
    #expect(echo.acceptedCount == 0)
  }

  @Test func `name lookups and test endpoints have switches of their own`() throws {
    let lua = try LuaState(policy: EgressPolicy("deny names test-endpoints"))
    let results = try lua.run(
      """
      local net, testing = require "connectbylist", require "connectbylist.testing"
      local _, _, code, report = net.connect_by_name("localhost", 1, {timeout = 5})
      return code, report.names[1].code, select(2, pcall(testing.echo))
      """)
    #expect(Array(results[..<2]) == ["EACCES", "EACCES"])
    #expect(results[2].string?.contains("echo: permission denied") == true, "\(results)")
  }

  @Test func `a proxy is under the policy too`() throws {
    let echo = try TestEndpoint(.echo)
    let lua = try LuaState(policy: EgressPolicy("deny 127.0.0.1:\(echo.endpoint.port)"))
    let results = try lua.run(
      """
      local net, testing = require "connectbylist", require "connectbylist.testing"
      local proxy <close> = testing.proxy(...)
      local sock = net.connect_by_list({proxy}, {timeout = 5})
      if sock then sock:settimeout(5) sock:read("l") sock:close() end
      return #proxy:failures()
      """, arguments: [.string(echo.endpoint.text)])
    #expect(results == [1])
    #expect(echo.acceptedCount == 0)
  }

  @Test func `a state's policy is its own, and the host can replace it`() throws {
    let echo = try TestEndpoint(.echo)
    let entry = LuaValue.string(echo.endpoint.text)
    let denying = try LuaState(policy: EgressPolicy("deny any"))
    let free = try LuaState()
    #expect(try denying.run(connect, arguments: [entry]).first == "EACCES")
    #expect(try free.run(connect, arguments: [entry]) == ["connected"])
    try denying.setPolicy(EgressPolicy("allow loopback"))
    #expect(try denying.run(connect, arguments: [entry]) == ["connected"])
  }

  @Test func `a script narrows the policy for good`() throws {
    let echo = try TestEndpoint(.echo)
    let lua = try LuaState(policy: EgressPolicy("deny 127.0.0.2"))
    try lua.run("coroutine.wrap(require 'connectbylist.testing'.only_loopback)()")
    for other in ["192.0.2.1:80", "[2001:db8::1]:80", "127.0.0.2:80"] {
      #expect(try lua.run(connect, arguments: [.string(other)]).first == "EACCES", "\(other)")
    }
    #expect(try lua.run(connect, arguments: [.string(echo.endpoint.text)]) == ["connected"])
  }

  /// Whatever `debug` reaches, the policy is not there.
  @Test func `a script with debug cannot widen it`() throws {
    let echo = try TestEndpoint(.echo)
    let lua = try LuaState(policy: EgressPolicy("deny any"))
    let results = try lua.run(
      """
      local net = require "connectbylist"
      local core = package.loaded["connectbylist.core"]
      local connect, list = core.connect_by_list, net.address_list{...}
      local codes = {}
      local function try(how)
        local ok, sock, message, code = pcall(connect, list, {timeout = 5})
        codes[how] = not ok and "raised" or sock and "connected" or code
      end
      -- The main thread's entry of the registry is another thread's.
      local registry = debug.getregistry()
      registry[1] = coroutine.create(print)
      try "another main thread"
      coroutine.wrap(function() try "in a coroutine" end)()
      pcall(require "connectbylist.testing".only_loopback)
      try "after narrowing without a main thread"
      -- Everything in the registry that is the module's.
      for key in pairs(registry) do
        if type(key) == "userdata" then registry[key] = nil end
      end
      try "an empty registry"
      package.loaded["connectbylist.core"], package.loaded["connectbylist"] = nil, nil
      connect = require "connectbylist.core".connect_by_list
      list = require "connectbylist".address_list{...}
      try "loaded again"
      return codes
      """, arguments: [.string(echo.endpoint.text)])
    guard case .table(let codes) = try #require(results.first) else { return }
    #expect(codes.count == 5)
    for field in codes { #expect(field.value == "EACCES" || field.value == "raised", "\(field)") }
    #expect(echo.acceptedCount == 0)
  }
}
