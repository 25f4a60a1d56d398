@testable import ConnectByListCore
@testable import ConnectByListSimulation
import Testing

@testable import ConnectByListRaceWorlds

/// Random worlds, each raced in and judged by a checker that knows the contract and not the race.
///
/// More of them: `swift run -c release ConnectByListCheckWorlds 1000000`.
@Suite struct RaceWorldsTests {
  @Test(arguments: 0..<8)
  func `a race in a random world has every property`(part: UInt64) {
    for seed in part * 500..<(part + 1) * 500 {
      if let counterexample = Worlds.counterexample(seed: seed) {
        let smallest = Worlds.shrunk(counterexample)
        let facts = smallest.pathInformationWhenAsked ? "when asked" : "from the start"
        Issue.record(
          """
          seed \(seed), facts \(facts): \(smallest.violation)
          \(String(decoding: smallest.scenario, as: UTF8.self))
          \(String(decoding: smallest.transcript, as: UTF8.self))
          """)
        return
      }
    }
  }

  @Test func `a seed has its world, and a world its transcript`() {
    for seed in UInt64(1)...200 {
      let (world, pathInformationWhenAsked) = WorldGenerator.world(seed: seed)
      let again = WorldGenerator.world(seed: seed)
      #expect(again.scenario.text == world.text && again.pathInformationWhenAsked == pathInformationWhenAsked)
      let transcript = Worlds.race(world, pathInformationWhenAsked: pathInformationWhenAsked).text
      #expect(Worlds.race(again.scenario, pathInformationWhenAsked: pathInformationWhenAsked).text == transcript)
    }
  }

  /// The worlds would prove nothing if they were all alike: each of these turns up among a few
  /// hundred.
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

  // MARK: what random worlds found

  @Test func `an address of two interfaces makes one pair`() throws {
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

  /// The second remote's answer to a name came, facts were gathered for it, and the evidence on the
  /// newest attempt put off the start that a timeout of the same instant had made due: by chance
  /// its silence would have been over in that very nanosecond.
  @Test func `facts that come with a failure do not put off the next start`() throws {
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

  /// A remote joined, and facts came for it. The share of the time left was then told as if all
  /// four had been there from the start, which made the next start due at once, 10 ms before it
  /// was.
  @Test func `facts that come with a remote leave the next start where the deadline has it`() throws
  {
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

  /// What the checker itself had wrong: a second socket has the rank of its pair, and a local
  /// address that only a late remote's route tells of makes no pair before.
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
  func `a race that is right is not complained about`(text: String) throws {
    let scenario = try Scenario(parsing: [UInt8](text.utf8))
    let record = RaceRecord(
      Worlds.race(scenario, pathInformationWhenAsked: true), pathInformationWhenAsked: true)
    #expect(RaceChecker.violations(in: record).isEmpty)
  }

  private func race(_ text: String, pathInformationWhenAsked: Bool = false) throws -> String {
    let scenario = try Scenario(parsing: [UInt8](text.utf8))
    return String(
      decoding: Worlds.race(scenario, pathInformationWhenAsked: pathInformationWhenAsked).text, as: UTF8.self)
  }
}
