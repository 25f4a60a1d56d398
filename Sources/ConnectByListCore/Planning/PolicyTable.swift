/// How far an address reaches: the scope of RFC 4291 section 2.7, under which RFC 6724 section 3.1
/// puts unicast addresses too.
///
/// A multicast address carries its scope in four bits, so all of 0 … 15 occur, also those that no
/// RFC has named yet. The smaller number is the smaller scope.
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
  /// Loopback counts as link-local. Of IPv4, 127/8 and 169.254/16 are link-local and everything
  /// else is global, private and multicast addresses too; a v4-mapped address is what its IPv4
  /// address is. fec0::/10 is site-local though RFC 3879 deprecated it; unique local addresses
  /// (fc00::/7) are global, it is their label and their precedence that set them apart.
  public var addressScope: AddressScope {
    if isLoopback || isLinkLocal { return .linkLocal }
    if unmapped.family == .inet { return .global }
    if isMulticast { return AddressScope(rawValue: UInt8(truncatingIfNeeded: high >> 48) & 0xf) }
    return high >> 54 == 0xfec0 >> 6 ? .siteLocal : .global
  }
}

/// The default policy table of RFC 6724 section 2.1: which kinds of addresses are preferred
/// (precedence) and which belong together (label).
///
/// The administrator's own table (/etc/gai.conf) is glibc's and not read: the core knows no files.
public enum PolicyTable {
  /// What the table says of the addresses under one prefix.
  public struct Row: Sendable {
    public let prefix: IPAddress
    /// 0 … 128, of the IPv6 form.
    public let length: Int
    /// 0 … 255. As a destination, the higher goes first.
    public let precedence: UInt8
    /// A destination goes with a source of the same label.
    public let label: UInt8
  }

  /// The precedence and the label of an address by the longest prefix that it is under. Scope ids
  /// do not count; IPv4 is looked up in its v4-mapped form.
  public static func policy(of address: IPAddress) -> (precedence: UInt8, label: UInt8) {
    for row in rows where address.commonPrefixLength(with: row.prefix) >= row.length {
      return (row.precedence, row.label)
    }
    preconditionFailure("the last row of the policy table takes every address")
  }

  /// The longest prefix first, so that the first row that matches is the one that counts.
  public static let rows: [Row] = [
    // ::1/128, loopback.
    Row(prefix: IPAddress(high: 0, low: 1), length: 128, precedence: 50, label: 0),
    // ::ffff:0:0/96, IPv4. No other row has its precedence: Ordering's rule 9 relies on that.
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
