import Testing

@testable import ConnectByListCore
@testable import ConnectByListSimulation

/// The cap on attempts in flight, the second attempt of `hedge`, and the caller's validation.
@Suite struct RaceCapTests {
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

  @Test func `at the cap, under a deadline, an attempt is given up when it is 500 ms old`() {
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

  @Test func `of the attempts that may be given up the least likely is, not the oldest`() {
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

  @Test func `a silent last remote gets a second attempt, before the kernel sends its SYN again`() {
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

  @Test func `a second attempt does not wait for path information that the race does not need`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option hedge 20ms
        remote 192.0.2.1:80 lost 1 answers 30ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          20.000 start 10.0.0.5 192.0.2.1:80
          50.000 connected 10.0.0.5 192.0.2.1:80
          50.000 abandon 10.0.0.5 192.0.2.1:80
          50.000 won 10.0.0.5 192.0.2.1:80
          """)
  }

  @Test func `a second attempt does not exceed the cap`() {
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

  @Test func `there is no second attempt while another remote is in flight`() {
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

  // MARK: validation

  @Test func `a rejected connection is a failure and starts the next attempt`() {
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

  @Test func `other connections are kept until one passes the validation`() {
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
