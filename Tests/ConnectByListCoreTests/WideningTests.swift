import Testing

/// What starts after failures: section 4 of the contract.
@Suite struct WideningTests {
  @Test func `two failures in a row start two attempts where one is silent, and three four`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option order given
        option local_addresses false
        remote 192.0.2.1:80 refuses 10ms
        remote 192.0.2.2:80 refuses 10ms
        remote 192.0.2.3:80 refuses 10ms
        remote 192.0.2.4:80 silent
        remote 192.0.2.5:80 silent
        remote 192.0.2.6:80 silent
        remote 192.0.2.7:80 answers 5ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          10.000 refused 10.0.0.5 192.0.2.1:80
          10.000 start 10.0.0.5 192.0.2.2:80
          20.000 refused 10.0.0.5 192.0.2.2:80
          20.000 start 10.0.0.5 192.0.2.3:80
          20.000 start 10.0.0.5 192.0.2.4:80
          30.000 refused 10.0.0.5 192.0.2.3:80
          30.000 start 10.0.0.5 192.0.2.5:80
          30.000 start 10.0.0.5 192.0.2.6:80
          30.000 start 10.0.0.5 192.0.2.7:80
          35.000 connected 10.0.0.5 192.0.2.7:80
          35.000 abandon 10.0.0.5 192.0.2.4:80
          35.000 abandon 10.0.0.5 192.0.2.5:80
          35.000 abandon 10.0.0.5 192.0.2.6:80
          35.000 won 10.0.0.5 192.0.2.7:80
          """)
  }

  @Test func `two failures, a silent and a slow address cost 150 ms at most`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option order given
        remote 192.0.2.1:80 refuses 20ms
        remote 192.0.2.2:80 refuses 20ms
        remote 192.0.2.3:80 silent
        remote 192.0.2.4:80 answers 900ms
        remote 192.0.2.5:80 answers 20ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          20.000 refused 10.0.0.5 192.0.2.1:80
          20.000 start 10.0.0.5 192.0.2.2:80
          40.000 refused 10.0.0.5 192.0.2.2:80
          40.000 start 10.0.0.5 192.0.2.3:80
          40.000 start 10.0.0.5 192.0.2.4:80
          115.000 start 10.0.0.5 192.0.2.5:80
          135.000 connected 10.0.0.5 192.0.2.5:80
          135.000 abandon 10.0.0.5 192.0.2.3:80
          135.000 abandon 10.0.0.5 192.0.2.4:80
          135.000 won 10.0.0.5 192.0.2.5:80
          """)
  }

  @Test func `the delay of the newest attempt ends a row of failures`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option order given
        option local_addresses false
        remote 192.0.2.1:80 refuses 200ms
        remote 192.0.2.2:80 refuses 100ms
        remote 192.0.2.3:80 silent
        remote 192.0.2.4:80 answers 400ms
        remote 192.0.2.5:80 answers 400ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          150.000 start 10.0.0.5 192.0.2.2:80
          200.000 refused 10.0.0.5 192.0.2.1:80
          200.000 start 10.0.0.5 192.0.2.3:80
          250.000 refused 10.0.0.5 192.0.2.2:80
          250.000 start 10.0.0.5 192.0.2.4:80
          325.000 start 10.0.0.5 192.0.2.5:80
          650.000 connected 10.0.0.5 192.0.2.4:80
          650.000 abandon 10.0.0.5 192.0.2.3:80
          650.000 abandon 10.0.0.5 192.0.2.5:80
          650.000 won 10.0.0.5 192.0.2.4:80
          """)
  }

  @Test func `an attempt_timeout is silence: it starts one`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option order given
        option attempt_timeout 40ms
        option local_addresses false
        remote 192.0.2.1:80 silent
        remote 192.0.2.2:80 silent
        remote 192.0.2.3:80 silent
        remote 192.0.2.4:80 answers 5ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          40.000 timedout 10.0.0.5 192.0.2.1:80
          40.000 start 10.0.0.5 192.0.2.2:80
          80.000 timedout 10.0.0.5 192.0.2.2:80
          80.000 start 10.0.0.5 192.0.2.3:80
          120.000 timedout 10.0.0.5 192.0.2.3:80
          120.000 start 10.0.0.5 192.0.2.4:80
          125.000 connected 10.0.0.5 192.0.2.4:80
          125.000 won 10.0.0.5 192.0.2.4:80
          """)
  }

  @Test func `failures in the call that starts an attempt are no starts and no row`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option order given
        option local_addresses false
        remote 192.0.2.1:80 fails EACCES
        remote 192.0.2.2:80 fails EACCES
        remote 192.0.2.3:80 silent
        remote 192.0.2.4:80 silent
        remote 192.0.2.5:80 answers 5ms
        """) == """
          0.000 failed 10.0.0.5 192.0.2.1:80 EACCES
          0.000 failed 10.0.0.5 192.0.2.2:80 EACCES
          0.000 start 10.0.0.5 192.0.2.3:80
          150.000 start 10.0.0.5 192.0.2.4:80
          225.000 start 10.0.0.5 192.0.2.5:80
          230.000 connected 10.0.0.5 192.0.2.5:80
          230.000 abandon 10.0.0.5 192.0.2.3:80
          230.000 abandon 10.0.0.5 192.0.2.4:80
          230.000 won 10.0.0.5 192.0.2.5:80
          """)
  }

  @Test func `four refusals from three sources end after five round trips at most`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        local 10.0.0.7/24
        remote 192.0.2.1:80 refuses 30ms
        remote 192.0.2.2:80 refuses 30ms
        remote 192.0.2.3:80 refuses 30ms
        remote 192.0.2.4:80 refuses 30ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          30.000 refused 10.0.0.5 192.0.2.1:80
          30.000 start 10.0.0.5 192.0.2.2:80
          60.000 refused 10.0.0.5 192.0.2.2:80
          60.000 start 10.0.0.5 192.0.2.3:80
          60.000 start 10.0.0.5 192.0.2.4:80
          90.000 refused 10.0.0.5 192.0.2.3:80
          90.000 refused 10.0.0.5 192.0.2.4:80
          90.000 start 10.0.0.6 192.0.2.1:80
          90.000 start 10.0.0.7 192.0.2.1:80
          90.000 start 10.0.0.6 192.0.2.2:80
          90.000 start 10.0.0.7 192.0.2.2:80
          90.000 start 10.0.0.6 192.0.2.3:80
          90.000 start 10.0.0.7 192.0.2.3:80
          90.000 start 10.0.0.6 192.0.2.4:80
          90.000 start 10.0.0.7 192.0.2.4:80
          120.000 refused 10.0.0.6 192.0.2.1:80
          120.000 refused 10.0.0.7 192.0.2.1:80
          120.000 refused 10.0.0.6 192.0.2.2:80
          120.000 refused 10.0.0.7 192.0.2.2:80
          120.000 refused 10.0.0.6 192.0.2.3:80
          120.000 refused 10.0.0.7 192.0.2.3:80
          120.000 refused 10.0.0.6 192.0.2.4:80
          120.000 refused 10.0.0.7 192.0.2.4:80
          120.000 lost ECONNREFUSED
          """)
  }

  @Test func `sequential takes the alternates of refused remotes one by one`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        option pace sequential
        remote 192.0.2.1:80 refuses 30ms
        remote 192.0.2.2:80 refuses 30ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          30.000 refused 10.0.0.5 192.0.2.1:80
          30.000 start 10.0.0.5 192.0.2.2:80
          60.000 refused 10.0.0.5 192.0.2.2:80
          60.000 start 10.0.0.6 192.0.2.1:80
          90.000 refused 10.0.0.6 192.0.2.1:80
          90.000 start 10.0.0.6 192.0.2.2:80
          120.000 refused 10.0.0.6 192.0.2.2:80
          120.000 lost ECONNREFUSED
          """)
  }

  @Test func `a failure that finds no pair keeps its right until one joins`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option local_addresses false
        remote 192.0.2.1:80 silent
        remote 192.0.2.2:80 refuses 10ms
        name late.test ipv4 after 300ms 192.0.2.7 192.0.2.8 port 80
        option timeout 2s
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          150.000 start 10.0.0.5 192.0.2.2:80
          160.000 refused 10.0.0.5 192.0.2.2:80
          300.000 resolved late.test 2
          300.000 start 10.0.0.5 192.0.2.7:80
          375.000 start 10.0.0.5 192.0.2.8:80
          2000.000 timedout 10.0.0.5 192.0.2.1:80
          2000.000 timedout 10.0.0.5 192.0.2.7:80
          2000.000 timedout 10.0.0.5 192.0.2.8:80
          2000.000 lost ETIMEDOUT
          """)
  }
}
