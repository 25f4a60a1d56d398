import Testing

@testable import ConnectByListCore
@testable import ConnectByListSimulation

/// When the next attempt starts.
@Suite struct RacePaceTests {
  @Test func `twenty silent addresses cost half a second`() throws {
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

  @Test func `an accelerating delay halves for each attempt in flight, not for each start`() {
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

  @Test func `the sequential pace starts one attempt at a time, and silence starts none`() {
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

  @Test func `the parallel pace starts all at once`() {
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

  @Test func `a measured round trip replaces the default delay`() {
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

  @Test func `a measured round trip replaces the default delay in the given order too`() {
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
}
