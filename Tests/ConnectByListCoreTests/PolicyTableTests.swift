import ConnectByListCore
import Testing

/// Scope, policy and common prefix: RFC 6724 sections 2.1, 2.2, 3 and 10.3.
@Suite struct PolicyTableTests {
  @Test(arguments: [
    ("127.0.0.1", AddressScope.linkLocal), ("::1", .linkLocal), ("169.254.1.2", .linkLocal),
    ("fe80::1", .linkLocal), ("febf::1", .linkLocal), ("::ffff:127.0.0.1", .linkLocal),
    ("::ffff:169.254.1.2", .linkLocal), ("ff02::", .linkLocal), ("ff01::1", .interfaceLocal),
    ("ff04::1", .adminLocal), ("ff05::", .siteLocal), ("fec0::1", .siteLocal),
    ("feff::1", .siteLocal), ("ff08::1", .organizationLocal), ("ff0e::", .global),
    ("ff3e::8000:1", .global), ("8.8.8.8", .global), ("10.1.2.3", .global),
    ("169.255.0.1", .global), ("224.0.0.251", .global), ("::ffff:192.0.2.1", .global),
    ("2001:db8::1", .global), ("fc00::1", .global), ("ff00::1", AddressScope(rawValue: 0)),
    ("ff0f::1", AddressScope(rawValue: 15)), ("ff7d::1", AddressScope(rawValue: 13)),
  ])
  func `an address has the scope of RFC 6724 section 3`(address: String, scope: AddressScope) {
    #expect(ip(address).addressScope == scope)
  }

  @Test(arguments: [
    ("127.0.0.1", 35, 4), ("2601:645:8002:a500:986f:1db8:c836:bd65", 40, 1), ("::1", 50, 0),
    ("2002::ab12", 30, 2), ("::ffff:192.0.2.1", 35, 4), ("::2", 1, 3), ("::192.0.2.1", 1, 3),
    ("::1:0:0:1", 40, 1), ("2001::1", 5, 5), ("2001:1::1", 40, 1), ("3ffe::1", 1, 12),
    ("fc00::1", 3, 13), ("fdff::1", 3, 13), ("fec0::1", 1, 11), ("feff::1", 1, 11),
    ("fe80::1", 40, 1), ("ff02::1", 40, 1),
  ])
  func `the policy of an address is that of the longest matching prefix`(
    address: String, precedence: Int, label: Int
  ) {
    let policy = PolicyTable.rfc6724.policy(of: ip(address))
    #expect(Int(policy.precedence) == precedence)
    #expect(Int(policy.label) == label)
  }

  @Test func `the policy table begins with the longest prefix and ends with every address`() {
    let lengths = PolicyTable.rfc6724.rows.map(\.length)
    #expect(lengths == lengths.sorted(by: >))
    #expect(lengths.last == 0)
  }

  @Test
  func
    `no IPv6 address has the precedence of IPv4, so rule 9 only compares addresses of one family`()
  {
    let ofIPv4 = PolicyTable.rfc6724.rows.filter { $0.precedence == 35 }
    #expect(ofIPv4.map(\.prefix) == [ip("::ffff:0.0.0.0")])
  }

  @Test(arguments: [
    ("fe80::2", "fe80::1", 64, 64), ("fe80::2", "fe81::1", 64, 15),
    ("fe80::2", "fe80::1", 128, 126),
    ("2001:db8::5", "2001:db8::5", 128, 128), ("2001:db8::5", "2001:db8::5", 255, 128),
    ("2001:db8::5", "2001:db8:ffff::5", 48, 32), ("2001:db8::5", "2001:db8::6", 0, 0),
    ("10.1.2.4", "10.1.2.3", 24, 0), ("10.1.2.4", "::ffff:10.1.2.3", 24, 0),
    ("::ffff:10.1.2.4", "::ffff:10.1.2.3", 120, 0),
  ])
  func `the common prefix ends with the source's prefix, and is 0 for IPv4`(
    source: String, destination: String, length: UInt8, common: UInt8
  ) {
    let candidate = to(destination, from: source) { $0.sourcePrefixLength = length }
    #expect(candidate.commonPrefixLength == common)
  }

  @Test func `an unknown source has no common prefix with any destination`() {
    #expect(to("2001:db8::1").commonPrefixLength == 0)
  }
}
