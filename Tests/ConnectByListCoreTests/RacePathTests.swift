import ConnectByListCore
import Testing

/// Races in which it matters where a connection comes from, and where its address does.
@Suite struct RacePathTests {
  // MARK: local addresses

  @Test func `remotes without a route fail at once and cost no time`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option order given
        remote [2001:db8::1]:80 noroute
        remote [2001:db8::2]:80 noroute
        remote 192.0.2.1:80 answers 30ms
        """) == """
          0.000 failed - [2001:db8::1]:80 ENETUNREACH
          0.000 failed - [2001:db8::2]:80 ENETUNREACH
          0.000 start 10.0.0.5 192.0.2.1:80
          30.000 connected 10.0.0.5 192.0.2.1:80
          30.000 won 10.0.0.5 192.0.2.1:80
          """)
  }

  @Test func `the race fails with the errno of the last failure`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        remote [2001:db8::1]:80 noroute
        remote 192.0.2.1:80 refuses 5ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          5.000 refused 10.0.0.5 192.0.2.1:80
          5.000 failed - [2001:db8::1]:80 ENETUNREACH
          5.000 lost ENETUNREACH
          """)
  }

  @Test func `after three silent remotes the fourth attempt avoids their source`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        option pace steady
        option attempt_delay 100ms
        option timeout 1200ms
        remote 192.0.2.1:80 silent
        remote 192.0.2.2:80 silent
        remote 192.0.2.3:80 silent
        remote 192.0.2.4:80 silent
        remote 192.0.2.5:80 silent
        remote 192.0.2.6:80 silent
        pair 10.0.0.6 192.0.2.3:80 answers 350ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          100.000 start 10.0.0.5 192.0.2.2:80
          200.000 start 10.0.0.5 192.0.2.3:80
          300.000 start 10.0.0.6 192.0.2.3:80
          400.000 start 10.0.0.5 192.0.2.4:80
          500.000 start 10.0.0.5 192.0.2.5:80
          600.000 start 10.0.0.5 192.0.2.6:80
          650.000 connected 10.0.0.6 192.0.2.3:80
          650.000 abandon 10.0.0.5 192.0.2.1:80
          650.000 abandon 10.0.0.5 192.0.2.2:80
          650.000 abandon 10.0.0.5 192.0.2.3:80
          650.000 abandon 10.0.0.5 192.0.2.4:80
          650.000 abandon 10.0.0.5 192.0.2.5:80
          650.000 abandon 10.0.0.5 192.0.2.6:80
          650.000 won 10.0.0.6 192.0.2.3:80
          """)
  }

  @Test func `another local address is first tried with the remote that is now the likeliest`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        option pace steady
        option attempt_delay 100ms
        remote 192.0.2.1:80 refuses 10ms
        remote 192.0.2.2:80 silent
        remote 192.0.2.3:80 resets 10ms
        pair 10.0.0.6 192.0.2.1:80 answers 50ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          10.000 refused 10.0.0.5 192.0.2.1:80
          10.000 start 10.0.0.5 192.0.2.2:80
          110.000 start 10.0.0.5 192.0.2.3:80
          120.000 reset 10.0.0.5 192.0.2.3:80
          120.000 start 10.0.0.6 192.0.2.3:80
          130.000 reset 10.0.0.6 192.0.2.3:80
          130.000 start 10.0.0.6 192.0.2.1:80
          180.000 connected 10.0.0.6 192.0.2.1:80
          180.000 abandon 10.0.0.5 192.0.2.2:80
          180.000 won 10.0.0.6 192.0.2.1:80
          """)
  }

  @Test func `a pair is tried once, also when addresses join late`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        option pace steady
        option attempt_delay 100ms
        option timeout 1s
        remote 192.0.2.1:80 silent
        name late.test ipv4 after 400ms 192.0.2.7 192.0.2.7 port 80
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          200.000 start 10.0.0.6 192.0.2.1:80
          400.000 resolved late.test 2
          400.000 start 10.0.0.5 192.0.2.7:80
          600.000 start 10.0.0.6 192.0.2.7:80
          1000.000 timedout 10.0.0.5 192.0.2.1:80
          1000.000 timedout 10.0.0.6 192.0.2.1:80
          1000.000 timedout 10.0.0.5 192.0.2.7:80
          1000.000 timedout 10.0.0.6 192.0.2.7:80
          1000.000 lost ETIMEDOUT
          """)
  }

  @Test func `ENETUNREACH from an address puts the rest of its family last`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 2001:db8::5/64
        remote [2001:db8::1]:80 fails ENETUNREACH 1ms
        remote [2001:db8::2]:80 refuses 5ms
        remote 192.0.2.1:80 refuses 5ms
        remote 192.0.2.2:80 refuses 5ms
        """) == """
          0.000 start 2001:db8::5 [2001:db8::1]:80
          1.000 unreachable 2001:db8::5 [2001:db8::1]:80
          1.000 start 10.0.0.5 192.0.2.1:80
          6.000 refused 10.0.0.5 192.0.2.1:80
          6.000 start 10.0.0.5 192.0.2.2:80
          6.000 start 2001:db8::5 [2001:db8::2]:80
          11.000 refused 10.0.0.5 192.0.2.2:80
          11.000 refused 2001:db8::5 [2001:db8::2]:80
          11.000 lost ECONNREFUSED
          """)
  }

  @Test
  func `a local address that the machine does not have fails, and so does a remote without one`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        option local_addresses 10.0.0.9 10.0.0.5:4000
        remote 192.0.2.1:80 refuses 5ms
        remote [2001:db8::1]:80 answers 1ms
        """) == """
          0.000 start 10.0.0.5:4000 192.0.2.1:80
          5.000 refused 10.0.0.5:4000 192.0.2.1:80
          5.000 failed - [2001:db8::1]:80 EADDRNOTAVAIL
          5.000 failed 10.0.0.9 192.0.2.1:80 EADDRNOTAVAIL
          5.000 lost EADDRNOTAVAIL
          """)
  }

  @Test func `with local_addresses = false only the route's source is tried`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        option local_addresses false
        remote 192.0.2.1:80 refuses 5ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          5.000 refused 10.0.0.5 192.0.2.1:80
          5.000 lost ECONNREFUSED
          """)
  }

  @Test func `a link-local address without a scope is tried on every link`() {
    #expect(
      transcript(
        """
        local fe80::5%eth0/64
        local fe80::6%eth1/64
        remote [fe80::1]:80 answers 100ms
        pair fe80::5%eth0 [fe80::1%eth0]:80 refuses 5ms
        """) == """
          0.000 start fe80::5%eth0 [fe80::1%eth0]:80
          5.000 refused fe80::5%eth0 [fe80::1%eth0]:80
          5.000 start fe80::6%eth1 [fe80::1%eth1]:80
          105.000 connected fe80::6%eth1 [fe80::1%eth1]:80
          105.000 won fe80::6%eth1 [fe80::1%eth1]:80
          """)
  }

  // MARK: names

  @Test func `literals do not wait for a name`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 2001:db8::5/64
        name x.test ipv6 after 200ms 2001:db8::1 port 80
        remote 192.0.2.1:80 answers 30ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          30.000 connected 10.0.0.5 192.0.2.1:80
          30.000 won 10.0.0.5 192.0.2.1:80
          """)
  }

  @Test func `the addresses of a name join the race when they are resolved`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 2001:db8::5/64
        name x.test ipv6 after 20ms 2001:db8::1 port 80
        world 2001:db8::1 answers 10ms
        remote 192.0.2.1:80 silent
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          20.000 resolved x.test 1
          150.000 start 2001:db8::5 [2001:db8::1]:80
          160.000 connected 2001:db8::5 [2001:db8::1]:80
          160.000 abandon 10.0.0.5 192.0.2.1:80
          160.000 won 2001:db8::5 [2001:db8::1]:80
          """)
  }

  @Test func `IPv4 addresses wait for IPv6 addresses for at most 50 ms`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 2001:db8::5/64
        name x.test ipv4 after 10ms 192.0.2.1 ipv6 after 70ms 2001:db8::1 port 80
        world 192.0.2.1 answers 100ms
        world 2001:db8::1 answers 1ms
        """) == """
          10.000 resolved x.test 1
          60.000 start 10.0.0.5 192.0.2.1:80
          70.000 resolved x.test 1
          160.000 connected 10.0.0.5 192.0.2.1:80
          160.000 won 10.0.0.5 192.0.2.1:80
          """)
  }

  @Test func `IPv6 addresses that come within the 50 ms go first`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 2001:db8::5/64
        name x.test ipv4 after 10ms 192.0.2.1 ipv6 after 60ms 2001:db8::1 port 80
        world 192.0.2.1 answers 100ms
        world 2001:db8::1 answers 10ms
        """) == """
          10.000 resolved x.test 1
          60.000 resolved x.test 1
          60.000 start 2001:db8::5 [2001:db8::1]:80
          70.000 connected 2001:db8::5 [2001:db8::1]:80
          70.000 won 2001:db8::5 [2001:db8::1]:80
          """)
  }

  @Test func `IPv4 addresses do not wait if the name has no IPv6 address`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 2001:db8::5/64
        name x.test ipv4 after 10ms 192.0.2.1 ipv6 after 30ms EAI_NODATA port 80
        world 192.0.2.1 answers 100ms
        """) == """
          10.000 resolved x.test 1
          30.000 start 10.0.0.5 192.0.2.1:80
          130.000 connected 10.0.0.5 192.0.2.1:80
          130.000 won 10.0.0.5 192.0.2.1:80
          """)
  }

  @Test func `an unknown name fails the race with the resolver's code`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 2001:db8::5/64
        name x.test fails after 5ms EAI_NONAME
        """) == """
          5.000 unresolved x.test EAI_NONAME
          5.000 lost EAI_NONAME
          """)
  }

  @Test func `an unknown name does not end the race of the literals`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 2001:db8::5/64
        name x.test fails after 5ms EAI_NONAME
        remote 192.0.2.1:80 refuses 12ms
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          5.000 unresolved x.test EAI_NONAME
          12.000 refused 10.0.0.5 192.0.2.1:80
          12.000 lost ECONNREFUSED
          """)
  }

  @Test func `only the addresses of the option family are looked up`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 2001:db8::5/64
        option family inet
        name x.test ipv6 after 70ms 2001:db8::1 ipv4 after 10ms 192.0.2.1 port 80
        name y.test ipv6 after 30ms 2001:db8::1 port 80
        world 192.0.2.1:80 refuses 100ms
        """) == """
          10.000 resolved x.test 1
          10.000 start 10.0.0.5 192.0.2.1:80
          30.000 unresolved y.test EAI_NODATA
          110.000 refused 10.0.0.5 192.0.2.1:80
          110.000 lost ECONNREFUSED
          """)
  }

  @Test func `a name's address that is in the list is not tried twice`() {
    #expect(
      transcript(
        """
        local 10.0.0.5/24
        local 2001:db8::5/64
        option timeout 200ms
        remote 192.0.2.1:80 silent
        name x.test ipv4 after 10ms 192.0.2.1 port 80
        """) == """
          0.000 start 10.0.0.5 192.0.2.1:80
          10.000 resolved x.test 1
          200.000 timedout 10.0.0.5 192.0.2.1:80
          200.000 lost ETIMEDOUT
          """)
  }
}
