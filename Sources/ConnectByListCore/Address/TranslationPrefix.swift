/// The prefix under which a NAT64 makes IPv4 addresses reachable over IPv6 (RFC 6052 section 2.2).
public struct TranslationPrefix: Hashable, Sendable {
  /// The prefix with zeros behind it.
  public let address: IPAddress
  /// 32, 40, 48, 56, 64 or 96.
  public let length: UInt8

  private static var lengths: [UInt8] { [96, 64, 56, 48, 40, 32] }

  /// Finds the prefix in an address of `ipv4only.arpa` (RFC 7050 section 3): one of the name's IPv4
  /// addresses, 192.0.0.170 or 192.0.0.171, follows it. `nil`: neither is in the address.
  init?(inAnswer answer: IPAddress) {
    guard answer.family == .inet6, !answer.isMapped else { return nil }
    for length in Self.lengths {
      let prefix = TranslationPrefix(answer, length: length)
      for known in [UInt32(0xc000_00aa), 0xc000_00ab]
      where prefix.translating(IPAddress(v4: known)) == answer {
        self = prefix
        return
      }
    }
    return nil
  }

  private init(_ address: IPAddress, length: UInt8) {
    self.length = length
    self.address =
      length >= 64
      ? IPAddress(
        high: address.high, low: length == 64 ? 0 : address.low & ~UInt64(UInt32.max))
      : IPAddress(high: address.high & ~(UInt64.max >> UInt64(length)), low: 0)
  }

  /// The IPv6 address of an IPv4 address: its bytes follow the prefix; byte 8 is left out.
  func translating(_ v4: IPAddress) -> IPAddress {
    let bits = v4.low & UInt64(UInt32.max)
    switch length {
    case 96: return IPAddress(high: address.high, low: address.low | bits)
    case 64: return IPAddress(high: address.high, low: bits << 24)
    default:
      // How many of the 32 bits are in the upper half; the others follow byte 8.
      let upper = UInt64(64 - length)
      let high = address.high | bits >> (32 - upper)
      let low = (bits << (32 + upper)) >> 8
      return IPAddress(high: high, low: low)
    }
  }

  /// The IPv4 address that is embedded in an address under the prefix.
  func original(of translated: IPAddress) -> IPAddress {
    switch length {
    case 96: return IPAddress(v4: UInt32(truncatingIfNeeded: translated.low))
    case 64: return IPAddress(v4: UInt32(truncatingIfNeeded: translated.low >> 24))
    default:
      let upper = UInt64(64 - length)
      let bits = translated.high << (32 - upper) | (translated.low << 8) >> (32 + upper)
      return IPAddress(v4: UInt32(truncatingIfNeeded: bits))
    }
  }

  /// Whether the NAT64 may translate an address: the well-known prefix 64:ff9b::/96 is for global ones only (RFC 6052
  /// section 3.1), and an address of one link or one machine is never translated.
  func translates(_ v4: IPAddress) -> Bool {
    if v4.isLoopback || v4.isLinkLocal { return false }
    guard length == 96, address.high == 0x0064_ff9b_0000_0000, address.low == 0 else { return true }
    let bits = UInt32(truncatingIfNeeded: v4.low)
    let isPrivate = bits >> 24 == 10 || bits >> 20 == 0xac1 || bits >> 16 == 0xc0a8
    return !isPrivate && bits >> 22 != 0x6440 >> 6
  }
}

extension TextBuffer {
  /// `64:ff9b::/96`.
  mutating func append(_ prefix: TranslationPrefix) {
    append(prefix.address, scopes: NumericScopes())
    append("/")
    append(decimal: UInt64(prefix.length))
  }
}
