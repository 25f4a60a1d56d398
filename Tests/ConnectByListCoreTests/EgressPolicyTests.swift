import Testing

@testable import ConnectByListCore

/// Which destinations a policy allows, and the text of its rules.
@Suite struct EgressPolicyTests {
  // MARK: the order of rules

  @Test func `without rules everything is allowed`() throws {
    let policy = EgressPolicy()
    #expect(policy == .unrestricted)
    #expect(allows(policy, "192.0.2.1:80"))
    #expect(policy.allows(unixPath: Array("/run/x".utf8)))
    #expect(policy.allowsNameLookups && policy.allowsTestEndpoints)
  }

  @Test func `the first rule that matches decides`() throws {
    let policy = try policy("deny 10.1.2.3 allow 10.1.0.0/16:443 deny private allow any")
    #expect(!allows(policy, "10.1.2.3:443"))
    #expect(allows(policy, "10.1.2.4:443"))
    #expect(!allows(policy, "10.1.2.4:80"))
    #expect(!allows(policy, "192.168.0.1:443"))
    #expect(allows(policy, "192.0.2.1:80"))
  }

  @Test func `where no rule matches, a rule that allows makes the rest denied`() throws {
    #expect(allows(try policy("deny private"), "192.0.2.1:80"))
    #expect(!allows(try policy("allow private"), "192.0.2.1:80"))
    #expect(!allows(try policy("allow private deny metadata"), "192.0.2.1:80"))
    #expect(!(try policy("allow private")).allows(unixPath: Array("/run/x".utf8)))
    #expect((try policy("deny private")).allows(unixPath: Array("/run/x".utf8)))
  }

  @Test func `ports are single numbers and ranges`() throws {
    let policy = try policy("allow 192.0.2.0/24:80,443,8000-8002 [2001:db8::/32]:1 any:65535")
    let allowed: [(String, Bool)] = [
      ("192.0.2.1:80", true), ("192.0.2.1:443", true), ("192.0.2.1:81", false),
      ("192.0.2.1:7999", false), ("192.0.2.1:8000", true), ("192.0.2.1:8002", true),
      ("192.0.2.1:8003", false), ("[2001:db8:1::1]:1", true), ("[2001:db8:1::1]:2", false),
      ("[2001:db9::1]:1", false), ("203.0.113.1:65535", true), ("[::1]:65535", true),
    ]
    for (text, isAllowed) in allowed { #expect(allows(policy, text) == isAllowed, "\(text)") }
    #expect(!policy.allows(unixPath: Array("/run/x".utf8)))
  }

  // MARK: classes and addresses inside addresses

  @Test(arguments: [
    (
      "loopback", "127.0.0.1 127.255.255.255 ::1 ::ffff:127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::1",
      "128.0.0.1 ::2 126.0.0.1"
    ),
    (
      "private",
      "10.0.0.0 10.255.255.255 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.127.255.255 fc00::1 fdff::1 fec0::1 ::ffff:10.0.0.1 64:ff9b::a00:1 64:ff9b:1::a00:1 2002:a00:1:: ::a00:1",
      "9.255.255.255 11.0.0.0 172.15.0.1 172.32.0.1 192.167.1.1 192.169.0.1 100.63.255.255 100.128.0.1 fe00::1 2001:db8::1 64:ff9b:2::a00:1 2003:a00:1:: 64:ff9b::1:a00:1"
    ),
    (
      "link-local", "169.254.0.1 fe80::1 febf::1 ::ffff:169.254.1.1 2002:a9fe:1::",
      "169.253.0.1 169.255.0.1 fec0::1 fe7f::1"
    ),
    (
      "multicast", "224.0.0.1 239.255.255.255 255.255.255.255 ff02::1",
      "223.255.255.255 240.0.0.1 fe80::1"
    ),
    (
      "metadata",
      "169.254.169.254 169.254.170.2 169.254.170.23 168.63.129.16 100.100.100.200 192.0.0.192 fd00:ec2::254 fd00:ec2::23 fe80::a9fe:a9fe fd20:ce::254 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::1",
      "169.254.169.253 169.254.170.1 100.100.100.201 fd00:ec2::255 fe80::a9fe:a9ff"
    ),
  ]) func `a class`(_ name: String, inside: String, outside: String) throws {
    let policy = try policy("deny \(name)")
    for text in inside.split(separator: " ") {
      #expect(!policy.allows(try endpoint(text)), "\(text) is \(name)")
    }
    for text in outside.split(separator: " ") {
      #expect(policy.allows(try endpoint(text)), "\(text) is not \(name)")
    }
  }

  @Test func `the unspecified address is loopback`() throws {
    for text in ["0.0.0.0", "::", "::ffff:0.0.0.0", "64:ff9b::", "2002::"] {
      #expect(!(try policy("deny loopback")).allows(try endpoint(Substring(text))), "\(text)")
    }
  }

  @Test func `an address and the one inside it both have to be allowed`() throws {
    let both = try policy("allow 64:ff9b::/96 192.0.2.0/24")
    #expect(both.allows(try endpoint("64:ff9b::192.0.2.1")))
    #expect(!both.allows(try endpoint("64:ff9b::203.0.113.1")))
    #expect(!(try policy("allow 192.0.2.0/24")).allows(try endpoint("64:ff9b::192.0.2.1")))
    #expect(!(try policy("allow 64:ff9b::/96")).allows(try endpoint("64:ff9b::192.0.2.1")))
    // A v4-mapped address is no IPv6 address.
    #expect(!(try policy("allow inet6 ::/0")).allows(try endpoint("::ffff:192.0.2.1")))
    #expect((try policy("allow inet")).allows(try endpoint("::ffff:192.0.2.1")))
    #expect((try policy("allow ::ffff:192.0.2.0/120")).allows(try endpoint("192.0.2.9")))
  }

  @Test func `scopes are ignored`() throws {
    let address = try endpoint("fe80::1").address.withScope(7)
    #expect(!(try policy("deny fe80::/10")).allows(Endpoint(address, port: 80)))
    #expect(!(try policy("deny link-local")).allows(Endpoint(address, port: 80)))
  }

  // MARK: Unix paths

  @Test func `Unix paths are compared by their text`() throws {
    let policy = try policy(
      "deny unix:/run/app/private allow unix:/run/app/* unix:@name unix:@group-*")
    let cases: [(String, Bool)] = [
      ("/run/app/a", true), ("/run/app/private", false), ("/run//app/./private", false),
      ("/run/app/a/b", false), ("/run/app/", false), ("/run/app", false), ("/run/other", false),
      ("/run/app/../other", false), ("/run/app/../app/a", false), ("app/a", false),
      ("//run//app//a", true), ("@name", true), ("@name2", false), ("@group-1", true),
      ("@group-", false), ("/@name", false),
    ]
    for (path, isAllowed) in cases {
      #expect(policy.allows(unixPath: Array(path.utf8)) == isAllowed, "\(path)")
    }
    let denying = try self.policy("deny unix:/run/secret")
    for path in ["/run/secret", "/run/./secret", "/tmp/../run/secret", "secret"] {
      #expect(!denying.allows(unixPath: Array(path.utf8)), "\(path)")
    }
    #expect(denying.allows(unixPath: Array("/run/open".utf8)))
  }

  // MARK: narrowing

  @Test func `only loopback leaves loopback and Unix sockets of what was allowed`() throws {
    var policy = try policy("deny 127.0.0.2 unix:/secret")
    policy.narrowToLoopback()
    for text in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0"] {
      #expect(policy.allows(try endpoint(Substring(text))), "\(text)")
    }
    for text in ["127.0.0.2", "192.0.2.1", "fe80::1", "64:ff9b::7f00:1", "::ffff:10.0.0.1"] {
      #expect(!policy.allows(try endpoint(Substring(text))), "\(text)")
    }
    #expect(policy.allows(unixPath: Array("/run/x".utf8)))
    #expect(!policy.allows(unixPath: Array("/secret".utf8)))
  }

  // MARK: text

  @Test func `words are separated by white space and semicolons, and a comment ends with its line`()
    throws
  {
    let text = """
      # the database
      allow 10.1.0.0/16:443 ; deny private   metadata # never
      \tdeny names; allow test-endpoints any
      """
    var wanted = EgressPolicy()
    wanted.append(
      .init(.allow, .network(IPAddress(v4: 0x0a01_0000), prefixLength: 16), ports: 443...443))
    wanted.append(.init(.deny, .addressClass(.private)))
    wanted.append(.init(.deny, .addressClass(.metadata)))
    wanted.append(.init(.allow, .any))
    wanted.allowsNameLookups = false
    #expect(try policy(text) == wanted)
  }

  @Test(arguments: [
    ("private", EgressPolicyError.Reason.noAction), ("deny", .noTarget),
    ("deny allow any", .noTarget),
    ("deny loop-back", .notATarget), ("deny example.net", .notATarget),
    ("deny 010.0.0.1", .badAddress),
    ("deny 127.1", .badAddress), ("deny 0x7f000001", .badAddress),
    ("deny 10.0.0.0/", .badPrefixLength),
    ("deny 10.0.0.0/33", .badPrefixLength), ("deny 10.0.0.0/+8", .badPrefixLength),
    ("deny ::/129", .badPrefixLength), ("deny 10.0.0.1/8", .bitsBelowPrefix),
    ("deny 2001:db8::1/32", .bitsBelowPrefix), ("deny 2001:db8:0:1::/63", .bitsBelowPrefix),
    ("deny 0.0.0.1/0", .bitsBelowPrefix), ("deny [::1]", nil), ("deny [10.0.0.1]", .badAddress),
    ("deny [::1", .badAddress), ("deny [::1]80", .badAddress), ("deny fe80::1%1", .badAddress),
    ("deny 10.0.0.1:0", .badPorts), ("deny 10.0.0.1:65536", .badPorts),
    ("deny 10.0.0.1:", .badPorts),
    ("deny 10.0.0.1:80,", .badPorts), ("deny 10.0.0.1:9-8", .badPorts),
    ("deny any:1-2-3", .badPorts),
    ("deny 10.0.0.0/8:443", nil), ("deny 2001:db8::/32:443", nil), ("deny [2001:db8::]:443", nil),
    ("deny unix:80", .badUnixPath), ("deny unix:/a/../b", .badUnixPath),
    ("deny unix:/a*b", .badUnixPath),
    ("deny unix:/*", .badUnixPath), ("deny unix:/a", nil), ("deny ::ffff:10.0.0.0/104", nil),
  ]) func `malformed rules are refused with the reason`(
    _ text: String, _ reason: EgressPolicyError.Reason?
  ) throws {
    do throws(EgressPolicyError) {
      _ = try EgressPolicy(parsing: Array(text.utf8))
      #expect(reason == nil, "\(text)")
    } catch {
      #expect(error.reason == reason, "\(text)")
      #expect(!error.message.bytes.isEmpty)
    }
  }

  @Test func `there is a most number of rules`() throws {
    let text = "deny " + String(repeating: "any ", count: EgressPolicy.rulesMax)
    var policy = try policy(text)
    #expect(policy.rules.count == EgressPolicy.rulesMax)
    do throws(EgressPolicyError) {
      try policy.append(.deny, parsing: Array("any".utf8))
      Issue.record("a rule too many was taken")
    } catch { #expect(error.reason == .tooManyRules) }
    let isAdded = policy.append(.init(.deny, .any))
    #expect(!isAdded)
  }

  // MARK: against a second reading of the rules

  @Test func `100,000 random addresses are judged as by a slow reading of random rules`() throws {
    var random = SplitMix64(seed: 15)
    var deniedCount = 0
    for _ in 0..<1_000 {
      let rules = (0..<Int.random(in: 1...6, using: &random)).map { _ in SlowRule(&random) }
      let policy = try policy(rules.map(\.text).joined(separator: "; "))
      for _ in 0..<100 {
        let bytes = SlowRule.randomAddress(&random)
        let port = UInt16.random(in: 79...82, using: &random)
        let address =
          bytes.count == 4
          ? IPAddress(v4: bytes.reduce(0) { $0 << 8 | UInt32($1) })
          : IPAddress(
            high: bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) },
            low: bytes[8...].reduce(0) { $0 << 8 | UInt64($1) })
        let wanted = SlowRule.allows(bytes, port, rules)
        #expect(
          policy.allows(Endpoint(address, port: port)) == wanted,
          "\(rules.map(\.text)) \(bytes) \(port)")
        if !wanted { deniedCount += 1 }
      }
    }
    // Both results are frequent.
    #expect((20_000...80_000).contains(deniedCount))
  }

  // MARK: helpers

  private func policy(_ text: String) throws -> EgressPolicy {
    try EgressPolicy(parsing: Array(text.utf8))
  }

  private func endpoint(_ text: Substring) throws -> Endpoint {
    let address = EndpointText.parseAddress(Array(text.utf8), scopes: NumericScopes())
    return Endpoint(try #require(address, "\(text)"), port: 80)
  }

  private func allows(_ policy: EgressPolicy, _ text: String) -> Bool {
    let entry = try? EndpointText.parseEntry(
      Array(text.utf8), defaultPort: nil, scopes: NumericScopes())
    guard case .endpoint(let endpoint) = entry else {
      Issue.record("\(text) is no endpoint")
      return false
    }
    return policy.allows(endpoint)
  }
}

/// A rule on addresses of 4 or 16 bytes, read bit by bit.
private struct SlowRule {
  let isAllowing: Bool
  let network: [UInt8]
  let length: Int
  let ports: ClosedRange<UInt16>?

  /// Networks and addresses are drawn from few, so that they meet.
  static let v4: [[UInt8]] = [
    [10, 0, 0, 1], [10, 0, 0, 2], [10, 9, 0, 1], [127, 0, 0, 1], [192, 0, 2, 1],
  ]

  static func randomAddress(_ random: inout SplitMix64) -> [UInt8] {
    let inner = v4.randomElement(using: &random)!
    let zeros = { (count: Int) in [UInt8](repeating: 0, count: count) }
    switch Int.random(in: 0..<6, using: &random) {
    case 0, 1: return inner
    case 2: return zeros(10) + [0xff, 0xff] + inner
    case 3: return [0, 0x64, 0xff, 0x9b] + zeros(8) + inner
    case 4: return [0x20, 0x02] + inner + zeros(9) + [1]
    default: return [0x20, 0x01, 0x0d, 0xb8] + zeros(8) + inner
    }
  }

  init(_ random: inout SplitMix64) {
    isAllowing = Bool.random(using: &random)
    let address = Self.forms(Self.randomAddress(&random))[0]
    length = Int.random(in: 0...address.count * 8, using: &random)
    var network = address
    for bit in length..<max(length, address.count * 8) {
      network[bit / 8] &= ~(0x80 >> UInt8(bit % 8))
    }
    self.network = network
    ports = Bool.random(using: &random) ? 80...81 : nil
  }

  var text: String {
    let groups = stride(from: 0, to: 16, by: 2)
    let address =
      network.count == 4
      ? network.map(String.init).joined(separator: ".")
      : groups.map { String(Int(network[$0]) << 8 | Int(network[$0 + 1]), radix: 16) }.joined(
        separator: ":")
    let word = isAllowing ? "allow " : "deny "
    guard ports != nil else { return word + "\(address)/\(length)" }
    return word
      + (network.count == 4 ? "\(address)/\(length):80-81" : "[\(address)/\(length)]:80-81")
  }

  /// The addresses that have to be allowed.
  static func forms(_ address: [UInt8]) -> [[UInt8]] {
    guard address.count == 16 else { return [address] }
    if address[..<12].elementsEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]) {
      return [Array(address[12...])]
    }
    if address.starts(with: [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]) {
      return [address, Array(address[12...])]
    }
    if address.starts(with: [0x20, 0x02]) { return [address, Array(address[2..<6])] }
    return [address]
  }

  static func allows(_ address: [UInt8], _ port: UInt16, _ rules: [SlowRule]) -> Bool {
    forms(address).allSatisfy { form in
      for rule in rules where rule.matches(form, port) { return rule.isAllowing }
      return !rules.contains { $0.isAllowing }
    }
  }

  private func matches(_ address: [UInt8], _ port: UInt16) -> Bool {
    guard address.count == network.count, ports?.contains(port) ?? true else { return false }
    for bit in 0..<length {
      let mask = UInt8(0x80) >> UInt8(bit % 8)
      if (address[bit / 8] ^ network[bit / 8]) & mask != 0 { return false }
    }
    return true
  }
}
