import ConnectByListCore
import Testing

/// The sources of the vectors: RFC 6724 sections 2.1, 2.2, 3 and 10.2, and the tests of Go's net
/// package (addrselect_test.go).
@Suite struct OrderingTests {
  // MARK: published orders

  /// Two destinations in the expected order, with their sources, and the rule that puts the second after the
  /// first.
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
  func `the examples of RFC 6724 section 10.2 are sorted as printed, from both input orders`(
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

  @Test
  func
    `many IPv4 addresses from one source keep the given order, since rule 9 does not apply to IPv4`()
  {
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

  @Test func `a shorter measured round trip takes precedence over the longest prefix`() {
    let better = to("2001:db8:1::1", from: "2001:db8:2::9") { $0.roundTrip = .microseconds(200) }
    let worse = to("2001:db8:2::1", from: "2001:db8:2::9") { $0.roundTrip = .milliseconds(30) }
    expect(better, before: worse, by: .measured)
  }

  @Test
  func `a measured destination goes before one that is not measured, however long its round trip`()
  {
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

  @Test func `rule 9 counts only bits within the source's prefix`() {
    let a = to("2001:db8:1:2::1", from: "2001:db8:1:2::9") { $0.sourcePrefixLength = 48 }
    let b = to("2001:db8:1:3::1", from: "2001:db8:1:2::9") { $0.sourcePrefixLength = 48 }
    #expect(Ordering.compare(a, b) == (.neither, .unchanged))
  }

  @Test func `rule 10 keeps the given order`() {
    let a = to("192.0.2.1", from: "10.0.0.9")
    let b = to("192.0.2.2", from: "10.0.0.9")
    #expect(Ordering.compare(a, b) == (.neither, .unchanged))
    #expect(Ordering.sorted([a, b]).map(\.index) == [0, 1])
    #expect(Ordering.sorted([b, a]).map(\.index) == [0, 1])
  }

  @Test func `the text of each rule begins with its number`() {
    for number: UInt8 in 1...10 {
      let words = OrderingRule(rawValue: number)!.words.description
      #expect(words.hasPrefix("rule \(number): "))
    }
    #expect(OrderingRule.measured.words.description == "measured: a shorter round trip goes first")
    #expect(
      OrderingRule.avoidDeprecated.words.description == "rule 3: a deprecated source goes last")
  }

  // MARK: unknown values

  @Test func `with unknown sources the rules about destinations apply`() {
    expect(to("2001:db8::1"), before: to("192.0.2.1"), by: .higherPrecedence)
    expect(to("fe80::1"), before: to("2001:db8::1"), by: .smallerScope)
    #expect(Ordering.compare(to("2001:db8::1"), to("2001:db8:1::1")) == (.neither, .unchanged))
  }

  @Test func `flags and prefix of an unknown source are ignored`() {
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

  /// If rule 2 were skipped for x, its precedence would put x between y and z, and the order would be cyclic.
  @Test func `three candidates, one with an unknown source, have one order`() {
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
}
