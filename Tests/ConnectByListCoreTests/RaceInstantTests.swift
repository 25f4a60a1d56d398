import Testing

@testable import ConnectByListCore
@testable import ConnectByListSimulation

/// The order of events that happen at one instant.
@Suite struct RaceInstantTests {
  @Test func `of completions at one instant the lowest rank wins`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option pace steady
        option attempt_delay 100ms
        remote 192.0.2.1:80 answers 300ms
        remote 192.0.2.2:80 answers 200ms
        remote 192.0.2.3:80 answers 100ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          100.000 start 10.0.0.5 192.0.2.2:80
          200.000 start 10.0.0.5 192.0.2.3:80
          300.000 connected 10.0.0.5 192.0.2.1:80
          300.000 connected 10.0.0.5 192.0.2.2:80
          300.000 connected 10.0.0.5 192.0.2.3:80
          300.000 abandon 10.0.0.5 192.0.2.2:80
          300.000 abandon 10.0.0.5 192.0.2.3:80
          300.000 won 10.0.0.5 192.0.2.1:80
          """)
  }

  @Test func `the rank is the position in the plan: here the history puts the third entry first`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option pace parallel
        seen 10.0.0.5 192.0.2.3:80 connected 10s ago
        remote 192.0.2.1:80 answers 100ms
        remote 192.0.2.2:80 answers 100ms
        remote 192.0.2.3:80 answers 100ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.3:80
          0.000 start 10.0.0.5 192.0.2.1:80
          0.000 start 10.0.0.5 192.0.2.2:80
          100.000 connected 10.0.0.5 192.0.2.3:80
          100.000 connected 10.0.0.5 192.0.2.1:80
          100.000 connected 10.0.0.5 192.0.2.2:80
          100.000 abandon 10.0.0.5 192.0.2.1:80
          100.000 abandon 10.0.0.5 192.0.2.2:80
          100.000 won 10.0.0.5 192.0.2.3:80
          """)
  }

  @Test func `a completion goes before a cancel`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        remote 192.0.2.1:80 answers 300ms
        cancel 300ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          300.000 connected 10.0.0.5 192.0.2.1:80
          300.000 won 10.0.0.5 192.0.2.1:80
          """)
  }

  @Test func `a failure goes before a cancel, and starts nothing`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        remote 192.0.2.1:80 refuses 300ms
        remote 192.0.2.2:80 answers 1ms
        option pace sequential
        cancel 300ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          300.000 refused 10.0.0.5 192.0.2.1:80
          300.000 cancelled
          """)
  }

  @Test func `a cancel goes before the deadline`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option timeout 300ms
        remote 192.0.2.1:80 silent
        cancel 300ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          300.000 abandon 10.0.0.5 192.0.2.1:80
          300.000 cancelled
          """)
  }

  @Test func `a completion goes before the deadline`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option timeout 300ms
        remote 192.0.2.1:80 answers 300ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          300.000 connected 10.0.0.5 192.0.2.1:80
          300.000 won 10.0.0.5 192.0.2.1:80
          """)
  }

  @Test func `the deadline goes before a start`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option pace sequential
        option timeout 300ms
        remote 192.0.2.1:80 refuses 300ms
        remote 192.0.2.2:80 answers 0s
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          300.000 refused 10.0.0.5 192.0.2.1:80
          300.000 lost ETIMEDOUT
          """)
  }
}
