/// A class of addresses that rules about destinations name.
public enum AddressClass: UInt8, CaseIterable, Sendable {
  /// 127.0.0.0/8 and ::1. This machine's other addresses, which reach its services as well, are not in it.
  case loopback
  /// 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16 (RFC 1918), 100.64.0.0/10 (RFC 6598), fc00::/7 (RFC 4193)
  /// and fec0::/10 (RFC 3879).
  case `private`
  /// 169.254.0.0/16 (RFC 3927) and fe80::/10.
  case linkLocal
  /// 224.0.0.0/4, ff00::/8, and the broadcast address 255.255.255.255.
  case multicast
  /// Where cloud providers answer their machines' questions about credentials and more:
  ///
  /// - 169.254.169.254 (Amazon EC2, Azure, Google Cloud, OpenStack, Oracle and others)
  /// - 169.254.170.2 and 169.254.170.23 (containers of Amazon ECS and EKS), fd00:ec2::23 (EKS)
  /// - fd00:ec2::254 (Amazon EC2), fe80::a9fe:a9fe (OpenStack), fd20:ce::254 (Google Cloud)
  /// - 168.63.129.16 (Azure), 100.100.100.200 (Alibaba Cloud), 192.0.0.192 (Oracle, earlier)
  case metadata

  /// Its name in rules.
  public var name: StaticString {
    switch self {
    case .loopback: "loopback"
    case .private: "private"
    case .linkLocal: "link-local"
    case .multicast: "multicast"
    case .metadata: "metadata"
    }
  }

  /// Whether an address is in the class; a v4-mapped one is what its IPv4 address is. Scopes are ignored.
  public func contains(_ address: IPAddress) -> Bool {
    switch self {
    case .loopback: return address.isLoopback
    case .linkLocal: return address.isLinkLocal
    case .multicast: return address.isMulticast || address.isBroadcast
    case .private:
      return address.unmapped.family == .inet ? address.isPrivateV4 : address.isPrivateV6
    case .metadata: return address.isMetadata
    }
  }
}

extension IPAddress {
  fileprivate var isPrivateV4: Bool {
    v4Bits >> 24 == 10 || v4Bits >> 20 == 0xac1 || v4Bits >> 16 == 0xc0a8
      || v4Bits >> 22 == 0x6440 >> 6
  }

  fileprivate var isPrivateV6: Bool {
    family == .inet6 && (high >> 57 == 0xfc >> 1 || high >> 54 == 0xfec0 >> 6)
  }

  fileprivate var isMetadata: Bool {
    if unmapped.family == .inet {
      switch v4Bits {
      case 0xa9fe_a9fe, 0xa9fe_aa02, 0xa9fe_aa17, 0xa83f_8110, 0x6464_64c8, 0xc000_00c0: return true
      default: return false
      }
    }
    switch (high, low) {
    case (0xfd00_0ec2_0000_0000, 0x254), (0xfd00_0ec2_0000_0000, 0x23),
      (0xfe80_0000_0000_0000, 0xa9fe_a9fe), (0xfd20_00ce_0000_0000, 0x254):
      return true
    default: return false
    }
  }

  /// The address that a connect to this one reaches: for the unspecified address, loopback.
  var asDestination: IPAddress {
    guard isUnspecified else { return withScope(0) }
    return family == .inet ? IPAddress(v4: 0x7f00_0001) : IPAddress(high: 0, low: 1)
  }

  /// The IPv4 address inside an IPv6 address of NAT64, 6to4, or IPv4-compatible; `nil` for any other. A
  /// v4-mapped address is no IPv6 address: see `unmapped`.
  var addressInside: IPAddress? {
    guard family == .inet6 else { return nil }
    // 2002:aabb:ccdd::/48 (RFC 3056).
    if high >> 48 == 0x2002 { return IPAddress(v4: UInt32(truncatingIfNeeded: high >> 16)) }
    // 64:ff9b::/96 (RFC 6052), 64:ff9b:1::/48 (RFC 8215).
    let isNAT64 = high == 0x0064_ff9b_0000_0000 && low >> 32 == 0 || high >> 16 == 0x0064_ff9b_0001
    // ::/96 (RFC 4291 section 2.5.5.1), without ::1.
    let isCompatible = high == 0 && low >> 32 == 0 && low > 1
    return isNAT64 || isCompatible ? IPAddress(v4: v4Bits) : nil
  }
}
