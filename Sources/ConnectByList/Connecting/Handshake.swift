import ConnectByListCore

enum Handshake {
  /// Whether a socket that became ready without POLLERR is connected, and from where.
  ///
  /// A `getpeername` that succeeds proves the connection; where there is none it throws
  /// `.notConnected`. Every other error, of `getsockname` too, is thrown as it is: the socket stays ready, so
  /// an attempt that stayed in flight would be checked again at once, without an end. `failure`: the
  /// connection must not count. A connection to itself (TCP's simultaneous open with its own port) is a
  /// refusal, because nothing listens there; a Unix socket cannot be one, and its addresses are not compared.
  /// An option that is set on connections only may be refused like any other.
  static func check(
    _ fd: CInt, _ settings: borrowing SocketSettings
  ) throws(Errno) -> (local: Endpoint?, failure: Errno?) {
    let remote = try Syscalls.remoteEndpoint(fd)
    let local = remote?.family == .unix ? nil : try Syscalls.localEndpoint(fd)
    if local != nil && local == remote { return (local, .connectionRefused) }
    return (local?.unmapped, settings.applyLate(to: fd, remote?.family ?? .inet))
  }
}
