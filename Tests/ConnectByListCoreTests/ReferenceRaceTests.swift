import ConnectByListSimulation
import Testing

@testable import ConnectByListRaceWorlds

/// The reference race against transcripts that were worked out by hand from the contract. The race of the
/// library is compared with the reference race elsewhere, so these check both.
@Suite struct ReferenceRaceTests {
  private func expect(
    _ scenario: String, gives transcript: String, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let expected = try #require(
      Worlds.expected(Array(scenario.utf8)), "not a scenario", sourceLocation: sourceLocation)
    #expect(expected == transcript + "\n", sourceLocation: sourceLocation)
  }

  @Test func `the example of section 8`() throws {
    try expect(
      """
      local 10.0.0.5/24
      remote 192.0.2.1:80 from 10.0.0.5 answers 280ms
      remote 192.0.2.2:80 from 10.0.0.5 silent
      option attempt_delay 250ms
      """,
      gives: """
        0.000 start 10.0.0.5 192.0.2.1:80
        250.000 start 10.0.0.5 192.0.2.2:80
        280.000 connected 10.0.0.5 192.0.2.1:80
        280.000 abandon 10.0.0.5 192.0.2.2:80
        280.000 won 10.0.0.5 192.0.2.1:80
        """)
  }

  @Test func `neighbours in a LAN are given 30 ms, halved to minimum_delay`() throws {
    try expect(
      """
      local 10.0.0.5/24 broadcast
      option order given
      remote 10.0.0.21:80 silent
      remote 10.0.0.22:80 silent
      remote 10.0.0.23:80 silent
      remote 10.0.0.24:80 answers 1ms
      """,
      gives: """
        0.000 start 10.0.0.5 10.0.0.21:80
        30.000 start 10.0.0.5 10.0.0.22:80
        45.000 start 10.0.0.5 10.0.0.23:80
        55.000 start 10.0.0.5 10.0.0.24:80
        56.000 connected 10.0.0.5 10.0.0.24:80
        56.000 abandon 10.0.0.5 10.0.0.21:80
        56.000 abandon 10.0.0.5 10.0.0.22:80
        56.000 abandon 10.0.0.5 10.0.0.23:80
        56.000 won 10.0.0.5 10.0.0.24:80
        """)
  }

  @Test func `five round trips of others in the network pace an unknown pair`() throws {
    let population = (31...35).map { "rtt 10.0.0.5 10.0.0.\($0) 40ms var 10ms\n" }.joined()
    try expect(
      population + """
        local 10.0.0.5/24 broadcast
        remote 10.0.0.21:80 silent
        remote 10.0.0.22:80 answers 1ms
        """,
      gives: """
        0.000 start 10.0.0.5 10.0.0.21:80
        40.000 start 10.0.0.5 10.0.0.22:80
        41.000 connected 10.0.0.5 10.0.0.22:80
        41.000 abandon 10.0.0.5 10.0.0.21:80
        41.000 won 10.0.0.5 10.0.0.22:80
        """)
  }

  @Test func `the source that worked is the first, and paces by its own round trip`() throws {
    try expect(
      """
      local 10.0.0.5/24
      local 10.0.0.6/24
      remote 192.0.2.1:80 from 10.0.0.5 silent
      remote 192.0.2.2:80 from 10.0.0.5 answers 5ms
      seen 10.0.0.6 192.0.2.1:80 connected 20ms 10s ago
      rtt 10.0.0.5 192.0.2.1 1ms var 0ms
      """,
      gives: """
        0.000 start 10.0.0.6 192.0.2.1:80
        60.000 start 10.0.0.5 192.0.2.2:80
        65.000 connected 10.0.0.5 192.0.2.2:80
        65.000 abandon 10.0.0.6 192.0.2.1:80
        65.000 won 10.0.0.5 192.0.2.2:80
        """)
  }

  @Test func `refusals widen, and refused remotes' alternates start together`() throws {
    // After the second refusal in a row two start. After the last only alternates of refused remotes are left.
    try expect(
      """
      local 10.0.0.5/24
      local 10.0.0.6/24
      local 10.0.0.7/24
      remote 192.0.2.1:80 from 10.0.0.5 refuses 30ms
      remote 192.0.2.2:80 from 10.0.0.5 refuses 30ms
      remote 192.0.2.3:80 from 10.0.0.5 refuses 30ms
      remote 192.0.2.4:80 from 10.0.0.5 refuses 30ms
      pair 10.0.0.7 192.0.2.3:80 answers 30ms
      """,
      gives: """
        0.000 start 10.0.0.5 192.0.2.1:80
        30.000 refused 10.0.0.5 192.0.2.1:80
        30.000 start 10.0.0.5 192.0.2.2:80
        60.000 refused 10.0.0.5 192.0.2.2:80
        60.000 start 10.0.0.5 192.0.2.3:80
        60.000 start 10.0.0.5 192.0.2.4:80
        90.000 refused 10.0.0.5 192.0.2.3:80
        90.000 refused 10.0.0.5 192.0.2.4:80
        90.000 start 10.0.0.6 192.0.2.1:80
        90.000 start 10.0.0.7 192.0.2.1:80
        90.000 start 10.0.0.6 192.0.2.2:80
        90.000 start 10.0.0.7 192.0.2.2:80
        90.000 start 10.0.0.6 192.0.2.3:80
        90.000 start 10.0.0.7 192.0.2.3:80
        90.000 start 10.0.0.6 192.0.2.4:80
        90.000 start 10.0.0.7 192.0.2.4:80
        120.000 refused 10.0.0.6 192.0.2.1:80
        120.000 refused 10.0.0.7 192.0.2.1:80
        120.000 refused 10.0.0.6 192.0.2.2:80
        120.000 refused 10.0.0.7 192.0.2.2:80
        120.000 refused 10.0.0.6 192.0.2.3:80
        120.000 connected 10.0.0.7 192.0.2.3:80
        120.000 refused 10.0.0.6 192.0.2.4:80
        120.000 refused 10.0.0.7 192.0.2.4:80
        120.000 won 10.0.0.7 192.0.2.3:80
        """)
  }

  @Test func `two failures in a row start two`() throws {
    try expect(
      """
      local 10.0.0.5/24
      option order given
      remote 192.0.2.1:80 refuses 10ms
      remote 192.0.2.2:80 refuses 10ms
      remote 192.0.2.3:80 silent
      remote 192.0.2.4:80 answers 300ms
      remote 192.0.2.5:80 answers 20ms
      """,
      gives: """
        0.000 start 10.0.0.5 192.0.2.1:80
        10.000 refused 10.0.0.5 192.0.2.1:80
        10.000 start 10.0.0.5 192.0.2.2:80
        20.000 refused 10.0.0.5 192.0.2.2:80
        20.000 start 10.0.0.5 192.0.2.3:80
        20.000 start 10.0.0.5 192.0.2.4:80
        95.000 start 10.0.0.5 192.0.2.5:80
        115.000 connected 10.0.0.5 192.0.2.5:80
        115.000 abandon 10.0.0.5 192.0.2.3:80
        115.000 abandon 10.0.0.5 192.0.2.4:80
        115.000 won 10.0.0.5 192.0.2.5:80
        """)
  }

  @Test func `an alternate source waits twice the base`() throws {
    try expect(
      """
      local 10.0.0.5/24
      local 10.0.0.6/24
      remote 192.0.2.1:80 from 10.0.0.5 silent
      pair 10.0.0.6 192.0.2.1:80 answers 20ms
      """,
      gives: """
        0.000 start 10.0.0.5 192.0.2.1:80
        300.000 start 10.0.0.6 192.0.2.1:80
        320.000 connected 10.0.0.6 192.0.2.1:80
        320.000 abandon 10.0.0.5 192.0.2.1:80
        320.000 won 10.0.0.6 192.0.2.1:80
        """)
  }

  @Test func `after three silent remotes another source is tried`() throws {
    // Each silence says less about its remote: the third's alternate is the likeliest.
    try expect(
      """
      local 10.0.0.5/24
      local 10.0.0.6/24
      option pace steady
      option order given
      remote 192.0.2.1:80 from 10.0.0.5 silent
      remote 192.0.2.2:80 from 10.0.0.5 silent
      remote 192.0.2.3:80 from 10.0.0.5 silent
      remote 192.0.2.4:80 from 10.0.0.5 silent
      remote 192.0.2.5:80 from 10.0.0.5 answers 1ms
      """,
      gives: """
        0.000 start 10.0.0.5 192.0.2.1:80
        150.000 start 10.0.0.5 192.0.2.2:80
        300.000 start 10.0.0.5 192.0.2.3:80
        450.000 start 10.0.0.6 192.0.2.3:80
        600.000 start 10.0.0.5 192.0.2.4:80
        750.000 start 10.0.0.5 192.0.2.5:80
        751.000 connected 10.0.0.5 192.0.2.5:80
        751.000 abandon 10.0.0.5 192.0.2.1:80
        751.000 abandon 10.0.0.5 192.0.2.2:80
        751.000 abandon 10.0.0.5 192.0.2.3:80
        751.000 abandon 10.0.0.6 192.0.2.3:80
        751.000 abandon 10.0.0.5 192.0.2.4:80
        751.000 won 10.0.0.5 192.0.2.5:80
        """)
  }

  @Test func `a deadline compresses first pairs, and alternates after them`() throws {
    // left = 200 ms of 400; two remotes are untried, four alternates left: (200 − 20) / 1 at the first
    // start, for the second there is none.
    try expect(
      """
      local 10.0.0.5/24
      local 10.0.0.6/24
      option timeout 400ms
      option attempt_delay 1s
      remote 192.0.2.1:80 from 10.0.0.5 silent
      remote 192.0.2.2:80 from 10.0.0.5 silent
      """,
      gives: """
        0.000 start 10.0.0.5 192.0.2.1:80
        180.000 start 10.0.0.5 192.0.2.2:80
        190.000 start 10.0.0.6 192.0.2.1:80
        200.000 start 10.0.0.6 192.0.2.2:80
        400.000 timedout 10.0.0.5 192.0.2.1:80
        400.000 timedout 10.0.0.5 192.0.2.2:80
        400.000 timedout 10.0.0.6 192.0.2.1:80
        400.000 timedout 10.0.0.6 192.0.2.2:80
        400.000 lost ETIMEDOUT
        """)
  }

  @Test func `a shortage of descriptors is a cap, and the next waits for a failure`() throws {
    try expect(
      """
      local 10.0.0.5/24
      option order given
      descriptors 2
      remote 192.0.2.1:80 refuses 400ms
      remote 192.0.2.2:80 silent
      remote 192.0.2.3:80 answers 5ms
      """,
      gives: """
        0.000 start 10.0.0.5 192.0.2.1:80
        150.000 start 10.0.0.5 192.0.2.2:80
        400.000 refused 10.0.0.5 192.0.2.1:80
        400.000 start 10.0.0.5 192.0.2.3:80
        405.000 connected 10.0.0.5 192.0.2.3:80
        405.000 abandon 10.0.0.5 192.0.2.2:80
        405.000 won 10.0.0.5 192.0.2.3:80
        """)
  }

  @Test func `a lost SYN is sent again after 1, 2, 3, 4, 5 and 7 s`() throws {
    try expect(
      """
      local 10.0.0.5/24
      remote 192.0.2.1:80 lost 6 answers 20ms
      """,
      gives: """
        0.000 start 10.0.0.5 192.0.2.1:80
        7020.000 connected 10.0.0.5 192.0.2.1:80
        7020.000 won 10.0.0.5 192.0.2.1:80
        """)
  }

  @Test func `the kernel gives up after 131 s`() throws {
    try expect(
      """
      local 10.0.0.5/24
      remote 192.0.2.1:80 silent
      """,
      gives: """
        0.000 start 10.0.0.5 192.0.2.1:80
        131000.000 timedout 10.0.0.5 192.0.2.1:80
        131000.000 lost ETIMEDOUT
        """)
  }
}
