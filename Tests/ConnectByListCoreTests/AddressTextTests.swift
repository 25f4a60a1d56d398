import ConnectByListCore
import Testing

/// The text of an address, read and printed.
@Suite struct AddressTextTests {
  // MARK: literals

  @Test(arguments: [
    ("[::1]", "::1"), ("0.0.0.0", "0.0.0.0"), ("::", "::"), ("[::]", "::"),
    ("255.255.255.255", "255.255.255.255"), ("fe80::1%eth0", "fe80::1%eth0"),
    ("[fe80::1%eth0]", "fe80::1%eth0"), ("febf::1%12", "febf::1%12"),
    ("ff02::1%eth0", "ff02::1%eth0"), ("ff12::1%eth0", "ff12::1%eth0"),
  ])
  func `an address without a port may be of any kind, with or without brackets`(
    input: String, expected: String
  ) {
    #expect(address(input).map { text($0) } == expected)
  }

  @Test(arguments: [
    "", "[", "]", "[]", "[::1", "::1]", "[192.0.2.1]", "[fe80::1]%eth0", "::1%eth0", "fe80::1%",
    "fe80::1%eth1", "%eth0", "fec0::1%3", "192.0.2.1%3", "192.0.2.1:80", "[::1]:80", "name", " ::1",
    "::1 ", "::1\0", "192.0.2.1\0", "1.2.3", "1.2.3.4.", ".1.2.3.4", "1..2.3", "1.2.3.4.5",
    "1.2.3.-4",
    ":", ":::", "1:::2", ":1::2", "1::2:", "1:", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
    "1::2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8::", "::1::", "1::2::3", "12345::", "00001::", "g::",
    "::1.2.3", "::1.2.3.4.5", "::1.2.3.256", "::01.2.3.4", "::1.2.3.4:5", "1.2.3.4::",
    "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:6::1.2.3.4", "::.1.2.3", "::1.2.3.4%", "0x1::",
  ])
  func `text that is not an address gives nil`(input: String) {
    #expect(address(input) == nil)
  }

  @Test(arguments: [
    "1::3:4:5:6:7:8", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:8", "::1.2.3.4",
    "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5::1.2.3.4", "::2:3:4:5:6:1.2.3.4", "::ffff:0.0.0.0",
    "0000:0000:0000:0000:0000:ffff:255.255.255.255", "ABCD:EF01::", "::0", "0::0", "0001::00ff",
  ])
  func `each form of RFC 4291 section 2.2 has the value that the C library gives it`(input: String)
  {
    #expect(address(input) != nil)
    #expect(address(input) == libraryAddress(input))
  }

  @Test func `W23 a v4-mapped address stays mapped, and is printed as mapped`() {
    let mapped = address("::FFFF:c000:0201")
    #expect(mapped == IPAddress(v4: 0xc000_0201).mapped)
    #expect(mapped.map { text($0) } == "::ffff:192.0.2.1")
    #expect(mapped.map { text($0.unmapped) } == "192.0.2.1")
    #expect(entry("[::ffff:192.0.2.1]:80") == "[::ffff:192.0.2.1]:80")
  }

  // MARK: printing

  @Test(arguments: [
    ("2001:0db8::0001", "2001:db8::1"),
    ("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),
    ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
    ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
    ("2001:DB8::ABCD", "2001:db8::abcd"),
    ("0:0:1::", "0:0:1::"), ("0:0:1:0:0:1:0:0", "::1:0:0:1:0:0"),
    ("1:0:0:2:0:0:0:0", "1:0:0:2::"), ("0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7"),
    ("1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7:0"), ("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"),
    ("0:0:3:4:5:6:7:8", "::3:4:5:6:7:8"), ("::192.0.2.1", "::c000:201"),
    ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("::fffe:192.0.2.1", "::fffe:c000:201"),
  ])
  func `an IPv6 address is printed as in RFC 5952 section 4`(input: String, expected: String) {
    #expect(address(input).map { text($0) } == expected)
  }

  @Test func `a scope is printed as its name, or as its number if the name cannot be parsed`() {
    let scoped = IPAddress(high: 0xfe80 << 48, low: 1, scope: 9)
    #expect(text(scoped, NumericScopes()) == "fe80::1%9")
    #expect(text(scoped, OneLink(name: Array("wlan0".utf8))) == "fe80::1%wlan0")
    for name in ["", "a]", "a%b", "a:b", "a b", "a\0", "a\u{1}", "a/b", "a234567890123456"] {
      #expect(text(scoped, OneLink(name: Array(name.utf8))) == "fe80::1%9")
    }
  }
}
