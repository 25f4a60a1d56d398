import CConnectByListPosix
import ConnectByListCore

/// The interface names of this machine. C: `if_nametoindex`, `if_indextoname`.
public struct SystemScopes: ScopeNames {
  public init() {}

  /// The size of an interface name with its NUL (IFNAMSIZ).
  private static let nameSize = 16

  public func index(ofInterface name: [UInt8]) -> UInt32? {
    // C would cut the name at a NUL inside, and find another interface.
    guard name.count < Self.nameSize, !name.contains(0) else { return nil }
    let index = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Self.nameSize) { text in
      for (position, byte) in name.enumerated() { text[position] = CChar(bitPattern: byte) }
      text[name.count] = 0
      return cbl_posix_interface_index(text.baseAddress)
    }
    return index == 0 ? nil : index
  }

  public func name(ofInterface index: UInt32) -> [UInt8]? {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Self.nameSize) { text in
      guard cbl_posix_interface_name(index, text.baseAddress) == 0 else { return nil }
      return text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    }
  }
}

extension Syscalls {
  /// The user whose routing rules (`ip rule … uidrange`) hold for the sockets of this process; `nil`: the real
  /// one, which the kernel takes for a lookup over netlink anyway. C: `geteuid`.
  static var routingUser: UInt32? {
    let user = cbl_posix_routing_user()
    return user < 0 ? nil : UInt32(truncatingIfNeeded: user)
  }
}
