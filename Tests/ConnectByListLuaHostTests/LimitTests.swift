import ConnectByList
import ConnectByListLuaHost
import ConnectByListTesting
import Glibc
import Synchronization
import Testing

/// Time limits and cancellation.
@Suite(.serialized) struct LimitTests {
  /// Scripts that do not end, by what they do.
  static let endless: [(String, String)] = [
    ("a loop", "while true do end"),
    ("a loop that catches errors", "while true do pcall(function() while true do end end) end"),
    (
      "a loop with a handler",
      "while true do xpcall(function() while true do end end, function() while true do end end) end"
    ),
    ("deep protected calls", "local function f() while true do pcall(f) end end f()"),
    (
      "a __tostring of strings",
      "getmetatable('').__tostring = function() while true do end end while true do end"
    ),
    ("a coroutine", "coroutine.wrap(function() while true do end end)()"),
    (
      "a coroutine that catches errors",
      "local c = coroutine.wrap(function() while true do pcall(function() while true do end end) end end) while true do pcall(c) end"
    ),
    (
      "coroutines without end",
      "while true do coroutine.wrap(function() for i = 1, 5 do coroutine.yield() end end)() end"
    ),
    ("a coroutine from an earlier call", "while true do coroutine.resume(kept) end"),
    (
      "a __close",
      "local x <close> = setmetatable({}, {__close = function() while true do end end}) while true do end"
    ),
    (
      "a metamethod",
      "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) while true do pcall(function() return t[1] end) end"
    ),
    (
      "sorting",
      "local t = {} for i = 1, 1e6 do t[i] = i end while true do table.sort(t, function(a, b) return a > b end) end"
    ),
    ("gsub", "while true do string.gsub(string.rep('a', 1e5), '.', function(c) return c end) end"),
  ]

  @Test(arguments: endless) func `a time limit ends`(_ name: String, _ script: String) throws {
    let lua = try LuaState()
    try lua.run(
      "kept = coroutine.create(function() while true do pcall(function() while true do end end) end end)"
    )
    let took = try shortest {
      let began = ContinuousClock.now
      let error = try #require(throws: LuaError.self) {
        try lua.run(script, timeLimit: .milliseconds(200))
      }
      let took = ContinuousClock.now - began
      #expect(error.reason == .timeLimit)
      #expect(took >= .milliseconds(200))
      return took
    }
    print("time limit of 0.2 s, \(name): ended after \(took)")
    #expect(took < .milliseconds(250))
    // The state goes on as before, also after what was in a coroutine.
    #expect(try lua.run("local n = 0 for i = 1, 1e5 do n = n + i end return n") == [5_000_050_000])
  }

  @Test func `the limit's error cannot be kept from the host`() throws {
    let lua = try LuaState()
    let error = try #require(throws: LuaError.self) {
      try lua.run("return pcall(function() while true do end end)", timeLimit: .milliseconds(20))
    }
    #expect(error.reason == .timeLimit)
    #expect(error.message == "time limit exceeded")
  }

  @Test func `a script that ends in time is not disturbed`() throws {
    let lua = try LuaState()
    #expect(try lua.run("return 1 + 1", timeLimit: .seconds(100)) == [2])
    #expect(try lua.run("return 1 + 1", timeLimit: .forever) == [2])
    let failed = try #require(throws: LuaError.self) {
      try lua.run("error()", timeLimit: .seconds(100))
    }
    #expect(failed.reason == .failed)
  }

  @Test func `cancel ends a script from another thread, and stays`() throws {
    let lua = try LuaState()
    let cancel = try CancelHandle()
    let isRunning = Atomic(false)
    try startDetachedThread {
      while !isRunning.load(ordering: .acquiring) {}
      cancel.cancel()
    }
    isRunning.store(true, ordering: .releasing)
    let error = try #require(throws: LuaError.self) {
      try lua.run("while true do pcall(function() while true do end end) end", cancel: cancel)
    }
    #expect(error.reason == .cancelled)
    #expect(throws: LuaError.self) { try lua.run("while true do end", cancel: cancel) }
    #expect(try lua.run("return 1") == [1])
  }

  @Test func `debug cannot take the limit away`() throws {
    let lua = try LuaState()
    let error = try #require(throws: LuaError.self) {
      try lua.run(
        "local ok = pcall(debug.sethook) coroutine.wrap(function() pcall(debug.sethook) while true do end end)()",
        timeLimit: .milliseconds(50))
    }
    #expect(error.reason == .timeLimit)
  }

  @Test func `16 threads with 20 states each`() throws {
    let silent = try TestEndpoint(.silent)
    let failures = Atomic(0)
    let finished = Atomic(0)
    for thread in 0..<16 {
      try startDetachedThread {
        defer { finished.add(1, ordering: .acquiringAndReleasing) }
        for number in 0..<20 {
          do {
            let lua = try LuaState(number % 2 == 0 ? .all : .sandbox)
            try lua.setGlobal("n", .integer(Int64(number)))
            try lua.setGlobal("silent", .string(silent.endpoint.text))
            let result = try lua.run(
              """
              net = connectbylist or require "connectbylist"
              local _, _, code = net.connect_by_list({"127.0.0.1:1", "[::1]:1"}, {timeout = 5})
              return code, coroutine.wrap(function() return n end)()
              """, timeLimit: .seconds(60))
            if result != ["ECONNREFUSED", .integer(Int64(number))] { throw LuaTestFailure() }
            for endless in [
              "while true do pcall(error) end", "net.sleep(100)", "net.connect_by_list({silent})",
            ] {
              var ended: LuaError?
              do throws(LuaError) {
                try lua.run(endless, timeLimit: .milliseconds(5))
              } catch { ended = error }
              if ended?.reason != .timeLimit { throw LuaTestFailure() }
            }
            lua.close()
          } catch {
            print("thread \(thread), state \(number): \(error)")
            failures.add(1, ordering: .relaxed)
          }
        }
      }
    }
    while finished.load(ordering: .acquiring) < 16 { usleep(5000) }
    #expect(failures.load(ordering: .relaxed) == 0)
  }
}

/// The shortest of up to three runs: other programs of the machine may delay one of them.
func shortest(_ run: () throws -> Duration) rethrows -> Duration {
  var shortest = try run()
  for _ in 0..<2 where shortest >= .milliseconds(250) { shortest = min(shortest, try run()) }
  return shortest
}

private struct LuaTestFailure: Error {}
