/// An address of this machine, as a place to connect from.
public struct LocalAddress: Hashable, Sendable {
  /// What the kernel says of the address; `home` is Mobile IPv6's (RFC 6724 rule 4).
  public struct Flags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let deprecated = Flags(rawValue: 1)
    public static let temporary = Flags(rawValue: 2)
    public static let home = Flags(rawValue: 4)
    /// Duplicate address detection has not ended, or has failed: nothing may be sent from it.
    public static let tentative = Flags(rawValue: 8)
    /// Its link reaches the addresses of its prefix directly and broadcasts: a LAN (IFF_BROADCAST).
    public static let broadcast = Flags(rawValue: 16)
  }

  /// With its scope where it is link-local.
  public let address: IPAddress
  /// 0 … 32 for IPv4, 0 … 128 for IPv6.
  public let prefixLength: UInt8
  public let flags: Flags
  /// The interface's index; 0 where it is not known.
  public let interface: UInt32

  public init(
    _ address: IPAddress, prefixLength: UInt8, flags: Flags = [], interface: UInt32 = 0
  ) {
    self.address = address
    self.prefixLength = prefixLength
    self.flags = flags
    self.interface = interface
  }

  /// Whether a connection from here to `remote` can be: the same family, loopback with loopback
  /// only, link-local with link-local of the same link only, never from a tentative address.
  ///
  /// IPv4's link-local addresses have no scope in the address: there the interface is not compared.
  @inline(never)
  public func canReach(_ remote: IPAddress) -> Bool {
    guard address.family == remote.family, !flags.contains(.tentative),
      address.isLoopback == remote.isLoopback, address.isLinkLocal == remote.isLinkLocal
    else { return false }
    return address.scope == remote.scope
  }
}
