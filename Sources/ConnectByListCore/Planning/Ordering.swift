// The order of destinations: RFC 6724 section 6, on pairs of a destination and its source. `OrderingKey` has
// the rules and the reason for its keys.

/// One destination with what is known about the path to it.
public struct OrderingCandidate: Sendable {
  public var destination: IPAddress
  /// The source address of a connection to it; `nil`: there is no route, or the route is not known.
  public var source: IPAddress?
  /// False if the kernel has no route to it.
  public var isUsable: Bool
  /// The length of the source's network prefix: 0 … 32 for IPv4, 0 … 128 for IPv6. Rule 9 counts no bits
  /// beyond it. Default 64, the usual length of IPv6 networks. Ignored without a source.
  public var sourcePrefixLength: UInt8
  /// Ignored without a source.
  public var sourceFlags: LocalAddress.Flags
  /// Whether it is reached without a tunnel (rule 7). If that is not known for all candidates, it has to be
  /// the same for all.
  public var isNative: Bool
  /// The smoothed round trip, where one was measured. `.forever` counts as not measured.
  public var roundTrip: TimeSpan?

  public init(
    _ destination: IPAddress, source: IPAddress? = nil, isUsable: Bool = true,
    sourcePrefixLength: UInt8 = 64, sourceFlags: LocalAddress.Flags = [], isNative: Bool = false,
    roundTrip: TimeSpan? = nil
  ) {
    self.destination = destination
    self.source = source
    self.isUsable = isUsable
    self.sourcePrefixLength = sourcePrefixLength
    self.sourceFlags = sourceFlags
    self.isNative = isNative
    self.roundTrip = roundTrip
  }

  /// The number of leading bits that source and destination have in common, at most the source's prefix
  /// length: CommonPrefixLen of RFC 6724 section 2.2. 0 … 128.
  ///
  /// 0 without a source, and 0 between IPv4 addresses (v4-mapped ones too): an IPv4 prefix says little
  /// about distance, and sorting by it would undo the rotation of addresses by which names spread load.
  public var commonPrefixLength: UInt8 {
    guard let source, destination.unmapped.family == .inet6, source.unmapped.family == .inet6
    else { return 0 }
    let common = source.commonPrefixLength(with: destination)
    return min(UInt8(truncatingIfNeeded: common), sourcePrefixLength)
  }
}

/// The rule that put one destination before another. The raw value of rules 1 to 10 is their number in RFC
/// 6724 section 6.
public enum OrderingRule: UInt8, Sendable {
  /// Not in the RFC; applied between rules 8 and 9.
  case measured = 0
  case avoidUnusable = 1
  case matchingScope = 2
  case avoidDeprecated = 3
  case homeAddress = 4
  case matchingLabel = 5
  case higherPrecedence = 6
  case nativeTransport = 7
  case smallerScope = 8
  case longestPrefix = 9
  /// No other rule applies: the order is unchanged.
  case unchanged = 10
  /// Not in the RFC: a Unix address goes before all IP addresses.
  case thisMachine = 11

  /// The rule in words. The sentence is true of both destinations, the first and the second.
  public var words: StaticString {
    switch self {
    case .measured: "measured: a shorter round trip goes first"
    case .avoidUnusable: "rule 1: a destination without a route goes last"
    case .matchingScope: "rule 2: a source of the destination's scope goes first"
    case .avoidDeprecated: "rule 3: a deprecated source goes last"
    case .homeAddress: "rule 4: a home address as the source goes first"
    case .matchingLabel: "rule 5: a source of the destination's label goes first"
    case .higherPrecedence: "rule 6: the higher precedence goes first"
    case .nativeTransport: "rule 7: native transport goes before a tunnel"
    case .smallerScope: "rule 8: the smaller scope goes first"
    case .longestPrefix: "rule 9: the longer prefix in common with the source goes first"
    case .unchanged: "rule 10: the order is as given"
    case .thisMachine: "a Unix address, being on this machine, goes first"
    }
  }
}

/// Sorts destinations by RFC 6724 section 6, with measured round trips between its rules 8 and 9, and
/// interleaves families by RFC 8305 section 4.
public enum Ordering {
  public enum Leader: Sendable {
    case first, second, neither
  }

  /// Which of two destinations goes first, and by which rule; `neither` and `.unchanged`: no rule applies.
  ///
  /// This is a strict weak order for any candidates, whatever is not known about them.
  public static func compare(
    _ a: OrderingCandidate, _ b: OrderingCandidate, _ table: PolicyTable = .rfc6724
  ) -> (first: Leader, rule: OrderingRule) {
    let (a, b) = (OrderingKey(a, table), OrderingKey(b, table))
    guard let rule = a.firstDifference(from: b) else { return (.neither, .unchanged) }
    return (a < b ? .first : .second, rule)
  }

  /// The indices of the candidates in their order, each with the rule that put it after the one before it
  /// (`.unchanged` for the first). Candidates to which no rule applies keep their order. O(n log n).
  public static func sorted(
    _ candidates: [OrderingCandidate], _ table: PolicyTable = .rfc6724
  ) -> [(index: Int, rule: OrderingRule)] {
    sorted(count: candidates.count, table) { candidates[$0] }
  }

  /// The same for `count` candidates that are made when they are asked for, once each.
  public static func sorted(
    count: Int, _ table: PolicyTable, _ candidate: (Int) -> OrderingCandidate
  ) -> [(index: Int, rule: OrderingRule)] {
    let keys = (0..<count).map { OrderingKey(candidate($0), table) }
    var order: [(index: Int, rule: OrderingRule)] = []
    order.reserveCapacity(count)
    for index in sortedIndices(count, { keys[$0] < keys[$1] }) {
      let rule = order.last.flatMap { keys[$0.index].firstDifference(from: keys[index]) }
      order.append((index, rule ?? .unchanged))
    }
    return order
  }

  /// The order in which the families alternate, as indices: one of the first family, one of the other, and so
  /// on; the rest of the longer family at the end. Each family keeps its own order. O(n).
  ///
  /// Source: RFC 8305 section 4, with a First Address Family Count of 1. A Unix address keeps its place.
  public static func interleaved(_ families: [Family]) -> [Int] {
    let firstFamily = families.first { $0 != .unix }
    let ip = families.indices.filter { families[$0] != .unix }
    var leading = ip.filter { families[$0] == firstFamily }[...]
    var other = ip.filter { families[$0] != firstFamily }[...]
    var isLeadingNext = true
    return families.indices.map { index in
      if families[index] == .unix { return index }
      let isLeading = isLeadingNext ? !leading.isEmpty : other.isEmpty
      isLeadingNext.toggle()
      return isLeading ? leading.removeFirst() : other.removeFirst()
    }
  }
}
