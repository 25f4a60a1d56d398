import ConnectByListLuaHost
import ConnectByListTesting
import Glibc
import Testing

/// Limits in the waits of the module. `LimitTests` has those in Lua code.
@Suite(.serialized) struct WaitLimitTests {
  /// What waits for ever. Each begins with an accepting endpoint's address and a silent one's.
  static let waits: [(String, String)] = [
    ("a connect", "net.connect_by_list({silent})"),
    (
      "connects of many entries",
      "while true do net.connect_by_list({silent, '127.0.0.1:1'}, {timeout = 0.01}) end"
    ),
    ("a read", "sock:read('a')"),
    ("a read of lines", "for line in sock:lines() do end"),
    (
      "a blocked write",
      "local block = string.rep('x', 1 << 20) while true do assert(sock:write(block)) end"
    ),
    ("a sleep", "net.sleep(100)"),
    ("reads whose errors are caught", "while true do pcall(sock.read, sock, 'a') end"),
    ("sleeps whose errors are caught", "while true do pcall(net.sleep, 100) end"),
    (
      "a sleep in a coroutine",
      "coroutine.wrap(function() pcall(net.sleep, 100) net.sleep(100) end)()"
    ),
    (
      "a count of connections",
      "local e <close> = require 'connectbylist.testing'.echo() e:accepted(1, 100)"
    ),
    ("a connect with callbacks", "net.connect_by_list({silent}, {on_event = function() end})"),
    (
      "a check without end",
      "net.connect_by_list({accepting}, {validate = function() while true do end end})"
    ),
    (
      "a check that reads",
      "net.connect_by_list({accepting}, {validate = function(s) return s:read('l') end})"
    ),
    (
      "a waiter without end",
      "net.setwait(function() while true do end end) pcall(sock.read, sock, 'l') net.setwait()"
    ),
    (
      "an operation that is never ready",
      "local op <close> = net.start({silent}) while not op:step() do net.sleep(0.01) end"
    ),
  ]

  private let prologue = """
    local net = connectbylist or require "connectbylist"
    local accepting, silent = ...
    local sock <close> = assert(net.connect_by_list({accepting}, {timeout = 5}))

    """

  @Test(arguments: waits) func `a time limit ends`(_ name: String, _ script: String) throws {
    // A sandbox has no `require`.
    let sandbox: [LuaLibraries] = script.contains("require") ? [] : [.sandbox]
    for libraries in [.all] + sandbox {
      let took = try shortest {
        let (error, took) = try run(
          script, in: try LuaState(libraries), timeLimit: .milliseconds(200))
        #expect(error.reason == .timeLimit)
        #expect(took >= .milliseconds(200))
        return took
      }
      print("time limit of 0.2 s, \(name): ended after \(took)")
      #expect(took < .milliseconds(250))
    }
  }

  @Test(arguments: waits) func `cancel from another thread ends`(
    _ name: String, _ script: String
  ) throws {
    let took = try shortest {
      let (error, took) = try run(script, in: try LuaState(), cancel: try CancelHandle())
      #expect(error.reason == .cancelled)
      return took
    }
    print("cancelled after 0.05 s, \(name): ended after \(took)")
    #expect(took < .milliseconds(250))
  }

  /// Runs a script until its limit ends it. Checks that nothing stays open, and that the state can be used.
  private func run(
    _ script: String, in lua: LuaState, timeLimit: TimeSpan? = nil, cancel: CancelHandle? = nil
  ) throws -> (LuaError, Duration) {
    // What the module opens once, it has opened then.
    try withEndpoints { arguments in _ = try lua.run(prologue, arguments: arguments) }
    let before = openDescriptorCount()
    var result: (LuaError, Duration)?
    try withEndpoints { arguments in
      if let cancel {
        try startDetachedThread {
          usleep(50_000)
          cancel.cancel()
        }
      }
      let began = ContinuousClock.now
      let error = try #require(throws: LuaError.self) {
        try lua.run(prologue + script, arguments: arguments, timeLimit: timeLimit, cancel: cancel)
      }
      result = (error, ContinuousClock.now - began)
    }
    #expect(openDescriptorCount() == before)
    #expect(try lua.run("return 1") == [1])
    return try #require(result)
  }

  /// The endpoints have descriptors in this process too: they are closed afterwards.
  private func withEndpoints(_ body: ([LuaValue]) throws -> Void) throws {
    let endpoints = [try TestEndpoint(.accepting), try TestEndpoint(.silent)]
    defer { for endpoint in endpoints { endpoint.close() } }
    try body(endpoints.map { LuaValue.string($0.endpoint.text) })
  }

  /// Of this process.
  private func openDescriptorCount() -> Int {
    (0..<1024).count { fcntl(CInt($0), F_GETFD) >= 0 }
  }
}
