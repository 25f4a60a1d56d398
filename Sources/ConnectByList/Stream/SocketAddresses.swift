import ConnectByListCore

extension Socket {
  /// Binds the socket to a local endpoint; with port 0 the kernel chooses one. C: `bind`.
  public mutating func bind(to local: Endpoint) throws(Errno) {
    try Syscalls.bind(number, to: local)
    knownLocal = nil
  }

  /// The socket's own endpoint. A Unix endpoint has no path; see `localUnixPath`.
  ///
  /// C: `getsockname`, called once at most, and not where the report has the endpoint.
  public mutating func localEndpoint() throws(Errno) -> Endpoint? {
    if knownLocal == nil { knownLocal = report?.ends?.local }
    if knownLocal == nil { knownLocal = try Syscalls.localEndpoint(number) }
    return knownLocal
  }

  /// The peer's endpoint. A Unix endpoint has no path; see `remoteUnixPath`.
  ///
  /// C: `getpeername`, called once at most, and not where the report has the endpoint.
  public mutating func remoteEndpoint() throws(Errno) -> Endpoint? {
    if knownRemote == nil { knownRemote = report?.ends?.remote }
    if knownRemote == nil { knownRemote = try Syscalls.remoteEndpoint(number) }
    return knownRemote
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
