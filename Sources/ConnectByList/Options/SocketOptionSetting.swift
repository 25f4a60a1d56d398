import CConnectByListPosix
import ConnectByListCore

extension SocketOption {
  /// An option with what it is to be: what an attempt's socket gets.
  public struct Setting: Equatable, Sendable {
    let level: CInt
    let number: CInt
    let families: Families
    let moment: Moment
    /// As `setsockopt` takes them.
    let bytes: [UInt8]

    /// Throws what the kernel says, as it is, and `.notPermitted` for a buffer's size that it would
    /// not grant: it cuts them off silently (`net.core.rmem_max`, `wmem_max`).
    public func apply(to fd: CInt) throws(Errno) {
      if level < 0 {
        // `update_connect_context`: a connected socket of ours needs no updating.
        _ = try Syscalls.remoteEndpoint(fd)
        return
      }
      try Syscalls.setOption(fd, level: level, name: number, to: bytes)
      guard isSize, try Syscalls.optionBytes(fd, level: level, name: number) != doubled else {
        return
      }
      // SO_RCVBUFFORCE, SO_SNDBUFFORCE: above the bound, for those who have CAP_NET_ADMIN.
      try Syscalls.setOption(
        fd, level: level, name: number == SocketOption.receiveBuffer ? 33 : 32, to: bytes)
    }

    private var isSize: Bool {
      level == SocketOption.solSocket
        && (number == SocketOption.receiveBuffer || number == SocketOption.sendBuffer)
    }

    private var doubled: [UInt8] {
      let size = bytes.withUnsafeBytes { $0.loadUnaligned(as: CInt.self) }
      return withUnsafeBytes(of: size * 2) { Array($0) }
    }

    func isSameOption(as other: Setting) -> Bool { level == other.level && number == other.number }
  }

  /// The option with this value; `nil` where it cannot be that (`allowed` says what it can be), or
  /// where it is only read.
  public func setting(_ value: Value) -> Setting? {
    guard isSettable, let bytes = encoded(value) else { return nil }
    return setting(bytes)
  }

  private func setting(_ bytes: [UInt8]) -> Setting {
    Setting(level: level, number: number, families: families, moment: moment, bytes: bytes)
  }

  /// What a socket has now. C: `getsockopt`.
  func value(on fd: CInt) throws(Errno) -> Value {
    decoded(try Syscalls.optionBytes(fd, level: level, name: number))
  }

  // MARK: the options of a socket that somebody else made

  /// The options of `fd` that its owner has set, to be set on the sockets that are tried in its
  /// place: what differs from `fresh`, a socket of the same family and protocol to which nothing
  /// was done.
  ///
  /// So a receive buffer of the default size stays one that the kernel tunes. Not taken is what is
  /// only read, and what does not stay as it was set (`quickack`, `incoming_cpu`). Options that the
  /// table does not have are left behind, but for those of `unnamed`.
  ///
  /// Throws `.badDescriptor` and `.notASocket`.
  public static func differences(
    of fd: CInt, from fresh: CInt, _ family: Family
  ) throws(Errno) -> [Setting] {
    // SO_TYPE: only to find out whether it is a socket.
    _ = try Syscalls.option(fd, level: solSocket, name: 3)
    var settings: [Setting] = []
    for index in 0..<table.count + unnamed.count {
      let option = index < table.count ? table[index] : unnamed[index - table.count]
      guard option.moment == .beforeConnecting, option.families.contains(Families(family)) else {
        continue
      }
      let ours: [UInt8]
      let theirs: [UInt8]
      // A kernel or a protocol may not have it.
      do throws(Errno) {
        theirs = try Syscalls.optionBytes(fresh, level: option.level, name: option.number)
        ours = try Syscalls.optionBytes(fd, level: option.level, name: option.number)
      } catch {
        continue
      }
      if ours != theirs { settings.append(option.setting(option.asSet(ours))) }
    }
    return settings
  }

  /// Options that are nothing to a script, and that a C program may have set before it lets its
  /// socket be connected.
  private static let unnamed: [SocketOption] = [
    // SO_RCVLOWAT; SO_RCVTIMEO, SO_SNDTIMEO (of non-blocking sockets they bound nothing).
    SocketOption("", .error, solSocket, 18, .any),
    SocketOption("", .error, solSocket, 20, .any),
    SocketOption("", .error, solSocket, 21, .any),
    // SO_BUF_LOCK (Linux 5.14): a buffer whose size was set to just the default.
    SocketOption("", .error, solSocket, 72, .any),
  ]
}
