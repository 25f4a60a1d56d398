import CPosix
import ConnectCore

/// What is set on every attempt's socket before its SYN.
public struct SocketSettings: Sendable {
  /// Send small writes at once (TCP_NODELAY). On unless said otherwise: a request of a few lines is
  /// otherwise held back for the peer's delayed acknowledgement.
  public var noDelay = true
  /// Connect through this interface only (SO_BINDTODEVICE); 0: any.
  public var interface: [UInt8] = []

  public init() {}

  /// Numbers of Linux's uapi headers.
  private enum Number {
    static let solSocket: CInt = 1
    static let reuseAddress: CInt = 2
    static let bindToDevice: CInt = 25
    static let ipProtocol: CInt = 0
    static let bindAddressNoPort: CInt = 24
    static let tcpProtocol: CInt = 6
    static let noDelay: CInt = 1
  }

  /// Applies all; the first that cannot be set is the attempt's failure, none is left out. For a
  /// Unix socket all of these mean nothing: it has no device, and holds nothing back.
  func apply(to fd: CInt, _ family: Family) throws(Errno) {
    if family == .unix { return }
    if !interface.isEmpty {
      try Syscalls.setOption(
        fd, level: Number.solSocket, name: Number.bindToDevice, to: interface)
    }
    if noDelay {
      try Syscalls.setOption(fd, level: Number.tcpProtocol, name: Number.noDelay, to: 1)
    }
  }

  /// Binds a source address.
  ///
  /// Binding before connecting makes the kernel reserve a port that no other connection may use, so
  /// a busy client runs out of ports early. IP_BIND_ADDRESS_NO_PORT (Linux 4.2, level IPPROTO_IP
  /// for both families) binds the address only and lets `connect` choose the port. A kernel without
  /// it answers ENOPROTOOPT, its Multipath TCP EOPNOTSUPP: then we bind the costly way.
  static func bind(_ fd: CInt, to local: Endpoint) throws(Errno) {
    if local.port == 0 {
      do throws(Errno) {
        try Syscalls.setOption(fd, level: Number.ipProtocol, name: Number.bindAddressNoPort, to: 1)
      } catch {
        guard error == .noProtocolOption || error == .operationNotSupported else { throw error }
      }
    } else {
      // Attempts from one port to several remotes stand side by side, and beside TIME_WAIT.
      try Syscalls.setOption(fd, level: Number.solSocket, name: Number.reuseAddress, to: 1)
    }
    try Syscalls.bind(fd, to: local)
  }
}
