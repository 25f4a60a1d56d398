import Testing

@testable import ConnectByListCore
@testable import ConnectByListSimulation

/// The races of python-trio's tests of `open_tcp_stream`, in their order.
@Suite struct TrioRaceTests {
  @Test func `race 1: a single address wins when it answers`() {
    #expect(
      transcript(
        """
        option pace steady
        option order given
        option attempt_delay 250ms
        remote 192.0.2.1:80 from 10.0.0.5 answers 123ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          123.000 connected 10.0.0.5 192.0.2.1:80
          123.000 won 10.0.0.5 192.0.2.1:80
          """)
  }

  @Test func `race 2: without a timeout a race waits for a slow answer`() {
    #expect(
      transcript(
        """
        option pace steady
        option order given
        option attempt_delay 250ms
        remote 192.0.2.1:80 from 10.0.0.5 answers 100s
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          100000.000 connected 10.0.0.5 192.0.2.1:80
          100000.000 won 10.0.0.5 192.0.2.1:80
          """)
  }

  @Test func `race 3: a race with a single address is lost when that refuses`() {
    #expect(
      transcript(
        """
        option pace steady
        option order given
        option attempt_delay 250ms
        remote 192.0.2.1:80 from 10.0.0.5 refuses 123ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          123.000 refused 10.0.0.5 192.0.2.1:80
          123.000 lost ECONNREFUSED
          """)
  }

  @Test func `race 4: the third attempt wins while the first two are silent`() {
    #expect(
      transcript(
        """
        option pace steady
        option order given
        option attempt_delay 250ms
        remote 192.0.2.1:80 from 10.0.0.5 answers 1s
        remote 192.0.2.2:80 from 10.0.0.5 answers 1s
        remote 192.0.2.3:80 from 10.0.0.5 answers 200ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          250.000 start 10.0.0.5 192.0.2.2:80
          500.000 start 10.0.0.5 192.0.2.3:80
          700.000 connected 10.0.0.5 192.0.2.3:80
          700.000 abandon 10.0.0.5 192.0.2.1:80
          700.000 abandon 10.0.0.5 192.0.2.2:80
          700.000 won 10.0.0.5 192.0.2.3:80
          """)
  }

  @Test func `race 5: nothing starts after the race is won`() {
    #expect(
      transcript(
        """
        option pace steady
        option order given
        option attempt_delay 250ms
        remote 192.0.2.1:80 from 10.0.0.5 answers 1s
        remote 192.0.2.2:80 from 10.0.0.5 answers 100ms
        remote 192.0.2.3:80 from 10.0.0.5 answers 200ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          250.000 start 10.0.0.5 192.0.2.2:80
          350.000 connected 10.0.0.5 192.0.2.2:80
          350.000 abandon 10.0.0.5 192.0.2.1:80
          350.000 won 10.0.0.5 192.0.2.2:80
          """)
  }

  @Test func `race 6: with a longer delay the third attempt starts too late to win`() {
    #expect(
      transcript(
        """
        option pace steady
        option order given
        option attempt_delay 450ms
        remote 192.0.2.1:80 from 10.0.0.5 answers 1s
        remote 192.0.2.2:80 from 10.0.0.5 answers 1s
        remote 192.0.2.3:80 from 10.0.0.5 answers 200ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          450.000 start 10.0.0.5 192.0.2.2:80
          900.000 start 10.0.0.5 192.0.2.3:80
          1000.000 connected 10.0.0.5 192.0.2.1:80
          1000.000 abandon 10.0.0.5 192.0.2.2:80
          1000.000 abandon 10.0.0.5 192.0.2.3:80
          1000.000 won 10.0.0.5 192.0.2.1:80
          """)
  }

  @Test func `race 7: a failure starts the next attempt at once and restarts the delay`() {
    #expect(
      transcript(
        """
        option pace steady
        option order given
        option attempt_delay 250ms
        remote 192.0.2.1:80 from 10.0.0.5 refuses 100ms
        remote 192.0.2.2:80 from 10.0.0.5 refuses 200ms
        remote 192.0.2.3:80 from 10.0.0.5 answers 10s
        remote 192.0.2.5:80 from 10.0.0.5 answers 250ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          100.000 refused 10.0.0.5 192.0.2.1:80
          100.000 start 10.0.0.5 192.0.2.2:80
          300.000 refused 10.0.0.5 192.0.2.2:80
          300.000 start 10.0.0.5 192.0.2.3:80
          550.000 start 10.0.0.5 192.0.2.5:80
          800.000 connected 10.0.0.5 192.0.2.5:80
          800.000 abandon 10.0.0.5 192.0.2.3:80
          800.000 won 10.0.0.5 192.0.2.5:80
          """)
  }

  @Test func `race 8: a race is lost at the last failure, of whichever attempt`() {
    #expect(
      transcript(
        """
        option pace steady
        option order given
        option attempt_delay 250ms
        remote 192.0.2.1:80 from 10.0.0.5 refuses 100ms
        remote 192.0.2.2:80 from 10.0.0.5 refuses 200ms
        remote 192.0.2.3:80 from 10.0.0.5 refuses 10s
        remote 192.0.2.5:80 from 10.0.0.5 refuses 250ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          100.000 refused 10.0.0.5 192.0.2.1:80
          100.000 start 10.0.0.5 192.0.2.2:80
          300.000 refused 10.0.0.5 192.0.2.2:80
          300.000 start 10.0.0.5 192.0.2.3:80
          550.000 start 10.0.0.5 192.0.2.5:80
          800.000 refused 10.0.0.5 192.0.2.5:80
          10300.000 refused 10.0.0.5 192.0.2.3:80
          10300.000 lost ECONNREFUSED
          """)
  }

  @Test
  func `race 9: of three attempts that connect at one instant one wins and two are abandoned`() {
    #expect(
      transcript(
        """
        option pace steady
        option order given
        option attempt_delay 1s
        remote 192.0.2.1:80 from 10.0.0.5 refuses 500ms
        remote 192.0.2.2:80 from 10.0.0.5 answers 10s
        remote 192.0.2.3:80 from 10.0.0.5 answers 9s
        remote 192.0.2.5:80 from 10.0.0.5 answers 8s
        remote 192.0.2.6:80 from 10.0.0.5 refuses 500ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          500.000 refused 10.0.0.5 192.0.2.1:80
          500.000 start 10.0.0.5 192.0.2.2:80
          1500.000 start 10.0.0.5 192.0.2.3:80
          2500.000 start 10.0.0.5 192.0.2.5:80
          3500.000 start 10.0.0.5 192.0.2.6:80
          4000.000 refused 10.0.0.5 192.0.2.6:80
          10500.000 connected 10.0.0.5 192.0.2.2:80
          10500.000 connected 10.0.0.5 192.0.2.3:80
          10500.000 connected 10.0.0.5 192.0.2.5:80
          10500.000 abandon 10.0.0.5 192.0.2.3:80
          10500.000 abandon 10.0.0.5 192.0.2.5:80
          10500.000 won 10.0.0.5 192.0.2.2:80
          """)
  }

  @Test func `race 10: interleaving moves the other family to the second position`() {
    #expect(
      transcript(
        """
        option pace steady
        option order given
        option attempt_delay 1s
        option interleave true
        remote 192.0.2.1:80 from 10.0.0.5 refuses 10s
        remote 192.0.2.2:80 from 10.0.0.5 answers 1s
        remote [2001:db8::3]:80 from 2001:db8::5 answers 500ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          1000.000 start 2001:db8::5 [2001:db8::3]:80
          1500.000 connected 2001:db8::5 [2001:db8::3]:80
          1500.000 abandon 10.0.0.5 192.0.2.1:80
          1500.000 won 2001:db8::5 [2001:db8::3]:80
          """)
  }

  @Test func `race 11: without IPv4 its addresses cost no time`() {
    #expect(
      transcript(
        """
        option pace steady
        option order given
        option attempt_delay 1s
        remote [::1]:80 from ::1 answers 10s
        remote 2.2.2.2:80 noroute
        remote [::3]:80 from ::1 answers 100ms
        """) == """
          0.000 start ::1 [::1]:80
          1000.000 failed - 2.2.2.2:80 ENETUNREACH
          1000.000 start ::1 [::3]:80
          1100.000 connected ::1 [::3]:80
          1100.000 abandon ::1 [::1]:80
          1100.000 won ::1 [::3]:80
          """)
  }

  @Test func `race 12: without IPv6 its addresses cost no time`() {
    #expect(
      transcript(
        """
        option pace steady
        option order given
        option attempt_delay 1s
        remote 1.1.1.1:80 from 10.0.0.5 answers 10s
        remote [::2]:80 noroute
        remote 3.3.3.3:80 from 10.0.0.5 answers 100ms
        """) == """
          0.000 start 10.0.0.5 1.1.1.1:80
          1000.000 failed - [::2]:80 ENETUNREACH
          1000.000 start 10.0.0.5 3.3.3.3:80
          1100.000 connected 10.0.0.5 3.3.3.3:80
          1100.000 abandon 10.0.0.5 1.1.1.1:80
          1100.000 won 10.0.0.5 3.3.3.3:80
          """)
  }

  @Test func `race 13: an empty list is an error at once`() {
    #expect(
      transcript("option pace steady")
        == "line 1: the list is empty: there is no remote and no name")
  }

  @Test func `race 14: a cancel ends all attempts`() {
    #expect(
      transcript(
        """
        option pace steady
        option order given
        option attempt_delay 250ms
        cancel 5s
        remote 192.0.2.1:80 from 10.0.0.5 answers 10s
        remote 192.0.2.2:80 from 10.0.0.5 answers 10s
        remote 192.0.2.3:80 from 10.0.0.5 answers 10s
        remote 192.0.2.4:80 from 10.0.0.5 answers 10s
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          250.000 start 10.0.0.5 192.0.2.2:80
          500.000 start 10.0.0.5 192.0.2.3:80
          750.000 start 10.0.0.5 192.0.2.4:80
          5000.000 abandon 10.0.0.5 192.0.2.1:80
          5000.000 abandon 10.0.0.5 192.0.2.2:80
          5000.000 abandon 10.0.0.5 192.0.2.3:80
          5000.000 abandon 10.0.0.5 192.0.2.4:80
          5000.000 cancelled
          """)
  }
}
