import CConnectByListPosix
import ConnectByList
import ConnectByListCore

/// An endpoint in this process, on loopback or at a Unix address, for tests and demonstrations.
///
/// A thread of its own serves it, so that a script that blocks in a connect or a read can talk to it. Other
/// machines cannot reach it, and it needs no privileges. It belongs to the process that made it: in a forked
/// child `close` only closes the child's copies of its descriptors.
public final class TestEndpoint: @unchecked Sendable {
  public typealias Kind = EndpointKind

  public let kind: Kind
  /// Its address and port. A Unix endpoint has its path in `unixPath`.
  public let endpoint: Endpoint
  /// The path of a Unix endpoint.
  public let unixPath: [UInt8]?
  private let process = Syscalls.processNumber
  /// The bound or listening socket.
  private var listener: Descriptor?
  private var server: EndpointServer?
  /// What a server that has ended had recorded.
  private var finalRecord = ServerRecord()

  /// An endpoint at a Unix path, or at `@` and an abstract name. `close` removes the path's file.
  ///
  /// Throws `.addressInUse` where the path exists, `.invalidArgument` for a path that cannot be one,
  /// `.operationNotSupported` for `.silent` (a Unix connect succeeds or fails at once), and the errors of
  /// `socket`, `bind` and `listen`.
  ///
  /// - Parameter delay: how long it refuses before it begins.
  public init(_ kind: Kind, unixPath: [UInt8], after delay: TimeSpan = .zero) throws(Errno) {
    if case .silent = kind { throw .operationNotSupported }
    do throws(EntryError) { try UnixPaths.check(unixPath) } catch { throw .invalidArgument }
    let listener = try Syscalls.socket(.unix)
    try Syscalls.bind(listener.number, toUnix: unixPath)
    self.kind = kind
    endpoint = .unixElsewhere
    self.unixPath = unixPath
    // From here on `close` removes the file.
    let number = listener.number
    self.listener = consume listener
    try serve(number, after: delay)
  }

  /// An endpoint at an IP address. Throws the errors of `socket`, `bind` and `listen`.
  ///
  /// - Parameters:
  ///   - address: of this machine; not on loopback only in a test's network namespace.
  ///   - port: 0: the kernel chooses one.
  ///   - delay: how long it refuses before it begins. The port is held meanwhile.
  public init(
    _ kind: Kind, at address: IPAddress = IPAddress(v4: 0x7f00_0001), port: UInt16 = 0,
    after delay: TimeSpan = .zero
  ) throws(Errno) {
    let listener = try Syscalls.socket(address.family)
    // Where a port is given, connections of an endpoint that was there before may still hold it. The option
    // is taken back, so that no other socket can listen there.
    if port != 0 { try Syscalls.setReuseAddress(listener.number, true) }
    try Syscalls.bind(listener.number, to: Endpoint(address, port: port))
    if port != 0 { try Syscalls.setReuseAddress(listener.number, false) }
    guard let endpoint = try Syscalls.localEndpoint(listener.number) else {
      throw .familyNotSupported
    }
    self.kind = kind
    self.endpoint = endpoint
    unixPath = nil
    let number = listener.number
    self.listener = consume listener
    try serve(number, after: delay)
  }

  private func serve(_ number: CInt, after delay: TimeSpan) throws(Errno) {
    if case .refused = kind { return }
    let made = try EndpointServer(kind, listener: number, at: endpoint, after: delay)
    try made.start()
    server = made
  }

  deinit { close() }

  private var isOwn: Bool { process == Syscalls.processNumber }

  private var record: ServerRecord {
    guard let server else { return finalRecord }
    return isOwn ? server.currentRecord() : server.lastRecord
  }

  /// Whether it was closed.
  public var isClosed: Bool { listener == nil }

  /// How many connections it has accepted. A connection whose connect has returned is among them.
  public var acceptedCount: Int { record.acceptedCount }

  /// Waits until `count` connections have been accepted, or the span has passed. Returns how many have been.
  ///
  /// Throws the errors of `eventfd` and `poll`.
  public func waitForAccepted(_ count: Int, for span: TimeSpan) throws(Errno) -> Int {
    let deadline = Clock.now() + span
    while true {
      guard let event = try nextAcceptEvent() else { return acceptedCount }
      let found = acceptedCount
      let rest = deadline - Clock.now()
      if found >= count || rest <= .zero { return found }
      _ = try Syscalls.poll(event, events: CInt(CBL_POSIX_READABLE), for: rest)
    }
  }

  /// A descriptor that becomes readable with the next connection that `acceptedCount` does not count yet, if
  /// that is read after this; `nil`: there will be none, because the endpoint is closed.
  package func nextAcceptEvent() throws(Errno) -> CInt? {
    guard let server, isOwn else { return nil }
    let event = try server.acceptEvent()
    Syscalls.clearEvent(event)
    return event
  }

  /// What the clients have sent, connection by connection in the order of acceptance: the first MiB of all
  /// together.
  public var received: [[UInt8]] { record.received }

  /// What differed from the script of an endpoint, and what a proxy could not reach, in words: the first
  /// 1,000 of them.
  public var failures: [[UInt8]] { record.failures }

  /// Changes the network of a proxy, for the connections that it has too. Does nothing for other kinds.
  public func change(_ body: (inout ProxySettings) -> Void) {
    if isOwn { server?.change(body) }
  }

  /// Ends the thread, waits for that, and closes all descriptors. Does nothing where it is closed already.
  public func close() {
    guard isOwn else {
      server?.closeInChild()
      server = nil
      listener = nil
      return
    }
    if let server {
      server.stop()
      finalRecord = server.lastRecord
    }
    server = nil
    if let unixPath, listener != nil { Syscalls.unlink(unixPath: unixPath) }
    listener = nil
  }
}

extension Syscalls {
  static func setReuseAddress(_ fd: CInt, _ on: Bool) throws(Errno) {
    try setOption(
      fd, level: SocketLevel.socket, name: SocketNumber.reuseAddress, to: on ? 1 : 0)
  }
}
