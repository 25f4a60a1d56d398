import CConnectByListPosix
import ConnectByListCore

/// One function a system call, each with its policy for EINTR and for errors that only a bug of
/// ours can cause. Nothing else in the project calls the kernel.
///
/// The C half returns -errno, so there is no variable that other code could overwrite in between.
package enum Syscalls {
  // MARK: making and connecting

  /// A non-blocking, close-on-exec socket. C: `socket`.
  package static func socket(
    _ family: Family, type: CInt = CInt(CBL_POSIX_SOCK_STREAM), protocol number: CInt = 0
  ) throws(Errno) -> Descriptor {
    let domain =
      switch family {
      case .inet: CInt(CBL_POSIX_AF_INET)
      case .inet6: CInt(CBL_POSIX_AF_INET6)
      case .unix: CInt(CBL_POSIX_AF_UNIX)
      }
    return Descriptor(owning: try check(cbl_posix_socket(domain, type, number)))
  }

  /// The same of a family and a protocol by their numbers.
  package static func socket(domain: CInt, protocol number: CInt) throws(Errno) -> Descriptor {
    Descriptor(owning: try check(cbl_posix_socket(domain, CInt(CBL_POSIX_SOCK_STREAM), number)))
  }

  package enum ConnectStart { case connected, started }

  /// Starts connecting. `EINTR` counts as started: the kernel goes on without us. C: `connect`.
  package static func connect(_ fd: CInt, to endpoint: Endpoint) throws(Errno) -> ConnectStart {
    let code = cbl_posix_connect(fd, cbl_posix_endpoint(endpoint))
    switch Errno(-code) {
    case _ where code == 0: return .connected
    case .inProgress, .interrupted: return .started
    case let errno: throw errno
    }
  }

  /// Connects to a Unix path, at once or not at all: `.tryAgain` where the listener's queue is full.
  /// The kernel has no way to tell when there is room. C: `connect`.
  package static func connect(_ fd: CInt, toUnix path: [UInt8]) throws(Errno) -> ConnectStart {
    try check(path.withUnsafeBytes { cbl_posix_connect_unix(fd, $0.baseAddress, $0.count) })
    return .connected
  }

  /// C: `bind`.
  package static func bind(_ fd: CInt, toUnix path: [UInt8]) throws(Errno) {
    try check(path.withUnsafeBytes { cbl_posix_bind_unix(fd, $0.baseAddress, $0.count) })
  }

  /// That it is gone already is nothing. C: `unlink`.
  package static func unlink(unixPath path: [UInt8]) {
    _ = path.withUnsafeBytes { cbl_posix_unlink_unix($0.baseAddress, $0.count) }
  }

  /// The path that a Unix socket, or its peer, is bound to, as `UnixPaths` has it; empty where it is
  /// unnamed. C: `getsockname`, `getpeername`.
  package static func unixPath(_ fd: CInt, ofPeer: Bool) throws(Errno) -> [UInt8] {
    var path = [UInt8](repeating: 0, count: 108)
    let count = try check(
      path.withUnsafeMutableBytes {
        cbl_posix_unix_path(fd, ofPeer ? 1 : 0, $0.baseAddress)
      })
    path.removeLast(path.count - Int(count))
    return path
  }

  /// A datagram socket forgets its peer and the source that was chosen for it. C: `connect`,
  /// AF_UNSPEC.
  package static func disconnect(_ fd: CInt) throws(Errno) { try check(cbl_posix_disconnect(fd)) }

  /// A netlink socket: non-blocking, not bound (the first send does that). C: `socket`.
  package static func netlinkSocket(_ bus: CInt) throws(Errno) -> Descriptor {
    Descriptor(owning: try check(cbl_posix_socket(CInt(CBL_POSIX_AF_NETLINK), CInt(CBL_POSIX_SOCK_RAW), bus)))
  }

  package static func bind(_ fd: CInt, to endpoint: Endpoint) throws(Errno) {
    try check(cbl_posix_bind(fd, cbl_posix_endpoint(endpoint)))
  }

  package static func listen(_ fd: CInt, backlog: CInt) throws(Errno) {
    try check(cbl_posix_listen(fd, backlog))
  }

  /// The next connection; `nil` where none waits. One that was gone before it was taken is passed
  /// over, as Linux reports its error here (accept(2), "Error handling"). C: `accept4`.
  package static func accept(_ fd: CInt) throws(Errno) -> Descriptor? {
    while true {
      let code = cbl_posix_accept(fd)
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
  package static func localEndpoint(_ fd: CInt) throws(Errno) -> Endpoint? {
    var endpoint = cbl_posix_endpoint()
    try check(cbl_posix_local_endpoint(fd, &endpoint))
    return Endpoint(endpoint)
  }

  /// C: `getpeername`. Throws `.notConnected` as long as there is no connection.
  package static func remoteEndpoint(_ fd: CInt) throws(Errno) -> Endpoint? {
    var endpoint = cbl_posix_endpoint()
    try check(cbl_posix_remote_endpoint(fd, &endpoint))
    return Endpoint(endpoint)
  }

  /// C: `fcntl` with F_SETFL.
  package static func setNonBlocking(_ fd: CInt, _ on: Bool = true) throws(Errno) {
    try check(cbl_posix_set_nonblocking(fd, on ? 1 : 0))
  }

  /// C: `fcntl` with F_GETFL.
  package static func isNonBlocking(_ fd: CInt) throws(Errno) -> Bool {
    try check(cbl_posix_is_nonblocking(fd)) == 1
  }

  /// C: `fcntl` with F_GETFD.
  package static func closesOnExec(_ fd: CInt) throws(Errno) -> Bool {
    try check(cbl_posix_closes_on_exec(fd)) == 1
  }

  /// Whether a SYN is on its way; false for what is not TCP's. C: `TCP_INFO`.
  package static func isConnecting(_ fd: CInt) -> Bool { cbl_posix_is_connecting(fd) == 1 }

  /// Whether it has an address or a port. C: `getsockname`.
  package static func isBound(_ fd: CInt) throws(Errno) -> Bool { try check(cbl_posix_is_bound(fd)) == 1 }

  /// `target`, which is open, becomes another number of what `fd` is. EBUSY and EINTR leave both
  /// as they were and pass. C: `dup3`.
  package static func duplicate(_ fd: CInt, onto target: CInt, closesOnExec: Bool) throws(Errno) {
    while true {
      let code = cbl_posix_duplicate_onto(fd, target, closesOnExec ? 1 : 0)
      if code >= 0 { return }
      switch Errno(-code) {
      case .busy, .interrupted: continue
      case let errno: throw errno
      }
    }
  }

  /// 0: no more reading, 1: no more writing, 2: neither. C: `shutdown`.
  package static func shutdown(_ fd: CInt, how: CInt) throws(Errno) {
    try check(cbl_posix_shutdown(fd, how))
  }

  /// Never retried: Linux has let go of the number whatever `close` says. C: `close`.
  package static func close(_ fd: CInt) {
    let code = cbl_posix_close(fd)
    assert(code != -Errno.badDescriptor.number, "closed twice")
  }

  // MARK: options

  package static func setOption(_ fd: CInt, level: CInt, name: CInt, to value: CInt) throws(Errno) {
    var value = value
    try check(cbl_posix_set_option(fd, level, name, &value, MemoryLayout<CInt>.size))
  }

  package static func setOption(_ fd: CInt, level: CInt, name: CInt, to bytes: [UInt8]) throws(Errno) {
    try check(
      bytes.withUnsafeBytes { cbl_posix_set_option(fd, level, name, $0.baseAddress, $0.count) })
  }

  /// The error that is pending on a socket, which is cleared by reading it; `nil`: none. C:
  /// `SO_ERROR`.
  package static func takePendingError(_ fd: CInt) -> Errno? {
    var value: CInt = 0
    var size = MemoryLayout<CInt>.size
    // SOL_SOCKET 1, SO_ERROR 4. Cannot fail on a socket.
    guard cbl_posix_get_option(fd, 1, 4, &value, &size) == 0, value != 0 else { return nil }
    return Errno(value)
  }

  /// How often a connecting socket has sent its SYN again; 0 where it is none of TCP's. C:
  /// `TCP_INFO`.
  package static func resentCount(_ fd: CInt) -> Int32 { cbl_posix_resent_count(fd) }

  /// Whether a connection is Multipath TCP's and did not fall back; false where the kernel does not
  /// tell (before Linux 5.16). C: `MPTCP_INFO`.
  package static func isMultipath(_ fd: CInt) -> Bool { cbl_posix_is_mptcp(fd) != 0 }

  package static func option(_ fd: CInt, level: CInt, name: CInt) throws(Errno) -> CInt {
    var value: CInt = 0
    var size = MemoryLayout<CInt>.size
    try check(cbl_posix_get_option(fd, level, name, &value, &size))
    return value
  }

  /// At most 16 bytes: names are no longer, and neither is a `struct timeval`.
  ///
  /// - Parameter wanted: the room that the kernel is told of; some options want it exact.
  @inline(never)
  package static func optionBytes(
    _ fd: CInt, level: CInt, name: CInt, size wanted: Int = 16
  ) throws(Errno) -> [UInt8] {
    assert(wanted <= 16)
    var bytes = (UInt64(0), UInt64(0))
    var size = wanted
    try check(cbl_posix_get_option(fd, level, name, &bytes, &size))
    return withUnsafeBytes(of: &bytes) { Array($0.prefix(size)) }
  }

  // MARK: bytes

  /// Bytes read, 0 at the end of the stream; `nil` where there are none yet. C: `recv`.
  package static func receive(_ fd: CInt, into bytes: UnsafeMutableRawBufferPointer) throws(Errno) -> Int? {
    try transfer { cbl_posix_receive(fd, bytes.baseAddress, bytes.count) }
  }

  /// Bytes taken by the kernel; `nil` where it takes none now. Never a SIGPIPE. C: `send`.
  package static func send(_ fd: CInt, _ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int? {
    try transfer { cbl_posix_send(fd, bytes.baseAddress, bytes.count) }
  }

  package static func send(_ fd: CInt, _ bytes: [UInt8]) throws(Errno) -> Int? {
    try transfer { bytes.withUnsafeBytes { cbl_posix_send(fd, $0.baseAddress, $0.count) } }
  }

  /// The same for several pieces in one call; at most the first 64 are looked at. C: `sendmsg`.
  package static func send(_ fd: CInt, slices: UnsafeBufferPointer<cbl_posix_slice>) throws(Errno) -> Int? {
    try transfer { cbl_posix_send_slices(fd, slices.baseAddress, slices.count) }
  }

  /// Netlink datagrams that are there, each in its slot; `nil` where there is none. `sizes` gets
  /// their true sizes (0: not from the kernel). C: `recvmmsg`.
  package static func receiveNetlink(
    _ fd: CInt, into slots: UnsafeMutableRawBufferPointer, slotSize: Int, sizes: inout [UInt32]
  ) throws(Errno) -> Int? {
    assert(sizes.count * slotSize <= slots.count)
    return try transfer {
      Int64(cbl_posix_netlink_receive(fd, slots.baseAddress, slotSize, &sizes, CInt(sizes.count)))
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
  package static func poll(_ fd: CInt, events: CInt, for span: TimeSpan) -> CInt {
    interruptible(cbl_posix_poll(fd, events, wait(span)))
  }

  /// The same beside a second descriptor that is waited for to become readable. C: `ppoll`.
  package static func poll(
    _ fd: CInt, events: CInt, or other: CInt, for span: TimeSpan
  ) -> (CInt, other: CInt) {
    var otherEvents: CInt = 0
    let ready = interruptible(cbl_posix_poll_two(fd, events, other, wait(span), &otherEvents))
    return (ready, otherEvents)
  }

  /// Whether the number is that of an open descriptor. C: `fcntl` with F_GETFD.
  package static func isOpen(_ fd: CInt) -> Bool { cbl_posix_closes_on_exec(fd) >= 0 }

  package static func epollCreate() throws(Errno) -> Descriptor {
    Descriptor(owning: try check(cbl_posix_epoll_create()))
  }

  package static func epollAdd(_ epoll: CInt, _ fd: CInt, events: CInt, tag: UInt64) throws(Errno) {
    try check(cbl_posix_epoll_add(epoll, fd, events, tag))
  }

  package static func epollChange(_ epoll: CInt, _ fd: CInt, events: CInt, tag: UInt64) throws(Errno) {
    try check(cbl_posix_epoll_change(epoll, fd, events, tag))
  }

  /// Of a descriptor that was never added this is nothing (ENOENT).
  package static func epollRemove(_ epoll: CInt, _ fd: CInt) { _ = cbl_posix_epoll_remove(epoll, fd) }

  /// How many entries of `ready` were filled. C: `epoll_pwait2`, `epoll_wait` where that is
  /// missing.
  package static func epollWait(
    _ epoll: CInt, _ ready: UnsafeMutableBufferPointer<cbl_posix_ready>, for span: TimeSpan
  ) -> Int {
    Int(interruptible(cbl_posix_epoll_wait(epoll, ready.baseAddress, CInt(ready.count), wait(span))))
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

  package static func eventDescriptor() throws(Errno) -> Descriptor {
    Descriptor(owning: try check(cbl_posix_eventfd()))
  }

  /// Makes an event descriptor readable. EAGAIN means that it is already. C: `write`.
  package static func signalEvent(_ fd: CInt) { _ = cbl_posix_eventfd_signal(fd) }

  /// Starts a thread that blocks all signals, and names it: it has to be joined, once. C:
  /// `pthread_create`.
  package static func startThread(
    _ body: @convention(c) (UnsafeMutableRawPointer?) -> Void, _ context: UnsafeMutableRawPointer
  ) throws(Errno) -> UInt64 {
    var thread: UInt64 = 0
    try check(cbl_posix_thread_start(body, context, &thread))
    return thread
  }

  /// The same, of which nobody waits for the end.
  package static func startDetachedThread(
    _ body: @convention(c) (UnsafeMutableRawPointer?) -> Void, _ context: UnsafeMutableRawPointer
  ) throws(Errno) {
    try check(cbl_posix_thread_start(body, context, nil))
  }

  /// Waits until the thread has ended. C: `pthread_join`.
  package static func joinThread(_ thread: UInt64) { cbl_posix_thread_join(thread) }

  @discardableResult
  private static func check(_ code: CInt) throws(Errno) -> CInt {
    if code < 0 { throw Errno(-code) }
    return code
  }
}
