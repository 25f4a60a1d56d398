import CConnectByListPosix
import ConnectByListCore

extension SocketOption {
  /// An option together with the value that an attempt's socket gets.
  public struct Setting: Equatable, Sendable {
    let level: CInt
    let number: CInt
    let families: Families
    let moment: Moment
    /// The value as `setsockopt` takes it.
    let bytes: [UInt8]

    /// Sets the option. C: `setsockopt`.
    ///
    /// Throws the kernel's error, and `.notPermitted` for a buffer size that the kernel would not grant:
    /// without an error it would grant only `net.core.rmem_max` or `wmem_max`.
    public func apply(to fd: CInt) throws(Errno) {
      if level == SocketOption.noLevel {
        // `update_connect_context`: our connected sockets need no update.
        _ = try Syscalls.remoteEndpoint(fd)
        return
      }
      try Syscalls.setOption(fd, level: level, name: number, to: bytes)
      guard let forced = forcedSizeNumber,
        try Syscalls.optionBytes(fd, level: level, name: number) != doubledSize
      else { return }
      // Above the limit only a process with CAP_NET_ADMIN can set a size.
      try Syscalls.setOption(fd, level: level, name: forced, to: bytes)
    }

    /// The option that sets a buffer size above the limit; `nil` for other options.
    private var forcedSizeNumber: CInt? {
      switch (level, number) {
      case (SocketLevel.socket, SocketNumber.receiveBuffer): SocketNumber.receiveBufferForce
      case (SocketLevel.socket, SocketNumber.sendBuffer): SocketNumber.sendBufferForce
      default: nil
      }
    }

    /// A buffer size as the kernel returns it (see `Kind.size`).
    private var doubledSize: [UInt8] {
      let size = bytes.withUnsafeBytes { $0.loadUnaligned(as: CInt.self) }
      return withUnsafeBytes(of: size * 2) { Array($0) }
    }

    func isSameOption(as other: Setting) -> Bool { level == other.level && number == other.number }
  }

  /// The setting of this option to a value; `nil` if the option does not take the value (`allowed` says
  /// which it takes) or can only be read.
  public func setting(_ value: Value) -> Setting? {
    guard isSettable, let bytes = encoded(value) else { return nil }
    return setting(bytes)
  }

  private func setting(_ bytes: [UInt8]) -> Setting {
    Setting(level: level, number: number, families: families, moment: moment, bytes: bytes)
  }

  /// The option's value on a socket. C: `getsockopt`.
  func value(on fd: CInt) throws(Errno) -> Value {
    decoded(try Syscalls.optionBytes(fd, level: level, name: number))
  }

  // MARK: the options of a caller's socket

  /// The options that the owner of `fd` has set, so that attempts can use sockets with the same options.
  /// They are those whose values differ from `fresh`, an untouched socket of the same family and
  /// protocol.
  ///
  /// A comparison with `fresh`, and not the values alone, tells a receive buffer of the default size that
  /// the kernel tunes from one whose size was set. Left out are options that can only be read, options
  /// that do not keep their value (`quickack`, `incoming_cpu`), and those that neither the table nor
  /// `CarriedOption.table` has.
  ///
  /// Throws `.badDescriptor` and `.notASocket`.
  public static func differences(
    of fd: CInt, from fresh: CInt, _ family: Family
  ) throws(Errno) -> [Setting] {
    // SO_TYPE exists on every socket: this throws if `fd` is none.
    _ = try Syscalls.option(fd, level: SocketLevel.socket, name: SocketNumber.type)
    /// `nil` also if this kernel or protocol does not have the option.
    func changedValue(_ level: CInt, _ number: CInt) -> [UInt8]? {
      guard let initial = try? Syscalls.optionBytes(fresh, level: level, name: number),
        let value = try? Syscalls.optionBytes(fd, level: level, name: number), value != initial
      else { return nil }
      return value
    }
    var settings: [Setting] = []
    for option in table
    where option.moment == .beforeConnecting && option.families.contains(Families(family)) {
      if let value = changedValue(option.level, option.number) {
        settings.append(option.setting(option.asSet(value)))
      }
    }
    for option in CarriedOption.table where option.families.contains(Families(family)) {
      if let value = changedValue(option.level, option.number) {
        settings.append(
          Setting(
            level: option.level, number: option.number, families: option.families,
            moment: .beforeConnecting, bytes: value))
      }
    }
    return settings
  }
}
