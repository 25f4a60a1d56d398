import Testing

/// What is known of a pair before the race, and what it changes: section 3 point 5 and the base delay of section 4.
@Suite struct EvidenceTests {
  @Test func `the source that worked is the first one next time`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        remote 192.0.2.1:80 from 10.0.0.5 silent
        pair 10.0.0.6 192.0.2.1:80 answers 30ms
        seen 10.0.0.6 192.0.2.1:80 connected 30ms 10s ago
        """) == """
          0.000 start 10.0.0.6 192.0.2.1:80
          30.000 connected 10.0.0.6 192.0.2.1:80
          30.000 won 10.0.0.6 192.0.2.1:80
          """)
  }

  @Test func `a remembered source that this machine has lost does not count`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        remote 192.0.2.1:80 from 10.0.0.5 answers 30ms
        seen 10.0.0.6 192.0.2.1:80 connected 30ms 10s ago
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          30.000 connected 10.0.0.5 192.0.2.1:80
          30.000 won 10.0.0.5 192.0.2.1:80
          """)
  }

  @Test func `a remembered source whose pair failed later is not the first`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        remote 192.0.2.1:80 from 10.0.0.5 silent
        seen 10.0.0.6 192.0.2.1:80 connected 30ms 20s ago
        seen 10.0.0.6 192.0.2.1:80 failed 10s ago
        option timeout 1s
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          300.000 start 10.0.0.6 192.0.2.1:80
          1000.000 timedout 10.0.0.5 192.0.2.1:80
          1000.000 timedout 10.0.0.6 192.0.2.1:80
          1000.000 lost ETIMEDOUT
          """)
  }

  @Test func `a refusal does not take a remembered source away`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        remote 192.0.2.1:80 from 10.0.0.5 answers 30ms
        seen 10.0.0.6 192.0.2.1:80 connected 30ms 20s ago
        seen 10.0.0.6 192.0.2.1:80 refused 10s ago
        """) == """
          0.000 start 10.0.0.6 192.0.2.1:80
          30.000 connected 10.0.0.6 192.0.2.1:80
          30.000 won 10.0.0.6 192.0.2.1:80
          """)
  }

  @Test func `the route's own source is first where the kernel has metrics of it`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        remote 192.0.2.1:80 from 10.0.0.5 answers 30ms
        remote 192.0.2.2:80 from 10.0.0.5 answers 30ms
        rtt 10.0.0.5 192.0.2.1 50ms var 1ms
        rtt 10.0.0.6 192.0.2.1 10ms var 1ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          30.000 connected 10.0.0.5 192.0.2.1:80
          30.000 won 10.0.0.5 192.0.2.1:80
          """)
  }

  @Test func `without metrics of the route's own source the fastest one is first`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        local 10.0.0.7/24
        remote 192.0.2.1:80 from 10.0.0.5 answers 30ms
        remote 192.0.2.2:80 from 10.0.0.5 answers 30ms
        rtt 10.0.0.6 192.0.2.1 20ms var 1ms
        rtt 10.0.0.7 192.0.2.1 10ms var 1ms
        """) == """
          0.000 start 10.0.0.7 192.0.2.1:80
          14.000 start 10.0.0.5 192.0.2.2:80
          30.000 connected 10.0.0.7 192.0.2.1:80
          30.000 abandon 10.0.0.5 192.0.2.2:80
          30.000 won 10.0.0.7 192.0.2.1:80
          """)
  }

  @Test func `the metrics of one pair say nothing of another pair of the same remote`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        option order given
        remote 192.0.2.1:80 from 10.0.0.5 silent
        remote 192.0.2.2:80 from 10.0.0.5 answers 1ms
        rtt 10.0.0.6 192.0.2.9 10ms var 1ms
        rtt 10.0.0.5 192.0.2.1 40ms var 5ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          60.000 start 10.0.0.5 192.0.2.2:80
          61.000 connected 10.0.0.5 192.0.2.2:80
          61.000 abandon 10.0.0.5 192.0.2.1:80
          61.000 won 10.0.0.5 192.0.2.2:80
          """)
  }

  @Test func `what the list has seen of a pair counts before the kernel's metrics`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        remote 192.0.2.1:80 from 10.0.0.5 silent
        remote 192.0.2.2:80 from 10.0.0.5 answers 30ms
        seen 10.0.0.5 192.0.2.1:80 connected 20ms 10s ago
        rtt 10.0.0.5 192.0.2.1 400ms var 50ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          60.000 start 10.0.0.5 192.0.2.2:80
          90.000 connected 10.0.0.5 192.0.2.2:80
          90.000 abandon 10.0.0.5 192.0.2.1:80
          90.000 won 10.0.0.5 192.0.2.2:80
          """)
  }

  @Test func `a handshake whose SYN was sent again gives no round trip`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        remote 192.0.2.1:80 from 10.0.0.5 silent
        remote 192.0.2.2:80 from 10.0.0.5 answers 30ms
        seen 10.0.0.5 192.0.2.1:80 connected 10s ago
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          150.000 start 10.0.0.5 192.0.2.2:80
          180.000 connected 10.0.0.5 192.0.2.2:80
          180.000 abandon 10.0.0.5 192.0.2.1:80
          180.000 won 10.0.0.5 192.0.2.2:80
          """)
  }

  @Test func `what is asked for after 10 ms of silence counts for the running delay`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option order given
        remote 192.0.2.1:80 from 10.0.0.5 silent
        remote 192.0.2.2:80 from 10.0.0.5 answers 30ms
        rtt 10.0.0.5 192.0.2.1 20ms var 5ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          40.000 start 10.0.0.5 192.0.2.2:80
          70.000 connected 10.0.0.5 192.0.2.2:80
          70.000 abandon 10.0.0.5 192.0.2.1:80
          70.000 won 10.0.0.5 192.0.2.2:80
          """)
  }

  @Test func `a population of five destinations paces a remote of which nothing is known`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        remote 192.0.2.1:80 silent
        remote 192.0.2.2:80 answers 30ms
        rtt 10.0.0.5 198.51.100.1 5ms var 1ms
        rtt 10.0.0.5 198.51.100.2 6ms var 1ms
        rtt 10.0.0.5 198.51.100.3 7ms var 1ms
        rtt 10.0.0.5 198.51.100.4 22ms var 1ms
        rtt 10.0.0.5 198.51.100.5 90ms var 1ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          22.000 start 10.0.0.5 192.0.2.2:80
          52.000 connected 10.0.0.5 192.0.2.2:80
          52.000 abandon 10.0.0.5 192.0.2.1:80
          52.000 won 10.0.0.5 192.0.2.2:80
          """)
  }

  @Test func `four destinations are no population`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        remote 192.0.2.1:80 silent
        remote 192.0.2.2:80 answers 30ms
        rtt 10.0.0.5 198.51.100.1 5ms var 1ms
        rtt 10.0.0.5 198.51.100.2 6ms var 1ms
        rtt 10.0.0.5 198.51.100.3 7ms var 1ms
        rtt 10.0.0.5 198.51.100.4 22ms var 1ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          150.000 start 10.0.0.5 192.0.2.2:80
          180.000 connected 10.0.0.5 192.0.2.2:80
          180.000 abandon 10.0.0.5 192.0.2.1:80
          180.000 won 10.0.0.5 192.0.2.2:80
          """)
  }

  @Test func `five destinations in the remote's /24 count before its family`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        remote 192.0.2.1:80 silent
        remote 192.0.2.2:80 answers 30ms
        rtt 10.0.0.5 192.0.2.101 40ms var 1ms
        rtt 10.0.0.5 192.0.2.102 40ms var 1ms
        rtt 10.0.0.5 192.0.2.103 40ms var 1ms
        rtt 10.0.0.5 192.0.2.104 40ms var 1ms
        rtt 10.0.0.5 192.0.2.105 40ms var 1ms
        rtt 10.0.0.5 198.51.100.1 5ms var 1ms
        rtt 10.0.0.5 198.51.100.2 5ms var 1ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          40.000 start 10.0.0.5 192.0.2.2:80
          70.000 connected 10.0.0.5 192.0.2.2:80
          70.000 abandon 10.0.0.5 192.0.2.1:80
          70.000 won 10.0.0.5 192.0.2.2:80
          """)
  }

  @Test func `the caller's delay stands in place of what is learned, not of the pair's own`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24 broadcast
        option attempt_delay 80ms
        option order given
        remote 10.0.0.1:80 silent
        remote 10.0.0.2:80 silent
        remote 10.0.0.3:80 answers 1ms
        rtt 10.0.0.5 10.0.0.2 20ms var 5ms
        """) == """
          0.000 start 10.0.0.5 10.0.0.1:80
          80.000 start 10.0.0.5 10.0.0.2:80
          100.000 start 10.0.0.5 10.0.0.3:80
          101.000 connected 10.0.0.5 10.0.0.3:80
          101.000 abandon 10.0.0.5 10.0.0.1:80
          101.000 abandon 10.0.0.5 10.0.0.2:80
          101.000 won 10.0.0.5 10.0.0.3:80
          """)
  }

  @Test func `a neighbour in a LAN is waited for 30 ms, loopback and this machine 10 ms`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24 broadcast
        local 127.0.0.1/8
        option order given
        remote 10.0.0.1:80 silent
        remote 127.0.0.2:80 silent
        remote 10.0.0.5:80 silent
        remote 10.0.0.9:80 answers 1ms
        """) == """
          0.000 start 10.0.0.5 10.0.0.1:80
          30.000 start 127.0.0.1 127.0.0.2:80
          40.000 start 10.0.0.5 10.0.0.5:80
          50.000 start 10.0.0.5 10.0.0.9:80
          51.000 connected 10.0.0.5 10.0.0.9:80
          51.000 abandon 10.0.0.5 10.0.0.1:80
          51.000 abandon 127.0.0.1 127.0.0.2:80
          51.000 abandon 10.0.0.5 10.0.0.5:80
          51.000 won 10.0.0.5 10.0.0.9:80
          """)
  }
}
