import ConnectByListCore
import ConnectByListSimulation

/// Section 3 point 3 of the contract: the order of the remotes. RFC 6724 section 6 "evaluated on the
/// pair", a round trip between rules 8 and 9, then RFC 8305 section 4.
struct ReferenceOrder {
  /// A remote with its first pair.
  struct Candidate {
    let destination: IPAddress
    /// `nil`: not known, or there is none.
    let source: LocalAddress?
    /// Rule 1. One whose route is not known yet counts as usable.
    let isUsable: Bool
    let isNative: Bool
    let roundTrip: TimeSpan?
  }

  /// `candidates` in the caller's order; the result are indices into it.
  static func order(_ candidates: [Candidate], _ options: ConnectOptions) -> [Int] {
    var order = Array(candidates.indices)
    switch options.order {
    case .given: break
    case .random:
      // Fisher and Yates, from the end.
      var random = SplitMix64(seed: options.seed)
      for last in stride(from: order.count - 1, to: 0, by: -1) {
        order.swapAt(last, random.below(last + 1))
      }
    case .likely: sortStably(&order) { precedes(candidates[$0], candidates[$1]) }
    }
    // "`interleave` is on for `likely` and `random`, off for `given`, unless said."
    let interleaves = options.interleave ?? (options.order != .given)
    return interleaves ? interleaved(order) { candidates[$0].destination.family } : order
  }

  /// RFC 8305 section 4: the first one's family and the other take turns; in a family the order
  /// stays.
  private static func interleaved(_ order: [Int], family: (Int) -> Family) -> [Int] {
    guard let first = order.first else { return [] }
    var leading = order.filter { family($0) == family(first) }
    var other = order.filter { family($0) != family(first) }
    var result: [Int] = []
    while !leading.isEmpty || !other.isEmpty {
      if !leading.isEmpty { result.append(leading.removeFirst()) }
      if !other.isEmpty { result.append(other.removeFirst()) }
    }
    return result
  }

  // MARK: RFC 6724

  private static func precedes(_ a: Candidate, _ b: Candidate) -> Bool {
    // Rule 1: avoid unusable destinations.
    if a.isUsable != b.isUsable { return a.isUsable }
    // Rule 2: prefer matching scope.
    if hasMatchingScope(a) != hasMatchingScope(b) { return hasMatchingScope(a) }
    // Rule 3: avoid deprecated addresses.
    let (aDeprecated, bDeprecated) = (has(.deprecated, a), has(.deprecated, b))
    if aDeprecated != bDeprecated { return bDeprecated }
    // Rule 4: prefer home addresses.
    if has(.home, a) != has(.home, b) { return has(.home, a) }
    // Rule 5: prefer matching label.
    if hasMatchingLabel(a) != hasMatchingLabel(b) { return hasMatchingLabel(a) }
    // Rule 6: prefer higher precedence.
    let (aPolicy, bPolicy) = (policy(a.destination), policy(b.destination))
    if aPolicy.precedence != bPolicy.precedence { return aPolicy.precedence > bPolicy.precedence }
    // Rule 7: prefer native transport.
    if a.isNative != b.isNative { return a.isNative }
    // Rule 8: prefer smaller scope.
    if scope(a.destination) != scope(b.destination) {
      return scope(a.destination) < scope(b.destination)
    }
    // "RTT stands between rules 8 and 9." One that is not known is the longest.
    let (aTime, bTime) = (a.roundTrip ?? .forever, b.roundTrip ?? .forever)
    if aTime != bTime { return aTime < bTime }
    // Rule 9: use longest matching prefix, for IPv6 alone. Rule 10: otherwise, leave the order.
    return commonPrefixLength(a) > commonPrefixLength(b)
  }

  private static func has(_ flag: LocalAddress.Flags, _ candidate: Candidate) -> Bool {
    candidate.source?.flags.contains(flag) ?? false
  }

  private static func hasMatchingScope(_ candidate: Candidate) -> Bool {
    candidate.source.map { scope($0.address) == scope(candidate.destination) } ?? true
  }

  private static func hasMatchingLabel(_ candidate: Candidate) -> Bool {
    candidate.source.map { policy($0.address).label == policy(candidate.destination).label }
      ?? true
  }

  /// RFC 6724 section 2.2: no longer than the source's own prefix. Not for IPv4, where it would undo
  /// the rotation by which names spread their load.
  private static func commonPrefixLength(_ candidate: Candidate) -> Int {
    guard let source = candidate.source, candidate.destination.unmapped.family == .inet6 else {
      return 0
    }
    return min(
      source.address.commonPrefixLength(with: candidate.destination), Int(source.prefixLength))
  }

  /// RFC 6724 section 3: link-local 2, site-local 5, global 14; loopback is link-local, of IPv4
  /// 127/8 and 169.254/16 are. A multicast address carries its scope.
  private static func scope(_ address: IPAddress) -> Int {
    if address.isLoopback || address.isLinkLocal { return 2 }
    if address.unmapped.family == .inet { return 14 }
    if address.high >> 56 == 0xff { return Int(address.high >> 48 & 0xf) }
    return address.high >> 54 == 0xfec0 >> 6 ? 5 : 14
  }

  /// RFC 6724 section 2.1, the default policy table.
  private static func policy(_ address: IPAddress) -> (precedence: Int, label: Int) {
    let (high, low) = (address.high, address.low)
    if address.unmapped.family == .inet { return (35, 4) }
    if high == 0 && low == 1 { return (50, 0) }
    if high == 0 && low >> 32 == 0 { return (1, 3) }
    if high >> 32 == 0x2001_0000 { return (5, 5) }
    if high >> 48 == 0x2002 { return (30, 2) }
    if high >> 48 == 0x3ffe { return (1, 12) }
    if high >> 54 == 0xfec0 >> 6 { return (1, 11) }
    if high >> 57 == 0xfc00 >> 9 { return (3, 13) }
    return (40, 1)
  }
}
