import CConnectByListPosix
import ConnectByList
import ConnectByListCore

/// An endpoint in this process, on loopback or at a Unix address, for tests and demonstrations.
///
/// A thread of its own serves it, so that a script that blocks in a connect or a read can talk to it. Other
/// machines cannot reach it, and it needs no privileges.
public final class TestEndpoint: @unchecked Sendable {
  public enum Kind: Sendable {
    /// Accepts connections and sends back what it receives.
    case echo
    /// Refuses connections: it is bound and does not listen, so no other program can listen there.
    case refused
    /// Completes no handshake: its queue is full, so the kernel drops every SYN.
    case silent
  }

  /// Its address and port. A Unix endpoint has its path in `unixPath`.
  public let endpoint: Endpoint
  /// The path of a Unix endpoint.
  public let unixPath: [UInt8]?
  /// The bound or listening socket.
  private var listener: Descriptor?
  /// The connection that fills the queue of a silent endpoint.
  private var filler: Descriptor?
  private var server: EchoServer?
  /// The count of a server that has ended.
  private var servedCount = 0

  /// An endpoint at a Unix path, or at `@` and an abstract name. `close` removes the path's file.
  ///
  /// Throws `.addressInUse` where the path exists, `.invalidArgument` for a path that cannot be one,
  /// `.operationNotSupported` for `.silent` (a Unix connect succeeds or fails at once), and the errors of
  /// `socket`, `bind` and `listen`.
  public init(_ kind: Kind, unixPath: [UInt8]) throws(Errno) {
    if kind == .silent { throw .operationNotSupported }
    do throws(EntryError) { try UnixPaths.check(unixPath) } catch { throw .invalidArgument }
    let listener = try Syscalls.socket(.unix)
    try Syscalls.bind(listener.number, toUnix: unixPath)
    endpoint = .unixElsewhere
    self.unixPath = unixPath
    // From here on `close` removes the file.
    let number = listener.number
    self.listener = consume listener
    if kind == .echo { try serve(number) }
  }

  /// An endpoint at a port that the kernel chooses. Throws the errors of `socket`, `bind` and `listen`.
  ///
  /// - Parameter address: of this machine; not on loopback only in a test's network namespace.
  public init(_ kind: Kind, at address: IPAddress = IPAddress(v4: 0x7f00_0001)) throws(Errno) {
    let listener = try Syscalls.socket(address.family)
    try Syscalls.bind(listener.number, to: Endpoint(address, port: 0))
    guard let endpoint = try Syscalls.localEndpoint(listener.number) else {
      throw .familyNotSupported
    }
    self.endpoint = endpoint
    unixPath = nil
    let number = listener.number
    self.listener = consume listener
    switch kind {
    case .refused: break
    case .silent:
      // With a backlog of 0 the queue has room for one connection (`sk_acceptq_is_full` compares with
      // `>`; Linux 6.18).
      try Syscalls.listen(number, backlog: 0)
      let own = try Syscalls.socket(address.family)
      _ = try Syscalls.connect(own.number, to: endpoint)
      // Waits until the connection is in the queue, which is later than its own side is connected.
      let deadline = Clock.now() + .seconds(5)
      while Syscalls.poll(number, events: CInt(CBL_POSIX_READABLE), for: deadline - Clock.now())
        == 0
      {
        if Clock.now() >= deadline { throw .timedOut }
      }
      filler = consume own
    case .echo: try serve(number)
    }
  }

  private func serve(_ number: CInt) throws(Errno) {
    try Syscalls.listen(number, backlog: 1024)
    let made = try EchoServer(listener: number)
    try made.start()
    server = made
  }

  deinit { close() }

  /// How many connections it has accepted.
  public var acceptedCount: Int { server?.acceptedCount ?? servedCount }

  /// Ends the thread, waits for that, and closes all descriptors. Does nothing where it is closed already.
  public func close() {
    if let server {
      server.stopAndWait()
      servedCount = server.acceptedCount
    }
    server = nil
    filler = nil
    if let unixPath, listener != nil { Syscalls.unlink(unixPath: unixPath) }
    listener = nil
  }
}
