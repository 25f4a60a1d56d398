@testable import ConnectByListCore
@testable import ConnectByListSimulation
import Testing

/// The scenario text of the contract's section 8: what is read, what is written, what is refused,
/// and how the world behaves that it describes.
@Suite struct ScenarioTests {
  // MARK: the contract's own examples

  @Test func `the transcript of the contract`() {
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

  @Test func `the scenario of the contract: the likeliest first`() {
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

  @Test func `the plan of the contract's scenario`() {
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
        1 10.0.0.5 192.0.2.1:80 0.931 route's source; the kernel's metrics: round trip 30 ms; evidence goes before the rules; families take turns
        2 2001:db8::5 [2001:db8::9]:80 0.784 route's source; rule 3: a deprecated source goes last; families take turns
        3 10.0.0.5 192.0.2.4:80 0.568 route's source
        4 10.0.0.5 192.0.2.2:80 0.263 route's source; measured: a shorter round trip goes first
        5 10.0.0.5 192.0.2.3:80 0.071 route's source; rule 10: the order is as given
        6 - 192.0.2.9:80 0.008 route's choice; no route: ENETUNREACH; rule 1: a destination without a route goes last; families take turns
        7 10.0.0.5 192.0.2.9:80 0.008 another local address; no route: ENETUNREACH
        """)
  }

  // MARK: verbs and statements

  @Test func `every verb`() {
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
        127006.000 timedout 10.0.0.5 192.0.2.9:80
        127006.000 start 10.0.0.5 192.0.2.10:80
        134036.000 connected 10.0.0.5 192.0.2.10:80
        134036.000 won 10.0.0.5 192.0.2.10:80
        """)
  }

  @Test func `words stand in any order, and a comment ends a line anywhere`() {
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

  @Test func `the world describes addresses that only a name brings, with or without their port`() {
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
        5.000 start 10.0.0.6 192.0.2.3:80
        5.000 start 10.0.0.5 192.0.2.2:80
        5.000 start 10.0.0.6 192.0.2.2:80
        5.000 start 10.0.0.6 192.0.2.1:80
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

  @Test func `a pair's line goes over its remote's, and no other pair's`() {
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

  @Test func `of two lines for one remote the first counts, as of two entries of a list`() {
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

  @Test func `a remote with a source is taken as it is, multicast and unscoped too`() {
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

  @Test func `the kernel sends a SYN again after 1, 3, 7, 15, 31 and 63 seconds, then gives up`() {
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
        63001.000 connected - 192.0.2.2:80
        63001.000 abandon - 192.0.2.1:80
        63001.000 abandon - 192.0.2.3:80
        63001.000 won - 192.0.2.2:80
        """)
  }

  @Test func `a report of a simulated race knows sources and resent SYNs`() throws {
    let text = "local 10.0.0.5/24\nremote 192.0.2.1:80 lost 2 answers 30ms"
    let race = Simulation(try Scenario(parsing: Array(text.utf8))).run().race
    #expect(race.attempts[0].resentCount == 2)
    #expect(race.attempts[0].local == Endpoint(IPAddress(v4: 0x0a00_0005), port: 0))
  }

  // MARK: explain

  @Test func `evidence moves a remote, and the plan says which`() {
    #expect(
      explanation(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        remote 192.0.2.1:80 from 10.0.0.5 silent
        remote 192.0.2.2:80 from 10.0.0.5 silent
        remote 192.0.2.3:80 from 10.0.0.5 silent
        remote 192.0.2.4:80 noroute
        remote 192.0.2.5:80 from 10.0.0.5 silent
        history 192.0.2.1:80 failed 20s ago
        history 192.0.2.2:80 connected 5500us
        neighbour 192.0.2.3 failed
        rtt 10.0.0.5 192.0.2.5 30ms var 2ms
        """) == """
        1 10.0.0.5 192.0.2.2:80 0.931 route's source; connected before; round trip 5500 us
        2 10.0.0.5 192.0.2.5:80 0.675 route's source; the kernel's metrics: round trip 30 ms; measured: a shorter round trip goes first
        3 10.0.0.5 192.0.2.3:80 0.022 route's source; neighbour does not answer; evidence goes before the rules
        4 10.0.0.6 192.0.2.5:80 0.415 another local address; the kernel's metrics: round trip 30 ms; three remotes were silent from one source
        5 10.0.0.5 192.0.2.1:80 0.015 route's source; failed 20 s ago; measured: a shorter round trip goes first
        6 - 192.0.2.4:80 0.008 route's choice; no route: ENETUNREACH; evidence goes before the rules
        7 10.0.0.6 192.0.2.4:80 0.386 another local address; no route: ENETUNREACH
        8 10.0.0.6 192.0.2.2:80 0.130 another local address; connected before; round trip 5500 us
        9 10.0.0.6 192.0.2.3:80 0.085 another local address; neighbour does not answer
        10 10.0.0.6 192.0.2.1:80 0.071 another local address; failed 20 s ago
        11 10.0.0.5 192.0.2.4:80 0.025 another local address; no route: ENETUNREACH
        """)
  }

  @Test func `families take turns, and the plan says where`() {
    #expect(
      explanation(
        """
        remote [2001:db8::1]:80 from 2001:db8::5 silent
        remote [2001:db8::2]:80 from 2001:db8::5 silent
        remote 192.0.2.1:80 from 10.0.0.5 silent
        remote 192.0.2.2:80 from 10.0.0.5 silent
        """) == """
        1 2001:db8::5 [2001:db8::1]:80 0.784 route's source
        2 10.0.0.5 192.0.2.1:80 0.784 route's source; rule 6: the higher precedence goes first; families take turns
        3 2001:db8::5 [2001:db8::2]:80 0.726 route's source; rule 10: the order is as given; families take turns
        4 10.0.0.5 192.0.2.2:80 0.726 route's source; rule 10: the order is as given; families take turns
        """)
  }

  @Test func `the caller's order and a shuffled one`() {
    #expect(
      explanation(
        """
        option order random
        option seed 7
        option interleave false
        remote 192.0.2.1:80 from 10.0.0.5 silent
        remote 192.0.2.2:80 from 10.0.0.5 silent
        remote 192.0.2.3:80 from 10.0.0.5 silent
        """) == """
        1 10.0.0.5 192.0.2.3:80 0.784 route's source; shuffled with seed 7
        2 10.0.0.5 192.0.2.1:80 0.726 route's source; shuffled with seed 7
        3 10.0.0.5 192.0.2.2:80 0.530 route's source; shuffled with seed 7
        """)
  }

  @Test func `named local addresses, one of which fits nothing here`() {
    #expect(
      explanation(
        """
        local 10.0.0.5/24
        local 10.0.0.6/24
        option order given
        option local_addresses 10.0.0.5 10.0.0.6
        remote 192.0.2.1:80 from 10.0.0.6 silent
        remote 192.0.2.2:80 silent
        remote [2001:db8::1]:80 silent
        """) == """
        1 10.0.0.6 192.0.2.1:80 0.784 route's source; the caller's order
        2 10.0.0.5 192.0.2.2:80 0.784 route's source; the caller's order
        3 - [2001:db8::1]:80 0.008 none of the given local addresses fits; the caller's order
        4 10.0.0.5 192.0.2.1:80 0.034 another local address
        5 10.0.0.6 192.0.2.2:80 0.034 another local address
        """)
  }

  @Test func `names stand in the plan with all their addresses, IPv6 before IPv4`() {
    #expect(
      explanation(
        """
        option order given
        name x.test ipv4 after 5ms 192.0.2.1 ipv6 after 20ms 2001:db8::1 port 80
        """) == """
        1 - [2001:db8::1]:80 0.784 route's choice; the caller's order
        2 - 192.0.2.1:80 0.784 route's choice; the caller's order
        """)
  }

  /// Go's addrselect_test.go: destinations with their sources, in the order they belong in.
  @Test(arguments: [
    ["[2001:db8:1::1]:80 from 2001:db8:1::2", "198.51.100.121:80 from 169.254.13.78"],
    ["198.51.100.121:80 from 198.51.100.117", "[2001:db8:1::1]:80 from fe80::1"],
    ["[2001:db8:1::1]:80 from 2001:db8:1::2", "10.1.2.3:80 from 10.1.2.4"],
    ["[fe80::1]:80 from fe80::2", "[2001:db8:1::1]:80 from 2001:db8:1::2"],
  ])
  func `the published orders of RFC 6724, whichever way round they come`(remotes: [String]) {
    let expected = remotes.map { $0.prefix { $0 != " " } }
    for given in [remotes, remotes.reversed()] {
      let text = given.map { "remote \($0) silent\n" }.joined()
      let firsts = explanation(text).split(separator: "\n").map { $0.split(separator: " ")[2] }
        .filter(expected.contains).prefix(2)
      #expect(Array(firsts) == expected)
    }
  }

  @Test func `rule 9 is not for IPv4: addresses stay as given`() {
    let hosts = [
      "54.83.193.112", "184.72.238.214", "23.23.172.185", "75.101.148.21", "23.23.134.56",
      "23.21.50.150",
    ]
    let text = hosts.map { "remote \($0):80 from 10.2.3.4 silent\n" }.joined()
    let order = explanation(text).split(separator: "\n").map { $0.split(separator: " ")[2] }
    #expect(order == hosts.map { "\($0):80" })
  }

  // MARK: durations and options

  @Test(arguments: [
    ("0s", 0), ("1ns", 1), ("20us", 20_000), ("250ms", 250_000_000), ("1.5s", 1_500_000_000),
    ("0.000000001s", 1), ("0.1us", 100), ("1.000ns", 1), ("0.0350ms", 35_000),
    ("2.500000000000s", 2_500_000_000), ("100000000s", 100_000_000_000_000_000),
  ])
  func `a duration is exact to the nanosecond`(text: String, nanoseconds: Int64) throws {
    let scenario = try Scenario(
      parsing: Array("remote 192.0.2.1:80 silent\ncancel \(text)".utf8))
    #expect(scenario.cancel == TimeSpan(nanoseconds: nanoseconds))
  }

  @Test func `an option has exactly the nanoseconds that its text has`() throws {
    // The nearest double of some of these lies above them, and options round up.
    for nanoseconds in stride(from: Int64(10_000_001), to: 11_000_000, by: 997) {
      let text = "remote 192.0.2.1:80 silent\noption attempt_delay \(nanoseconds)ns"
      let options = try Scenario(parsing: Array(text.utf8)).options
      #expect(options.attemptDelay == TimeSpan(nanoseconds: nanoseconds))
    }
  }

  @Test func `options are those of a script`() throws {
    let options = try Scenario(
      parsing: Array(
        """
        remote 192.0.2.1:80 silent
        option timeout 2s
        option attempt_timeout 1.5s
        option minimum_delay 20ms
        option pace sequential
        option order random
        option seed 9007199254740992
        option hedge 200ms
        option interleave false
        option in_flight 7
        option family inet
        option local_addresses 10.0.0.5 [2001:db8::5]:4000
        """.utf8)
    ).options
    #expect(options.timeout == .seconds(2))
    #expect(options.attemptTimeout == .milliseconds(1500))
    #expect(options.minimumDelay == .milliseconds(20))
    #expect(options.pace == .sequential)
    #expect(options.order == .random)
    #expect(options.seed == 9_007_199_254_740_992)
    #expect(options.hedge == .milliseconds(200))
    #expect(options.interleave == false)
    #expect(options.inFlight == 7)
    #expect(options.family == .inet)
    guard case .these(let locals) = options.locals else { return #expect(Bool(false)) }
    #expect(locals.map(\.port) == [0, 4000])
  }

  // MARK: text and back

  @Test func `a scenario that is written as text reads back as the same`() throws {
    let text = """
      local 10.0.0.5/24
      local 2001:db8::5/64 deprecated temporary home tentative
      local fe80::5%eth0/64
      remote 192.0.2.1:80 from 10.0.0.5 native answers 30ms
      remote 192.0.2.2:80 silent
      remote 192.0.2.3:80 refuses 12ms
      remote [2001:db8::9]:80 from 2001:db8::5 unreachable 1500ms
      name db.test ipv6 after 20ms 2001:db8::9 2001:db8::a ipv4 after 5ms 192.0.2.1 port 80
      remote [fe80::1%eth0]:80 resets 12us
      remote [fe80::2%7]:80 rejects 1ns
      remote 192.0.2.4:80 lost 2 answers 3s
      remote 192.0.2.5:80 noroute
      remote 192.0.2.6:80 fails EACCES
      remote 192.0.2.7:80 fails EPROTO 5ms
      name gone.test fails after 5ms EAI_NONAME
      name half.test ipv6 after 20ms EAI_NODATA ipv4 after 5ms 192.0.2.1 port 443
      world 2001:db8::9 answers 10ms
      world [2001:db8::a]:80 from 2001:db8::5 native silent
      pair 10.0.0.5 192.0.2.1:80 silent
      pair - 192.0.2.5:80 refuses 1ms
      rtt 10.0.0.5 192.0.2.1 30ms var 2ms
      history 192.0.2.1:80 connected 30ms
      history 192.0.2.2:80 connected
      history 192.0.2.3:80 failed 20s ago
      neighbour 192.0.2.2 failed
      option timeout 2s
      option attempt_delay 250ms
      option minimum_delay 10001us
      option attempt_timeout 3s
      option hedge 200ms
      option pace steady
      option order random
      option seed 42
      option interleave true
      option in_flight 7
      option family inet6
      option local_addresses 10.0.0.5 [2001:db8::5]:4000
      cancel 5s

      """
    let scenario = try Scenario(parsing: Array(text.utf8))
    #expect(String(decoding: scenario.text, as: UTF8.self) == text)
  }

  @Test func `interfaces are numbered as they appear, and names of digits are names`() throws {
    let text = """
      local fe80::5%eth7/64
      local fe80::6%1/64
      remote [fe80::1%1]:80 silent
      pair fe80::6%1 [fe80::1%1]:80 silent

      """
    let scenario = try Scenario(parsing: Array(text.utf8))
    #expect(scenario.locals.map(\.interface) == [1, 2])
    #expect(scenario.destinations[0].endpoint.address.scope == 2)
    #expect(String(decoding: scenario.text, as: UTF8.self) == text)
  }

  // MARK: what the parser refuses

  @Test(arguments: [
    (
      "remot 192.0.2.1:80 silent",
      "unknown statement 'remot'; did you mean 'remote'?"
    ),
    (
      "frobnicate",
      "unknown statement 'frobnicate'; there are local, remote, world, pair, name, rtt, "
        + "history, neighbour, option and cancel"
    ),
    ("remote", "the line ends where an address with its port should stand"),
    (
      "remote 192.0.2.1:80",
      "the line ends where a verb, such as silent or answers 30ms, should stand"
    ),
    ("remote 192.0.2.1:80 answers", "the line ends where a duration should stand"),
    (
      "remote 192.0.2.1:80 answers 30",
      "'30' has no unit: a duration is written 250ms, 1.5s, 20us or 100ns"
    ),
    (
      "remote 192.0.2.1:80 answers soon",
      "'soon' is no duration, such as 250ms, 1.5s or 20us"
    ),
    (
      "remote 192.0.2.1:80 answers 1.5h",
      "'1.5h' has an unknown unit: there are s, ms, us and ns"
    ),
    ("remote 192.0.2.1:80 answers 0.5ns", "'0.5ns' is finer than a nanosecond"),
    (
      "remote 192.0.2.1:80 answers 1.s",
      "'1.s' is no duration, such as 250ms, 1.5s or 20us"
    ),
    (
      "remote 192.0.2.1:80 answers -1s",
      "'-1s' is no duration, such as 250ms, 1.5s or 20us"
    ),
    (
      "remote 192.0.2.1:80 answers 100000001s",
      "'100000001s' is more than 100000000s"
    ),
    (
      "remote 192.0.2.1:80 anwsers 30ms",
      "unknown verb 'anwsers'; did you mean 'answers'?"
    ),
    (
      "remote 192.0.2.1:80 explodes",
      "unknown verb 'explodes'; there are answers, silent, refuses, unreachable, resets, "
        + "rejects, lost, noroute, fails, from and native"
    ),
    (
      "remote 192.0.2.1:80 silent silent",
      "'silent' is more than this line can have"
    ),
    (
      "remote 192.0.2.1:80 answers 30ms 40ms",
      "'40ms' is more than this line can have"
    ),
    (
      "remote 192.0.2.1:80 lost 0 answers 30ms",
      "'0' should be a number of SYNs, 1 to 1000"
    ),
    ("remote 192.0.2.1:80 lost 1 30ms", "'30ms' stands where 'answers' should"),
    ("remote 192.0.2.1:80 fails EWHAT", "'EWHAT' is no error's name"),
    (
      "remote 192.0.2.1 silent",
      "'192.0.2.1' will not do: no port, and there is no default port"
    ),
    ("remote 192.0.2.1:0 silent", "'192.0.2.1:0' will not do: port is 0"),
    (
      "remote 192.0.2.1:70000 silent",
      "'192.0.2.1:70000' will not do: port is above 65535"
    ),
    (
      "remote 192.0.2.256:80 silent",
      "'192.0.2.256:80' will not do: a host that ends in a number must be an IPv4 address of "
        + "four decimal parts"
    ),
    ("remote db.test:80 silent", "'db.test:80' is a name, and an address is wanted"),
    (
      "remote 0.0.0.0:80 silent",
      "'0.0.0.0:80' will not do: the unspecified address cannot be connected to"
    ),
    (
      "remote [ff02::1]:80 silent",
      "'[ff02::1]:80' will not do: a multicast address cannot be connected to"
    ),
    (
      "remote 192.0.2.1:80 from 2001:db8::5 silent",
      "'192.0.2.1:80' is of another family than the address after 'from'"
    ),
    ("remote 192.0.2.1:80 from nowhere silent", "'nowhere' is no address"),
    ("local 10.0.0.5/33", "'10.0.0.5/33' has a prefix that is not 0 to 32"),
    (
      "local 10.0.0.5/24 deprecatd",
      "unknown flag 'deprecatd'; did you mean 'deprecated'?"
    ),
    ("local 0.0.0.0/0", "'0.0.0.0/0' is no address to connect from"),
    (
      "local 10.0.0.5/24 10.0.0.6/24",
      "unknown flag '10.0.0.6/24'; there are deprecated, temporary, home and tentative"
    ),
    (
      "pair 10.0.0.5 [2001:db8::1]:80 silent",
      "'[2001:db8::1]:80' is of another family than the local address"
    ),
    (
      "pair 10.0.0.5 192.0.2.1:80",
      "the line ends where a verb, such as silent or answers 30ms, should stand"
    ),
    (
      "name db.test port 80",
      "the name has no answer: ipv6 after …, ipv4 after … or fails after …"
    ),
    ("name db.test ipv4 after 5ms 192.0.2.1", "the name has no port"),
    (
      "name db.test ipv6 after 5ms 192.0.2.1 port 80",
      "'192.0.2.1' is of the other family"
    ),
    (
      "name db.test ipv4 after 5ms port 80",
      "the line ends where an address or an error's name should stand"
    ),
    (
      "name db.test ipv4 after 5ms 192.0.2.1 ipv4 after 6ms 192.0.2.2 port 80",
      "the name has two answers of one family"
    ),
    (
      "name db.test ipv4 in 5ms 192.0.2.1 port 80",
      "'in' stands where 'after' should"
    ),
    (
      "name 192.0.2.1 ipv4 after 5ms 192.0.2.1 port 80",
      "'192.0.2.1' is an address, and a name is wanted"
    ),
    (
      "name 2130706433 ipv4 after 5ms 192.0.2.1 port 80",
      "'2130706433' will not do: a host that ends in a number must be an IPv4 address of four "
        + "decimal parts"
    ),
    (
      "name db.test ipv4 after 5ms 192.0.2.1 port 0",
      "'0' should be a port, 1 to 65535"
    ),
    ("rtt 10.0.0.5 192.0.2.1 30ms", "the line ends where 'var' should stand"),
    ("rtt 10.0.0.5 192.0.2.1 30ms dev 2ms", "'dev' stands where 'var' should"),
    (
      "history 192.0.2.1:80 worked",
      "unknown end 'worked'; there are connected and failed"
    ),
    ("history 192.0.2.1:80 failed 20s", "the line ends where 'ago' should stand"),
    ("neighbour 192.0.2.1 answers", "'answers' stands where 'failed' should"),
    ("option", "the line ends where an option's name should stand"),
    ("option timeout", "the line ends where the option's value should stand"),
    ("option timeuot 2s", "unknown option 'timeuot'; did you mean 'timeout'?"),
    (
      "option whatever 2s",
      "unknown option 'whatever'; there are timeout, attempt_delay, minimum_delay, "
        + "attempt_timeout, pace, order, seed, hedge, interleave, in_flight, family, "
        + "mptcp and local_addresses"
    ),
    (
      "option timeout 2",
      "'2' has no unit: a duration is written 250ms, 1.5s, 20us or 100ns"
    ),
    ("option timeout soon", "'soon' is no duration, such as 250ms, 1.5s or 20us"),
    (
      "option attempt_delay 1ms",
      "'1ms' will not do: the option takes a number of seconds, 0.01 to 60"
    ),
    (
      "option in_flight 2s",
      "'2s' will not do: the option takes a whole number, 1 to 4096"
    ),
    (
      "option in_flight 5000",
      "'5000' will not do: the option takes a whole number, 1 to 4096"
    ),
    (
      "option pace brisk",
      "'brisk' will not do: the option takes 'accelerating', 'steady', 'parallel' or 'sequential'"
    ),
    ("option mptcp 1", "'1' will not do: the option takes a boolean"),
    ("option interleave yes", "'yes' will not do: the option takes a boolean"),
    ("option interleave 1", "'1' will not do: the option takes a boolean"),
    (
      "option family ipv6",
      "'ipv6' will not do: the option takes 'any', 'inet', 'inet6' or 'unix'"
    ),
    (
      "option local_addresses",
      "the line ends where an address or false should stand"
    ),
    (
      "option local_addresses nowhere",
      "'nowhere' will not do: no port, and there is no default port"
    ),
    ("option pace steady now", "'now' is more than this line can have"),
    ("cancel", "the line ends where a duration should stand"),
    (
      "cancel 5",
      "'5' has no unit: a duration is written 250ms, 1.5s, 20us or 100ns"
    ),
  ])
  func `a bad line is refused with its number, the word, and what may stand there`(
    line: String, message: String
  ) {
    let text = "# first\n\n" + line + "\nremote 192.0.2.1:80 silent"
    #expect(transcript(text) == "line 3: \(message)")
  }

  @Test(arguments: [
    ("", 1), ("\n\n# nothing\n", 3), ("local 10.0.0.5/24\nworld 192.0.2.1 silent\n", 2),
  ])
  func `an empty list is refused at the last line`(text: String, line: Int) {
    #expect(
      transcript(text) == "line \(line): the list is empty: there is no remote and no name")
  }

  @Test(arguments: [
    "option family inet6\nremote 192.0.2.1:80 silent",
    "local 10.0.0.5/24\nremote [fe80::1]:80 silent",
  ])
  func `a list that comes to nothing is empty`(text: String) {
    #expect(
      transcript(text) == "line 2: the list is empty: no remote is of the family wanted, "
        + "or has a link to be reached by")
  }

  @Test func `bytes that are no text are escaped in the message`() {
    let bytes: [UInt8] = [0x1b, 0x5b, 0x00, 0x27]
    #expect(throws: ScenarioError.self) { try Scenario(parsing: bytes) }
    #expect(transcript("\u{1b}[\0'").hasPrefix(#"line 1: unknown statement '\x1b[\x00\''; "#))
  }
}
