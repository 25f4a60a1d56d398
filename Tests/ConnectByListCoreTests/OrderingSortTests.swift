import ConnectByListCore
import Testing

/// Sorting by the rules of RFC 6724, and interleaving the families.
@Suite struct OrderingSortTests {
  // MARK: sorting

  @Test func `no candidate and one candidate are sorted`() {
    #expect(Ordering.sorted([]).isEmpty)
    let one = Ordering.sorted([to("192.0.2.1")])
    #expect(one.map(\.index) == [0])
    #expect(one.map(\.rule) == [.unchanged])
  }

  @Test func `each destination has the rule that puts it after the one before`() {
    let candidates = [
      to("192.0.2.7") { $0.isUsable = false },
      to("192.0.2.1", from: "192.0.2.9"),
      to("192.0.2.2", from: "192.0.2.9"),
      to("2001:db8:1::1", from: "2001:db8::9"),
      to("192.0.2.3", from: "192.0.2.9") { $0.roundTrip = .milliseconds(40) },
      to("2001:db8::1", from: "2001:db8::9"),
      to("2001:db8:2::1", from: "2001:db8:2::9") { $0.sourceFlags = .deprecated },
    ]
    let order = Ordering.sorted(candidates)
    #expect(order.map(\.index) == [5, 3, 4, 1, 2, 6, 0])
    #expect(
      order.map(\.rule) == [
        .unchanged, .longestPrefix, .higherPrecedence, .measured, .unchanged, .avoidDeprecated,
        .avoidUnusable,
      ])
  }

  @Test func `destinations that no rule distinguishes keep their order among 10,000`() {
    let precedences = ["2001:db8::1", "192.0.2.1", "fd00::1"]
    let candidates = (0..<10_000).map { to(precedences[$0 * 7 % 3]) }
    let order = Ordering.sorted(candidates)
    for (before, after) in zip(order, order.dropFirst()) where after.rule == .unchanged {
      #expect(before.index < after.index)
    }
    #expect(order.count { $0.rule == .higherPrecedence } == 2)
  }

  @Test func `10,000 random destinations are sorted`() {
    var random = SplitMix64(seed: 10)
    let candidates = (0..<10_000).map { _ in random.candidate() }
    let order = Ordering.sorted(candidates)
    #expect(Set(order.map(\.index)).count == candidates.count)
    for (before, after) in zip(order, order.dropFirst()) {
      let verdict = Ordering.compare(candidates[before.index], candidates[after.index])
      #expect(verdict.first != .second)
      #expect(verdict.rule == after.rule)
    }
  }

  @Test(arguments: 1...8)
  func `comparison is a strict weak order, and sorting follows it`(seed: UInt64) {
    var random = SplitMix64(seed: seed)
    let candidates = (0..<48).map { _ in random.candidate() }
    let places = candidates.indices
    let leads = places.map { a in places.map { Ordering.compare(candidates[a], candidates[$0]) } }

    for a in places {
      #expect(leads[a][a] == (.neither, .unchanged))
      for b in places {
        #expect(leads[a][b].rule == leads[b][a].rule)
        #expect((leads[a][b].first == .first) == (leads[b][a].first == .second))
        #expect((leads[a][b].first == .neither) == (leads[a][b].rule == .unchanged))
      }
    }
    var brokenTriples = 0
    for a in places {
      for b in places where leads[a][b].first != .second {
        for c in places where leads[b][c].first == leads[a][b].first {
          // `first` and `neither` are transitive.
          if leads[a][c].first != leads[a][b].first { brokenTriples += 1 }
        }
      }
    }
    #expect(brokenTriples == 0)

    let order = Ordering.sorted(candidates).map(\.index)
    for (position, a) in order.enumerated() {
      for b in order[(position + 1)...] {
        #expect(leads[a][b].first == .first || leads[a][b].first == .neither && a < b)
      }
    }
  }

  @Test(arguments: 1...8)
  func `if everything is known, the comparison follows the rules of RFC 6724 one by one`(
    seed: UInt64
  ) {
    var random = SplitMix64(seed: seed)
    var seen: Set<OrderingRule> = []
    for _ in 0..<5_000 {
      let a = random.candidate(knowsAll: true)
      let b = random.candidate(knowsAll: true)
      let verdict = Ordering.compare(a, b)
      #expect(verdict == walkedRules(a, b))
      seen.insert(verdict.rule)
    }
    #expect(seen.count == 11, "each rule must decide at least one comparison")
  }

  // MARK: interleaving

  @Test(arguments: [
    ("", []), ("4", [0]), ("6", [0]), ("66", [0, 1]), ("64", [0, 1]), ("46", [0, 1]),
    ("446", [0, 2, 1]), ("664", [0, 2, 1]), ("66644", [0, 3, 1, 4, 2]), ("4666", [0, 1, 2, 3]),
    ("6444", [0, 1, 2, 3]), ("444466", [0, 4, 1, 5, 2, 3]), ("6464", [0, 1, 2, 3]),
    ("64466", [0, 1, 3, 2, 4]),
  ])
  func `families alternate, and each keeps its order`(families: String, order: [Int]) {
    #expect(Ordering.interleaved(families.map { $0 == "4" ? .inet : .inet6 }) == order)
  }

  @Test func `interleaving twice is the same as interleaving once`() {
    var random = SplitMix64(seed: 4)
    for _ in 0..<50 {
      let families = (0..<20).map { _ in random.below(3) == 0 ? Family.inet : .inet6 }
      let order = Ordering.interleaved(families)
      #expect(order.sorted() == Array(0..<20))
      let turned = order.map { families[$0] }
      #expect(Ordering.interleaved(turned) == Array(0..<20))
    }
  }
}

/// The rules of RFC 6724 section 6 in the order of the text, for candidates without unknown values.
private func walkedRules(
  _ a: OrderingCandidate, _ b: OrderingCandidate
) -> (first: Ordering.Leader, rule: OrderingRule) {
  func label(_ address: IPAddress) -> UInt8 { PolicyTable.rfc6724.policy(of: address).label }
  func matchesScope(_ c: OrderingCandidate) -> Bool {
    c.destination.addressScope == c.source!.addressScope
  }
  func prefer(_ rule: OrderingRule, _ a: Bool, _ b: Bool) -> (Ordering.Leader, OrderingRule)? {
    a == b ? nil : (a ? .first : .second, rule)
  }
  func prefer(_ rule: OrderingRule, less a: Int, _ b: Int) -> (Ordering.Leader, OrderingRule)? {
    a == b ? nil : (a < b ? .first : .second, rule)
  }

  if let decision = prefer(.avoidUnusable, a.isUsable, b.isUsable) { return decision }
  if let decision = prefer(.matchingScope, matchesScope(a), matchesScope(b)) { return decision }
  let isDeprecated = [a, b].map { $0.sourceFlags.contains(.deprecated) }
  if let decision = prefer(.avoidDeprecated, !isDeprecated[0], !isDeprecated[1]) { return decision }
  let isHome = [a, b].map { $0.sourceFlags.contains(.home) }
  if let decision = prefer(.homeAddress, isHome[0], isHome[1]) { return decision }
  let matchesLabel = [a, b].map { label($0.destination) == label($0.source!) }
  if let decision = prefer(.matchingLabel, matchesLabel[0], matchesLabel[1]) { return decision }
  let precedences = [a, b].map { Int(PolicyTable.rfc6724.policy(of: $0.destination).precedence) }
  if let decision = prefer(.higherPrecedence, less: -precedences[0], -precedences[1]) {
    return decision
  }
  if let decision = prefer(.nativeTransport, a.isNative, b.isNative) { return decision }
  let scopes = [a, b].map { Int($0.destination.addressScope.rawValue) }
  if let decision = prefer(.smallerScope, less: scopes[0], scopes[1]) { return decision }
  let times = [a, b].map { Int($0.roundTrip!.nanoseconds) }
  if let decision = prefer(.measured, less: times[0], times[1]) { return decision }
  if a.destination.unmapped.family == .inet6, b.destination.unmapped.family == .inet6 {
    let common = [a, b].map {
      $0.source!.unmapped.family == .inet6
        ? min($0.destination.commonPrefixLength(with: $0.source!), Int($0.sourcePrefixLength)) : 0
    }
    if let decision = prefer(.longestPrefix, less: -common[0], -common[1]) { return decision }
  }
  return (.neither, .unchanged)
}

extension SplitMix64 {
  /// A random candidate. Each value is one of few, so that early rules often tie and later ones decide. The
  /// source may be of another family than the destination: the order must hold for any input.
  fileprivate mutating func candidate(knowsAll: Bool = false) -> OrderingCandidate {
    let addresses: [IPAddress] = Self.addresses
    var candidate = OrderingCandidate(addresses[below(addresses.count)])
    let source = addresses[below(addresses.count)]
    if knowsAll || below(3) > 0 { candidate.source = source }
    candidate.isUsable = below(8) > 0
    candidate.sourcePrefixLength = [0, 32, 48, 64, 128][below(5)]
    if below(8) == 0 { candidate.sourceFlags.insert(.deprecated) }
    if below(8) == 0 { candidate.sourceFlags.insert(.home) }
    candidate.isNative = below(8) == 0
    if knowsAll || below(2) == 0 { candidate.roundTrip = .milliseconds(Int64(below(3))) }
    return candidate
  }

  private static let addresses: [IPAddress] = [
    "192.0.2.1", "192.0.2.130", "10.0.0.1", "127.0.0.1", "169.254.1.2", "::ffff:192.0.2.1",
    "2001:db8::1", "2001:db8::8000:1", "2001:db8:1::1", "2001:db8:1:2::1", "2400:1::1", "2600::1",
    "fe80::1", "fe80::2", "::1", "fd00::1", "fd00:1::1", "2002:c000:201::1", "2001::1",
    "fec0::1", "ff02::1", "ff05::1", "ff0e::1", "::2",
  ].map { ip($0) }
}
