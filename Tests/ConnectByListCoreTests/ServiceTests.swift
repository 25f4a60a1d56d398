import Testing

@testable import ConnectByListCore
@testable import ConnectByListSimulation

/// SRV records (section 3 point 6) and NAT64 (point 7).
@Suite struct ServiceTests {
  private static let world = """
    local 10.0.0.5/24
    srv _x._tcp.test after 10ms 2 0 80 192.0.2.9 1 0 80 192.0.2.1 1 0 81 a.test
    host a.test ipv4 after 5ms 192.0.2.2 ipv6 after 1ms EAI_NODATA
    world 192.0.2.1 from 10.0.0.5 silent
    world 192.0.2.2 from 10.0.0.5 silent
    world 192.0.2.9 from 10.0.0.5 answers 20ms
    seen 10.0.0.5 192.0.2.9:80 connected 20ms 10s ago
    option timeout 2s
    """

  @Test(arguments: ["likely", "given", "random"])
  func `a group of targets comes after the earlier groups whatever its chances`(order: String) {
    let text = transcript(Self.world + "\noption order \(order)")
    let started = text.split(separator: "\n").filter { $0.contains("start ") }
    #expect(started.count == 3)
    #expect(started.last?.hasSuffix("192.0.2.9:80") == true, "\(text)")
  }

  @Test func `targets join the race like names`() {
    #expect(
      transcript(Self.world) == """
        10.000 resolved _x._tcp.test 3
        10.000 start 10.0.0.5 192.0.2.1:80
        15.000 resolved a.test 1
        160.000 start 10.0.0.5 192.0.2.2:81
        235.000 start 10.0.0.5 192.0.2.9:80
        255.000 connected 10.0.0.5 192.0.2.9:80
        255.000 abandon 10.0.0.5 192.0.2.1:80
        255.000 abandon 10.0.0.5 192.0.2.2:81
        255.000 won 10.0.0.5 192.0.2.9:80
        """)
  }

  @Test func `a service without an answer fails with its code`() {
    #expect(
      transcript("srv _x._tcp.test fails after 5ms EAI_NONAME") == """
        5.000 unresolved _x._tcp.test EAI_NONAME
        5.000 lost EAI_NONAME
        """)
  }

  @Test func `the draw of a priority follows the weights, and the seed repeats it`() {
    let records = [90, 10, 0].enumerated().map {
      ServiceRecord(
        priority: 0, weight: UInt16($1), port: UInt16($0 + 1), target: Array("a.test".utf8))
    }
    var first = [0, 0, 0, 0]
    for seed in UInt64(0)..<10_000 {
      let targets = records.targets(seed: seed)
      #expect(targets.count == 3)
      #expect(targets == records.targets(seed: seed))
      first[Int(targets[0].port)] += 1
    }
    // 90, 10 and 1 of 101 in the mean; the last is what RFC 2782's running sum leaves to weight 0.
    #expect(abs(first[1] - 8911) < 200 && abs(first[2] - 990) < 200 && abs(first[3] - 99) < 60)
  }

  @Test func `the root and port 0 are no targets`() {
    let none = ServiceRecord(priority: 0, weight: 0, port: 9, target: [UInt8(ascii: ".")])
    let zero = ServiceRecord(priority: 0, weight: 0, port: 0, target: Array("a.test".utf8))
    #expect([none, zero].targets(seed: 1).isEmpty)
  }

  @Test func `a scenario with services and a prefix is printed and read back`() throws {
    let text = Self.world + "\nnat64 after 5ms 64:ff9b::c000:aa\n"
    let once = try Scenario(parsing: Array(text.utf8)).text
    #expect(try Scenario(parsing: once).text == once)
    #expect(String(decoding: once, as: UTF8.self).contains("srv _x._tcp.test after 10ms 2 0 80"))
  }

  // MARK: NAT64

  /// RFC 6052 section 2.4.
  @Test(arguments: [
    (32, "2001:db8:c000:221::", "2001:db8:c000:aa::"),
    (40, "2001:db8:1c0:2:21::", "2001:db8:1c0:0:aa::"),
    (48, "2001:db8:122:c000:2:2100::", "2001:db8:122:c000:0:aa00::"),
    (56, "2001:db8:122:3c0:0:221::", "2001:db8:122:3c0:0:aa::"),
    (64, "2001:db8:122:344:c0:2:2100::", "2001:db8:122:344:c0:0:aa00::"),
    (96, "2001:db8:122:344::c000:221", "2001:db8:122:344::c000:aa"),
  ])
  func `an answer of ipv4only.arpa tells the prefix`(
    length: Int, translated: String, answer: String
  ) throws {
    let answer = try #require(
      EndpointText.parseAddress(Array(answer.utf8), scopes: NumericScopes()))
    let prefix = try #require(TranslationPrefix(inAnswer: answer))
    #expect(Int(prefix.length) == length)
    let v4 = IPAddress(v4: 0xc000_0221)
    let expected = EndpointText.parseAddress(Array(translated.utf8), scopes: NumericScopes())
    #expect(prefix.translating(v4) == expected)
    #expect(prefix.original(of: prefix.translating(v4)) == v4)
  }

  @Test func `an address without the known IPv4 addresses tells no prefix`() {
    #expect(TranslationPrefix(inAnswer: IPAddress(high: 0x2001_0db8 << 32, low: 1)) == nil)
  }

  private static let nat64 = """
    local 2001:db8::5/64
    local 10.0.0.5/24
    remote 192.0.2.1:80 noroute
    remote [2001:db8:9::1]:80 from 2001:db8::5 silent
    world 64:ff9b::192.0.2.1 from 2001:db8::5 answers 30ms
    option timeout 2s
    """

  @Test func `a translated pair comes after all native first pairs`() {
    #expect(
      transcript(Self.nat64 + "\nnat64 after 5ms 64:ff9b::192.0.0.170") == """
        0.000 start 2001:db8::5 [2001:db8:9::1]:80
        5.000 resolved ipv4only.arpa 1
        150.000 failed - 192.0.2.1:80 ENETUNREACH
        150.000 start 2001:db8::5 [64:ff9b::c000:201]:80
        180.000 connected 2001:db8::5 [64:ff9b::c000:201]:80
        180.000 abandon 2001:db8::5 [2001:db8:9::1]:80
        180.000 won 2001:db8::5 [64:ff9b::c000:201]:80
        """)
  }

  @Test func `the prefix is not asked for where an IPv4 remote has a route`() {
    let text = transcript(
      Self.nat64 + "\nremote 192.0.2.7:80 from 10.0.0.5 silent\nnat64 after 5ms 64:ff9b::c000:aa")
    #expect(!text.contains("ipv4only.arpa"))
  }

  @Test func `no prefix leaves the attempts' own error`() {
    let text = transcript(
      """
      local 2001:db8::5/64
      remote 192.0.2.1:80 noroute
      nat64 after 5ms EAI_NONAME
      """)
    #expect(text.hasSuffix("lost ENETUNREACH"), "\(text)")
    #expect(text.contains("unresolved ipv4only.arpa EAI_NONAME"), "\(text)")
  }
}
