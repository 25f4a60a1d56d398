import ConnectByListAsync
import Glibc
import Testing

@Suite(.serialized) struct ConnectAsyncTests {
  fileprivate static func list(_ peers: TestPeer...) -> AddressList {
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

  /// The IP sockets of this process: other targets' tests run beside these, so only those that stay
  /// count.
  private static func socketCount() -> Int {
    (0..<4096).filter { number in
      var domain: CInt = 0
      var size = socklen_t(MemoryLayout<CInt>.size)
      return getsockopt(CInt(number), SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0
        && (domain == AF_INET || domain == AF_INET6)
    }.count
  }

  @Test func `W11 success is a connected socket that reads and writes`() async throws {
    let echo = try TestPeer(.echo)
    let refused = try TestPeer(.refused)
    var socket = try await connectByList(
      Self.list(refused, echo), options: Self.options())
    socket.timeout = .seconds(10)
    try socket.write("hello\n")
    let line = try socket.readLine()
    #expect(line == "hello")
    let remote = try socket.remoteEndpoint()
    #expect(remote == echo.endpoint)
  }

  @Test func `what fails is told as the blocking call tells it`() async throws {
    let refused = try TestPeer(.refused)
    await #expect {
      _ = try await connectByList(Self.list(refused), options: Self.options()).isOpen
    } throws: { error in
      (error as? ConnectError)?.errno == .connectionRefused
    }
    let silent = try TestPeer(.silent)
    await #expect {
      _ = try await connectByList(
        Self.list(silent), options: Self.options(timeout: .milliseconds(100))
      ).isOpen
    } throws: { error in
      guard let error = error as? ConnectError else { return false }
      return error.errno == .timedOut && error.report.isDeadline
    }
  }

  /// On a busy machine a thread may be late: of ten cancels the quickest has to be within 20 ms.
  @Test func `W26 a cancelled task ends its connect within 20 ms and leaves nothing open`()
    async throws
  {
    let silent = try (0..<5).map { _ in try TestPeer(.silent) }
    var list = AddressList()
    for peer in silent { list.append(.endpoint(peer.endpoint)) }
    let before = Self.socketCount()
    var quickest = TimeSpan.forever
    for _ in 0..<10 {
      let candidates = list
      let task = Task { try await connectByList(candidates, options: Self.options()).isOpen }
      try await Task.sleep(for: .milliseconds(50))
      let cancelled = Clock.now()
      task.cancel()
      let result = await task.result
      quickest = min(quickest, Clock.now() - cancelled)
      #expect(throws: CancellationError.self) { try result.get() }
    }
    #expect(quickest < .milliseconds(20), "\(quickest.seconds) s")
    let patience = Clock.now() + .seconds(10)
    while Self.socketCount() > before && Clock.now() < patience { await Task.yield() }
    #expect(Self.socketCount() <= before)
  }

  @Test func `a task that is cancelled already connects to nothing`() async throws {
    let echo = try TestPeer(.echo)
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
    let silent = try TestPeer(.silent)
    let echo = try TestPeer(.echo)
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

  @Test func `the list after the connect knows how its endpoints did`() async throws {
    let echo = try TestPeer(.echo)
    let list = Self.list(echo)
    #expect(list.history.isEmpty)
    let (lists, continuation) = AsyncStream.makeStream(of: AddressList.self)
    _ = try await connectByList(list, options: Self.options()) { continuation.yield($0) }.isOpen
    let after = await lists.first { _ in true }
    #expect(after?.history[echo.endpoint]?.hasConnected == true)
  }

  @Test func `W27 connect by name`() async throws {
    let echo = try TestPeer(.echo)
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
    let echo = try TestPeer(.echo)
    var options = Self.options()
    options.inFlight = 0
    let wanted = options
    await #expect {
      _ = try await connectByList(Self.list(echo), options: wanted).isOpen
    } throws: { error in
      (error as? ConnectError)?.errno == .invalidArgument
    }
  }

  @MainActor
  @Test func `a socket can be had by an actor`() async throws {
    let echo = try TestPeer(.echo)
    var socket = try await connectByName(
      "127.0.0.1", port: echo.endpoint.port, options: Self.options())
    let remote = try socket.remoteEndpoint()
    #expect(remote == echo.endpoint)
  }

  /// Every descriptor counts, so it has a process to itself. What a cancelled connect had opened is
  /// closed when it returns, not a moment later.
  @Test func `W26 a connect that ends leaves no descriptor behind it`() async {
    await #expect(processExitsWith: .success) {
      let silent = try TestPeer(.silent)
      let echo = try TestPeer(.echo)
      // Whatever the runtime opens once.
      try await Task.sleep(for: .milliseconds(5))
      let quick = ConnectAsyncTests.options(timeout: .milliseconds(20))
      _ = try? await connectByList(ConnectAsyncTests.list(silent), options: quick).isOpen
      let before = openDescriptors()
      for _ in 0..<20 {
        let list = ConnectAsyncTests.list(silent)
        let task = Task { () -> [CInt] in
          do {
            _ = try await connectByList(list, options: ConnectAsyncTests.options()).isOpen
          } catch is CancellationError {
            return openDescriptors()
          }
          return []
        }
        try await Task.sleep(for: .milliseconds(5))
        task.cancel()
        let after = try await task.value
        #expect(after == before)
      }
      _ = try? await connectByList(ConnectAsyncTests.list(silent), options: quick).isOpen
      #expect(openDescriptors() == before)
      #expect(echo.acceptedCount == 0)
    }
  }
}

/// The numbers of all open descriptors of this process.
private func openDescriptors() -> [CInt] { (0..<4096).filter { fcntl($0, F_GETFD) >= 0 } }
