import ConnectByListCore

extension Socket {
  /// Binds the socket to a local endpoint; with port 0 the kernel chooses one. C: `bind`.
  public mutating func bind(to local: Endpoint) throws(Errno) {
    try Syscalls.bind(number, to: local)
    ends?.local = nil
  }

  /// The socket's own endpoint. A Unix endpoint has no path; see `localUnixPath`.
  ///
  /// C: `getsockname`, called once at most, and not where the report has the endpoint.
  public mutating func localEndpoint() throws(Errno) -> Endpoint? {
    if let known = ends?.local ?? report?.ends?.local { return known }
    let local = try Syscalls.localEndpoint(number)
    neededEnds().local = local
    return local
  }

  /// The peer's endpoint. A Unix endpoint has no path; see `remoteUnixPath`.
  ///
  /// C: `getpeername`, called once at most, and not where the report has the endpoint.
  public mutating func remoteEndpoint() throws(Errno) -> Endpoint? {
    if let known = ends?.remote ?? report?.ends?.remote { return known }
    let remote = try Syscalls.remoteEndpoint(number)
    neededEnds().remote = remote
    return remote
  }

  /// The path that a Unix socket is bound to, with `@` before an abstract name; empty where it is
  /// unnamed, as the connecting side usually is, and for other sockets. C: `getsockname`.
  public func localUnixPath() throws(Errno) -> [UInt8] {
    try Syscalls.unixPath(number, ofPeer: false)
  }

  /// The path that the peer of a Unix socket is bound to. C: `getpeername`.
  public func remoteUnixPath() throws(Errno) -> [UInt8] {
    try Syscalls.unixPath(number, ofPeer: true)
  }
}
