import CConnectByListPosix
import ConnectByListCore

extension Syscalls {
  // MARK: making

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

  /// A stream socket by the numbers of its domain and protocol. C: `socket`.
  package static func socket(domain: CInt, protocol number: CInt) throws(Errno) -> Descriptor {
    Descriptor(owning: try check(cbl_posix_socket(domain, CInt(CBL_POSIX_SOCK_STREAM), number)))
  }

  /// A netlink socket. It is not bound; the kernel binds it at the first send. C: `socket`.
  package static func netlinkSocket(protocol number: CInt) throws(Errno) -> Descriptor {
    Descriptor(
      owning: try check(
        cbl_posix_socket(CInt(CBL_POSIX_AF_NETLINK), CInt(CBL_POSIX_SOCK_RAW), number)))
  }

  // MARK: connecting

  package enum ConnectStart { case connected, started }

  // These two are where every connection starts, so the policy is checked here, on the actual address.

  /// Starts connecting. EINTR counts as started: the kernel goes on with the handshake. Throws
  /// `.accessDenied`, without a system call, where the policy does not allow the endpoint. C: `connect`.
  package static func connect(
    _ fd: CInt, to endpoint: Endpoint, under policy: EgressPolicy
  ) throws(Errno) -> ConnectStart {
    guard policy.allows(endpoint) else { throw .accessDenied }
    let code = cbl_posix_connect(fd, cbl_posix_endpoint(endpoint))
    switch Errno(-code) {
    case _ where code == 0: return .connected
    case .inProgress, .interrupted: return .started
    case let errno: throw errno
    }
  }

  /// Starts the handshake of a socket with TCP_FASTOPEN_CONNECT. Where the kernel has a cookie of the remote, its
  /// `connect` succeeds at once and sends nothing: the SYN would go with the first bytes, and a race needs to
  /// know now whether the remote answers. C: `send` of no bytes.
  package static func startHandshake(_ fd: CInt) throws(Errno) -> ConnectStart {
    let code = cbl_posix_send(fd, nil, 0)
    switch Errno(CInt(-code)) {
    case _ where code >= 0: return .connected
    case .inProgress, .interrupted, .tryAgain: return .started
    case let errno: throw errno
    }
  }

  /// Connects to a Unix address, which succeeds or fails at once. Throws `.tryAgain` where the
  /// listener's queue is full; no event tells when it has room again. Throws `.accessDenied`, without a
  /// system call, where the policy does not allow the path. C: `connect`.
  package static func connect(
    _ fd: CInt, toUnix path: [UInt8], under policy: EgressPolicy
  ) throws(Errno) -> ConnectStart {
    guard policy.allows(unixPath: path) else { throw .accessDenied }
    try check(path.withUnsafeBytes { cbl_posix_connect_unix(fd, $0.baseAddress, $0.count) })
    return .connected
  }

  /// Makes a datagram socket forget its peer and the source address that was chosen for it.
  /// C: `connect` with AF_UNSPEC.
  package static func disconnect(_ fd: CInt) throws(Errno) { try check(cbl_posix_disconnect(fd)) }

  // MARK: binding and listening

  /// C: `bind`.
  package static func bind(_ fd: CInt, to endpoint: Endpoint) throws(Errno) {
    try check(cbl_posix_bind(fd, cbl_posix_endpoint(endpoint)))
  }

  /// Binds to a path, or `@` and an abstract name. C: `bind`.
  package static func bind(_ fd: CInt, toUnix path: [UInt8]) throws(Errno) {
    try check(path.withUnsafeBytes { cbl_posix_bind_unix(fd, $0.baseAddress, $0.count) })
  }

  /// Removes the file of a Unix path; errors are ignored, and abstract names have no file.
  /// C: `unlink`.
  package static func unlink(unixPath path: [UInt8]) {
    _ = path.withUnsafeBytes { cbl_posix_unlink_unix($0.baseAddress, $0.count) }
  }

  /// C: `listen`.
  package static func listen(_ fd: CInt, backlog: CInt) throws(Errno) {
    try check(cbl_posix_listen(fd, backlog))
  }

  /// The next connection, non-blocking and close-on-exec; `nil` where none is queued.
  ///
  /// EINTR is retried. So are errors of a connection that failed while it was queued, which Linux
  /// reports here (accept(2), "Error handling"): they say nothing about the listener. C: `accept4`.
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

  // MARK: addresses

  /// The socket's own endpoint; `nil` for a family that is neither IP nor Unix. A Unix endpoint has
  /// no path; see `unixPath`. C: `getsockname`.
  package static func localEndpoint(_ fd: CInt) throws(Errno) -> Endpoint? {
    var endpoint = cbl_posix_endpoint()
    try check(cbl_posix_local_endpoint(fd, &endpoint))
    return Endpoint(endpoint)
  }

  /// The peer's endpoint. Throws `.notConnected` as long as there is no connection.
  /// C: `getpeername`.
  package static func remoteEndpoint(_ fd: CInt) throws(Errno) -> Endpoint? {
    var endpoint = cbl_posix_endpoint()
    try check(cbl_posix_remote_endpoint(fd, &endpoint))
    return Endpoint(endpoint)
  }

  /// The path that a Unix socket, or its peer, is bound to, with `@` before an abstract name; empty
  /// where it is unnamed. C: `getsockname`, `getpeername`.
  package static func unixPath(_ fd: CInt, ofPeer: Bool) throws(Errno) -> [UInt8] {
    var path = [UInt8](repeating: 0, count: 108)
    let count = try check(
      path.withUnsafeMutableBytes { cbl_posix_unix_path(fd, ofPeer ? 1 : 0, $0.baseAddress) })
    path.removeLast(path.count - Int(count))
    return path
  }

  /// Whether the socket has a local address or port. The port that an earlier connect has left does not count.
  /// C: `getsockname`; where it shows a port, `connect` with AF_UNSPEC and `bind`, which fails on a bound socket.
  package static func isBound(_ fd: CInt) throws(Errno) -> Bool {
    try check(cbl_posix_is_bound(fd)) == 1
  }

  // MARK: ending

  /// `how` 0: no more reading; 1: no more writing; 2: neither. C: `shutdown`.
  package static func shutdown(_ fd: CInt, how: CInt) throws(Errno) {
    try check(cbl_posix_shutdown(fd, how))
  }

  /// Never retried: Linux frees the number even where `close` fails with EINTR. EBADF is a defect of
  /// this library, or the program has closed the descriptor; debug builds stop there. C: `close`.
  package static func close(_ fd: CInt) {
    let code = cbl_posix_close(fd)
    assert(code != -Errno.badDescriptor.number, "closed twice")
  }

  /// Makes `target`, which is open, refer to what `fd` refers to. EINTR and EBUSY leave both as they
  /// were and are retried. C: `dup3`.
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
}
