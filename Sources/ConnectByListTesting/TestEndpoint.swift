import ConnectByList
import CConnectByListPosix
import ConnectByListCore

/// An endpoint on loopback, or a Unix one, for tests and demonstrations, in this process: a thread of its own
/// serves it, so that a script which blocks in a connect or a read can talk to it.
///
/// Nobody outside this machine can reach it, and it needs no privileges.
public final class TestEndpoint: @unchecked Sendable {
  public enum Kind: Sendable {
    /// Sends back what it gets.
    case echo
    /// Nobody listens: a connect is refused. The port stays taken, so nobody else can come to
    /// listen.
    case refused
    /// Completes no handshake: its queue of connections is full, so the kernel drops every SYN.
    case silent
  }

  /// Of a Unix one only the family.
  public let endpoint: Endpoint
  /// The path of a Unix one.
  public let unixPath: [UInt8]?
  /// The bound or listening socket.
  private var listener: Descriptor?
  /// A silent peer's own connection, which fills its queue.
  private var filler: Descriptor?
  private var server: EchoServer?
  private var servedCount = 0

  /// On a Unix path that is not there yet, or `@` and an abstract name; `close` takes it away again.
  /// Not for `.silent`: a Unix connect is never silent.
  public init(_ kind: Kind, unixPath: [UInt8]) throws(Errno) {
    if kind == .silent { throw .operationNotSupported }
    do throws(EntryError) { try UnixPaths.check(unixPath) } catch { throw .invalidArgument }
    let listener = try Syscalls.socket(.unix)
    try Syscalls.bind(listener.number, toUnix: unixPath)
    endpoint = .unixElsewhere
    self.unixPath = unixPath
    // From here on `close` has what there is to take away.
    let number = listener.number
    self.listener = consume listener
    if kind == .echo { try serve(number) }
  }

  /// Throws what the system calls say; `address` must be one of this machine's own, loopback unless
  /// a test has a network of its own.
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
      // With a backlog of 0 the queue has room for one connection, which nobody accepts (Linux
      // 6.18: `sk_acceptq_is_full` asks for more than the backlog).
      try Syscalls.listen(number, backlog: 0)
      let own = try Syscalls.socket(address.family)
      _ = try Syscalls.connect(own.number, to: endpoint)
      // Until it stands in the queue: that its own side is connected would be a moment too early.
      let deadline = Clock.now() + .seconds(5)
      while Syscalls.poll(number, events: CInt(CBL_POSIX_READABLE), for: deadline - Clock.now()) == 0 {
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

  /// How many connections it has taken.
  public var acceptedCount: Int { server?.acceptedCount ?? servedCount }

  /// Stops serving, waits for the thread to end, and closes everything. Closing twice is nothing.
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
