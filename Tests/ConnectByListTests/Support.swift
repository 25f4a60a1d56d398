import CConnectByListPosix
import ConnectByListCore
import ConnectByListTesting
import Glibc
import Testing

@testable import ConnectByList

/// All tests of the driver: one after the other, because they measure times and count descriptors.
@Suite(.serialized, .keepsDescriptors)
enum Driver {}

// MARK: descriptors

/// Checks that a test leaves no socket open.
///
/// Tests of other targets run at the same time in the same process. So only IP, Unix and netlink sockets
/// are compared, and a new socket counts as leaked only if it is still open after ten seconds. A test that
/// compares every descriptor runs in a process of its own (`ProcessTests`).
struct KeepsDescriptors: SuiteTrait, TestTrait, TestScoping {
  let isRecursive = true

  func provideScope(
    for test: Test, testCase: Test.Case?, performing body: @Sendable () async throws -> Void
  ) async throws {
    guard testCase != nil else { return try await body() }
    let before = Descriptors.sockets()
    let result: Result<Void, any Error>
    do { result = .success(try await body()) } catch { result = .failure(error) }
    let limit = Clock.now() + .seconds(10)
    var leaked = Descriptors.sockets().subtracting(before)
    while !leaked.isEmpty && Clock.now() < limit {
      // Not a blocking wait: async tests need the thread to close their own sockets.
      try await Task.sleep(for: .milliseconds(5))
      // Only the sockets of the first comparison: other tests open new ones all the time.
      leaked.formIntersection(Descriptors.sockets())
    }
    #expect(leaked.isEmpty, "left open")
    try result.get()
  }
}

extension Trait where Self == KeepsDescriptors {
  static var keepsDescriptors: Self { KeepsDescriptors() }
}

enum Descriptors {
  /// The numbers of all open descriptors.
  static func all() -> [CInt] {
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit)
    let count = CInt(min(limit.rlim_cur, 65_536))
    return (0..<count).filter { fcntl($0, F_GETFD) >= 0 }
  }

  /// All open descriptors, each by its number and what it leads to; without timers, which Dispatch opens for tests
  /// that sleep and the library never does.
  static func described() -> Set<String> {
    guard let entries = opendir("/proc/self/fd") else { return [] }
    defer { closedir(entries) }
    var found: Set<String> = []
    while let entry = readdir(entries) {
      let number = withUnsafeBytes(of: entry.pointee.d_name) { name in
        String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
      }
      var target = [UInt8](repeating: 0, count: 256)
      let count = target.withUnsafeMutableBytes { bytes in
        readlink(
          "/proc/self/fd/\(number)", bytes.assumingMemoryBound(to: CChar.self).baseAddress!, 256)
      }
      let text = String(decoding: target.prefix(max(0, count)), as: UTF8.self)
      // One that leads nowhere was closed in the meantime.
      if count >= 0 && text != "anon_inode:[timerfd]" { found.insert("\(number) \(text)") }
    }
    return found
  }

  /// IP, Unix and netlink sockets, each by its number and inode, because numbers are reused.
  static func sockets() -> Set<String> {
    var found: Set<String> = []
    for number in all() {
      var domain: CInt = 0
      var size = socklen_t(MemoryLayout<CInt>.size)
      guard getsockopt(number, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0,
        [AF_INET, AF_INET6, AF_UNIX, AF_NETLINK].contains(domain)
      else { continue }
      var status = stat()
      if fstat(number, &status) == 0 { found.insert("\(number) \(status.st_ino)") }
    }
    return found
  }
}

// MARK: endpoints

extension IPAddress {
  static let loopback = IPAddress(v4: 0x7f00_0001)
  static let loopbackV6 = IPAddress(high: 0, low: 1)

  /// 127.0.0.`last`.
  static func loopback(_ last: UInt8) -> IPAddress { IPAddress(v4: 0x7f00_0000 | UInt32(last)) }
}

/// An endpoint from its text.
func endpoint(_ text: String) throws -> Endpoint {
  let entry = try EndpointText.parseEntry(
    Array(text.utf8), defaultPort: nil, scopes: NumericScopes())
  guard case .endpoint(let endpoint) = entry else { throw EntryError(.badCharacter) }
  return endpoint
}

/// A port that is not in use: the kernel chose it, and its socket is closed again.
func freePort(at address: IPAddress = .loopback) throws -> UInt16 {
  let socket = try Syscalls.socket(address.family)
  try Syscalls.bind(socket.number, to: Endpoint(address, port: 0))
  return try #require(try Syscalls.localEndpoint(socket.number)).port
}

/// A listening socket whose connections the test accepts itself.
final class Listener {
  let endpoint: Endpoint
  private let socket: Descriptor

  init(
    at address: IPAddress = .loopback, backlog: CInt = 64, protocol number: CInt = 0
  ) throws(Errno) {
    let socket = try Syscalls.socket(address.family, protocol: number)
    try Syscalls.bind(socket.number, to: Endpoint(address, port: 0))
    guard let endpoint = try Syscalls.localEndpoint(socket.number) else {
      throw .familyNotSupported
    }
    try Syscalls.listen(socket.number, backlog: backlog)
    self.endpoint = endpoint
    self.socket = socket
  }

  /// The next connection. Waits for it for at most five seconds.
  func accept() throws(Errno) -> Descriptor {
    let deadline = Clock.now() + .seconds(5)
    while true {
      if let connection = try Syscalls.accept(socket.number) { return connection }
      let left = deadline - Clock.now()
      guard left > .zero else { throw .timedOut }
      _ = try? Syscalls.poll(socket.number, events: CInt(CBL_POSIX_READABLE), for: left)
    }
  }

  /// Whether a connection is queued.
  var hasConnection: Bool {
    (try? Syscalls.poll(socket.number, events: CInt(CBL_POSIX_READABLE), for: .zero)) ?? 0 != 0
  }

  /// Waits until a connection is queued, for at most five seconds.
  func awaitConnection() throws(Errno) {
    let deadline = Clock.now() + .seconds(5)
    while !hasConnection {
      let left = deadline - Clock.now()
      guard left > .zero else { throw .timedOut }
      _ = try? Syscalls.poll(socket.number, events: CInt(CBL_POSIX_READABLE), for: left)
    }
  }

  func setBacklog(_ backlog: CInt) throws(Errno) {
    try Syscalls.listen(socket.number, backlog: backlog)
  }
}

/// An endpoint that is silent until it is opened. The kernel resends a lost SYN after a second.
final class Gate {
  private let listener: Listener
  private let filler: Descriptor

  var endpoint: Endpoint { listener.endpoint }

  init() throws(Errno) {
    listener = try Listener(backlog: 0)
    filler = try Syscalls.socket(.inet)
    _ = try Syscalls.connect(filler.number, to: listener.endpoint, under: .unrestricted)
    try listener.awaitConnection()
  }

  func open() throws(Errno) {
    _ = try listener.accept()
    try listener.setBacklog(64)
  }

  func awaitConnection() throws(Errno) { try listener.awaitConnection() }
}

// MARK: connects

func list(_ endpoints: Endpoint...) -> AddressList { list(endpoints) }

func list(_ endpoints: [Endpoint]) -> AddressList {
  var list = AddressList()
  for endpoint in endpoints { list.append(.endpoint(endpoint)) }
  return list
}

/// A request with the caller's order, and a deadline that passes only when something hangs.
func request(
  timeout: TimeSpan? = .seconds(20), _ change: (inout ConnectOptions) -> Void = { _ in }
) -> ConnectRequest {
  var request = ConnectRequest()
  request.options.timeout = timeout
  request.options.order = .given
  change(&request.options)
  return request
}

/// A connected socket, its addresses and its report.
final class Connection {
  var socket: Socket
  let number: CInt
  let local: Endpoint?
  let remote: Endpoint?
  let report: ConnectReport
  var isOpen: Bool { socket.isOpen }

  /// Also sets a timeout for reads and writes, so that a test does not hang.
  init(_ connected: consuming Socket) throws {
    number = connected.number
    local = try connected.localEndpoint()
    remote = try connected.remoteEndpoint()
    report = connected.report ?? ConnectReport(.notConnected)
    socket = connected
    socket.timeout = .seconds(10)
  }

  func readLine() throws(Errno) -> String? { try ConnectByListTests.readLine(from: &socket) }

  func write(_ text: String) throws(Errno) {
    try ConnectByListTests.write(text, to: &socket)
  }
}

func connect(_ endpoints: Endpoint..., with request: ConnectRequest = request()) throws
  -> Connection
{
  try connect(list(endpoints), with: request)
}

func connect(_ list: AddressList, with request: ConnectRequest = request()) throws -> Connection {
  var list = list
  return try Connection(connectByList(&list, request))
}

/// The error of a connect that must fail.
func failure(
  of endpoints: Endpoint..., with request: ConnectRequest = request(),
  at place: SourceLocation = #_sourceLocation
) throws -> ConnectError {
  try failure(of: list(endpoints), with: request, at: place)
}

func failure(
  of list: AddressList, with request: ConnectRequest = request(),
  at place: SourceLocation = #_sourceLocation
) throws -> ConnectError {
  var list = list
  do throws(ConnectError) {
    _ = try connectByList(&list, request)
  } catch {
    return error
  }
  Issue.record("it connected", sourceLocation: place)
  throw Unexpected()
}

struct Unexpected: Error {}

extension TestEndpoint {
  /// Waits until its thread has accepted `count` connections, for at most five seconds.
  func awaitAccepted(_ count: Int) throws(Errno) {
    let deadline = Clock.now() + .seconds(5)
    while acceptedCount < count {
      if Clock.now() >= deadline { throw .timedOut }
      sched_yield()
    }
  }
}

/// What a call throws; `nil`: nothing. Swift Testing's macros cannot capture noncopyable values.
func thrown(by body: () throws(Errno) -> Void) -> Errno? {
  do throws(Errno) { try body() } catch { return error }
  return nil
}

/// An operation that a test drives step by step.
final class Stepwise {
  private var operation: Operation?

  init(_ endpoints: Endpoint..., with request: ConnectRequest = request()) throws {
    operation = try Operation(list(endpoints), request)
  }

  init(_ list: AddressList, with request: ConnectRequest = request()) throws {
    operation = try Operation(list, request)
  }

  // Read through `inout`: a plain read of the optional would consume the operation.
  var attempts: [Attempt] { read { $0.race.attempts } }
  var outcomes: [Outcome] { attempts.map { $0.outcome } }
  var wakeUp: Instant { read { $0.wakeUp } }

  private func read<Value>(_ body: (inout Operation) -> Value) -> Value { body(&operation!) }

  func advance() -> Operation.Progress { operation!.advance() }

  /// Advances as over a network, where no handshake is done when `connect` returns: that of the first `count`
  /// attempts is not.
  func advanceWithoutAnswers(to count: Int = .max) -> Operation.Progress {
    cbl_posix_set_fault(CBL_POSIX_CALL_GETPEERNAME, 1, count, ENOTCONN)
    defer { cbl_posix_set_fault(CBL_POSIX_CALL_GETPEERNAME, 0, 0, 0) }
    return advance()
  }

  func waitAndAdvance() -> Operation.Progress { operation!.waitAndAdvance() }

  /// Advances, blocking, until the operation is not pending any more.
  func finish() -> Operation.Progress {
    var progress = advance()
    while progress == .pending { progress = waitAndAdvance() }
    return progress
  }

  func cancel() { operation!.cancel() }
  func accept(_ id: AttemptID) { operation!.accept(id) }
  func reject(_ id: AttemptID) { operation!.reject(id) }
  func pollDescriptor() throws(Errno) -> CInt { try operation!.pollDescriptor() }
  func takeDescriptor(of id: AttemptID) -> Descriptor? { operation!.takeDescriptor(of: id) }

  func conclude(_ progress: Operation.Progress) throws -> Connection {
    guard case .finished(let result) = progress else { throw Unexpected() }
    return try Connection(take().conclude(result))
  }

  /// Destroys the operation in its present state.
  func drop() { _ = take() }

  private func take() -> Operation {
    var taken: Operation?
    swap(&taken, &operation)
    return taken!
  }
}

extension ConnectReport {
  var attempts: [Attempt] { race?.attempts ?? [] }
  var outcomes: [Outcome] { attempts.map { $0.outcome } }
  /// The remotes of the attempts, in the order of their starts.
  var started: [Endpoint] { attempts.compactMap { race?.plan.remote(of: $0.pair) } }
}

/// Waits as `Syscalls.poll` does, and goes on after a signal.
func awaitReady(_ fd: CInt, events: CInt, for span: TimeSpan) throws(Errno) -> CInt {
  let end = Clock.now() + span
  while true {
    let ready = try Syscalls.poll(fd, events: events, for: end - Clock.now())
    if ready != 0 || Clock.now() >= end { return ready }
  }
}
