import Testing

@testable import ConnectByListCore
@testable import ConnectByListSimulation

/// The deadline, a timeout of zero, and an attempt's own timeout.
@Suite struct RaceDeadlineTests {
  @Test func `a deadline compresses the delays and leaves a reserve after the last start`() {
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

  @Test func `a deadline does not compress the sequential pace`() {
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

  @Test func `addresses that join late share the time that is left`() {
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

  @Test func `a timeout of zero starts all attempts, and one that completes at once wins`() {
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

  @Test func `a timeout of zero is lost if nothing completes at once`() {
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

  @Test func `a timeout of zero does not wait for a name`() {
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

  @Test func `an attempt_timeout ends an attempt and starts the next`() {
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

  @Test func `without a timeout the kernel ends a silent attempt after 131 s`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        remote 192.0.2.1:80 silent
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          131000.000 timedout 10.0.0.5 192.0.2.1:80
          131000.000 lost ETIMEDOUT
          """)
  }
}
