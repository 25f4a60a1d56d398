// Which destination first: RFC 6724 section 6, on pairs of a destination and its source.
//
// The RFC writes the rules as a comparison of two destinations, one rule after the other, and a
// comparator can be written just so. It has two faults. It asks for scopes, labels and policy rows
// again at each of n log n comparisons. And it is no order any more once something is not known, if
// a rule is skipped where one of the two sources is unknown: let Z go before Y because Y's source
// has the wrong scope (rule 2), and let X, whose source is unknown, have a precedence between
// theirs, Y's the higher. Then by rule 6 Y goes before X and X before Z: a circle, and a sort makes
// of it what it likes.
//
// So every candidate gets a key of its own, made without looking at any other, and only keys are
// compared: rule by rule, the smaller goes first. An order by keys cannot be circular. What is not
// known needs a place in the key:
//
// - An unknown source is presumed to be what the kernel's choice nearly always is: of the
//   destination's scope and label, neither deprecated nor a home address. Between two unknown
//   sources rules 2 to 5 then say nothing. Against a known one they speak only by what is known of
//   that one (it is deprecated, its scope is another), and against an ordinary one they are silent.
//   Refused: a class of its own for unknown sources, before or after the known. It would be a rule
//   that no RFC has, above precedence.
// - An unknown round trip comes after every known one: that there is evidence says that the host
//   has been reached before.
// - Rule 9 counts bits that are known to be in common: with an unknown source none.
//
// Rule 9 compares destinations of one family only. Where it is reached, rule 6 has already parted
// IPv4 (precedence 35, which no other row of the policy table has) from IPv6, so the family need
// not be in the key, and all IPv4 destinations have the same number there.

/// One destination with what is known of the way there.
public struct OrderingCandidate: Sendable {
  public var destination: IPAddress
  /// What a connection would come from; `nil`: there is no route, or nobody has asked yet.
  public var source: IPAddress?
  /// Whether it can be reached as far as is known; false where the kernel says that there is no
  /// route.
  public var isUsable: Bool
  /// How much of the source is its network: 0 … 32 for IPv4, 0 … 128 for IPv6. Rule 9 counts no
  /// bits beyond it. 64 where it is not known, the usual one. Not looked at without a source.
  public var sourcePrefixLength: UInt8
  /// Not looked at without a source.
  public var sourceFlags: LocalAddress.Flags
  /// Reached without a tunnel (rule 7), where that is known. Set for all or for none where it is
  /// not.
  public var isNative: Bool
  /// The smoothed round trip, where there is evidence of one. `.forever` is the same as none.
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

  /// The bits that source and destination have in common, 0 … 128, none beyond the source's prefix:
  /// CommonPrefixLen of RFC 6724 section 2.2.
  ///
  /// 0 without a source, and 0 between IPv4 addresses (v4-mapped ones too): there a prefix says
  /// little about nearness, and counting it would undo the rotation by which names spread their
  /// load.
  public var commonPrefixLength: UInt8 {
    guard let source, destination.unmapped.family == .inet6, source.unmapped.family == .inet6
    else { return 0 }
    let common = source.commonPrefixLength(with: destination)
    return min(UInt8(truncatingIfNeeded: common), sourcePrefixLength)
  }
}

/// What put one destination before another. The raw value is the rule's number in RFC 6724 section
/// 6.
public enum OrderingRule: UInt8, Sendable {
  /// Ours, between rules 8 and 9, so it has no number there.
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
  /// No rule tells: the order is as given.
  case unchanged = 10
  /// Ours too: a Unix address goes before the destinations that the rules are about.
  case thisMachine = 11

  /// The rule for a person to read, true of the one that it puts first and of the one that it puts
  /// after.
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

/// The order of destinations: RFC 6724 section 6 with evidence between its rules 8 and 9, and the
/// turns of RFC 8305 section 4.
public enum Ordering {
  public enum Leader: Sendable {
    case first, second, neither
  }

  /// Which of two goes first, and the rule that says so; `neither` by `.unchanged` where no rule
  /// tells.
  ///
  /// A strict weak order for any candidates, whatever is unknown of them.
  public static func compare(
    _ a: OrderingCandidate, _ b: OrderingCandidate
  ) -> (first: Leader, rule: OrderingRule) {
    let (a, b) = (OrderingKey(a), OrderingKey(b))
    guard let rule = a.firstDifference(from: b) else { return (.neither, .unchanged) }
    return (a.goesBefore(b) ? .first : .second, rule)
  }

  /// The indices of the candidates in their order, each with the rule that put it after the one
  /// before it (`.unchanged` at the first). Candidates that no rule tells apart stay as given.
  ///
  /// O(n log n), and 32 bytes a candidate besides the result.
  public static func sorted(
    _ candidates: [OrderingCandidate]
  ) -> [(index: Int, rule: OrderingRule)] {
    sorted(count: candidates.count) { candidates[$0] }
  }

  /// The same where the candidates need not all be there at once; each is asked for once.
  public static func sorted(
    count: Int, _ candidate: (Int) -> OrderingCandidate
  ) -> [(index: Int, rule: OrderingRule)] {
    var keys: [OrderingKey] = []
    keys.reserveCapacity(count)
    for index in 0..<count { keys.append(OrderingKey(candidate(index))) }
    var order: [(index: Int, rule: OrderingRule)] = []
    order.reserveCapacity(count)
    for index in sortedIndices(count, by: { keys[$0].goesBefore(keys[$1]) }) {
      let rule = order.last.map { keys[$0.index].firstDifference(from: keys[index]) } ?? nil
      order.append((index, rule ?? .unchanged))
    }
    return order
  }

  /// The order in which families take turns, as indices: the first one's family and the other by
  /// turns, what is left of the longer at the end; inside a family the order stays. O(n).
  ///
  /// RFC 8305 section 4, with a First Address Family Count of 1. A Unix address takes no turn: it
  /// stays where it stands.
  public static func interleaved(_ families: [Family]) -> [Int] {
    let first = families.first { $0 != .unix }
    /// The next of the first family, or of the other, from a place on.
    func next(_ place: inout Int, isFirst: Bool) -> Int? {
      while place < families.count {
        place += 1
        let family = families[place - 1]
        if family != .unix && (family == first) == isFirst { return place - 1 }
      }
      return nil
    }
    var leading = 0
    var other = 0
    var isFirst = true
    var order: [Int] = []
    order.reserveCapacity(families.count)
    for place in families.indices {
      if families[place] == .unix {
        order.append(place)
        continue
      }
      let taken =
        isFirst
        ? next(&leading, isFirst: true) ?? next(&other, isFirst: false)
        : next(&other, isFirst: false) ?? next(&leading, isFirst: true)
      order.append(taken!)
      isFirst.toggle()
    }
    return order
  }
}

/// All that the rules look at in one candidate, packed so that the smaller key goes first.
private struct OrderingKey {
  /// Rules 1 to 8, a byte each, rule 1 in the highest: the first byte that differs is the rule that
  /// tells.
  private let rules: UInt64
  /// The round trip in the upper 56 bits, in the lowest byte what rule 9 looks at.
  private let rest: UInt64

  init(_ candidate: OrderingCandidate) {
    let destination = candidate.destination
    let scope = destination.addressScope
    let policy = PolicyTable.policy(of: destination)

    var scopeDiffers = false
    var isDeprecated = false
    var isHome = false
    var labelDiffers = false
    if let source = candidate.source {
      scopeDiffers = source.addressScope != scope
      isDeprecated = candidate.sourceFlags.contains(.deprecated)
      isHome = candidate.sourceFlags.contains(.home)
      labelDiffers = PolicyTable.policy(of: source).label != policy.label
    }

    var rules: UInt64 = candidate.isUsable ? 0 : 1
    rules = rules << 8 | (scopeDiffers ? 1 : 0)
    rules = rules << 8 | (isDeprecated ? 1 : 0)
    rules = rules << 8 | (isHome ? 0 : 1)
    rules = rules << 8 | (labelDiffers ? 1 : 0)
    rules = rules << 8 | UInt64(255 - policy.precedence)
    rules = rules << 8 | (candidate.isNative ? 0 : 1)
    rules = rules << 8 | UInt64(scope.rawValue)
    self.rules = rules

    // 56 bits of nanoseconds are 2.3 years: a longer round trip is as good as unknown.
    let unknown: Int64 = 0xff_ffff_ffff_ffff
    let roundTrip = candidate.roundTrip.map { min(max($0.nanoseconds, 0), unknown) } ?? unknown
    rest = UInt64(roundTrip) << 8 | UInt64(255 - candidate.commonPrefixLength)
  }

  func goesBefore(_ other: OrderingKey) -> Bool {
    rules != other.rules ? rules < other.rules : rest < other.rest
  }

  /// The rule that tells the two apart; `nil` where none does.
  func firstDifference(from other: OrderingKey) -> OrderingRule? {
    let byte = (rules ^ other.rules).leadingZeroBitCount / 8
    if byte < 8 { return OrderingRule(rawValue: UInt8(truncatingIfNeeded: byte) + 1) }
    if rest >> 8 != other.rest >> 8 { return .measured }
    return rest != other.rest ? .longestPrefix : nil
  }
}
