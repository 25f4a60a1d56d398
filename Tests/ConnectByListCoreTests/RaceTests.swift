@testable import ConnectByListCore
@testable import ConnectByListSimulation
import Testing

/// Races as pictures: a world, and all that happens in it with exact times. Local addresses and
/// names are in RacePathTests; what the parser makes of a world's text is in ScenarioTests.
@Suite struct RaceTests {
  // MARK: python-trio's races, by their numbers in the vectors

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

  // MARK: pace

  @Test func `twenty dead addresses cost half a second`() throws {
    var text = "local 10.0.0.5/24\n"
    for host in 1...20 { text += "remote 192.0.2.\(host):80 silent\n" }
    text += "remote 192.0.2.21:80 answers 30ms\n"
    let run = Simulation(try Scenario(parsing: Array(text.utf8))).run()
    #expect(run.result == .won(AttemptID(20)))
    #expect(run.elapsed == .microseconds(471_250))
    #expect(
      run.events.filter { $0.kind == .start }.prefix(8).map { $0.time.nanoseconds / 1_000 }
        == [0, 150_000, 225_000, 262_500, 281_250, 291_250, 301_250, 311_250])
  }

  @Test func `an accelerating delay halves with each attempt in flight, not with each start`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        remote 192.0.2.1:80 silent
        remote 192.0.2.2:80 refuses 100ms
        remote 192.0.2.3:80 silent
        remote 192.0.2.4:80 silent
        remote 192.0.2.5:80 answers 10ms
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        150.000 start 10.0.0.5 192.0.2.2:80
        225.000 start 10.0.0.5 192.0.2.3:80
        250.000 refused 10.0.0.5 192.0.2.2:80
        250.000 start 10.0.0.5 192.0.2.4:80
        287.500 start 10.0.0.5 192.0.2.5:80
        297.500 connected 10.0.0.5 192.0.2.5:80
        297.500 abandon 10.0.0.5 192.0.2.1:80
        297.500 abandon 10.0.0.5 192.0.2.3:80
        297.500 abandon 10.0.0.5 192.0.2.4:80
        297.500 won 10.0.0.5 192.0.2.5:80
        """)
  }

  @Test func `sequential goes one by one, and silence starts nothing`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option pace sequential
        option attempt_timeout 1s
        remote 192.0.2.1:80 refuses 100ms
        remote 192.0.2.2:80 silent
        remote 192.0.2.3:80 answers 20ms
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        100.000 refused 10.0.0.5 192.0.2.1:80
        100.000 start 10.0.0.5 192.0.2.2:80
        1100.000 timedout 10.0.0.5 192.0.2.2:80
        1100.000 start 10.0.0.5 192.0.2.3:80
        1120.000 connected 10.0.0.5 192.0.2.3:80
        1120.000 won 10.0.0.5 192.0.2.3:80
        """)
  }

  @Test func `parallel starts all at once`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option pace parallel
        remote 192.0.2.1:80 answers 30ms
        remote 192.0.2.2:80 silent
        remote 192.0.2.3:80 answers 20ms
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        0.000 start 10.0.0.5 192.0.2.2:80
        0.000 start 10.0.0.5 192.0.2.3:80
        20.000 connected 10.0.0.5 192.0.2.3:80
        20.000 abandon 10.0.0.5 192.0.2.1:80
        20.000 abandon 10.0.0.5 192.0.2.2:80
        20.000 won 10.0.0.5 192.0.2.3:80
        """)
  }

  @Test func `a measured round trip paces instead of the default delay`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        rtt 10.0.0.5 192.0.2.1 30ms var 2ms
        remote 192.0.2.1:80 silent
        remote 192.0.2.2:80 answers 1ms
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        38.000 start 10.0.0.5 192.0.2.2:80
        39.000 connected 10.0.0.5 192.0.2.2:80
        39.000 abandon 10.0.0.5 192.0.2.1:80
        39.000 won 10.0.0.5 192.0.2.2:80
        """)
  }

  @Test func `a measured round trip paces in the caller's order too`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option order given
        rtt 10.0.0.5 192.0.2.1 30ms var 2ms
        remote 192.0.2.1:80 silent
        remote 192.0.2.2:80 answers 1ms
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        38.000 start 10.0.0.5 192.0.2.2:80
        39.000 connected 10.0.0.5 192.0.2.2:80
        39.000 abandon 10.0.0.5 192.0.2.1:80
        39.000 won 10.0.0.5 192.0.2.2:80
        """)
  }

  // MARK: limits of time

  @Test func `a deadline presses the starts together and leaves the last a reserve`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option pace steady
        option attempt_delay 250ms
        option timeout 1s
        remote 192.0.2.1:80 silent
        remote 192.0.2.2:80 silent
        remote 192.0.2.3:80 silent
        remote 192.0.2.4:80 silent
        remote 192.0.2.5:80 silent
        remote 192.0.2.6:80 silent
        remote 192.0.2.7:80 silent
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        125.000 start 10.0.0.5 192.0.2.2:80
        250.000 start 10.0.0.5 192.0.2.3:80
        375.000 start 10.0.0.5 192.0.2.4:80
        500.000 start 10.0.0.5 192.0.2.5:80
        625.000 start 10.0.0.5 192.0.2.6:80
        750.000 start 10.0.0.5 192.0.2.7:80
        1000.000 timedout 10.0.0.5 192.0.2.1:80
        1000.000 timedout 10.0.0.5 192.0.2.2:80
        1000.000 timedout 10.0.0.5 192.0.2.3:80
        1000.000 timedout 10.0.0.5 192.0.2.4:80
        1000.000 timedout 10.0.0.5 192.0.2.5:80
        1000.000 timedout 10.0.0.5 192.0.2.6:80
        1000.000 timedout 10.0.0.5 192.0.2.7:80
        1000.000 lost ETIMEDOUT
        """)
  }

  @Test func `a deadline does not press what goes one by one`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option pace sequential
        option timeout 1s
        remote 192.0.2.1:80 silent
        remote 192.0.2.2:80 answers 1ms
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        1000.000 timedout 10.0.0.5 192.0.2.1:80
        1000.000 lost ETIMEDOUT
        """)
  }

  @Test func `addresses that come late are latestStart into the time that is left`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option pace steady
        option attempt_delay 60s
        option timeout 1s
        remote 192.0.2.1:80 silent
        name late.test ipv4 after 20ms 192.0.2.7 192.0.2.8 port 80
        world 192.0.2.8 answers 30ms
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        20.000 resolved late.test 2
        385.000 start 10.0.0.5 192.0.2.7:80
        750.000 start 10.0.0.5 192.0.2.8:80
        780.000 connected 10.0.0.5 192.0.2.8:80
        780.000 abandon 10.0.0.5 192.0.2.1:80
        780.000 abandon 10.0.0.5 192.0.2.7:80
        780.000 won 10.0.0.5 192.0.2.8:80
        """)
  }

  @Test func `a timeout of nothing starts all, and wins only with what completes at once`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option timeout 0s
        remote 192.0.2.1:80 silent
        remote 192.0.2.2:80 answers 0s
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        0.000 start 10.0.0.5 192.0.2.2:80
        0.000 connected 10.0.0.5 192.0.2.2:80
        0.000 abandon 10.0.0.5 192.0.2.1:80
        0.000 won 10.0.0.5 192.0.2.2:80
        """)
  }

  @Test func `a timeout of nothing is lost where nothing completes at once`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option timeout 0s
        remote 192.0.2.1:80 silent
        remote 192.0.2.2:80 answers 1ns
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        0.000 start 10.0.0.5 192.0.2.2:80
        0.000 timedout 10.0.0.5 192.0.2.1:80
        0.000 timedout 10.0.0.5 192.0.2.2:80
        0.000 lost ETIMEDOUT
        """)
  }

  @Test func `a timeout of nothing does not wait for a name`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option timeout 0s
        name x.test ipv4 after 1ms 192.0.2.1 port 80
        """) == """
        0.000 lost ETIMEDOUT
        """)
  }

  @Test func `an attempt's own timeout starts the next`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option pace steady
        option attempt_timeout 200ms
        remote 192.0.2.1:80 silent
        remote 192.0.2.2:80 silent
        remote 192.0.2.3:80 answers 40ms
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        150.000 start 10.0.0.5 192.0.2.2:80
        200.000 timedout 10.0.0.5 192.0.2.1:80
        200.000 start 10.0.0.5 192.0.2.3:80
        240.000 connected 10.0.0.5 192.0.2.3:80
        240.000 abandon 10.0.0.5 192.0.2.2:80
        240.000 won 10.0.0.5 192.0.2.3:80
        """)
  }

  @Test func `without any timeout the kernel ends what nobody answers`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        remote 192.0.2.1:80 silent
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        127000.000 timedout 10.0.0.5 192.0.2.1:80
        127000.000 lost ETIMEDOUT
        """)
  }

  // MARK: one instant

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

  @Test func `a rank is not a place in the list: evidence has put the third first`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option pace parallel
        history 192.0.2.3:80 connected
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

  @Test func `a failure goes before a cancel, and starts nothing any more`() {
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

  // MARK: the cap and the hedge

  @Test func `at the cap the next start waits for a failure`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option pace steady
        option attempt_delay 100ms
        option in_flight 2
        remote 192.0.2.1:80 refuses 700ms
        remote 192.0.2.2:80 silent
        remote 192.0.2.3:80 answers 40ms
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        100.000 start 10.0.0.5 192.0.2.2:80
        700.000 refused 10.0.0.5 192.0.2.1:80
        700.000 start 10.0.0.5 192.0.2.3:80
        740.000 connected 10.0.0.5 192.0.2.3:80
        740.000 abandon 10.0.0.5 192.0.2.2:80
        740.000 won 10.0.0.5 192.0.2.3:80
        """)
  }

  @Test func `under a deadline the cap gives up an attempt that is half a second old`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option pace steady
        option attempt_delay 100ms
        option in_flight 2
        option timeout 5s
        remote 192.0.2.1:80 silent
        remote 192.0.2.2:80 silent
        remote 192.0.2.3:80 answers 40ms
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        100.000 start 10.0.0.5 192.0.2.2:80
        500.000 abandon 10.0.0.5 192.0.2.1:80
        500.000 start 10.0.0.5 192.0.2.3:80
        540.000 connected 10.0.0.5 192.0.2.3:80
        540.000 abandon 10.0.0.5 192.0.2.2:80
        540.000 won 10.0.0.5 192.0.2.3:80
        """)
  }

  @Test func `of those that the cap may give up it is the least likely, not the oldest`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option pace steady
        option attempt_delay 600ms
        option in_flight 2
        option order given
        option timeout 5s
        neighbour 192.0.2.2 failed
        remote 192.0.2.1:80 silent
        remote 192.0.2.2:80 silent
        remote 192.0.2.3:80 answers 40ms
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        600.000 start 10.0.0.5 192.0.2.2:80
        1200.000 abandon 10.0.0.5 192.0.2.2:80
        1200.000 start 10.0.0.5 192.0.2.3:80
        1240.000 connected 10.0.0.5 192.0.2.3:80
        1240.000 abandon 10.0.0.5 192.0.2.1:80
        1240.000 won 10.0.0.5 192.0.2.3:80
        """)
  }

  @Test func `a silent last remote gets a second socket, a second before the kernel`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option hedge 200ms
        remote 192.0.2.1:80 lost 1 answers 30ms
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        200.000 start 10.0.0.5 192.0.2.1:80
        230.000 connected 10.0.0.5 192.0.2.1:80
        230.000 abandon 10.0.0.5 192.0.2.1:80
        230.000 won 10.0.0.5 192.0.2.1:80
        """)
  }

  @Test func `a second socket does not wait for facts that nobody has asked for`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option hedge 20ms
        remote 192.0.2.1:80 lost 1 answers 30ms
        """, pathInformationWhenAsked: true) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        20.000 start 10.0.0.5 192.0.2.1:80
        50.000 connected 10.0.0.5 192.0.2.1:80
        50.000 abandon 10.0.0.5 192.0.2.1:80
        50.000 won 10.0.0.5 192.0.2.1:80
        """)
  }

  @Test func `a second socket does not exceed the cap`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option hedge 200ms
        option in_flight 1
        remote 192.0.2.1:80 lost 1 answers 30ms
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        1030.000 connected 10.0.0.5 192.0.2.1:80
        1030.000 won 10.0.0.5 192.0.2.1:80
        """)
  }

  @Test func `no second socket while another remote is in flight`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option hedge 200ms
        option timeout 1s
        remote 192.0.2.1:80 silent
        remote 192.0.2.2:80 refuses 500ms
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        150.000 start 10.0.0.5 192.0.2.2:80
        650.000 refused 10.0.0.5 192.0.2.2:80
        650.000 start 10.0.0.5 192.0.2.1:80
        1000.000 timedout 10.0.0.5 192.0.2.1:80
        1000.000 timedout 10.0.0.5 192.0.2.1:80
        1000.000 lost ETIMEDOUT
        """)
  }

  // MARK: the caller's check

  @Test func `a rejected connection is a failure, and starts the next`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        remote 192.0.2.1:80 rejects 30ms
        remote 192.0.2.2:80 answers 30ms
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        30.000 connected 10.0.0.5 192.0.2.1:80
        30.000 rejected 10.0.0.5 192.0.2.1:80
        30.000 start 10.0.0.5 192.0.2.2:80
        60.000 connected 10.0.0.5 192.0.2.2:80
        60.000 won 10.0.0.5 192.0.2.2:80
        """)
  }

  @Test func `losers are kept until the check has passed`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option pace parallel
        remote 192.0.2.1:80 rejects 30ms
        remote 192.0.2.2:80 answers 30ms
        remote 192.0.2.3:80 answers 90ms
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        0.000 start 10.0.0.5 192.0.2.2:80
        0.000 start 10.0.0.5 192.0.2.3:80
        30.000 connected 10.0.0.5 192.0.2.1:80
        30.000 connected 10.0.0.5 192.0.2.2:80
        30.000 rejected 10.0.0.5 192.0.2.1:80
        30.000 abandon 10.0.0.5 192.0.2.3:80
        30.000 won 10.0.0.5 192.0.2.2:80
        """)
  }

  @Test func `a race whose connections are all rejected is lost`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option pace parallel
        remote 192.0.2.1:80 rejects 30ms
        remote 192.0.2.2:80 rejects 40ms
        """) == """
        0.000 start 10.0.0.5 192.0.2.1:80
        0.000 start 10.0.0.5 192.0.2.2:80
        30.000 connected 10.0.0.5 192.0.2.1:80
        30.000 rejected 10.0.0.5 192.0.2.1:80
        40.000 connected 10.0.0.5 192.0.2.2:80
        40.000 rejected 10.0.0.5 192.0.2.2:80
        40.000 lost ECONNABORTED
        """)
  }
}
