/// The scope of an address: RFC 4291 section 2.7 for multicast addresses, and RFC 6724 section 3.1 for
/// unicast addresses.
///
/// A multicast address holds its scope in four bits, so all of 0 … 15 occur, including those that no RFC
/// names. The smaller number is the smaller scope.
public struct AddressScope: RawRepresentable, Comparable, Hashable, Sendable {
  /// 0 … 15.
  public let rawValue: UInt8

  public init(rawValue: UInt8) { self.rawValue = rawValue }

  public static let interfaceLocal = AddressScope(rawValue: 1)
  public static let linkLocal = AddressScope(rawValue: 2)
  public static let adminLocal = AddressScope(rawValue: 4)
  public static let siteLocal = AddressScope(rawValue: 5)
  public static let organizationLocal = AddressScope(rawValue: 8)
  public static let global = AddressScope(rawValue: 14)

  public static func < (a: AddressScope, b: AddressScope) -> Bool { a.rawValue < b.rawValue }
}

extension IPAddress {
  /// The scope by which RFC 6724 compares addresses (sections 3.1 to 3.3).
  ///
  /// Loopback counts as link-local. Of IPv4, 127/8 and 169.254/16 are link-local, and all other addresses
  /// are global, private and multicast ones included. A v4-mapped address has the scope of its IPv4 address.
  /// fec0::/10 is site-local although RFC 3879 deprecated it. Unique local addresses (fc00::/7) are global;
  /// their label and precedence distinguish them.
  public var addressScope: AddressScope {
    if isLoopback || isLinkLocal { return .linkLocal }
    if unmapped.family == .inet { return .global }
    if isMulticast { return AddressScope(rawValue: UInt8(truncatingIfNeeded: high >> 48) & 0xf) }
    return high >> 54 == 0xfec0 >> 6 ? .siteLocal : .global
  }
}

/// The policy table of RFC 6724 section 2.1: which addresses are preferred as destinations (precedence), and
/// which sources match which destinations (label). `GaiConf` makes another one of /etc/gai.conf.
public struct PolicyTable: Sendable {
  /// The policy of the addresses with one prefix.
  public struct Row: Sendable {
    public let prefix: IPAddress
    /// In bits of the IPv6 form, 0 … 128.
    public let length: Int
    /// 0 … 255. The destination with the higher one goes first.
    public let precedence: UInt8
    /// A source with the label of the destination is preferred.
    public let label: UInt8
  }

  /// The scope of the IPv4 addresses with one prefix.
  public struct ScopeRow: Sendable {
    public let prefix: IPAddress
    /// In bits of the IPv6 form, 96 … 128.
    public let length: Int
    public let scope: UInt8
  }

  /// Sorted by length, the longest first, so that the first row that matches has the longest prefix. The last
  /// one matches every address.
  public let rows: [Row]
  /// The same for the scopes of IPv4 addresses; empty: those of RFC 6724.
  public let scopes: [ScopeRow]

  /// The precedence and the label of an address, from the longest prefix that matches it. Scopes are ignored;
  /// IPv4 is looked up in its v4-mapped form.
  public func policy(of address: IPAddress) -> (precedence: UInt8, label: UInt8) {
    for row in rows where address.commonPrefixLength(with: row.prefix) >= row.length {
      return (row.precedence, row.label)
    }
    preconditionFailure("the last row of the policy table matches every address")
  }

  /// The scope by which addresses are compared: the smaller number is the smaller scope.
  public func scope(of address: IPAddress) -> UInt8 {
    if !scopes.isEmpty && address.unmapped.family == .inet {
      for row in scopes where address.commonPrefixLength(with: row.prefix) >= row.length {
        return row.scope
      }
    }
    return address.addressScope.rawValue
  }

  /// The default table of RFC 6724 section 2.1.
  public static let rfc6724 = PolicyTable(rows: rfcRows, scopes: [])

  private static let rfcRows: [Row] = [
    // ::1/128, loopback.
    Row(prefix: IPAddress(high: 0, low: 1), length: 128, precedence: 50, label: 0),
    // ::ffff:0:0/96, IPv4. No other row has its precedence.
    Row(
      prefix: IPAddress(high: 0, low: 0xffff_0000_0000), length: 96, precedence: 35, label: 4),
    // ::/96, IPv4-compatible, deprecated by RFC 4291.
    Row(prefix: IPAddress(high: 0, low: 0), length: 96, precedence: 1, label: 3),
    // 2001::/32, Teredo.
    Row(prefix: IPAddress(high: 0x2001_0000 << 32, low: 0), length: 32, precedence: 5, label: 5),
    // 2002::/16, 6to4.
    Row(prefix: IPAddress(high: 0x2002 << 48, low: 0), length: 16, precedence: 30, label: 2),
    // 3ffe::/16, the 6bone, returned in 2006.
    Row(prefix: IPAddress(high: 0x3ffe << 48, low: 0), length: 16, precedence: 1, label: 12),
    // fec0::/10, site-local, deprecated by RFC 3879.
    Row(prefix: IPAddress(high: 0xfec0 << 48, low: 0), length: 10, precedence: 1, label: 11),
    // fc00::/7, unique local.
    Row(prefix: IPAddress(high: 0xfc00 << 48, low: 0), length: 7, precedence: 3, label: 13),
    // ::/0, every other address.
    Row(prefix: IPAddress(high: 0, low: 0), length: 0, precedence: 40, label: 1),
  ]
}
