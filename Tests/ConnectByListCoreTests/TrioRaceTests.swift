import Testing

@testable import ConnectByListCore
@testable import ConnectByListSimulation

/// The races of python-trio's tests of `open_tcp_stream`, by their numbers in the vectors.
@Suite struct TrioRaceTests {
  @Test func `race 1: a single address that answers wins when it does`() {
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

  @Test func `race 2: without a timeout a slow answer is waited for`() {
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

  @Test func `race 3: a single address that refuses is lost when it does`() {
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

  @Test func `race 4: the third start wins while the first two are still silent`() {
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

  @Test func `race 5: what has not started when the race is won never starts`() {
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

  @Test func `race 6: a longer delay starts the third too late`() {
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

  @Test func `race 7: a failure starts the next at once and restarts the delay`() {
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

  @Test func `race 8: it is lost when the last failure comes, whoever's that is`() {
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

  @Test func `race 9: of three that connect together exactly one wins, and two are abandoned`() {
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

  @Test func `race 10: the other family is moved to the second place`() {
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

  @Test func `race 11: no time is spent on IPv4 where it is absent`() {
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

  @Test func `race 12: no time is spent on IPv6 where it is absent`() {
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

  @Test func `race 14: a cancel closes everything`() {
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
