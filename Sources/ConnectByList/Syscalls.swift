import CPosix
import ConnectCore

/// One function a system call, each with its policy for EINTR and for errors that only a bug of
/// ours can cause. Nothing else in the project calls the kernel.
///
/// The C half returns -errno, so there is no variable that other code could overwrite in between.
enum Syscalls {
  // MARK: making and connecting

  /// A non-blocking, close-on-exec socket. C: `socket`.
  static func socket(
    _ family: Family, type: CInt = CInt(CBL_SOCK_STREAM), protocol number: CInt = 0
  ) throws(Errno) -> Descriptor {
    let domain =
      switch family {
      case .inet: CInt(CBL_AF_INET)
      case .inet6: CInt(CBL_AF_INET6)
      case .unix: CInt(CBL_AF_UNIX)
      }
    return Descriptor(owning: try check(cbl_socket(domain, type, number)))
  }

  /// The same of a family and a protocol by their numbers.
  static func socket(domain: CInt, protocol number: CInt) throws(Errno) -> Descriptor {
    Descriptor(owning: try check(cbl_socket(domain, CInt(CBL_SOCK_STREAM), number)))
  }

  enum ConnectStart { case connected, started }

  /// Starts connecting. `EINTR` counts as started: the kernel goes on without us. C: `connect`.
  static func connect(_ fd: CInt, to endpoint: Endpoint) throws(Errno) -> ConnectStart {
    let code = cbl_connect(fd, cbl_endpoint(endpoint))
    switch Errno(-code) {
    case _ where code == 0: return .connected
    case .inProgress, .interrupted: return .started
    case let errno: throw errno
    }
  }

  /// Connects to a Unix path, at once or not at all: `.tryAgain` where the listener's queue is full.
  /// The kernel has no way to tell when there is room. C: `connect`.
  static func connect(_ fd: CInt, toUnix path: [UInt8]) throws(Errno) -> ConnectStart {
    try check(path.withUnsafeBytes { cbl_connect_unix(fd, $0.baseAddress, $0.count) })
    return .connected
  }

  /// C: `bind`.
  static func bind(_ fd: CInt, toUnix path: [UInt8]) throws(Errno) {
    try check(path.withUnsafeBytes { cbl_bind_unix(fd, $0.baseAddress, $0.count) })
  }

  /// That it is gone already is nothing. C: `unlink`.
  static func unlink(unixPath path: [UInt8]) {
    _ = path.withUnsafeBytes { cbl_unlink_unix($0.baseAddress, $0.count) }
  }

  /// The path that a Unix socket, or its peer, is bound to, as `UnixPaths` has it; empty where it is
  /// unnamed. C: `getsockname`, `getpeername`.
  static func unixPath(_ fd: CInt, ofPeer: Bool) throws(Errno) -> [UInt8] {
    var path = [UInt8](repeating: 0, count: 108)
    let count = try check(
      path.withUnsafeMutableBytes {
        cbl_unix_path(fd, ofPeer ? 1 : 0, $0.baseAddress)
      })
    path.removeLast(path.count - Int(count))
    return path
  }

  /// A datagram socket forgets its peer and the source that was chosen for it. C: `connect`,
  /// AF_UNSPEC.
  static func disconnect(_ fd: CInt) throws(Errno) { try check(cbl_disconnect(fd)) }

  /// A netlink socket: non-blocking, not bound (the first send does that). C: `socket`.
  static func netlinkSocket(_ bus: CInt) throws(Errno) -> Descriptor {
    Descriptor(owning: try check(cbl_socket(CInt(CBL_AF_NETLINK), CInt(CBL_SOCK_RAW), bus)))
  }

  static func bind(_ fd: CInt, to endpoint: Endpoint) throws(Errno) {
    try check(cbl_bind(fd, cbl_endpoint(endpoint)))
  }

  static func listen(_ fd: CInt, backlog: CInt) throws(Errno) {
    try check(cbl_listen(fd, backlog))
  }

  /// The next connection; `nil` where none waits. One that was gone before it was taken is passed
  /// over, as Linux reports its error here (accept(2), "Error handling"). C: `accept4`.
  static func accept(_ fd: CInt) throws(Errno) -> Descriptor? {
    while true {
      let code = cbl_accept(fd)
      if code >= 0 { return Descriptor(owning: code) }
      switch Errno(-code) {
      case .tryAgain: return nil
      case .interrupted, .connectionAborted, .networkUnreachable, .hostUnreachable: continue
      case let errno: throw errno
      }
    }
  }

  /// C: `getsockname`. `nil`: neither IP nor Unix. A Unix one comes without its path
  /// (`unixPath`).
  static func localEndpoint(_ fd: CInt) throws(Errno) -> Endpoint? {
    var endpoint = cbl_endpoint()
    try check(cbl_local_endpoint(fd, &endpoint))
    return Endpoint(endpoint)
  }

  /// C: `getpeername`. Throws `.notConnected` as long as there is no connection.
  static func remoteEndpoint(_ fd: CInt) throws(Errno) -> Endpoint? {
    var endpoint = cbl_endpoint()
    try check(cbl_remote_endpoint(fd, &endpoint))
    return Endpoint(endpoint)
  }

  /// C: `fcntl` with F_SETFL.
  static func setNonBlocking(_ fd: CInt, _ on: Bool = true) throws(Errno) {
    try check(cbl_set_nonblocking(fd, on ? 1 : 0))
  }

  /// C: `fcntl` with F_GETFL.
  static func isNonBlocking(_ fd: CInt) throws(Errno) -> Bool {
    try check(cbl_is_nonblocking(fd)) == 1
  }

  /// C: `fcntl` with F_GETFD.
  static func closesOnExec(_ fd: CInt) throws(Errno) -> Bool {
    try check(cbl_closes_on_exec(fd)) == 1
  }

  /// Whether a SYN is on its way; false for what is not TCP's. C: `TCP_INFO`.
  static func isConnecting(_ fd: CInt) -> Bool { cbl_is_connecting(fd) == 1 }

  /// Whether it has an address or a port. C: `getsockname`.
  static func isBound(_ fd: CInt) throws(Errno) -> Bool { try check(cbl_is_bound(fd)) == 1 }

  /// `target`, which is open, becomes another number of what `fd` is. EBUSY and EINTR leave both
  /// as they were and pass. C: `dup3`.
  static func duplicate(_ fd: CInt, onto target: CInt, closesOnExec: Bool) throws(Errno) {
    while true {
      let code = cbl_duplicate_onto(fd, target, closesOnExec ? 1 : 0)
      if code >= 0 { return }
      switch Errno(-code) {
      case .busy, .interrupted: continue
      case let errno: throw errno
      }
    }
  }

  /// 0: no more reading, 1: no more writing, 2: neither. C: `shutdown`.
  static func shutdown(_ fd: CInt, how: CInt) throws(Errno) {
    try check(cbl_shutdown(fd, how))
  }

  /// Never retried: Linux has let go of the number whatever `close` says. C: `close`.
  static func close(_ fd: CInt) {
    let code = cbl_close(fd)
    assert(code != -Errno.badDescriptor.number, "closed twice")
  }

  // MARK: options

  static func setOption(_ fd: CInt, level: CInt, name: CInt, to value: CInt) throws(Errno) {
    var value = value
    try check(cbl_set_option(fd, level, name, &value, MemoryLayout<CInt>.size))
  }

  static func setOption(_ fd: CInt, level: CInt, name: CInt, to bytes: [UInt8]) throws(Errno) {
    try check(
      bytes.withUnsafeBytes { cbl_set_option(fd, level, name, $0.baseAddress, $0.count) })
  }

  /// The error that is pending on a socket, which is cleared by reading it; `nil`: none. C:
  /// `SO_ERROR`.
  static func takePendingError(_ fd: CInt) -> Errno? {
    var value: CInt = 0
    var size = MemoryLayout<CInt>.size
    // SOL_SOCKET 1, SO_ERROR 4. Cannot fail on a socket.
    guard cbl_get_option(fd, 1, 4, &value, &size) == 0, value != 0 else { return nil }
    return Errno(value)
  }

  /// How often a connecting socket has sent its SYN again; 0 where it is none of TCP's. C:
  /// `TCP_INFO`.
  static func resentCount(_ fd: CInt) -> Int32 { cbl_resent_count(fd) }

  /// Whether a connection is Multipath TCP's and did not fall back; false where the kernel does not
  /// tell (before Linux 5.16). C: `MPTCP_INFO`.
  static func isMultipath(_ fd: CInt) -> Bool { cbl_is_mptcp(fd) != 0 }

  static func option(_ fd: CInt, level: CInt, name: CInt) throws(Errno) -> CInt {
    var value: CInt = 0
    var size = MemoryLayout<CInt>.size
    try check(cbl_get_option(fd, level, name, &value, &size))
    return value
  }

  /// At most 16 bytes: names are no longer, and neither is a `struct timeval`.
  ///
  /// - Parameter wanted: the room that the kernel is told of; some options want it exact.
  @inline(never)
  static func optionBytes(
    _ fd: CInt, level: CInt, name: CInt, size wanted: Int = 16
  ) throws(Errno) -> [UInt8] {
    assert(wanted <= 16)
    var bytes = (UInt64(0), UInt64(0))
    var size = wanted
    try check(cbl_get_option(fd, level, name, &bytes, &size))
    return withUnsafeBytes(of: &bytes) { Array($0.prefix(size)) }
  }

  // MARK: bytes

  /// Bytes read, 0 at the end of the stream; `nil` where there are none yet. C: `recv`.
  static func receive(_ fd: CInt, into bytes: UnsafeMutableRawBufferPointer) throws(Errno) -> Int? {
    try transfer { cbl_receive(fd, bytes.baseAddress, bytes.count) }
  }

  /// Bytes taken by the kernel; `nil` where it takes none now. Never a SIGPIPE. C: `send`.
  static func send(_ fd: CInt, _ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int? {
    try transfer { cbl_send(fd, bytes.baseAddress, bytes.count) }
  }

  static func send(_ fd: CInt, _ bytes: [UInt8]) throws(Errno) -> Int? {
    try transfer { bytes.withUnsafeBytes { cbl_send(fd, $0.baseAddress, $0.count) } }
  }

  /// The same for several pieces in one call; at most the first 64 are looked at. C: `sendmsg`.
  static func send(_ fd: CInt, slices: UnsafeBufferPointer<cbl_slice>) throws(Errno) -> Int? {
    try transfer { cbl_send_slices(fd, slices.baseAddress, slices.count) }
  }

  /// Netlink datagrams that are there, each in its slot; `nil` where there is none. `sizes` gets
  /// their true sizes (0: not from the kernel). C: `recvmmsg`.
  static func receiveNetlink(
    _ fd: CInt, into slots: UnsafeMutableRawBufferPointer, slotSize: Int, sizes: inout [UInt32]
  ) throws(Errno) -> Int? {
    assert(sizes.count * slotSize <= slots.count)
    return try transfer {
      Int64(cbl_netlink_receive(fd, slots.baseAddress, slotSize, &sizes, CInt(sizes.count)))
    }
  }

  /// EINTR before a byte was moved is tried again; EAGAIN is `nil`.
  @inline(__always)
  private static func transfer(_ call: () -> Int64) throws(Errno) -> Int? {
    while true {
      let count = call()
      if count >= 0 { return Int(count) }
      switch Errno(CInt(-count)) {
      case .tryAgain: return nil
      case .interrupted: continue
      case let errno: throw errno
      }
    }
  }

  // MARK: waiting; EINTR counts as a wake-up for nothing, the caller looks at the clock again

  /// Ready events of one descriptor, 0 at the time-out. C: `poll`, or `ppoll` for a part of a
  /// millisecond.
  static func poll(_ fd: CInt, events: CInt, for span: TimeSpan) -> CInt {
    interruptible(cbl_poll(fd, events, wait(span)))
  }

  /// The same beside a second descriptor that is waited for to become readable. C: `ppoll`.
  static func poll(
    _ fd: CInt, events: CInt, or other: CInt, for span: TimeSpan
  ) -> (CInt, other: CInt) {
    var otherEvents: CInt = 0
    let ready = interruptible(cbl_poll_two(fd, events, other, wait(span), &otherEvents))
    return (ready, otherEvents)
  }

  /// Whether the number is that of an open descriptor. C: `fcntl` with F_GETFD.
  static func isOpen(_ fd: CInt) -> Bool { cbl_closes_on_exec(fd) >= 0 }

  static func epollCreate() throws(Errno) -> Descriptor {
    Descriptor(owning: try check(cbl_epoll_create()))
  }

  static func epollAdd(_ epoll: CInt, _ fd: CInt, events: CInt, tag: UInt64) throws(Errno) {
    try check(cbl_epoll_add(epoll, fd, events, tag))
  }

  static func epollChange(_ epoll: CInt, _ fd: CInt, events: CInt, tag: UInt64) throws(Errno) {
    try check(cbl_epoll_change(epoll, fd, events, tag))
  }

  /// Of a descriptor that was never added this is nothing (ENOENT).
  static func epollRemove(_ epoll: CInt, _ fd: CInt) { _ = cbl_epoll_remove(epoll, fd) }

  /// How many entries of `ready` were filled. C: `epoll_pwait2`, `epoll_wait` where that is
  /// missing.
  static func epollWait(
    _ epoll: CInt, _ ready: UnsafeMutableBufferPointer<cbl_ready>, for span: TimeSpan
  ) -> Int {
    Int(interruptible(cbl_epoll_wait(epoll, ready.baseAddress, CInt(ready.count), wait(span))))
  }

  private static func wait(_ span: TimeSpan) -> Int64 {
    span == .forever ? -1 : max(0, span.nanoseconds)
  }

  /// A wait fails by a signal, or by an argument of ours that is wrong.
  private static func interruptible(_ code: CInt) -> CInt {
    if code >= 0 { return code }
    precondition(code == -Errno.interrupted.number, "a wait was called with bad arguments")
    return 0
  }

  // MARK: events, threads, names

  static func eventDescriptor() throws(Errno) -> Descriptor {
    Descriptor(owning: try check(cbl_eventfd()))
  }

  /// Makes an event descriptor readable. EAGAIN means that it is already. C: `write`.
  static func signalEvent(_ fd: CInt) { _ = cbl_eventfd_signal(fd) }

  /// Starts a thread that blocks all signals, and names it: it has to be joined, once. C:
  /// `pthread_create`.
  static func startThread(
    _ body: @convention(c) (UnsafeMutableRawPointer?) -> Void, _ context: UnsafeMutableRawPointer
  ) throws(Errno) -> UInt64 {
    var thread: UInt64 = 0
    try check(cbl_thread_start(body, context, &thread))
    return thread
  }

  /// The same, of which nobody waits for the end.
  static func startDetachedThread(
    _ body: @convention(c) (UnsafeMutableRawPointer?) -> Void, _ context: UnsafeMutableRawPointer
  ) throws(Errno) {
    try check(cbl_thread_start(body, context, nil))
  }

  /// Waits until the thread has ended. C: `pthread_join`.
  static func joinThread(_ thread: UInt64) { cbl_thread_join(thread) }

  @discardableResult
  private static func check(_ code: CInt) throws(Errno) -> CInt {
    if code < 0 { throw Errno(-code) }
    return code
  }
}

/// The clock that everything in this library goes by.
public enum Clock {
  /// CLOCK_MONOTONIC.
  public static func now() -> Instant { Instant(nanoseconds: cbl_monotonic_ns()) }
}

extension TimeSpan {
  /// How long to sleep where a wait of this length is to end on time.
  ///
  /// poll and epoll may oversleep by 0.1 % of the wait (0.5 % in a niced process, 100 ms at most:
  /// `select_estimate_accuracy` in Linux's fs/select.c). So a long wait ends early by more than
  /// that, and its caller, who looks at the clock, waits again for the rest, when a thousandth of
  /// it is nothing. A timer descriptor would do too, at the price of two system calls and a
  /// descriptor.
  var punctual: TimeSpan {
    guard self >= .milliseconds(400), self != .forever else { return self }
    return self - min(self / 150, .milliseconds(110))
  }
}

/// Interface names as this machine's kernel has them.
public struct SystemScopes: ScopeNames {
  public init() {}

  public func index(ofInterface name: [UInt8]) -> UInt32? {
    // IFNAMSIZ is 16 with the NUL; a NUL inside would name another interface.
    guard name.count < 16, !name.contains(0) else { return nil }
    let index = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16) { text in
      for (position, byte) in name.enumerated() { text[position] = CChar(bitPattern: byte) }
      text[name.count] = 0
      return cbl_interface_index(text.baseAddress)
    }
    return index == 0 ? nil : index
  }

  public func name(ofInterface index: UInt32) -> [UInt8]? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16) { text in
      guard cbl_interface_name(index, text.baseAddress) == 0 else { return nil }
      var name: [UInt8] = []
      for byte in text {
        if byte == 0 { break }
        name.append(UInt8(bitPattern: byte))
      }
      return name
    }
  }
}

extension cbl_endpoint {
  public init(_ endpoint: Endpoint) {
    self.init(
      high: endpoint.address.high, low: endpoint.address.low, scope: endpoint.address.scope,
      port: endpoint.port, family: endpoint.family.rawValue)
  }
}

extension Endpoint {
  /// `nil`: neither IPv4 nor IPv6.
  public init?(_ endpoint: cbl_endpoint) {
    switch endpoint.family {
    case 1: self = .unixElsewhere
    case 4:
      self.init(IPAddress(v4: UInt32(truncatingIfNeeded: endpoint.low)), port: endpoint.port)
    case 6:
      self.init(
        IPAddress(high: endpoint.high, low: endpoint.low, scope: endpoint.scope),
        port: endpoint.port)
    default: return nil
    }
  }
}
