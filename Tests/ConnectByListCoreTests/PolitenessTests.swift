import Testing

/// Alternate sources that the caller did not name wait: section 4 of the contract.
@Suite struct PolitenessTests {
  @Test func `a healthy host 250 ms away sees one SYN from a machine with three addresses`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        local 10.0.0.7/24
        remote 192.0.2.1:80 from 10.0.0.5 answers 250ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          250.000 connected 10.0.0.5 192.0.2.1:80
          250.000 won 10.0.0.5 192.0.2.1:80
          """)
  }

  @Test func `an alternate source is held until twice the base of the first pair`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        remote 192.0.2.1:80 from 10.0.0.5 silent
        rtt 10.0.0.5 192.0.2.1 200ms var 10ms
        option timeout 5s
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          480.000 start 10.0.0.6 192.0.2.1:80
          5000.000 timedout 10.0.0.5 192.0.2.1:80
          5000.000 timedout 10.0.0.6 192.0.2.1:80
          5000.000 lost ETIMEDOUT
          """)
  }

  @Test func `where the caller named the addresses their pairs are paced as any`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        option local_addresses 10.0.0.5 10.0.0.6
        remote 192.0.2.1:80 silent
        pair 10.0.0.6 192.0.2.1:80 answers 30ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          150.000 start 10.0.0.6 192.0.2.1:80
          180.000 connected 10.0.0.6 192.0.2.1:80
          180.000 abandon 10.0.0.5 192.0.2.1:80
          180.000 won 10.0.0.6 192.0.2.1:80
          """)
  }

  @Test func `the end of the first attempt ends the hold`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        remote 192.0.2.1:80 from 10.0.0.5 resets 20ms
        pair 10.0.0.6 192.0.2.1:80 answers 30ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          20.000 reset 10.0.0.5 192.0.2.1:80
          20.000 start 10.0.0.6 192.0.2.1:80
          50.000 connected 10.0.0.6 192.0.2.1:80
          50.000 won 10.0.0.6 192.0.2.1:80
          """)
  }

  @Test func `the alternates of a remote tried from a suspect source are not held`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        option order given
        option attempt_delay 100ms
        remote 192.0.2.1:80 silent
        remote 192.0.2.2:80 silent
        remote 192.0.2.3:80 silent
        remote 192.0.2.4:80 silent
        pair 10.0.0.6 192.0.2.1:80 answers 30ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          100.000 start 10.0.0.5 192.0.2.2:80
          150.000 start 10.0.0.5 192.0.2.3:80
          175.000 start 10.0.0.6 192.0.2.3:80
          187.500 start 10.0.0.5 192.0.2.4:80
          197.500 start 10.0.0.6 192.0.2.4:80
          207.500 start 10.0.0.6 192.0.2.2:80
          217.500 start 10.0.0.6 192.0.2.1:80
          247.500 connected 10.0.0.6 192.0.2.1:80
          247.500 abandon 10.0.0.5 192.0.2.1:80
          247.500 abandon 10.0.0.5 192.0.2.2:80
          247.500 abandon 10.0.0.5 192.0.2.3:80
          247.500 abandon 10.0.0.6 192.0.2.3:80
          247.500 abandon 10.0.0.5 192.0.2.4:80
          247.500 abandon 10.0.0.6 192.0.2.4:80
          247.500 abandon 10.0.0.6 192.0.2.2:80
          247.500 won 10.0.0.6 192.0.2.1:80
          """)
  }

  @Test func `a deadline compresses the hold`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        option timeout 200ms
        remote 192.0.2.1:80 silent
        pair 10.0.0.6 192.0.2.1:80 answers 20ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          100.000 start 10.0.0.6 192.0.2.1:80
          120.000 connected 10.0.0.6 192.0.2.1:80
          120.000 abandon 10.0.0.5 192.0.2.1:80
          120.000 won 10.0.0.6 192.0.2.1:80
          """)
  }

  @Test func `parallel and sequential know no politeness`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        option pace parallel
        option timeout 1s
        remote 192.0.2.1:80 silent
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          0.000 start 10.0.0.6 192.0.2.1:80
          1000.000 timedout 10.0.0.5 192.0.2.1:80
          1000.000 timedout 10.0.0.6 192.0.2.1:80
          1000.000 lost ETIMEDOUT
          """)
  }
}
