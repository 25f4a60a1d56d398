@testable import ConnectByListCore
@testable import ConnectByListSimulation
import Testing

@testable import ConnectByListRaceWorlds

/// Races in random worlds, checked by code that implements the contract independently.
///
/// For more worlds: `swift run -c release ConnectByListCheckWorlds 1000000`.
@Suite struct RaceWorldsTests {
  @Test(arguments: 0..<8)
  func `a race in a random world violates no rule`(part: UInt64) {
    for seed in part * 500..<(part + 1) * 500 {
      if let counterexample = Worlds.counterexample(seed: seed) {
        let smallest = Worlds.shrunk(counterexample)
        let pathInformation = smallest.pathInformationWhenAsked ? "when asked" : "from the start"
        Issue.record(
          """
          seed \(seed), path information \(pathInformation): \(smallest.violation)
          \(String(decoding: smallest.scenario, as: UTF8.self))
          \(String(decoding: smallest.transcript, as: UTF8.self))
          """)
        return
      }
    }
  }

  @Test func `a seed always gives the same world, and a world the same transcript`() {
    for seed in UInt64(1)...200 {
      let (world, pathInformationWhenAsked) = WorldGenerator.world(seed: seed)
      let again = WorldGenerator.world(seed: seed)
      #expect(
        again.scenario.text == world.text
          && again.pathInformationWhenAsked == pathInformationWhenAsked)
      let transcript = Worlds.race(world, pathInformationWhenAsked: pathInformationWhenAsked).text
      #expect(
        Worlds.race(again.scenario, pathInformationWhenAsked: pathInformationWhenAsked).text
          == transcript)
    }
  }

  /// Each of these occurs in the first 600 worlds: the generator covers them.
  @Test func `the worlds have every kind of event, pace, order and end`() {
    var missing: Set<String> = [
      "start", "connected", "refused", "unreachable", "reset", "rejected", "timedout", "failed",
      "abandon", "resolved", "unresolved", "won", "lost", "cancelled", "pace 0", "pace 1",
      "pace 2", "pace 3", "order 0", "order 1", "order 2", "hedged", "given up", "tie",
    ]
    for seed in UInt64(1)...600 where !missing.isEmpty {
      let (world, pathInformationWhenAsked) = WorldGenerator.world(seed: seed)
      let transcript = Worlds.race(world, pathInformationWhenAsked: pathInformationWhenAsked)
      missing.remove("pace \(world.options.pace.rawValue)")
      missing.remove("order \(world.options.order.rawValue)")
      if transcript.race.attempts.contains(where: { $0.isHedge }) { missing.remove("hedged") }
      for (event, following) in zip(transcript.events, transcript.events.dropFirst()) {
        missing.remove("\(event.kind.word)")
        missing.remove("\(following.kind.word)")
        if event.kind == .abandon && following.kind == .start { missing.remove("given up") }
        if event.kind == .connected && following.kind == .connected { missing.remove("tie") }
      }
    }
    #expect(missing.isEmpty)
  }

  // MARK: defects that random worlds found

  @Test func `an address on two interfaces makes one pair`() throws {
    #expect(
      try race(
        """
        local 10.0.0.7/24
        local 10.0.0.7/32
        remote 192.0.2.1:80 refuses 10ms
        """) == """
          0.000 start 10.0.0.7 192.0.2.1:80
          10.000 refused 10.0.0.7 192.0.2.1:80
          10.000 lost ECONNREFUSED

          """)
  }

  /// At 250 ms a name's address joins, and an attempt times out, which makes the next start due at once. The
  /// path information for the new address then has the round trip of the newest attempt. The delay from it
  /// must not replace the start that is due.
  @Test func `path information at the instant of a failure does not delay the next start`() throws {
    #expect(
      try race(
        """
        remote 192.0.2.1:80 from 10.0.0.5 silent
        remote 192.0.2.2:80 from 10.0.0.5 silent
        name late.test ipv6 after 250ms 2001:db8::1 port 80
        rtt 10.0.0.5 192.0.2.2 40ms var 40ms
        neighbour 192.0.2.2 failed
        option attempt_timeout 250ms
        cancel 300ms
        """, pathInformationWhenAsked: true) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          150.000 start 10.0.0.5 192.0.2.2:80
          250.000 resolved late.test 1
          250.000 timedout 10.0.0.5 192.0.2.1:80
          250.000 start - [2001:db8::1]:80
          300.000 abandon 10.0.0.5 192.0.2.2:80
          300.000 abandon - [2001:db8::1]:80
          300.000 cancelled

          """)
  }

  /// At 140 ms a fourth remote joins, with path information. The delay under the deadline is then computed
  /// again from the time left, not as if there had been four remotes from the start: that would make the next
  /// start due 10 ms early.
  @Test func `path information for a joined remote does not make the next start early`() throws {
    let transcript = try race(
      """
      remote 192.0.2.1:80 silent
      remote 192.0.2.2:80 silent
      remote 192.0.2.3:80 silent
      name late.test ipv4 after 140ms 192.0.2.4 port 80
      option pace steady
      option attempt_delay 1s
      option timeout 550ms
      """)
    #expect(transcript.contains("140.000 resolved late.test 1\n150.000 start - 192.0.2.2:80\n"))
  }

  /// Defects of the checker: a second attempt has the rank of its pair, and a local address that is only the
  /// source of a late remote's route makes no pair before that remote joins.
  @Test(arguments: [
    """
    local 2001:db8::5/48
    local 2001:db8:0:1::6/128
    remote [2001:db8::2b]:80 answers 150ms
    pair 2001:db8::5 [2001:db8::2b]:80 lost 1 answers 150ms
    option hedge 20ms
    """,
    """
    remote 192.0.2.33:80 answers 50ms
    name late.test ipv4 after 30ms 198.51.100.28 port 80
    world 198.51.100.28 from 10.0.0.9 silent
    pair - 192.0.2.33:80 refuses 5ms
    option timeout 50ms
    option pace parallel
    """,
  ])
  func `the checker accepts a correct race`(text: String) throws {
    let scenario = try Scenario(parsing: [UInt8](text.utf8))
    let record = RaceRecord(
      Worlds.race(scenario, pathInformationWhenAsked: true), pathInformationWhenAsked: true)
    #expect(RaceChecker.violations(in: record).isEmpty)
  }

  private func race(_ text: String, pathInformationWhenAsked: Bool = false) throws -> String {
    let scenario = try Scenario(parsing: [UInt8](text.utf8))
    return String(
      decoding: Worlds.race(scenario, pathInformationWhenAsked: pathInformationWhenAsked).text,
      as: UTF8.self)
  }
}
