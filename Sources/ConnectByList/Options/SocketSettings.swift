import CConnectByListPosix
import ConnectByListCore

/// What is set on every attempt's socket: before its SYN, but for what only a connection can have.
public struct SocketSettings: Sendable {
  /// Send small writes at once (TCP_NODELAY). On unless said otherwise: a request of a few lines is
  /// otherwise held back for the peer's delayed acknowledgement.
  ///
  /// `nil`, where nobody has said: on; for a socket of the caller's, as it is there.
  public var noDelay: Bool?
  /// Connect through this interface only (SO_BINDTODEVICE); empty: any.
  public var interface: [UInt8] = []
  /// The other options, each at most once.
  private var chosen: [SocketOption.Setting] = []

  public init() {}

  /// Takes an option in, in place of an earlier value of it.
  @inline(never)
  public mutating func add(_ setting: SocketOption.Setting) {
    switch (setting.level, setting.number) {
    case (SocketOption.tcp, SocketOption.noDelay): noDelay = setting.bytes.first == 1
    // The routes that are looked up go through it too.
    case (SocketOption.solSocket, SocketOption.bindToDevice): interface = setting.bytes
    default:
      // `tos` changes the priority (IP_TOS of Linux does), so it must not come after `priority`.
      let goesFirst = setting.level == SocketOption.ipv4
      var all: [SocketOption.Setting] = []
      if goesFirst { all.append(setting) }
      for other in chosen where !other.isSameOption(as: setting) { all.append(other) }
      if !goesFirst { all.append(setting) }
      chosen = all
    }
  }

  /// Takes in what others say, over what these have.
  mutating func add(_ others: SocketSettings) {
    if let on = others.noDelay { noDelay = on }
    if !others.interface.isEmpty { interface = others.interface }
    for setting in others.chosen { add(setting) }
  }

  /// Sets all that mean something to a socket of this family; the first that cannot be set is the
  /// attempt's failure, none is left out.
  func apply(to fd: CInt, _ family: Family) throws(Errno) {
    let families = SocketOption.Families(family)
    if !interface.isEmpty && families != .unix {
      try Syscalls.setOption(
        fd, level: SocketOption.solSocket, name: SocketOption.bindToDevice, to: interface)
    }
    if noDelay ?? true && families != .unix {
      try Syscalls.setOption(fd, level: SocketOption.tcp, name: SocketOption.noDelay, to: 1)
    }
    try apply(.beforeConnecting, to: fd, families)
  }

  /// What is left to be set on a connected socket; the errno where something cannot be.
  func applyLate(to fd: CInt, _ family: Family) -> Errno? {
    do throws(Errno) { try apply(.whenConnected, to: fd, SocketOption.Families(family)) } catch {
      return error
    }
    return nil
  }

  private func apply(
    _ moment: SocketOption.Moment, to fd: CInt, _ families: SocketOption.Families
  ) throws(Errno) {
    for setting in chosen where setting.moment == moment && setting.families.contains(families) {
      try setting.apply(to: fd)
    }
  }

  private static let bindAddressNoPort: CInt = 24

  /// Binds a source address.
  ///
  /// Binding before connecting makes the kernel reserve a port that no other connection may use, so
  /// a busy client runs out of ports early. IP_BIND_ADDRESS_NO_PORT (Linux 4.2, level IPPROTO_IP
  /// for both families) binds the address only and lets `connect` choose the port. A kernel without
  /// it answers ENOPROTOOPT, its Multipath TCP EOPNOTSUPP: then we bind the costly way.
  static func bind(_ fd: CInt, to local: Endpoint) throws(Errno) {
    if local.port == 0 {
      do throws(Errno) {
        try Syscalls.setOption(
          fd, level: SocketOption.ipv4, name: bindAddressNoPort, to: 1)
      } catch {
        guard error == .noProtocolOption || error == .operationNotSupported else { throw error }
      }
    } else {
      // Attempts from one port to several remotes stand side by side, and beside TIME_WAIT.
      try Syscalls.setOption(
        fd, level: SocketOption.solSocket, name: SocketOption.reuseAddress, to: 1)
    }
    try Syscalls.bind(fd, to: local)
  }
}
