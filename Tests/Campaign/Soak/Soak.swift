// Mixed work with misbehaving endpoints, in several Lua states and threads and in tasks, and in processes of stock lua5.4
// with the module, for any time. Now and then everything rests: then no process must hold more descriptors, threads
// and memory than at the first rest.
//
//   ConnectByListSoak SECONDS MODULES [SEED]    MODULES: the folder with connectbylist/core.so
import CConnectByListSoak
import ConnectByList
import ConnectByListAsync
import ConnectByListCore
import ConnectByListLuaHost
import ConnectByListTesting
import Foundation
import Synchronization

@main struct ConnectByListSoak {
  static func main() {
    cbl_soak_buffer_lines()
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard (2...3).contains(arguments.count), let seconds = Double(arguments[0]), seconds > 0 else {
      print("usage: ConnectByListSoak SECONDS MODULES [SEED]")
      exit(2)
    }
    guard cbl_soak_counts() != 0 else {
      print("soak: the libraries have another malloc than the one that counts")
      exit(2)
    }
    let seed = arguments.count == 3 ? Int64(arguments[2]) ?? 0 : Int64.random(in: 0..<1 << 20)
    do {
      let processes = try (0..<2).map { _ in try LuaProcess(modules: arguments[1]) }
      exit(run(seconds, seed: seed, processes) ? 0 : 1)
    } catch {
      print("soak: lua5.4 cannot be started: \(error)")
      exit(2)
    }
  }

  /// Returns whether nothing was wrong.
  private static func run(_ seconds: Double, seed: Int64, _ processes: [LuaProcess]) -> Bool {
    print("soak: \(Int(seconds)) s, seed \(seed)")
    let board = Board()
    for number in 0..<3 {
      board.startThread("Lua state") { [seeds = Seeds(seed + Int64(number) << 40)] in
        try workInLua(board, seeds)
      }
    }
    let ofProcesses = Mutex(0)
    for (number, process) in processes.enumerated() {
      board.startThread("lua5.4") { [seeds = Seeds(seed + Int64(number + 3) << 40)] in
        try work(board, in: process, seeds) { ofProcesses.withLock { $0 += 1 } }
      }
    }
    board.startThread("Swift") { try workInSwift(board) }
    board.startThread("limits of scripts") { try limitScripts(board) }
    for _ in 0..<4 { board.startTask("task") { try await workInTask(board) } }

    let begin = Date()
    // A line a minute; three lines at least.
    let interval = min(60, seconds / 4)
    var first: [Measured]?
    var due = begin.addingTimeInterval(interval)
    let end = begin.addingTimeInterval(seconds)
    while true {
      while Date() < min(due, end) && board.failures.isEmpty { usleep(10_000) }
      let isEnd = Date() >= end || !board.failures.isEmpty
      due = due.addingTimeInterval(interval)
      guard board.pause(atEnd: isEnd) else {
        print("soak: a worker has not come to rest within a minute")
        return false
      }
      let before = first
      let measured = settled(since: before) { [Measured.now()] + processes.map(\.measured) }
      first = first ?? measured
      let passed = Int(-begin.timeIntervalSinceNow)
      print(
        "soak: \(passed) s: \(board.total) rounds, \(board.bytes >> 20) MiB back, a timeout late by",
        "\(Int((board.takeLatest() * 1000).rounded(.up))) ms at most; at rest \(measured[0].text);",
        "lua5.4: " + measured.dropFirst().map(\.text).joined(separator: "; "))
      for failure in board.failures { print("soak: FAILED: \(failure)") }
      if let growth = before.flatMap({ growth(of: measured, since: $0) }) {
        print("soak: FAILED: \(growth)")
        return false
      }
      if isEnd { break }
      board.goOn()
    }
    let endings = processes.compactMap { $0.end() }
    for ending in endings { print("soak: FAILED: \(ending)") }
    print("soak: \(board.kinds)")
    let isGood = board.failures.isEmpty && endings.isEmpty
    print(
      "soak: \(board.total) pieces of work, \(ofProcesses.withLock { $0 }) of them in stock lua5.4,",
      "\(isGood ? "nothing" : "something") was wrong")
    return isGood
  }

  /// The measures when threads that end, and connections that endpoints close, are gone: in a moment, or never.
  private static func settled(
    since before: [Measured]?, measure: () -> [Measured]
  ) -> [Measured] {
    var measured = measure()
    for _ in 0..<100 {
      usleep(before == nil ? 10_000 : 50_000)
      measured = measure()
      if let before, growth(of: measured, since: before) == nil { break }
    }
    return measured
  }

  /// What has grown, of this process first; `nil`: nothing.
  private static func growth(of measured: [Measured], since before: [Measured]) -> String? {
    for (index, (now, old)) in zip(measured, before).enumerated() {
      if let growth = now.growth(since: old) { return index == 0 ? growth : "lua5.4: \(growth)" }
    }
    return nil
  }
}

/// Whole numbers in order, the seeds of one worker's rounds.
final class Seeds: @unchecked Sendable {
  private var last: Int64
  init(_ first: Int64) { last = first }
  func next() -> Int64 {
    last += 1
    return last
  }
}

/// Rounds of `mixture.lua` in one state after another.
private func workInLua(_ board: Board, _ seeds: Seeds) throws {
  let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "mixture.lua")
    .path
  while board.isWorking {
    let lua = try LuaState()
    try lua.run(file: script)
    for _ in 0..<200 where board.isWorking {
      let results = try lua.call("round", [.integer(seeds.next())])
      board.add(
        results[0].string ?? "?", bytes: Int(results[1].integer ?? 0), late: results[2].number ?? 0)
    }
    if Bool.random() { try lua.call("rest") }
    lua.close()
  }
}

/// Rounds of `mixture.lua` in a process of stock lua5.4.
private func work(
  _ board: Board, in process: LuaProcess, _ seeds: Seeds, counted: () -> Void
) throws {
  while board.isWorking {
    let (kind, bytes, late) = try process.round(seeds.next())
    board.add(kind, bytes: bytes, late: late)
    counted()
  }
  try process.rest()
}

struct Unexpected: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Blocking connects, and others that a second thread cancels.
private func workInSwift(_ board: Board) throws {
  let echo = try TestEndpoint(.echo)
  let silent = try TestEndpoint(.silent)
  let refused = try TestEndpoint(.refused)
  var list = try AddressList([silent.endpoint.text, refused.endpoint.text, echo.endpoint.text])
  let nobody = try AddressList([silent.endpoint.text])
  while board.isWorking {
    var options = ConnectOptions()
    options.timeout = .seconds(30)
    options.attemptDelay = .milliseconds(10)
    var socket = try connectByList(&list, options: options)
    socket.timeout = .seconds(30)
    try socket.write("from Swift\n")
    guard try socket.readLine() == "from Swift" else { throw Unexpected("another line") }
    try socket.close()
    board.add("Swift connects", bytes: 11)

    let handle = try CancelHandle()
    let thread = Thread {
      usleep(UInt32.random(in: 0..<5000))
      handle.cancel()
    }
    thread.start()
    do throws(ConnectError) {
      _ = try connectByList(nobody, options: options, cancel: handle)
      throw ConnectError(.inProgress)
    } catch {
      guard error.errno == .cancelled else { throw Unexpected("\(error)") }
    }
    while !thread.isFinished { usleep(200) }
    board.add("Swift cancels")
  }
}

/// Scripts that a time limit ends in the middle of whatever they do.
private func limitScripts(_ board: Board) throws {
  let silent = try TestEndpoint(.silent)
  let echo = try TestEndpoint(.echo)
  let script = """
    local silent, echo, way = ...
    local net = connectbylist
    local open = {}
    local function body()
      while true do
        open[#open % 10 + 1] = assert(net.connect_by_list({silent, echo}, {attempt_delay = 0.01}))
        if way == 1 then net.sleep(5) end
        if way == 2 then net.connect_by_list {silent} end
        if way == 3 then open[#open]:read() end
      end
    end
    if way == 4 then return coroutine.wrap(body)() end
    return body()
    """
  while board.isWorking {
    let lua = try LuaState(.sandbox, policy: EgressPolicy("allow 127.0.0.0/8"))
    for way in 0..<5 {
      do {
        try lua.run(
          script,
          arguments: [
            .string(silent.endpoint.text), .string(echo.endpoint.text), .integer(Int64(way)),
          ],
          timeLimit: .milliseconds(Int64.random(in: 1..<30)))
        throw Unexpected("a script has ended that never ends")
      } catch let error as LuaError {
        guard error.reason == .timeLimit else { throw Unexpected("\(error)") }
      }
      board.add("time limits")
    }
  }
}

/// Connects of tasks, and tasks that are cancelled.
private func workInTask(_ board: Board) async throws {
  let echo = try TestEndpoint(.echo)
  let silent = try TestEndpoint(.silent)
  let list = try AddressList([silent.endpoint.text, echo.endpoint.text])
  let nobody = try AddressList([silent.endpoint.text])
  var options = ConnectOptions()
  options.attemptDelay = .milliseconds(10)
  while board.isWorking {
    var socket = try await connectByList(list, options: options)
    try await socket.write("from a task\n")
    guard try await socket.readLine() == "from a task" else { throw Unexpected("another line") }
    try socket.close()
    board.add("task connects", bytes: 12)

    let task = Task { try await connectByList(nobody).isConnected }
    if Bool.random() { try await Task.sleep(for: .microseconds(Int64.random(in: 0..<5000))) }
    task.cancel()
    do { throw Unexpected("connected: \(try await task.value)") } catch is CancellationError {}
    board.add("task cancels")
  }
}
