import ConnectByListCore
import Testing

/// Sorting by the rules of RFC 6724, and interleaving the families.
@Suite struct OrderingSortTests {
  // MARK: sorting

  @Test func `nothing and one are sorted`() {
    #expect(Ordering.sorted([]).isEmpty)
    let one = Ordering.sorted([to("192.0.2.1")])
    #expect(one.map(\.index) == [0])
    #expect(one.map(\.rule) == [.unchanged])
  }

  @Test func `the position of each destination has the rule that put it there`() {
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

  @Test func `destinations that no rule tells apart keep their order among thousands`() {
    let precedences = ["2001:db8::1", "192.0.2.1", "fd00::1"]
    let candidates = (0..<10_000).map { to(precedences[$0 * 7 % 3]) }
    let order = Ordering.sorted(candidates)
    for (before, after) in zip(order, order.dropFirst()) where after.rule == .unchanged {
      #expect(before.index < after.index)
    }
    #expect(order.count { $0.rule == .higherPrecedence } == 2)
  }

  @Test func `ten thousand random destinations come out in order`() {
    var random = SplitMix(state: 10)
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
  func `comparing is a strict weak order, and sorting agrees with it`(seed: UInt64) {
    var random = SplitMix(state: seed)
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
          // First and first gives first; neither and neither gives neither.
          if leads[a][c].first != leads[a][b].first { brokenTriples += 1 }
        }
      }
    }
    #expect(brokenTriples == 0)

    let order = Ordering.sorted(candidates).map(\.index)
    for (place, a) in order.enumerated() {
      for b in order[(place + 1)...] {
        #expect(leads[a][b].first == .first || leads[a][b].first == .neither && a < b)
      }
    }
  }

  @Test(arguments: 1...8)
  func `with all known the keys say what the rules say, walked one by one`(seed: UInt64) {
    var random = SplitMix(state: seed)
    var seen: Set<OrderingRule> = []
    for _ in 0..<5_000 {
      let a = random.candidate(knowsAll: true)
      let b = random.candidate(knowsAll: true)
      let verdict = Ordering.compare(a, b)
      #expect(verdict == walkedRules(a, b))
      seen.insert(verdict.rule)
    }
    #expect(seen.count == 11, "every rule must have had its turn")
  }

  // MARK: families by turns

  @Test(arguments: [
    ("", []), ("4", [0]), ("6", [0]), ("66", [0, 1]), ("64", [0, 1]), ("46", [0, 1]),
    ("446", [0, 2, 1]), ("664", [0, 2, 1]), ("66644", [0, 3, 1, 4, 2]), ("4666", [0, 1, 2, 3]),
    ("6444", [0, 1, 2, 3]), ("444466", [0, 4, 1, 5, 2, 3]), ("6464", [0, 1, 2, 3]),
    ("64466", [0, 1, 3, 2, 4]),
  ])
  func `families take turns and keep their own order`(families: String, order: [Int]) {
    #expect(Ordering.interleaved(families.map { $0 == "4" ? .inet : .inet6 }) == order)
  }

  @Test func `interleaving what is interleaved changes nothing`() {
    var random = SplitMix(state: 4)
    for _ in 0..<50 {
      let families = (0..<20).map { _ in random.next(3) == 0 ? Family.inet : .inet6 }
      let order = Ordering.interleaved(families)
      #expect(order.sorted() == Array(0..<20))
      let turned = order.map { families[$0] }
      #expect(Ordering.interleaved(turned) == Array(0..<20))
    }
  }
}

/// RFC 6724 section 6 as it is written, for candidates of which everything is known.
private func walkedRules(
  _ a: OrderingCandidate, _ b: OrderingCandidate
) -> (first: Ordering.Leader, rule: OrderingRule) {
  func label(_ address: IPAddress) -> UInt8 { PolicyTable.policy(of: address).label }
  func matchesScope(_ c: OrderingCandidate) -> Bool {
    c.destination.addressScope == c.source!.addressScope
  }
  func prefer(_ rule: OrderingRule, _ a: Bool, _ b: Bool) -> (Ordering.Leader, OrderingRule)? {
    a == b ? nil : (a ? .first : .second, rule)
  }
  func prefer(_ rule: OrderingRule, less a: Int, _ b: Int) -> (Ordering.Leader, OrderingRule)? {
    a == b ? nil : (a < b ? .first : .second, rule)
  }

  if let told = prefer(.avoidUnusable, a.isUsable, b.isUsable) { return told }
  if let told = prefer(.matchingScope, matchesScope(a), matchesScope(b)) { return told }
  let isDeprecated = [a, b].map { $0.sourceFlags.contains(.deprecated) }
  if let told = prefer(.avoidDeprecated, !isDeprecated[0], !isDeprecated[1]) { return told }
  let isHome = [a, b].map { $0.sourceFlags.contains(.home) }
  if let told = prefer(.homeAddress, isHome[0], isHome[1]) { return told }
  let matchesLabel = [a, b].map { label($0.destination) == label($0.source!) }
  if let told = prefer(.matchingLabel, matchesLabel[0], matchesLabel[1]) { return told }
  let precedences = [a, b].map { Int(PolicyTable.policy(of: $0.destination).precedence) }
  if let told = prefer(.higherPrecedence, less: -precedences[0], -precedences[1]) { return told }
  if let told = prefer(.nativeTransport, a.isNative, b.isNative) { return told }
  let scopes = [a, b].map { Int($0.destination.addressScope.rawValue) }
  if let told = prefer(.smallerScope, less: scopes[0], scopes[1]) { return told }
  let times = [a, b].map { Int($0.roundTrip!.nanoseconds) }
  if let told = prefer(.measured, less: times[0], times[1]) { return told }
  if a.destination.unmapped.family == .inet6, b.destination.unmapped.family == .inet6 {
    let common = [a, b].map {
      $0.source!.unmapped.family == .inet6
        ? min($0.destination.commonPrefixLength(with: $0.source!), Int($0.sourcePrefixLength)) : 0
    }
    if let told = prefer(.longestPrefix, less: -common[0], -common[1]) { return told }
  }
  return (.neither, .unchanged)
}

/// The generator of Steele, Lea and Flood (2014): the same numbers from a seed on every machine.
private struct SplitMix {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }

  mutating func next(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// From few values each, so that early rules often tie and the late ones have their turn. Sources
  /// are of any family: the order must hold even for what no kernel would say.
  mutating func candidate(knowsAll: Bool = false) -> OrderingCandidate {
    let addresses: [IPAddress] = Self.addresses
    var candidate = OrderingCandidate(addresses[next(addresses.count)])
    let source = addresses[next(addresses.count)]
    if knowsAll || next(3) > 0 { candidate.source = source }
    candidate.isUsable = next(8) > 0
    candidate.sourcePrefixLength = [0, 32, 48, 64, 128][next(5)]
    if next(8) == 0 { candidate.sourceFlags.insert(.deprecated) }
    if next(8) == 0 { candidate.sourceFlags.insert(.home) }
    candidate.isNative = next(8) == 0
    if knowsAll || next(2) == 0 { candidate.roundTrip = .milliseconds(Int64(next(3))) }
    return candidate
  }

  private static let addresses: [IPAddress] = [
    "192.0.2.1", "192.0.2.130", "10.0.0.1", "127.0.0.1", "169.254.1.2", "::ffff:192.0.2.1",
    "2001:db8::1", "2001:db8::8000:1", "2001:db8:1::1", "2001:db8:1:2::1", "2400:1::1", "2600::1",
    "fe80::1", "fe80::2", "::1", "fd00::1", "fd00:1::1", "2002:c000:201::1", "2001::1",
    "fec0::1", "ff02::1", "ff05::1", "ff0e::1", "::2",
  ].map { ip($0) }
}
