import Testing

/// Rounds: section 4 of the contract, `retry`.
@Suite struct RaceRoundTests {
  @Test func `the list is tried again after the round's beginning, with names looked up anew`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option retry 100ms
        option timeout 350ms
        remote 192.0.2.1:80 refuses 10ms
        name a.test ipv4 after 20ms 192.0.2.7 port 80
        world 192.0.2.7 refuses 5ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          10.000 refused 10.0.0.5 192.0.2.1:80
          20.000 resolved a.test 1
          20.000 start 10.0.0.5 192.0.2.7:80
          25.000 refused 10.0.0.5 192.0.2.7:80
          100.000 start 10.0.0.5 192.0.2.1:80
          110.000 refused 10.0.0.5 192.0.2.1:80
          120.000 resolved a.test 1
          120.000 start 10.0.0.5 192.0.2.7:80
          125.000 refused 10.0.0.5 192.0.2.7:80
          200.000 start 10.0.0.5 192.0.2.1:80
          210.000 refused 10.0.0.5 192.0.2.1:80
          220.000 resolved a.test 1
          220.000 start 10.0.0.5 192.0.2.7:80
          225.000 refused 10.0.0.5 192.0.2.7:80
          300.000 start 10.0.0.5 192.0.2.1:80
          310.000 refused 10.0.0.5 192.0.2.1:80
          320.000 resolved a.test 1
          320.000 start 10.0.0.5 192.0.2.7:80
          325.000 refused 10.0.0.5 192.0.2.7:80
          350.000 lost ETIMEDOUT
          """)
  }

  @Test func `a round that took longer than retry is followed at once`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option retry 10ms
        option timeout 100ms
        remote 192.0.2.1:80 refuses 30ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          30.000 refused 10.0.0.5 192.0.2.1:80
          30.000 start 10.0.0.5 192.0.2.1:80
          60.000 refused 10.0.0.5 192.0.2.1:80
          60.000 start 10.0.0.5 192.0.2.1:80
          90.000 refused 10.0.0.5 192.0.2.1:80
          90.000 start 10.0.0.5 192.0.2.1:80
          100.000 timedout 10.0.0.5 192.0.2.1:80
          100.000 lost ETIMEDOUT
          """)
  }

  @Test func `a cancel ends the wait between two rounds`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option retry 1s
        remote 192.0.2.1:80 refuses 30ms
        cancel 500ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          30.000 refused 10.0.0.5 192.0.2.1:80
          500.000 cancelled
          """)
  }

  @Test func `SYNs that were lost in one round are not lost again in the next`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option retry 300ms
        option timeout 2s
        option attempt_timeout 200ms
        remote 192.0.2.1:80 lost 2 answers 20ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          200.000 timedout 10.0.0.5 192.0.2.1:80
          300.000 start 10.0.0.5 192.0.2.1:80
          500.000 timedout 10.0.0.5 192.0.2.1:80
          600.000 start 10.0.0.5 192.0.2.1:80
          620.000 connected 10.0.0.5 192.0.2.1:80
          620.000 won 10.0.0.5 192.0.2.1:80
          """)
  }
}
