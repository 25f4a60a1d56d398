import CConnectByListPosix
import ConnectByList
import ConnectByListCore
import ConnectByListTesting
import Glibc
import Testing

/// Endpoints on sockets: counts, closing, forks, proxies. One after the other, because they count
/// descriptors and threads.
@Suite(.serialized) struct EndpointServerTests {
  private static let loopbacks = [IPAddress(v4: 0x7f00_0001), IPAddress(high: 0, low: 1)]

  @Test(arguments: loopbacks)
  func `a connect that has returned is counted, each of 1,000 times`(address: IPAddress) throws {
    for kind in [TestEndpoint.Kind.echo, .accepting, .closing()] {
      let endpoint = try TestEndpoint(kind, at: address)
      for index in 1...1000 {
        let client = try Client(of: endpoint)
        #expect(endpoint.acceptedCount == index)
        try client.socket.close()
      }
    }
  }

  @Test func `bytes whose write has returned are received`() throws {
    let endpoint = try TestEndpoint(.discard)
    var expected = 0
    let client = try Client(of: endpoint)
    for _ in 0..<200 {
      try client.socket.write("0123456789")
      expected += 10
      #expect(endpoint.received[0].count == expected)
    }
  }

  @Test func `waiting for connections ends when they are there, and at its time`() throws {
    let endpoint = try TestEndpoint(.accepting)
    let began = Clock.now()
    #expect(try endpoint.waitForAccepted(1, for: .milliseconds(60)) == 0)
    #expect(Clock.now() - began >= .milliseconds(60))
    try startDetachedThread {
      usleep(30_000)
      let client = try? Client(of: endpoint)
      usleep(100_000)
      _ = client
    }
    #expect(try endpoint.waitForAccepted(1, for: .seconds(10)) == 1)
    #expect(Clock.now() - began < .seconds(5))
  }

  @Test(arguments: loopbacks)
  func `until its time comes an endpoint holds its port and refuses`(address: IPAddress) throws {
    let endpoint = try TestEndpoint(.echo, at: address, after: .milliseconds(150))
    let error = #expect(throws: ConnectError.self) { _ = try Client(of: endpoint) }
    #expect(error?.errno == .connectionRefused)
    #expect(throws: Errno.addressInUse) {
      _ = try TestEndpoint(.echo, at: address, port: endpoint.endpoint.port)
    }
    var client: Client?
    for _ in 0..<2000 where client == nil {
      client = try? Client(of: endpoint)
      if client == nil { usleep(2000) }
    }
    try client?.socket.write("up\n")
    #expect(try client?.socket.readLine() == "up")
  }

  @Test func `a silent endpoint that begins later refuses first and is silent then`() throws {
    let endpoint = try TestEndpoint(.silent, after: .milliseconds(50))
    let error = #expect(throws: ConnectError.self) { _ = try Client(of: endpoint) }
    #expect(error?.errno == .connectionRefused)
    usleep(150_000)
    let socket = try Syscalls.socket(.inet)
    _ = try Syscalls.connect(socket.number, to: endpoint.endpoint, under: .unrestricted)
    let events = try Syscalls.poll(
      socket.number, events: CInt(CBL_POSIX_WRITABLE), for: .milliseconds(100))
    #expect(events == 0)
  }

  @Test func `a port can be opened again at once`() throws {
    let first = try TestEndpoint(.echo)
    let client = try Client(of: first)
    try client.socket.write("x\n")
    #expect(try client.socket.readLine() == "x")
    let port = first.endpoint.port
    first.close()
    let second = try TestEndpoint(.echo, port: port)
    #expect(second.endpoint == first.endpoint)
    let again = try Client(of: second)
    try again.socket.write("y\n")
    #expect(try again.socket.readLine() == "y")
  }

  @Test func `a reset is a reset, and a close the end of the stream`() throws {
    let reset = try TestEndpoint(.reset(.init(afterBytes: 1)))
    let first = try Client(of: reset)
    try first.socket.write("x")
    #expect(throws: Errno.connectionReset) { _ = try first.socket.readLine() }
    let closing = try TestEndpoint(.closing(.init(afterBytes: 3)))
    let second = try Client(of: closing)
    try second.socket.write("xyz")
    #expect(try second.socket.readLine() == nil)
    #expect(closing.received == [Array("xyz".utf8)])
  }

  @Test func `a time that begins in a question ends without another`() throws {
    let endpoint = try TestEndpoint(.closing(.init(afterTime: .milliseconds(3))))
    for index in 1...100 {
      let client = try Client(of: endpoint)
      #expect(endpoint.acceptedCount == index)
      client.socket.timeout = .seconds(2)
      #expect(try client.socket.readLine() == nil)
    }
  }

  // MARK: proxies

  @Test(arguments: loopbacks)
  func `a proxy carries a MiB both ways unchanged`(address: IPAddress) throws {
    let service = try TestEndpoint(.echo, at: address)
    var settings = ProxySettings()
    settings.jitter = .milliseconds(2)
    let proxy = try TestEndpoint(.proxy(.endpoint(service.endpoint), settings), at: address)
    let client = try Client(of: proxy)
    let line = String(repeating: "0123456789abcdef", count: 4096)
    for _ in 0..<16 {
      try client.socket.write(line + "\n")
      #expect(try client.socket.readLine() == line)
    }
    try client.socket.shutdown(how: 1)
    #expect(try client.socket.readLine() == nil)
    #expect(proxy.failures.isEmpty && proxy.acceptedCount == 1 && service.acceptedCount == 1)
  }

  @Test func `a proxy whose service is down resets, and says why`() throws {
    let service = try TestEndpoint(.refused)
    let proxy = try TestEndpoint(.proxy(.endpoint(service.endpoint), ProxySettings()))
    // The reset may come while the client still connects.
    do {
      let client = try Client(of: proxy)
      #expect(throws: Errno.connectionReset) { _ = try client.socket.readLine() }
    } catch let error as ConnectError { #expect(error.errno == .connectionReset) }
    let said = proxy.failures.map { String(decoding: $0, as: UTF8.self) }
    #expect(said == ["connection 1: the service: connection refused"])
  }

  @Test func `a network that changes changes for the connections that there are`() throws {
    let service = try TestEndpoint(.echo)
    let proxy = try TestEndpoint(.proxy(.endpoint(service.endpoint), ProxySettings()))
    let client = try Client(of: proxy)
    try client.socket.write("a\n")
    #expect(try client.socket.readLine() == "a")
    proxy.change { $0.hangAfter = 2 }
    client.socket.timeout = .milliseconds(50)
    try client.socket.write("b\n")
    #expect(throws: Errno.timedOut) { _ = try client.socket.readLine() }
    client.socket.timeout = .seconds(10)
    proxy.change { $0.hangAfter = nil }
    #expect(try client.socket.readLine() == "b")
    proxy.change { $0.latency = .milliseconds(40) }
    let began = Clock.now()
    try client.socket.write("c\n")
    #expect(try client.socket.readLine() == "c")
    #expect(Clock.now() - began >= .milliseconds(80))
  }

  @Test func `the same connections are dropped for the same seed`() throws {
    let service = try TestEndpoint(.echo)
    func dropped(_ seed: UInt64) throws -> [Bool] {
      var settings = ProxySettings()
      settings.drop = 0.5
      settings.seed = seed
      let proxy = try TestEndpoint(.proxy(.endpoint(service.endpoint), settings))
      return (0..<40).map { _ in
        guard let client = try? Client(of: proxy) else { return true }
        return (try? client.socket.write("x\n")) == nil
          || (try? client.socket.readLine()) ?? nil == nil
      }
    }
    let first = try dropped(1)
    #expect(first.contains(true) && first.contains(false))
    #expect(try dropped(1) == first)
    #expect(try dropped(2) != first)
  }

  // MARK: what is left

  @Test func `each kind gives back its descriptors and its thread`() async {
    await #expect(processExitsWith: .success) {
      // Makes the runtime open the descriptors that it needs for sleeping.
      try await Task.sleep(for: .milliseconds(5))
      let service = try TestEndpoint(.echo)
      let kinds: [TestEndpoint.Kind] = [
        .echo, .discard, .accepting, .refused, .silent, .slow(.milliseconds(5)), .reset(),
        .closing(), .script([[.expectAny(1)]]),
        .proxy(.endpoint(service.endpoint), ProxySettings()),
      ]
      for kind in kinds {
        let descriptors = openDescriptors()
        let threads = threadCount()
        do {
          let endpoint = try TestEndpoint(kind)
          let client = try? Client(of: endpoint, timeout: .milliseconds(100))
          _ = try? endpoint.waitForAccepted(1, for: .milliseconds(20))
          #expect(threadCount() == threads + (endpoint.kind.hasThread ? 1 : 0))
          endpoint.close()
          #expect(threadCount() == threads)
          try client?.socket.close()
        }
        // The service behind a proxy notices the end by itself.
        for _ in 0..<200 where openDescriptors() != descriptors {
          _ = service.acceptedCount
          usleep(1000)
        }
        #expect(openDescriptors() == descriptors)
      }
    }
  }

  @Test func `an endpoint that does not read lets go of clients that have left`() async {
    await #expect(processExitsWith: .success) {
      try await Task.sleep(for: .milliseconds(5))
      let endpoint = try TestEndpoint(.accepting)
      let descriptors = openDescriptors()
      for index in 1...100 {
        let client = try Client(of: endpoint)
        #expect(endpoint.acceptedCount == index)
        try client.socket.close()
      }
      // Each question serves what is ready.
      for _ in 0..<200 where endpoint.acceptedCount == 100 && openDescriptors() != descriptors {
        usleep(1000)
      }
      #expect(openDescriptors() == descriptors)
    }
  }

  @Test func `a forked child closes its copies and stops nothing`() throws {
    let path = Array("/tmp/connectbylist-fork-\(getpid())".utf8)
    let name = String(decoding: path, as: UTF8.self)
    let unix = try TestEndpoint(.echo, unixPath: path)
    let tcp = try TestEndpoint(.echo)
    let before = try Client(of: tcp)
    let child = forked {
      let fileIsThere = access(name, F_OK) == 0
      let count = tcp.acceptedCount
      tcp.close()
      unix.close()
      return fileIsThere && access(name, F_OK) == 0 && count <= 1 ? 0 : 1
    }
    try #require(child > 0)
    var status: CInt = 0
    #expect(waitpid(child, &status, 0) == child)
    #expect(status == 0)
    #expect(access(name, F_OK) == 0)
    try before.socket.write("still\n")
    #expect(try before.socket.readLine() == "still")
    let after = try Client(of: tcp)
    try after.socket.write("there\n")
    #expect(try after.socket.readLine() == "there")
    #expect(tcp.acceptedCount == 2)
    unix.close()
    #expect(access(name, F_OK) != 0)
  }
}

extension TestEndpoint.Kind {
  fileprivate var hasThread: Bool {
    if case .refused = self { return false }
    return true
  }
}

/// Runs the body in a forked child, whose status is what it returns. Swift's Glibc module hides `fork`.
private func forked(_ body: () -> CInt) -> pid_t {
  typealias Fork = @convention(c) () -> pid_t
  let fork = unsafeBitCast(dlsym(nil, "fork"), to: Fork.self)
  let child = fork()
  if child == 0 { _exit(body()) }
  return child
}

/// The threads of this process.
private func threadCount() -> Int {
  guard let folder = opendir("/proc/self/task") else { return -1 }
  defer { closedir(folder) }
  var count = -2  // "." and ".."
  while readdir(folder) != nil { count += 1 }
  return count
}
