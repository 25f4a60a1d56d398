/// An address of this machine that a connection can come from.
public struct LocalAddress: Hashable, Sendable {
  /// The kernel's flags of the address (IFA_F_… in linux/if_addr.h).
  public struct Flags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let deprecated = Flags(rawValue: 1)
    public static let temporary = Flags(rawValue: 2)
    /// A Mobile IPv6 home address (RFC 6724 rule 4).
    public static let home = Flags(rawValue: 4)
    /// Duplicate address detection is running or has failed: the kernel refuses to bind to it.
    public static let tentative = Flags(rawValue: 8)
    /// Its link reaches the addresses of its prefix directly and broadcasts: a LAN (IFF_BROADCAST).
    public static let broadcast = Flags(rawValue: 16)
  }

  /// With its scope where it is link-local.
  public let address: IPAddress
  /// 0 … 32 for IPv4, 0 … 128 for IPv6.
  public let prefixLength: UInt8
  public var flags: Flags
  /// The index of its interface; 0: not known.
  public let interface: UInt32

  public init(
    _ address: IPAddress, prefixLength: UInt8, flags: Flags = [], interface: UInt32 = 0
  ) {
    self.address = address
    self.prefixLength = prefixLength
    self.flags = flags
    self.interface = interface
  }

  /// Whether this address can be the source of a connection to `remote`: both are of one family; loopback
  /// reaches loopback only, link-local reaches link-local of the same link only; a tentative address
  /// reaches nothing.
  ///
  /// IPv4 link-local addresses have no scope, so their interfaces are not compared.
  public func canReach(_ remote: IPAddress) -> Bool {
    guard address.family == remote.family, !flags.contains(.tentative),
      address.isLoopback == remote.isLoopback, address.isLinkLocal == remote.isLinkLocal
    else { return false }
    return address.scope == remote.scope
  }
}
