import Testing

@testable import ConnectByListCore
@testable import ConnectByListSimulation

/// The plan that `--explain` prints, with the reason for each pair's position.
@Suite struct ScenarioPlanTests {
  @Test func `history and path information move a remote, and the plan gives the reason`() {
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
        seen 10.0.0.5 192.0.2.1:80 failed 20s ago
        seen 10.0.0.5 192.0.2.2:80 connected 5500us 10s ago
        neighbour 192.0.2.3 failed
        rtt 10.0.0.5 192.0.2.5 30ms var 2ms
        """) == """
          1 10.0.0.5 192.0.2.2:80 0.931 route's source; connected before; round trip 5500 us; \
          delay 17 ms: pair
          2 10.0.0.5 192.0.2.5:80 0.675 route's source; the kernel's metrics: round trip 30 ms; \
          measured: a shorter round trip goes first; delay 38 ms: pair
          3 10.0.0.5 192.0.2.3:80 0.022 route's source; neighbour does not answer; evidence goes \
          before the rules; delay 150 ms: default
          4 10.0.0.6 192.0.2.5:80 0.415 another local address; delay 150 ms: default
          5 10.0.0.5 192.0.2.1:80 0.015 route's source; failed 20 s ago; measured: a shorter \
          round trip goes first; delay 150 ms: default
          6 - 192.0.2.4:80 0.000 route's choice; no route: ENETUNREACH; rule 1: a destination \
          without a route goes last
          7 10.0.0.6 192.0.2.2:80 0.133 another local address; delay 150 ms: default
          8 10.0.0.6 192.0.2.3:80 0.087 another local address; neighbour does not answer; delay \
          150 ms: default
          9 10.0.0.6 192.0.2.1:80 0.073 another local address; delay 150 ms: default
          """)
  }

  @Test func `families alternate, and the plan gives the reason`() {
    #expect(
      explanation(
        """
        remote [2001:db8::1]:80 from 2001:db8::5 silent
        remote [2001:db8::2]:80 from 2001:db8::5 silent
        remote 192.0.2.1:80 from 10.0.0.5 silent
        remote 192.0.2.2:80 from 10.0.0.5 silent
        """) == """
          1 2001:db8::5 [2001:db8::1]:80 0.784 route's source; delay 150 ms: default
          2 10.0.0.5 192.0.2.1:80 0.784 route's source; rule 6: the higher precedence goes first; \
          families take turns; delay 150 ms: default
          3 2001:db8::5 [2001:db8::2]:80 0.726 route's source; rule 10: the order is as given; \
          families take turns; delay 150 ms: default
          4 10.0.0.5 192.0.2.2:80 0.726 route's source; rule 10: the order is as given; families \
          take turns; delay 150 ms: default
          """)
  }

  @Test func `the given order and a random order are reasons`() {
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
          1 10.0.0.5 192.0.2.3:80 0.784 route's source; shuffled with seed 7; delay 150 ms: default
          2 10.0.0.5 192.0.2.1:80 0.726 route's source; shuffled with seed 7; delay 150 ms: default
          3 10.0.0.5 192.0.2.2:80 0.530 route's source; shuffled with seed 7; delay 150 ms: default
          """)
  }

  @Test func `named local addresses make the pairs, and one of another family makes none`() {
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
          1 10.0.0.6 192.0.2.1:80 0.784 route's source; the caller's order; delay 150 ms: default
          2 10.0.0.5 192.0.2.2:80 0.784 route's source; the caller's order; delay 150 ms: default
          3 - [2001:db8::1]:80 0.000 none of the given local addresses fits; the caller's order
          4 10.0.0.5 192.0.2.1:80 0.034 another local address; delay 150 ms: default
          5 10.0.0.6 192.0.2.2:80 0.034 another local address; delay 150 ms: default
          """)
  }

  @Test func `the plan has all addresses of a name, IPv6 before IPv4`() {
    #expect(
      explanation(
        """
        option order given
        name x.test ipv4 after 5ms 192.0.2.1 ipv6 after 20ms 2001:db8::1 port 80
        """) == """
          1 - [2001:db8::1]:80 0.784 route's choice; the caller's order; delay 150 ms: default
          2 - 192.0.2.1:80 0.784 route's choice; the caller's order; delay 150 ms: default
          """)
  }

  /// From Go's addrselect_test.go: destinations with their sources, in the expected order.
  @Test(arguments: [
    ["[2001:db8:1::1]:80 from 2001:db8:1::2", "198.51.100.121:80 from 169.254.13.78"],
    ["198.51.100.121:80 from 198.51.100.117", "[2001:db8:1::1]:80 from fe80::1"],
    ["[2001:db8:1::1]:80 from 2001:db8:1::2", "10.1.2.3:80 from 10.1.2.4"],
    ["[fe80::1]:80 from fe80::2", "[2001:db8:1::1]:80 from 2001:db8:1::2"],
  ])
  func `the published orders of RFC 6724 result from both input orders`(remotes: [String]) {
    let expected = remotes.map { $0.prefix { $0 != " " } }
    for given in [remotes, remotes.reversed()] {
      let text = given.map { "remote \($0) silent\n" }.joined()
      let firsts = explanation(text).split(separator: "\n").map { $0.split(separator: " ")[2] }
        .filter(expected.contains).prefix(2)
      #expect(Array(firsts) == expected)
    }
  }

  @Test func `IPv4 addresses keep the given order, since rule 9 does not apply to IPv4`() {
    let hosts = [
      "54.83.193.112", "184.72.238.214", "23.23.172.185", "75.101.148.21", "23.23.134.56",
      "23.21.50.150",
    ]
    let text = hosts.map { "remote \($0):80 from 10.2.3.4 silent\n" }.joined()
    let order = explanation(text).split(separator: "\n").map { $0.split(separator: " ")[2] }
    #expect(order == hosts.map { "\($0):80" })
  }
}
