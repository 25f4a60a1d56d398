import Testing

/// The cap on attempts in flight, the caller's and that of a shortage: section 4 of the contract.
@Suite struct ShortageTests {
  @Test func `a shortage of descriptors is a cap while attempts are in flight`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        descriptors 2
        option order given
        option local_addresses false
        option attempt_timeout 400ms
        remote 192.0.2.1:80 silent
        remote 192.0.2.2:80 silent
        remote 192.0.2.3:80 silent
        remote 192.0.2.4:80 answers 20ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          150.000 start 10.0.0.5 192.0.2.2:80
          400.000 timedout 10.0.0.5 192.0.2.1:80
          400.000 start 10.0.0.5 192.0.2.3:80
          550.000 timedout 10.0.0.5 192.0.2.2:80
          550.000 start 10.0.0.5 192.0.2.4:80
          570.000 connected 10.0.0.5 192.0.2.4:80
          570.000 abandon 10.0.0.5 192.0.2.3:80
          570.000 won 10.0.0.5 192.0.2.4:80
          """)
  }

  @Test func `with none in flight a shortage is the pair's failure`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        descriptors 0
        option order given
        option local_addresses false
        remote 192.0.2.1:80 answers 20ms
        remote 192.0.2.2:80 answers 20ms
        """) == """
          0.000 failed 10.0.0.5 192.0.2.1:80 EMFILE
          0.000 failed 10.0.0.5 192.0.2.2:80 EMFILE
          0.000 lost EMFILE
          """)
  }

  @Test func `at the cap only a likelier pair makes another give way`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option order given
        option in_flight 1
        option timeout 4s
        option local_addresses false
        remote 192.0.2.1:80 answers 700ms
        remote 192.0.2.2:80 noroute
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          150.000 failed - 192.0.2.2:80 ENETUNREACH
          700.000 connected 10.0.0.5 192.0.2.1:80
          700.000 won 10.0.0.5 192.0.2.1:80
          """)
  }

  @Test func `a pair without a route is recorded at its turn with the cap full`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option order given
        option in_flight 1
        option attempt_delay 100ms
        option local_addresses false
        remote 192.0.2.1:80 answers 300ms
        remote 192.0.2.2:80 noroute
        remote 192.0.2.3:80 answers 1ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          100.000 failed - 192.0.2.2:80 ENETUNREACH
          300.000 connected 10.0.0.5 192.0.2.1:80
          300.000 won 10.0.0.5 192.0.2.1:80
          """)
  }
}
