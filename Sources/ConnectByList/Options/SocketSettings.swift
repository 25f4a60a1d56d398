import CConnectByListPosix
import ConnectByListCore

/// The options that a connect sets on every attempt's socket.
public struct SocketSettings: Sendable {
  /// Send small writes at once (TCP_NODELAY).
  ///
  /// Default `nil`: on, because the kernel would otherwise hold back a short request until the peer's
  /// delayed acknowledgement; on a caller's socket, as the caller has set it.
  public var noDelay: Bool?
  /// Connect through this interface only (SO_BINDTODEVICE). Default empty: any.
  public var interface: [UInt8] = []
  /// How long `close` waits for unsent data. Only the winner gets it: the close of a loser must not wait.
  private var linger: SocketOption.Setting?
  /// All other options, each at most once.
  private var others: [SocketOption.Setting] = []

  public init() {}

  /// Adds an option. It replaces an earlier setting of the same option.
  public mutating func add(_ setting: SocketOption.Setting) {
    switch (setting.level, setting.number) {
    case (SocketLevel.tcp, SocketNumber.noDelay): noDelay = setting.bytes.first == 1
    // The lookups of routes use the interface too.
    case (SocketLevel.socket, SocketNumber.bindToDevice): interface = setting.bytes
    case (SocketLevel.socket, SocketNumber.linger): linger = setting
    default:
      others.removeAll { $0.isSameOption(as: setting) }
      // IP_TOS also changes SO_PRIORITY, so it is set first.
      others.insert(setting, at: setting.level == SocketLevel.ip ? 0 : others.count)
    }
  }

  /// Adds all settings of `over`. They replace those that are here.
  mutating func add(_ over: SocketSettings) {
    if let on = over.noDelay { noDelay = on }
    if !over.interface.isEmpty { interface = over.interface }
    if let setting = over.linger { linger = setting }
    for setting in over.others { add(setting) }
  }

  /// Sets every option that a socket of this family has, but for `linger`. Throws at the first that cannot be
  /// set: that is the attempt's failure.
  func apply(to fd: CInt, _ family: Family) throws(Errno) {
    let families = SocketOption.Families(family)
    if !interface.isEmpty && families != .unix {
      try Syscalls.setOption(
        fd, level: SocketLevel.socket, name: SocketNumber.bindToDevice, to: interface)
    }
    if noDelay ?? true && families != .unix {
      try Syscalls.setOption(fd, level: SocketLevel.tcp, name: SocketNumber.noDelay, to: 1)
    }
    try apply(.beforeConnecting, to: fd, families)
  }

  /// Sets the remaining options on a connected socket. Returns the errno of the first that cannot be set.
  func applyLate(to fd: CInt, _ family: Family) -> Errno? {
    do throws(Errno) { try apply(.whenConnected, to: fd, SocketOption.Families(family)) } catch {
      return error
    }
    return nil
  }

  /// Whether `connect` may leave the handshake to the first bytes that are sent.
  var defersHandshake: Bool {
    value(level: SocketLevel.tcp, number: SocketNumber.fastOpenConnect) ?? 0 != 0
  }

  /// Sets what only the winner has: SO_LINGER.
  func applyToWinner(_ fd: CInt, _ family: Family) throws(Errno) {
    guard let linger, linger.families.contains(SocketOption.Families(family)) else { return }
    try linger.apply(to: fd)
  }

  /// Whether an option is set by which the kernel may choose another route.
  var mayChooseRoute: Bool { !others.isEmpty || !interface.isEmpty }

  /// The value of an option that is set here and is a C int.
  func value(level: CInt, number: CInt) -> UInt32? {
    if others.isEmpty { return nil }
    let setting = others.first { $0.level == level && $0.number == number }
    guard let bytes = setting?.bytes, bytes.count == MemoryLayout<UInt32>.size else { return nil }
    return bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
  }

  private func apply(
    _ moment: SocketOption.Moment, to fd: CInt, _ families: SocketOption.Families
  ) throws(Errno) {
    if others.isEmpty { return }
    for setting in others where setting.moment == moment && setting.families.contains(families) {
      try setting.apply(to: fd)
    }
  }

  /// Binds a socket to a source address before it connects. C: `bind`.
  ///
  /// With port 0 the kernel chooses the port. `bind` alone would reserve a port that no other connection
  /// may use, so that a busy client runs out of ports early. IP_BIND_ADDRESS_NO_PORT (Linux 4.2, level
  /// IPPROTO_IP for both families) postpones the choice to `connect`. Without it (ENOPROTOOPT on older
  /// kernels, EOPNOTSUPP on Multipath TCP) the bind reserves the port.
  static func bind(_ fd: CInt, to local: Endpoint) throws(Errno) {
    if local.port == 0 {
      do throws(Errno) {
        try Syscalls.setOption(
          fd, level: SocketLevel.ip, name: SocketNumber.bindAddressNoPort, to: 1)
      } catch {
        guard error == .noProtocolOption || error == .operationNotSupported else { throw error }
      }
    } else {
      // Lets the attempts to several remotes share the port, also with connections in TIME_WAIT.
      try Syscalls.setOption(
        fd, level: SocketLevel.socket, name: SocketNumber.reuseAddress, to: 1)
    }
    try Syscalls.bind(fd, to: local)
  }
}
