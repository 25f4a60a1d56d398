import ConnectByListCore
import Glibc
import Testing

/// The sources of the vectors: RFC 6724 sections 2.1, 2.2, 3 and 10.2, and the tests of Go's net
/// package (addrselect_test.go).
@Suite struct OrderingTests {
  // MARK: scope, policy, common prefix

  @Test(arguments: [
    ("127.0.0.1", AddressScope.linkLocal), ("::1", .linkLocal), ("169.254.1.2", .linkLocal),
    ("fe80::1", .linkLocal), ("febf::1", .linkLocal), ("::ffff:127.0.0.1", .linkLocal),
    ("::ffff:169.254.1.2", .linkLocal), ("ff02::", .linkLocal), ("ff01::1", .interfaceLocal),
    ("ff04::1", .adminLocal), ("ff05::", .siteLocal), ("fec0::1", .siteLocal),
    ("feff::1", .siteLocal), ("ff08::1", .organizationLocal), ("ff0e::", .global),
    ("ff3e::8000:1", .global), ("8.8.8.8", .global), ("10.1.2.3", .global),
    ("169.255.0.1", .global), ("224.0.0.251", .global), ("::ffff:192.0.2.1", .global),
    ("2001:db8::1", .global), ("fc00::1", .global), ("ff00::1", AddressScope(rawValue: 0)),
    ("ff0f::1", AddressScope(rawValue: 15)), ("ff7d::1", AddressScope(rawValue: 13)),
  ])
  func `an address has the scope of RFC 6724 section 3`(address: String, scope: AddressScope) {
    #expect(ip(address).addressScope == scope)
  }

  @Test(arguments: [
    ("127.0.0.1", 35, 4), ("2601:645:8002:a500:986f:1db8:c836:bd65", 40, 1), ("::1", 50, 0),
    ("2002::ab12", 30, 2), ("::ffff:192.0.2.1", 35, 4), ("::2", 1, 3), ("::192.0.2.1", 1, 3),
    ("::1:0:0:1", 40, 1), ("2001::1", 5, 5), ("2001:1::1", 40, 1), ("3ffe::1", 1, 12),
    ("fc00::1", 3, 13), ("fdff::1", 3, 13), ("fec0::1", 1, 11), ("feff::1", 1, 11),
    ("fe80::1", 40, 1), ("ff02::1", 40, 1),
  ])
  func `the policy of an address is that of the longest prefix it is under`(
    address: String, precedence: Int, label: Int
  ) {
    let policy = PolicyTable.policy(of: ip(address))
    #expect(Int(policy.precedence) == precedence)
    #expect(Int(policy.label) == label)
  }

  @Test func `the policy table begins with the longest prefix and ends with every address`() {
    let lengths = PolicyTable.rows.map(\.length)
    #expect(lengths == lengths.sorted(by: >))
    #expect(lengths.last == 0)
  }

  @Test func `no IPv6 address has the precedence of IPv4, so that rule 9 meets one family only`() {
    let ofIPv4 = PolicyTable.rows.filter { $0.precedence == 35 }
    #expect(ofIPv4.map(\.prefix) == [ip("::ffff:0.0.0.0")])
  }

  @Test(arguments: [
    ("fe80::2", "fe80::1", 64, 64), ("fe80::2", "fe81::1", 64, 15),
    ("fe80::2", "fe80::1", 128, 126),
    ("2001:db8::5", "2001:db8::5", 128, 128), ("2001:db8::5", "2001:db8::5", 255, 128),
    ("2001:db8::5", "2001:db8:ffff::5", 48, 32), ("2001:db8::5", "2001:db8::6", 0, 0),
    ("10.1.2.4", "10.1.2.3", 24, 0), ("10.1.2.4", "::ffff:10.1.2.3", 24, 0),
    ("::ffff:10.1.2.4", "::ffff:10.1.2.3", 120, 0),
  ])
  func `the common prefix ends at the source's prefix, and IPv4 has none`(
    source: String, destination: String, length: UInt8, common: UInt8
  ) {
    let candidate = to(destination, from: source) { $0.sourcePrefixLength = length }
    #expect(candidate.commonPrefixLength == common)
  }

  @Test func `an unknown source has no prefix in common with any destination`() {
    #expect(to("2001:db8::1").commonPrefixLength == 0)
  }

  // MARK: published orders

  /// The expected order, each destination with its source and the rule that puts it after the one
  /// before.
  struct Example: Sendable, CustomTestStringConvertible {
    let name: String
    let order: [(destination: String, source: String, flags: LocalAddress.Flags)]
    let rule: OrderingRule
    var testDescription: String { name }

    init(
      _ name: String, _ first: (String, String), _ second: (String, String), _ rule: OrderingRule,
      flags: (LocalAddress.Flags, LocalAddress.Flags) = ([], [])
    ) {
      self.name = name
      order = [(first.0, first.1, flags.0), (second.0, second.1, flags.1)]
      self.rule = rule
    }
  }

  @Test(arguments: [
    Example(
      "matching scope: IPv4 has only an autoconfigured source",
      ("2001:db8:1::1", "2001:db8:1::2"), ("198.51.100.121", "169.254.13.78"), .matchingScope),
    Example(
      "matching scope: IPv6 has only a link-local source",
      ("198.51.100.121", "198.51.100.117"), ("2001:db8:1::1", "fe80::1"), .matchingScope),
    Example(
      "higher precedence: IPv6 before IPv4",
      ("2001:db8:1::1", "2001:db8:1::2"), ("10.1.2.3", "10.1.2.4"), .higherPrecedence),
    Example(
      "smaller scope",
      ("fe80::1", "fe80::2"), ("2001:db8:1::1", "2001:db8:1::2"), .smallerScope),
    Example(
      "home address",
      ("2001:db8:1::1", "2001:db8:3::1"), ("fe80::1", "fe80::2"), .homeAddress,
      flags: (.home, [])),
    Example(
      "avoid deprecated",
      ("2001:db8:1::1", "2001:db8:1::2"), ("fe80::1", "fe80::2"), .avoidDeprecated,
      flags: ([], .deprecated)),
    Example(
      "longest prefix",
      ("2001:db8:1::1", "2001:db8:1::2"), ("2001:db8:3ffe::1", "2001:db8:3f44::2"), .longestPrefix),
    Example(
      "matching label: 6to4 with 6to4",
      ("2002:c633:6401::1", "2002:c633:6401::2"), ("2001:db8:1::1", "2002:c633:6401::2"),
      .matchingLabel),
    Example(
      "higher precedence: native before 6to4",
      ("2001:db8:1::1", "2001:db8:1::2"), ("2002:c633:6401::1", "2002:c633:6401::2"),
      .higherPrecedence),
  ])
  func `the examples of RFC 6724 section 10.2 come out as printed, from both input orders`(
    example: Example
  ) {
    let candidates = example.order.map { row in
      to(row.destination, from: row.source) { $0.sourceFlags = row.flags }
    }
    for input in [candidates, candidates.reversed()] {
      let order = Ordering.sorted(input)
      #expect(order.map { input[$0.index].destination } == candidates.map(\.destination))
      #expect(order.map(\.rule) == [.unchanged, example.rule])
    }
  }

  @Test func `many IPv4 addresses from one source stay as given, since rule 9 is not for IPv4`() {
    let candidates = [
      "54.83.193.112", "184.72.238.214", "23.23.172.185", "75.101.148.21", "23.23.134.56",
      "23.21.50.150",
    ].map { to($0, from: "10.2.3.4") }
    #expect(Ordering.sorted(candidates).map(\.index) == [0, 1, 2, 3, 4, 5])
    #expect(Ordering.sorted(candidates).allSatisfy { $0.rule == .unchanged })
  }

  // MARK: each rule alone

  @Test func `rule 1 puts a destination without a route last`() {
    let better = to("192.0.2.1", from: "192.0.2.9")
    let worse = to("2001:db8::1") { $0.isUsable = false }
    expect(better, before: worse, by: .avoidUnusable)
  }

  @Test func `two destinations without a route are ordered by the rules that follow`() {
    let better = to("2001:db8::1") { $0.isUsable = false }
    let worse = to("192.0.2.1") { $0.isUsable = false }
    expect(better, before: worse, by: .higherPrecedence)
  }

  @Test func `rule 2 prefers a source of the destination's scope`() {
    let better = to("192.0.2.1", from: "192.0.2.9")
    let worse = to("2001:db8::1", from: "fe80::9")
    expect(better, before: worse, by: .matchingScope)
  }

  @Test func `rule 3 avoids a deprecated source`() {
    let better = to("192.0.2.1", from: "192.0.2.9")
    let worse = to("2001:db8::1", from: "2001:db8::9") { $0.sourceFlags = .deprecated }
    expect(better, before: worse, by: .avoidDeprecated)
  }

  @Test func `rule 4 prefers a home address`() {
    let better = to("192.0.2.1", from: "192.0.2.9") { $0.sourceFlags = [.home, .temporary] }
    let worse = to("2001:db8::1", from: "2001:db8::9") { $0.sourceFlags = .temporary }
    expect(better, before: worse, by: .homeAddress)
  }

  @Test func `rule 5 prefers a source of the destination's label`() {
    let better = to("192.0.2.1", from: "192.0.2.9")
    let worse = to("2001:db8::1", from: "2002:c000:201::9")
    expect(better, before: worse, by: .matchingLabel)
  }

  @Test func `rule 6 prefers the higher precedence`() {
    let better = to("2001:db8::1", from: "2001:db8::9")
    let worse = to("fd00::1", from: "fd00::9") { $0.isNative = true }
    expect(better, before: worse, by: .higherPrecedence)
  }

  @Test func `a v4-mapped destination has IPv4's precedence`() {
    let better = to("2002:c000:201::1", from: "2002:c000:201::9")
    let mapped = to("::ffff:192.0.2.1", from: "::ffff:192.0.2.9")
    expect(mapped, before: better, by: .higherPrecedence)
    #expect(Ordering.compare(mapped, to("192.0.2.7", from: "192.0.2.9")).rule == .unchanged)
  }

  @Test func `rule 7 prefers native transport`() {
    let better = to("2001:db8::1", from: "2001:db8:5::9") { $0.isNative = true }
    let worse = to("fe80::1", from: "fe80::9")
    expect(better, before: worse, by: .nativeTransport)
  }

  @Test func `rule 8 prefers the smaller scope`() {
    let better = to("fe80::1", from: "fe80:0:0:8000::9")
    let worse = to("2001:db8::1", from: "2001:db8::9") { $0.roundTrip = .milliseconds(1) }
    expect(better, before: worse, by: .smallerScope)
  }

  @Test func `evidence of a shorter round trip goes before the longest prefix`() {
    let better = to("2001:db8:1::1", from: "2001:db8:2::9") { $0.roundTrip = .microseconds(200) }
    let worse = to("2001:db8:2::1", from: "2001:db8:2::9") { $0.roundTrip = .milliseconds(30) }
    expect(better, before: worse, by: .measured)
  }

  @Test func `a measured destination goes before one that is not, whatever its round trip`() {
    let better = to("192.0.2.1", from: "10.0.0.9") { $0.roundTrip = .seconds(20) }
    expect(better, before: to("192.0.2.2", from: "10.0.0.9"), by: .measured)
    let never = to("192.0.2.3", from: "10.0.0.9") { $0.roundTrip = .forever }
    expect(better, before: never, by: .measured)
    #expect(Ordering.compare(never, to("192.0.2.2", from: "10.0.0.9")).rule == .unchanged)
  }

  @Test func `a round trip below zero counts as zero`() {
    let below = to("192.0.2.1") { $0.roundTrip = TimeSpan(nanoseconds: .min) }
    let zero = to("192.0.2.2") { $0.roundTrip = .zero }
    #expect(Ordering.compare(below, zero).rule == .unchanged)
    expect(below, before: to("192.0.2.3") { $0.roundTrip = .microseconds(1) }, by: .measured)
  }

  @Test func `rule 9 prefers the longer prefix in common with the source`() {
    let better = to("2001:db8:1::1", from: "2001:db8:1::9")
    let worse = to("2001:db8:2::1", from: "2001:db8:1::9")
    expect(better, before: worse, by: .longestPrefix)
  }

  @Test func `rule 9 counts no bits beyond the source's prefix`() {
    let a = to("2001:db8:1:2::1", from: "2001:db8:1:2::9") { $0.sourcePrefixLength = 48 }
    let b = to("2001:db8:1:3::1", from: "2001:db8:1:2::9") { $0.sourcePrefixLength = 48 }
    #expect(Ordering.compare(a, b) == (.neither, .unchanged))
  }

  @Test func `rule 10 leaves the rest as given`() {
    let a = to("192.0.2.1", from: "10.0.0.9")
    let b = to("192.0.2.2", from: "10.0.0.9")
    #expect(Ordering.compare(a, b) == (.neither, .unchanged))
    #expect(Ordering.sorted([a, b]).map(\.index) == [0, 1])
    #expect(Ordering.sorted([b, a]).map(\.index) == [0, 1])
  }

  @Test func `each rule says its number in words`() {
    for number: UInt8 in 1...10 {
      let words = OrderingRule(rawValue: number)!.words.description
      #expect(words.hasPrefix("rule \(number): "))
    }
    #expect(OrderingRule.measured.words.description == "measured: a shorter round trip goes first")
    #expect(
      OrderingRule.avoidDeprecated.words.description == "rule 3: a deprecated source goes last")
  }

  // MARK: what is not known

  @Test func `unknown sources leave the rules that look at the destination alone`() {
    expect(to("2001:db8::1"), before: to("192.0.2.1"), by: .higherPrecedence)
    expect(to("fe80::1"), before: to("2001:db8::1"), by: .smallerScope)
    #expect(Ordering.compare(to("2001:db8::1"), to("2001:db8:1::1")) == (.neither, .unchanged))
  }

  @Test func `flags and prefix without a source are not looked at`() {
    let a = to("192.0.2.1") {
      $0.sourceFlags = [.deprecated, .home]
      $0.sourcePrefixLength = 24
    }
    #expect(Ordering.compare(a, to("192.0.2.2")) == (.neither, .unchanged))
  }

  @Test func `an unknown source is neither better nor worse than an ordinary one`() {
    let known = to("192.0.2.1", from: "192.0.2.9")
    #expect(Ordering.compare(known, to("192.0.2.2")) == (.neither, .unchanged))
    expect(to("2001:db8::1"), before: known, by: .higherPrecedence)
  }

  @Test func `an unknown source goes before one that is known to be worse`() {
    let unknown = to("192.0.2.1")
    expect(unknown, before: to("2001:db8::1", from: "fe80::9"), by: .matchingScope)
    expect(
      unknown,
      before: to("2001:db8::1", from: "2001:db8::9") { $0.sourceFlags = .deprecated },
      by: .avoidDeprecated)
    expect(unknown, before: to("2001:db8::1", from: "2002::9"), by: .matchingLabel)
  }

  @Test func `an unknown source goes after one that is known to be better`() {
    let home = to("192.0.2.1", from: "192.0.2.9") { $0.sourceFlags = .home }
    expect(home, before: to("2001:db8::1"), by: .homeAddress)
    let near = to("2001:db8::1", from: "2001:db8::9")
    expect(near, before: to("2001:db8::2"), by: .longestPrefix)
  }

  /// X would stand between Y and Z by precedence, were rule 2 just skipped for it.
  @Test func `three candidates of which one has no known source do not form a circle`() {
    let y = to("2001:db8::1", from: "fe80::9")
    let x = to("192.0.2.1")
    let z = to("2002:c000:201::1", from: "2002:c000:201::9")
    let inputs = [[x, y, z], [x, z, y], [y, x, z], [y, z, x], [z, x, y], [z, y, x]]
    for input in inputs {
      let order = Ordering.sorted(input)
      #expect(order.map { input[$0.index].destination } == [x, z, y].map(\.destination))
      #expect(order.map(\.rule) == [.unchanged, .higherPrecedence, .matchingScope])
    }
  }

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

// MARK: helpers

private func ip(_ text: String) -> IPAddress {
  var bytes = [UInt8](repeating: 0, count: 16)
  if inet_pton(AF_INET6, text, &bytes) == 1 {
    let halves = [bytes[..<8], bytes[8...]].map { $0.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } }
    return IPAddress(high: halves[0], low: halves[1])
  }
  precondition(inet_pton(AF_INET, text, &bytes) == 1, "not an address: \(text)")
  return IPAddress(v4: bytes[..<4].reduce(0) { $0 << 8 | UInt32($1) })
}

private func to(
  _ destination: String, from source: String? = nil,
  _ change: (inout OrderingCandidate) -> Void = { _ in }
) -> OrderingCandidate {
  var candidate = OrderingCandidate(ip(destination), source: source.map(ip))
  change(&candidate)
  return candidate
}

/// Compares both ways round.
private func expect(
  _ better: OrderingCandidate, before worse: OrderingCandidate, by rule: OrderingRule,
  at location: SourceLocation = #_sourceLocation
) {
  #expect(Ordering.compare(better, worse) == (.first, rule), sourceLocation: location)
  #expect(Ordering.compare(worse, better) == (.second, rule), sourceLocation: location)
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
