import CConnectByListPosix
import ConnectByListCore

extension Syscalls {
  // MARK: socket options

  /// Sets an option whose value is a C int. C: `setsockopt`.
  package static func setOption(
    _ fd: CInt, level: CInt, name: CInt, to value: CInt
  ) throws(Errno) {
    var value = value
    try check(cbl_posix_set_option(fd, level, name, &value, MemoryLayout<CInt>.size))
  }

  /// Sets an option whose value is a structure or a text. C: `setsockopt`.
  package static func setOption(
    _ fd: CInt, level: CInt, name: CInt, to bytes: [UInt8]
  ) throws(Errno) {
    try check(
      bytes.withUnsafeBytes { cbl_posix_set_option(fd, level, name, $0.baseAddress, $0.count) })
  }

  /// The value of an option that is a C int. C: `getsockopt`.
  package static func option(_ fd: CInt, level: CInt, name: CInt) throws(Errno) -> CInt {
    var value: CInt = 0
    var size = MemoryLayout<CInt>.size
    try check(cbl_posix_get_option(fd, level, name, &value, &size))
    return value
  }

  /// The value of an option as bytes. C: `getsockopt`.
  ///
  /// - Parameter wanted: the size that is given to the kernel, at most 16, which an interface name and
  ///   a `struct timeval` need. Some options demand their exact size.
  package static func optionBytes(
    _ fd: CInt, level: CInt, name: CInt, size wanted: Int = 16
  ) throws(Errno) -> [UInt8] {
    assert(wanted <= 16)
    var bytes = (UInt64(0), UInt64(0))
    var size = wanted
    try check(cbl_posix_get_option(fd, level, name, &bytes, &size))
    return withUnsafeBytes(of: &bytes) { Array($0.prefix(size)) }
  }

  /// The error that is pending on a socket, which reading clears; `nil` where there is none.
  /// Where the call itself fails, because a sandbox denies it, its error is returned: nothing else could tell
  /// what became of a handshake. C: `getsockopt` with SO_ERROR.
  package static func takePendingError(_ fd: CInt) -> Errno? {
    var value: CInt = 0
    var size = MemoryLayout<CInt>.size
    let code = cbl_posix_get_option(fd, SocketLevel.socket, SocketNumber.error, &value, &size)
    if code < 0 { return Errno(-code) }
    return value != 0 ? Errno(value) : nil
  }

  /// Makes the close of a socket return at once: it sends what is unsent, in the background. A socket whose
  /// close resets the connection (SO_LINGER with 0 seconds) stays so. C: `getsockopt`, and `setsockopt` where
  /// SO_LINGER has a time.
  package static func stopLingering(_ fd: CInt) {
    var value = (isOn: CInt(0), seconds: CInt(0))  // struct linger
    var size = MemoryLayout.size(ofValue: value)
    let code = cbl_posix_get_option(fd, SocketLevel.socket, SocketNumber.linger, &value, &size)
    guard code == 0, value.isOn != 0, value.seconds != 0 else { return }
    value = (0, 0)
    _ = cbl_posix_set_option(fd, SocketLevel.socket, SocketNumber.linger, &value, size)
  }

  // MARK: what TCP knows

  /// Whether a TCP handshake is under way; false for any other socket. C: `getsockopt` with TCP_INFO.
  package static func isConnecting(_ fd: CInt) -> Bool { cbl_posix_is_connecting(fd) == 1 }

  /// How often a connecting socket has sent its SYN again; 0 for what is not TCP. C: `getsockopt`
  /// with TCP_INFO.
  package static func resentCount(_ fd: CInt) -> Int32 { cbl_posix_resent_count(fd) }

  /// Whether a connection uses Multipath TCP and did not fall back to TCP; always false before Linux
  /// 5.16, which has no MPTCP_INFO. C: `getsockopt` with MPTCP_INFO.
  package static func isMultipath(_ fd: CInt) -> Bool { cbl_posix_is_mptcp(fd) == 1 }

  // MARK: descriptor flags

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

  /// Whether the number is an open descriptor's; true where a sandbox denies the question. C: `fcntl` with
  /// F_GETFD.
  package static func isOpen(_ fd: CInt) -> Bool {
    cbl_posix_closes_on_exec(fd) != -Errno.badDescriptor.number
  }
}
