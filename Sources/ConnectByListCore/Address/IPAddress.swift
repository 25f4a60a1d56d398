/// An address family, under the name that scripts use for it.
public enum Family: UInt8, Sendable {
  case unix = 1
  case inet = 4
  case inet6 = 6

  public var name: StaticString {
    switch self {
    case .unix: "unix"
    case .inet: "inet"
    case .inet6: "inet6"
    }
  }
}

/// An IPv4 or IPv6 address with its scope, or what stands for a Unix path: a plain value of 21
/// bytes, no text, no allocation.
///
/// Both families share one 128-bit form: an IPv4 address is held as RFC 4291's v4-mapped
/// (::ffff:a.b.c.d), which is how RFC 6724 looks at it too. `family` tells which it is, so
/// 192.0.2.1 and ::ffff:192.0.2.1 are two different values; `mapped` and `unmapped` go between
/// them.
///
/// A Unix address has its path in a table beside (`UnixPaths`), and here only its place there.
public struct IPAddress: Hashable, Sendable {
  /// The first and the second eight bytes, each in network order read as a big-endian number.
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

  /// A Unix address by what its table calls it. `high` is 1: that is no loopback, no unspecified
  /// and no other special address by any of the tests below.
  init(unix place: UInt64) { self.init(high: 1, low: place, scope: 0, family: .unix) }

  private init(high: UInt64, low: UInt64, scope: UInt32, family: Family) {
    self.high = high
    self.low = low
    self.scope = scope
    self.family = family
  }

  // Not inlined: it is asked for in dozens of places, and would be 50 bytes in each.
  @inline(never)
  public static func == (a: IPAddress, b: IPAddress) -> Bool {
    a.high == b.high && a.low == b.low && a.scope == b.scope && a.family == b.family
  }

  public static let anyV4 = IPAddress(v4: 0)
  public static let anyV6 = IPAddress(high: 0, low: 0)

  /// The last 32 bits: the whole of an IPv4 address.
  public var v4Bits: UInt32 { UInt32(truncatingIfNeeded: low) }

  public func withScope(_ scope: UInt32) -> IPAddress {
    IPAddress(high: high, low: low, scope: family == .inet6 ? scope : 0, family: family)
  }

  // MARK: v4-mapped (RFC 4291 section 2.5.5.2)

  public var isMapped: Bool { family == .inet6 && hasMappedPrefix }

  /// The IPv6 form of an IPv4 address (::ffff:a.b.c.d); any other address as it is.
  public var mapped: IPAddress {
    family == .inet ? IPAddress(high: high, low: low, scope: 0, family: .inet6) : self
  }

  /// The IPv4 address inside a v4-mapped one; any other address as it is.
  @inline(never)
  public var unmapped: IPAddress {
    isMapped ? IPAddress(high: high, low: low, scope: 0, family: .inet) : self
  }

  // MARK: what kind of address it is; a v4-mapped one is what its IPv4 address is

  public var isUnspecified: Bool { hasMappedPrefix ? v4Bits == 0 : high == 0 && low == 0 }

  public var isLoopback: Bool { hasMappedPrefix ? v4Bits >> 24 == 127 : high == 0 && low == 1 }

  public var isMulticast: Bool { hasMappedPrefix ? v4Bits >> 28 == 0xe : high >> 56 == 0xff }

  /// 255.255.255.255. A subnet's own broadcast address cannot be told from its bits.
  public var isBroadcast: Bool { hasMappedPrefix && v4Bits == 0xffff_ffff }

  /// Neither unspecified, multicast nor broadcast.
  public var canBeConnectedTo: Bool { !isUnspecified && !isMulticast && !isBroadcast }

  /// fe80::/10, and 169.254.0.0/16 (RFC 3927).
  public var isLinkLocal: Bool {
    hasMappedPrefix ? v4Bits >> 16 == 0xa9fe : high >> 54 == 0xfe80 >> 6
  }

  /// Link-local IPv6: it means nothing without the link that it is on.
  public var needsScope: Bool { family == .inet6 && !hasMappedPrefix && isLinkLocal }

  /// Number of leading bits that both have in common, 0 … 128. Scopes are not looked at.
  public func commonPrefixLength(with other: IPAddress) -> Int {
    let first = high ^ other.high
    return first != 0 ? first.leadingZeroBitCount : 64 + (low ^ other.low).leadingZeroBitCount
  }

  private static let mappedPrefix: UInt64 = 0xffff_0000_0000

  private var hasMappedPrefix: Bool { high == 0 && low >> 32 == Self.mappedPrefix >> 32 }
}

/// An address and a port: what a socket connects to, or from (then port 0 leaves the choice to the
/// kernel).
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
