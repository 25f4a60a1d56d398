import CConnectByListPosix
import ConnectByListAsync
import ConnectByListTesting
import Glibc
import Synchronization
import Testing

@Suite(.serialized) struct ConnectAsyncTests {
  fileprivate static func list(_ peers: TestEndpoint...) -> AddressList {
    var list = AddressList()
    for peer in peers { list.append(.endpoint(peer.endpoint)) }
    return list
  }

  fileprivate static func options(timeout: TimeSpan? = .seconds(20)) -> ConnectOptions {
    var options = ConnectOptions()
    options.timeout = timeout
    options.order = .given
    return options
  }

  @Test func `W11 success is a connected socket that reads and writes`() async throws {
    let echo = try TestEndpoint(.echo)
    let refused = try TestEndpoint(.refused)
    var socket = try await connectByList(
      Self.list(refused, echo), options: Self.options())
    socket.timeout = .seconds(10)
    try await socket.write("hello\n")
    let line = try await socket.readLine()
    #expect(line == "hello")
    let remote = try socket.remoteEndpoint()
    #expect(remote == echo.endpoint)
  }

  @Test func `a failure throws the error of the blocking call`() async throws {
    let refused = try TestEndpoint(.refused)
    await #expect {
      _ = try await connectByList(Self.list(refused), options: Self.options()).isOpen
    } throws: { error in
      (error as? ConnectError)?.errno == .connectionRefused
    }
    let silent = try TestEndpoint(.silent)
    await #expect {
      _ = try await connectByList(
        Self.list(silent), options: Self.options(timeout: .milliseconds(100))
      ).isOpen
    } throws: { error in
      guard let error = error as? ConnectError else { return false }
      return error.errno == .timedOut && error.report.isDeadline
    }
  }

  @Test func `a task that was cancelled before sends nothing`() async throws {
    let echo = try TestEndpoint(.echo)
    let list = Self.list(echo)
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      return try await connectByList(list, options: Self.options()).isOpen
    }
    task.cancel()
    let result = await task.result
    #expect(throws: CancellationError.self) { try result.get() }
    #expect(echo.acceptedCount == 0)
  }

  @Test func `many connect at once, without blocking the pool`() async throws {
    let silent = try TestEndpoint(.silent)
    let echo = try TestEndpoint(.echo)
    let list = Self.list(silent, echo)
    let count = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<50 {
        group.addTask {
          do {
            return try await connectByList(list, options: Self.options()).isConnected
          } catch {
            return false
          }
        }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(count == 50)
  }

  @Test func `the list after the connect remembers how its endpoints did`() async throws {
    let echo = try TestEndpoint(.echo)
    let list = Self.list(echo)
    #expect(list.history.isEmpty)
    let (lists, continuation) = AsyncStream.makeStream(of: AddressList.self)
    _ = try await connectByList(list, options: Self.options()) { continuation.yield($0) }.isOpen
    let after = await lists.first { _ in true }
    #expect(after?.history[echo.endpoint]?.hasConnected == true)
  }

  @Test func `W27 connect by name`() async throws {
    let echo = try TestEndpoint(.echo)
    var options = Self.options()
    options.family = .inet
    let isConnected = try await connectByName(
      "localhost", service: "\(echo.endpoint.port)", options: options
    ).isConnected
    #expect(isConnected)
    await #expect {
      _ = try await connectByName("127.1", service: "80").isOpen
    } throws: { error in
      (error as? ConnectError)?.errno == .invalidArgument
    }
  }

  @Test func `an option out of its range is an invalid argument`() async throws {
    let echo = try TestEndpoint(.echo)
    var options = Self.options()
    options.inFlight = 0
    let wanted = options
    await #expect {
      _ = try await connectByList(Self.list(echo), options: wanted).isOpen
    } throws: { error in
      (error as? ConnectError)?.errno == .invalidArgument
    }
  }

  @Test func `1,000 tasks connect, write and read on one thread`() async throws {
    let echo = try TestEndpoint(.echo)
    let list = Self.list(echo)
    // Starts the thread.
    _ = try await connectByList(list, options: Self.options()).isOpen
    let before = threadCount()
    let most = await withTaskGroup(of: Int.self) { group in
      for number in 0..<1000 {
        group.addTask {
          do {
            var socket = try await connectByList(list, options: Self.options(timeout: .seconds(60)))
            socket.timeout = .seconds(60)
            try await socket.write("\(number)\n")
            return try await socket.readLine() == "\(number)" ? threadCount() : -1
          } catch {
            return -1
          }
        }
      }
      return await group.reduce(0) { $0 < 0 || $1 < 0 ? -1 : max($0, $1) }
    }
    #expect(most > 0, "a task failed")
    // The pool has a thread for each processor.
    #expect(most <= before + 2 + sysconf(Int32(_SC_NPROCESSORS_ONLN)), "\(most) threads")
  }

  @Test func `an async read times out and is cancelled, and loses no bytes`() async throws {
    let echo = try TestEndpoint(.echo)
    var socket = try await connectByList(Self.list(echo), options: Self.options())
    socket.timeout = .milliseconds(30)
    try await socket.write("half")
    do {
      _ = try await socket.readLine()
      Issue.record("nothing was thrown")
    } catch {
      #expect(error as? Errno == .timedOut)
    }
    try await socket.write(" a line\n")
    socket.timeout = .seconds(10)
    let line = try await socket.readLine()
    #expect(line == "half a line")
  }

  @Test func `a cancelled task ends its read`() async throws {
    let echo = try TestEndpoint(.echo)
    let list = Self.list(echo)
    let task = Task {
      var socket = try await connectByList(list, options: Self.options())
      return try await socket.readLine()
    }
    while echo.acceptedCount == 0 { try await Task.sleep(for: .milliseconds(1)) }
    try await Task.sleep(for: .milliseconds(20))
    task.cancel()
    let result = await task.result
    #expect(throws: CancellationError.self) { try result.get() }
  }

  @MainActor
  @Test func `an actor can use the socket`() async throws {
    let echo = try TestEndpoint(.echo)
    var socket = try await connectByName(
      "127.0.0.1", port: echo.endpoint.port, options: Self.options())
    let remote = try socket.remoteEndpoint()
    #expect(remote == echo.endpoint)
  }

  /// Threads may be late on a busy machine, so the quickest of ten cancels has to be within 20 ms.
  ///
  /// It compares all descriptors, so it has a process of its own. The sockets of a cancelled connect are
  /// closed when the call returns, not later.
  @Test func `W26 a cancelled task ends its connect within 20 ms and leaves nothing open`() async {
    await #expect(processExitsWith: .success) {
      let silent = try (0..<5).map { _ in try TestEndpoint(.silent) }
      var list = AddressList()
      for peer in silent { list.append(.endpoint(peer.endpoint)) }
      // Makes the runtime open the descriptors that it needs for sleeping, and the thread of all connects its own.
      try await Task.sleep(for: .milliseconds(5))
      let refused = try TestEndpoint(.refused)
      _ = try? await connectByList(
        ConnectAsyncTests.list(refused), options: ConnectAsyncTests.options()
      ).isOpen
      let before = openDescriptors()
      var quickest = TimeSpan.forever
      for _ in 0..<10 {
        let candidates = list
        let task = Task { () -> (Instant, [CInt]) in
          do {
            _ = try await connectByList(candidates, options: ConnectAsyncTests.options()).isOpen
          } catch is CancellationError {
            return (Clock.now(), openDescriptors())
          }
          throw Errno.isConnected
        }
        try await Task.sleep(for: .milliseconds(50))
        let cancelled = Clock.now()
        task.cancel()
        let (ended, after) = try await task.value
        quickest = min(quickest, ended - cancelled)
        #expect(after == before)
      }
      #expect(quickest < .milliseconds(20), "\(quickest.seconds) s")
    }
  }

  /// The cancel comes after the event of the read was noticed, and before it is cleared. In a process of its own, because
  /// other tasks would wake the thread of all waits, and the delay holds for all threads.
  @Test func `a cancel that comes while the event is cleared is not lost`() async {
    await #expect(processExitsWith: .success) {
      let echo = try TestEndpoint(.echo)
      let list = ConnectAsyncTests.list(echo)
      cbl_posix_set_delay(CBL_POSIX_CALL_READ, 1000)
      for round in 0..<100 {
        let task = Task {
          var socket = try await connectByList(list, options: ConnectAsyncTests.options())
          socket.timeout = .seconds(5)
          begunCount.store(round + 1, ordering: .releasing)
          _ = try await socket.readLine()
        }
        while begunCount.load(ordering: .acquiring) <= round { await Task.yield() }
        let moment = Clock.now() + .microseconds(Int64(round * 10))
        while Clock.now() < moment {}
        task.cancel()
        let result = await task.result
        #expect(throws: CancellationError.self) { try result.get() }
        // The read's own timeout would wake the thread, too.
        try #require(Clock.now() < moment + .seconds(2), "the cancel was lost")
      }
    }
  }
}

/// How many tasks of a test have begun to read.
private let begunCount = Atomic(0)

/// The numbers of all open descriptors of this process.
private func openDescriptors() -> [CInt] { (0..<4096).filter { fcntl($0, F_GETFD) >= 0 } }

/// How many threads this process has.
private func threadCount() -> Int {
  guard let folder = opendir("/proc/self/task") else { return -1 }
  defer { closedir(folder) }
  var count = -2
  while readdir(folder) != nil { count += 1 }
  return count
}
