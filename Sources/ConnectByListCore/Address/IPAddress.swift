/// An address family.
public enum Family: UInt8, Sendable {
  case unix = 1
  case inet = 4
  case inet6 = 6

  /// The name that scripts use: `unix`, `inet`, `inet6`.
  public var name: StaticString {
    switch self {
    case .unix: "unix"
    case .inet: "inet"
    case .inet6: "inet6"
    }
  }
}

/// An IPv4 or IPv6 address with its scope, or the number of a Unix path: a plain value of 21 bytes that
/// needs no allocation.
///
/// Both IP families are held as 128 bits. An IPv4 address is held in its v4-mapped form (::ffff:a.b.c.d, RFC
/// 4291 section 2.5.5.2), as RFC 6724 treats it. `family` distinguishes 192.0.2.1 from ::ffff:192.0.2.1;
/// `mapped` and `unmapped` convert one to the other.
///
/// The path of a Unix address is in a `UnixPaths` table; the address holds the number of its slot there.
public struct IPAddress: Hashable, Sendable {
  /// The first and the last eight bytes, each read as a big-endian number.
  public let high: UInt64
  public let low: UInt64
  /// The interface index of a link-local IPv6 address; 0 where there is none.
  public let scope: UInt32
  public let family: Family

  /// An IPv6 address from its halves.
  public init(high: UInt64, low: UInt64, scope: UInt32 = 0) {
    self.high = high
    self.low = low
    self.scope = scope
    family = .inet6
  }

  /// An IPv4 address from its 32 bits, most significant byte first: 0x7f000001 is 127.0.0.1.
  public init(v4 bits: UInt32) {
    high = 0
    low = Self.mappedPrefix | UInt64(bits)
    scope = 0
    family = .inet
  }

  /// A Unix address. With 1 in `high` it is neither loopback nor unspecified nor any other special address
  /// by the tests below.
  init(unixSlot number: UInt64) { self.init(high: 1, low: number, scope: 0, family: .unix) }

  private init(high: UInt64, low: UInt64, scope: UInt32, family: Family) {
    self.high = high
    self.low = low
    self.scope = scope
    self.family = family
  }

  public static let loopbackV4 = IPAddress(v4: 0x7f00_0001)
  public static let loopbackV6 = IPAddress(high: 0, low: 1)
  public static let anyV4 = IPAddress(v4: 0)
  public static let anyV6 = IPAddress(high: 0, low: 0)

  /// The last 32 bits, which are all of an IPv4 address.
  public var v4Bits: UInt32 { UInt32(truncatingIfNeeded: low) }

  /// The same address with this scope; an address that is not IPv6 is returned unchanged.
  public func withScope(_ scope: UInt32) -> IPAddress {
    IPAddress(high: high, low: low, scope: family == .inet6 ? scope : 0, family: family)
  }

  // MARK: v4-mapped (RFC 4291 section 2.5.5.2)

  public var isMapped: Bool { family == .inet6 && hasMappedPrefix }

  /// The v4-mapped form of an IPv4 address (::ffff:a.b.c.d); any other address unchanged.
  public var mapped: IPAddress {
    family == .inet ? IPAddress(high: high, low: low, scope: 0, family: .inet6) : self
  }

  /// The IPv4 address inside a v4-mapped one; any other address unchanged.
  public var unmapped: IPAddress {
    isMapped ? IPAddress(high: high, low: low, scope: 0, family: .inet) : self
  }

  // MARK: kinds of addresses; a v4-mapped address is of the kind of its IPv4 address

  public var isUnspecified: Bool { hasMappedPrefix ? v4Bits == 0 : high == 0 && low == 0 }

  public var isLoopback: Bool { hasMappedPrefix ? v4Bits >> 24 == 127 : high == 0 && low == 1 }

  public var isMulticast: Bool { hasMappedPrefix ? v4Bits >> 28 == 0xe : high >> 56 == 0xff }

  /// 255.255.255.255. A subnet's broadcast address cannot be recognized without its prefix length.
  public var isBroadcast: Bool { hasMappedPrefix && v4Bits == 0xffff_ffff }

  /// Whether `connect` can succeed with it: it is not unspecified, multicast or broadcast.
  public var canBeConnectedTo: Bool { !isUnspecified && !isMulticast && !isBroadcast }

  /// fe80::/10, and 169.254.0.0/16 (RFC 3927).
  public var isLinkLocal: Bool {
    hasMappedPrefix ? v4Bits >> 16 == 0xa9fe : high >> 54 == 0xfe80 >> 6
  }

  /// Link-local IPv6: the address is ambiguous without a scope.
  public var needsScope: Bool { family == .inet6 && !hasMappedPrefix && isLinkLocal }

  /// It needs a scope and has none.
  package var lacksScope: Bool { needsScope && scope == 0 }

  /// The number of leading bits that both have in common, 0 … 128. Scopes are not compared.
  public func commonPrefixLength(with other: IPAddress) -> Int {
    let first = high ^ other.high
    return first != 0 ? first.leadingZeroBitCount : 64 + (low ^ other.low).leadingZeroBitCount
  }

  private static let mappedPrefix: UInt64 = 0xffff_0000_0000

  private var hasMappedPrefix: Bool { high == 0 && low >> 32 == Self.mappedPrefix >> 32 }
}

/// An address and a port. As the local end of a connection, port 0 lets the kernel choose.
public struct Endpoint: Hashable, Sendable {
  public let address: IPAddress
  public let port: UInt16

  public init(_ address: IPAddress, port: UInt16) {
    self.address = address
    self.port = port
  }

  public var family: Family { address.family }
  public var mapped: Endpoint { Endpoint(address.mapped, port: port) }
  public var unmapped: Endpoint { Endpoint(address.unmapped, port: port) }

  public func withScope(_ scope: UInt32) -> Endpoint {
    Endpoint(address.withScope(scope), port: port)
  }
}
