import Testing

@testable import ConnectByListCore
@testable import ConnectByListSimulation

/// The scenario text of the contract's section 8, and the races in the networks that it describes.
@Suite struct ScenarioTests {
  // MARK: examples of the contract

  @Test func `the contract's example has the contract's transcript`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        remote 192.0.2.1:80 from 10.0.0.5 answers 280ms
        remote 192.0.2.2:80 from 10.0.0.5 silent
        remote 192.0.2.3:80 from 10.0.0.5 silent
        option timeout 2s
        option attempt_delay 250ms
        option pace steady
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          250.000 start 10.0.0.5 192.0.2.2:80
          280.000 connected 10.0.0.5 192.0.2.1:80
          280.000 abandon 10.0.0.5 192.0.2.2:80
          280.000 won 10.0.0.5 192.0.2.1:80
          """)
  }

  @Test func `the contract's scenario starts the likeliest pair first`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24                       # a local address with its prefix
        local 2001:db8::5/64 deprecated         # flags: deprecated temporary home tentative
        remote 192.0.2.1:80 from 10.0.0.5 answers 30ms
        remote 192.0.2.2:80 from 10.0.0.5 silent
        remote 192.0.2.3:80 from 10.0.0.5 refuses 12ms
        remote [2001:db8::9]:80 from 2001:db8::5 unreachable 12ms
        remote 192.0.2.9:80 noroute             # fails synchronously
        remote 192.0.2.4:80 from 10.0.0.5 native answers 10ms      # flag for rule 7
        pair 10.0.0.6 192.0.2.1:80 silent       # this pair only, over the remote's line
        name db.test ipv6 after 20ms 2001:db8::9 ipv4 after 5ms 192.0.2.1 port 80
        rtt 10.0.0.5 192.0.2.1 30ms var 2ms     # evidence
        option timeout 2s
        option attempt_delay 250ms
        option pace steady
        cancel 5s
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          5.000 resolved db.test 1
          20.000 resolved db.test 1
          30.000 connected 10.0.0.5 192.0.2.1:80
          30.000 won 10.0.0.5 192.0.2.1:80
          """)
  }

  @Test func `the contract's scenario has a plan with a reason for each pair`() {
    #expect(
      explanation(
        """
        local 10.0.0.5/24                       # a local address with its prefix
        local 2001:db8::5/64 deprecated         # flags: deprecated temporary home tentative
        remote 192.0.2.1:80 from 10.0.0.5 answers 30ms
        remote 192.0.2.2:80 from 10.0.0.5 silent
        remote 192.0.2.3:80 from 10.0.0.5 refuses 12ms
        remote [2001:db8::9]:80 from 2001:db8::5 unreachable 12ms
        remote 192.0.2.9:80 noroute             # fails synchronously
        remote 192.0.2.4:80 from 10.0.0.5 native answers 10ms      # flag for rule 7
        pair 10.0.0.6 192.0.2.1:80 silent       # this pair only, over the remote's line
        name db.test ipv6 after 20ms 2001:db8::9 ipv4 after 5ms 192.0.2.1 port 80
        rtt 10.0.0.5 192.0.2.1 30ms var 2ms     # evidence
        option timeout 2s
        option attempt_delay 250ms
        option pace steady
        cancel 5s
        """) == """
          1 10.0.0.5 192.0.2.1:80 0.931 route's source; the kernel's metrics: round trip 30 ms; \
          evidence goes before the rules; families take turns; delay 250 ms: given
          2 2001:db8::5 [2001:db8::9]:80 0.784 route's source; rule 3: a deprecated source goes \
          last; families take turns; delay 250 ms: given
          3 10.0.0.5 192.0.2.4:80 0.568 route's source; delay 250 ms: given
          4 10.0.0.5 192.0.2.2:80 0.263 route's source; measured: a shorter round trip goes \
          first; delay 250 ms: given
          5 10.0.0.5 192.0.2.3:80 0.071 route's source; rule 10: the order is as given; delay 250 \
          ms: given
          6 - 192.0.2.9:80 0.000 route's choice; no route: ENETUNREACH; rule 1: a destination \
          without a route goes last; families take turns
          """)
  }

  // MARK: verbs and statements

  @Test func `each verb has its event`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option pace sequential
        option order given
        remote 192.0.2.1:80 refuses 1ms
        remote 192.0.2.2:80 unreachable 1ms
        remote 192.0.2.3:80 resets 1ms
        remote 192.0.2.4:80 rejects 1ms
        remote 192.0.2.5:80 fails EACCES
        remote 192.0.2.6:80 fails EPROTO 1ms
        remote 192.0.2.7:80 fails ETIMEDOUT 1ms
        remote 192.0.2.8:80 noroute
        remote 192.0.2.9:80 silent
        remote 192.0.2.10:80 lost 3 answers 30ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          1.000 refused 10.0.0.5 192.0.2.1:80
          1.000 start 10.0.0.5 192.0.2.2:80
          2.000 unreachable 10.0.0.5 192.0.2.2:80
          2.000 start 10.0.0.5 192.0.2.3:80
          3.000 reset 10.0.0.5 192.0.2.3:80
          3.000 start 10.0.0.5 192.0.2.4:80
          4.000 connected 10.0.0.5 192.0.2.4:80
          4.000 rejected 10.0.0.5 192.0.2.4:80
          4.000 failed 10.0.0.5 192.0.2.5:80 EACCES
          4.000 start 10.0.0.5 192.0.2.6:80
          5.000 failed 10.0.0.5 192.0.2.6:80 EPROTO
          5.000 start 10.0.0.5 192.0.2.7:80
          6.000 timedout 10.0.0.5 192.0.2.7:80
          6.000 failed - 192.0.2.8:80 ENETUNREACH
          6.000 start 10.0.0.5 192.0.2.9:80
          131006.000 timedout 10.0.0.5 192.0.2.9:80
          131006.000 start 10.0.0.5 192.0.2.10:80
          134036.000 connected 10.0.0.5 192.0.2.10:80
          134036.000 won 10.0.0.5 192.0.2.10:80
          """)
  }

  @Test func `the parts of a line may be in any order, and a comment may begin anywhere`() {
    #expect(
      transcript(
        """
        # a comment
        cancel 10ms#and another
           remote 192.0.2.1:80 silent native from 10.0.0.5   # and one more
        local 10.0.0.5/24
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          10.000 abandon 10.0.0.5 192.0.2.1:80
          10.000 cancelled
          """)
  }

  @Test func `a world line describes a name's address, with or without its port`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option pace parallel
        option timeout 1s
        name x.test ipv4 after 5ms 192.0.2.1 192.0.2.2 192.0.2.3 port 80
        world 192.0.2.1 refuses 10ms
        world 192.0.2.1:80 refuses 20ms
        world 192.0.2.2:443 refuses 30ms
        world 192.0.2.3 from 10.0.0.6 refuses 40ms
        """) == """
          5.000 resolved x.test 3
          5.000 start 10.0.0.5 192.0.2.1:80
          5.000 start 10.0.0.5 192.0.2.2:80
          5.000 start 10.0.0.6 192.0.2.3:80
          5.000 start 10.0.0.6 192.0.2.1:80
          5.000 start 10.0.0.6 192.0.2.2:80
          5.000 start 10.0.0.5 192.0.2.3:80
          25.000 refused 10.0.0.5 192.0.2.1:80
          25.000 refused 10.0.0.6 192.0.2.1:80
          45.000 refused 10.0.0.6 192.0.2.3:80
          45.000 refused 10.0.0.5 192.0.2.3:80
          1000.000 timedout 10.0.0.5 192.0.2.2:80
          1000.000 timedout 10.0.0.6 192.0.2.2:80
          1000.000 lost ETIMEDOUT
          """)
  }

  @Test func `a pair line overrides its remote's line for that pair alone`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        remote 192.0.2.1:80 refuses 10ms
        pair 10.0.0.6 192.0.2.1:80 answers 10ms
        pair 10.0.0.5 192.0.2.1:81 answers 10ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          10.000 refused 10.0.0.5 192.0.2.1:80
          10.000 start 10.0.0.6 192.0.2.1:80
          20.000 connected 10.0.0.6 192.0.2.1:80
          20.000 won 10.0.0.6 192.0.2.1:80
          """)
  }

  @Test func `of two lines for one remote the first applies`() {
    #expect(
      transcript(
        """
        remote 192.0.2.1:80 answers 10ms
        remote 192.0.2.1:80 silent
        remote [::ffff:192.0.2.1]:80 silent
        """) == """
          0.000 start - 192.0.2.1:80
          10.000 connected - 192.0.2.1:80
          10.000 won - 192.0.2.1:80
          """)
  }

  @Test func `a remote with a source is used unchanged, even if it is multicast or has no scope`() {
    #expect(
      transcript(
        """
        option pace parallel
        option interleave false
        option timeout 1s
        remote [ff02::1]:80 from fe80::5%eth0 silent
        remote [fe80::1]:80 from fe80::5%eth0 silent
        local fe80::5%eth0/64
        local fe80::6%eth1/64
        """) == """
          0.000 start fe80::5%eth0 [fe80::1]:80
          0.000 start fe80::5%eth0 [ff02::1]:80
          1000.000 timedout fe80::5%eth0 [fe80::1]:80
          1000.000 timedout fe80::5%eth0 [ff02::1]:80
          1000.000 lost ETIMEDOUT
          """)
  }

  @Test
  func
    `the kernel sends a SYN again after 1, 2, 3, 4, 5, 7 … 67 seconds, then gives up`()
  {
    #expect(
      transcript(
        """
        option pace parallel
        option order given
        remote 192.0.2.1:80 lost 4 answers 1ms
        remote 192.0.2.2:80 lost 6 answers 1ms
        pair - 192.0.2.1:80 lost 7 answers 1ms
        remote 192.0.2.3:80 lost 6 answers 64s
        """) == """
          0.000 start - 192.0.2.1:80
          0.000 start - 192.0.2.2:80
          0.000 start - 192.0.2.3:80
          7001.000 connected - 192.0.2.2:80
          7001.000 abandon - 192.0.2.1:80
          7001.000 abandon - 192.0.2.3:80
          7001.000 won - 192.0.2.2:80
          """)
  }

  @Test func `the report of a simulated race has sources and resent SYNs`() throws {
    let text = "local 10.0.0.5/24\nremote 192.0.2.1:80 lost 2 answers 30ms"
    let race = Simulation(try Scenario(parsing: Array(text.utf8))).run().race
    #expect(race.attempts[0].resentCount == 2)
    #expect(race.attempts[0].local == Endpoint(IPAddress(v4: 0x0a00_0005), port: 0))
  }
}
