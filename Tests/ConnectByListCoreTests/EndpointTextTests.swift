import ConnectByListCore
import Glibc
import Testing

/// Two interfaces, one of them with a name of digits that is not its number.
private struct TwoLinks: ScopeNames {
  func index(ofInterface name: [UInt8]) -> UInt32? {
    name == Array("eth0".utf8) ? 3 : name == Array("7".utf8) ? 4 : nil
  }

  func name(ofInterface index: UInt32) -> [UInt8]? {
    index == 3 ? Array("eth0".utf8) : index == 4 ? Array("7".utf8) : nil
  }
}

/// One interface, 9, of the name given.
private struct OneLink: ScopeNames {
  let name: [UInt8]
  func index(ofInterface name: [UInt8]) -> UInt32? { name == self.name ? 9 : nil }
  func name(ofInterface index: UInt32) -> [UInt8]? { index == 9 ? name : nil }
}

/// SplitMix64: the same numbers on each run.
private struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}

private func address(_ text: String) -> IPAddress? {
  EndpointText.parseAddress(Array(text.utf8), scopes: TwoLinks())
}

private func text(_ address: IPAddress, _ scopes: some ScopeNames = TwoLinks()) -> String {
  var buffer = TextBuffer()
  buffer.append(address, scopes: scopes)
  return String(decoding: buffer.bytes, as: UTF8.self)
}

private func text(_ endpoint: Endpoint) -> String {
  var buffer = TextBuffer()
  buffer.append(endpoint, scopes: TwoLinks())
  return String(decoding: buffer.bytes, as: UTF8.self)
}

/// The result in a form that fits into a table: `name a port 80`, `name a service https`,
/// an endpoint as it is printed, or `error portZero`.
private func describe(_ result: () throws(EntryError) -> EntryText) -> String {
  func string(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
  do {
    switch try result() {
    case .endpoint(let endpoint): return text(endpoint)
    case .name(let host, .number(let port)): return "name \(string(host)) port \(port)"
    case .name(let host, .service(let service)):
      return "name \(string(host)) service \(string(service))"
    }
  } catch {
    return "error \(error.reason)"
  }
}

private func entry(_ text: String, defaultPort: UInt16? = nil) -> String {
  describe { () throws(EntryError) in
    try EndpointText.parseEntry(Array(text.utf8), defaultPort: defaultPort, scopes: TwoLinks())
  }
}

private func host(_ text: String, _ port: PortText) -> String {
  describe { () throws(EntryError) in
    try EndpointText.parseHost(Array(text.utf8), port: port, scopes: TwoLinks())
  }
}

/// The C library's reading of an address, and of nothing else: no scope, no brackets.
private func libraryAddress(_ text: String) -> IPAddress? {
  libraryAddress(text.utf8CString.map { $0 })
}

private func libraryAddress(_ text: [CChar]) -> IPAddress? {
  var v4 = in_addr()
  if inet_pton(AF_INET, text, &v4) == 1 { return IPAddress(v4: UInt32(bigEndian: v4.s_addr)) }
  var v6 = in6_addr()
  guard inet_pton(AF_INET6, text, &v6) == 1 else { return nil }
  return withUnsafeBytes(of: &v6) {
    IPAddress(
      high: UInt64(bigEndian: $0.load(as: UInt64.self)),
      low: UInt64(bigEndian: $0.load(fromByteOffset: 8, as: UInt64.self)))
  }
}

private func libraryText(_ address: IPAddress) -> String {
  var halves = (address.high.bigEndian, address.low.bigEndian)
  var v4 = address.v4Bits.bigEndian
  var characters = [CChar](repeating: 0, count: 64)
  if address.family == .inet {
    inet_ntop(AF_INET, &v4, &characters, 64)
  } else {
    inet_ntop(AF_INET6, &halves, &characters, 64)
  }
  return String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
}

@Suite struct EndpointTextTests {
  // MARK: entries

  @Test(arguments: [
    ("192.0.2.1:80", "192.0.2.1:80"), ("0.0.0.1:1", "0.0.0.1:1"),
    ("255.255.255.254:65535", "255.255.255.254:65535"), ("192.0.2.1:00080", "192.0.2.1:80"),
    ("[2001:DB8::1]:443", "[2001:db8::1]:443"), ("[::1]:80", "[::1]:80"),
    ("[fe80::1%eth0]:80", "[fe80::1%eth0]:80"), ("[fe80::1%3]:80", "[fe80::1%eth0]:80"),
    ("[fe80::1%12]:80", "[fe80::1%12]:80"), ("[fe80::1%7]:80", "[fe80::1%7]:80"),
    ("[fe80::1]:80", "[fe80::1]:80"), ("[::ffff:192.0.2.1]:80", "[::ffff:192.0.2.1]:80"),
    ("[::192.0.2.1]:80", "[::c000:201]:80"),
    ("name:80", "name name port 80"), ("db.test:https", "name db.test service https"),
    ("db.test.:80", "name db.test. port 80"),
    ("a_b-c.D:3com-tsmux", "name a_b-c.D service 3com-tsmux"),
    ("xn--bcher-kva.example:1", "name xn--bcher-kva.example port 1"),
    ("bücher.example:1", "name bücher.example port 1"),
    ("192.0.2.1:https", "name 192.0.2.1 service https"),
    ("[fe80::1%eth0]:https", "name fe80::1%eth0 service https"),
    ("1.example:80", "name 1.example port 80"), ("0x7f.example:80", "name 0x7f.example port 80"),
    ("0xg:80", "name 0xg port 80"), ("x0:80", "name x0 port 80"),
    ("127.1-:80", "name 127.1- port 80"),
    ("face:80", "name face port 80"),
  ])
  func `an entry is an endpoint or a name`(text: String, expected: String) {
    #expect(entry(text) == expected)
    #expect(entry(text, defaultPort: 9) == expected)
  }

  @Test(arguments: [
    ("192.0.2.1", "192.0.2.1:9"), ("2001:db8::1", "[2001:db8::1]:9"), ("::1", "[::1]:9"),
    ("::1:80", "[::1:80]:9"), ("[::1]", "[::1]:9"), ("fe80::1%eth0", "[fe80::1%eth0]:9"),
    ("[fe80::1%eth0]", "[fe80::1%eth0]:9"), ("db.test", "name db.test port 9"),
  ])
  func `W05 an entry without a port has the default port`(text: String, expected: String) {
    #expect(entry(text, defaultPort: 9) == expected)
  }

  @Test(arguments: [
    ("192.0.2.1", "missingPort"), ("[::1]", "missingPort"), ("db.test", "missingPort"),
    ("::1", "missingPortAfterIPv6"), ("::1:80", "missingPortAfterIPv6"),
    ("fe80::1%eth0", "missingPortAfterIPv6"),
  ])
  func `W05 an entry without a port is an error without a default port`(
    text: String, reason: String
  ) {
    #expect(entry(text) == "error \(reason)")
    #expect(entry(text, defaultPort: 0) == "error \(reason)")
  }

  @Test(arguments: [
    ("192.0.2.1:0", "portZero"), ("db.test:00000", "portZero"), ("[::1]:0", "portZero"),
    ("192.0.2.1:65536", "portOutOfRange"), ("192.0.2.1:99999", "portOutOfRange"),
    ("192.0.2.1:000080", "portOutOfRange"), ("a:18446744073709551696", "portOutOfRange"),
    ("192.0.2.1:", "emptyPort"), ("db.test:", "emptyPort"), ("[::1]:", "emptyPort"),
    ("192.0.2.1:+80", "badPort"), ("192.0.2.1:-80", "badPort"), ("db.test: 80", "badPort"),
    ("db.test:80 ", "badPort"), ("db.test:8_0", "badPort"), ("db.test:80/", "badPort"),
    ("db.test:http\0", "badPort"), ("db.test:é", "badPort"), ("[::1]:80]", "badPort"),
    ("db.test:a2345678901234567890123456789012x", "badPort"), ("http://a", "badPort"),
  ])
  func `W05 a bad port is an error, default port or not`(text: String, reason: String) {
    #expect(entry(text) == "error \(reason)")
    #expect(entry(text, defaultPort: 9) == "error \(reason)")
  }

  @Test(arguments: [
    ("", "empty"), (":80", "missingHost"), (":", "missingHost"),
    ("[::1", "unclosedBracket"), ("[", "unclosedBracket"), ("[::1:80", "unclosedBracket"),
    ("[::1]80", "textAfterBracket"), ("[::1]]:80", "textAfterBracket"),
    ("[[::1]]:80", "textAfterBracket"),
    ("[fe80::1]%eth0:80", "textAfterBracket"), ("[]:80", "notIPv6"), ("[]", "notIPv6"),
    ("[192.0.2.1]:80", "notIPv6"), ("[db.test]:80", "notIPv6"), ("[12345::1]:80", "notIPv6"),
    ("[ ::1]:80", "notIPv6"), ("[::1\0]:80", "notIPv6"),
    ("1:2:3:4:5:6:7:8:80", "ipv6WithoutBrackets"), ("2001:db8::1:https", "ipv6WithoutBrackets"),
    ("::ffff:192.0.2.1:80", "ipv6WithoutBrackets"), ("::1:99999", "ipv6WithoutBrackets"),
    ("a:b:c", "tooManyColons"), ("192.0.2.1:80:90", "tooManyColons"), ("::::", "tooManyColons"),
    (":::", "ipv6WithoutBrackets"),
    ("12345::1", "tooManyColons"), ("http://a:80", "tooManyColons"),
    ("a b:80", "controlCharacter"), (" a:80", "controlCharacter"), ("a\0:80", "controlCharacter"),
    ("127.0.0.1\0.test:80", "controlCharacter"), ("a\n:80", "controlCharacter"),
    ("a\u{7f}:80", "controlCharacter"), ("127.0.0.1 :80", "controlCharacter"),
    ("a/b:80", "badCharacter"), ("u@a:80", "badCharacter"), ("a[:80", "badCharacter"),
    ("a]:80", "badCharacter"), ("a%eth0:80", "badCharacter"), ("%eth0:80", "badCharacter"),
    ("/run/x.sock:1", "badCharacter"), ("@name:1", "badCharacter"), ("a,b:1", "badCharacter"),
    ("a..b:80", "emptyLabel"), (".a:80", "emptyLabel"), (".:80", "emptyLabel"),
    ("a..:80", "emptyLabel"), ("1..2:80", "emptyLabel"),
    ("[fe80::1%]:80", "emptyScope"), ("[fe80::1%eth1]:80", "unknownScope"),
    ("[fe80::1%0]:80", "unknownScope"), ("[fe80::1%4294967296]:80", "unknownScope"),
    ("[fe80::1%+3]:80", "unknownScope"), ("[fe80::1%a23456789012345x]:80", "unknownScope"),
    ("[fe80::1%eth0\0]:80", "controlCharacter"), ("[fe80::1%%eth0]:80", "badCharacter"),
    ("fe80::1%eth0]:80", "badCharacter"), ("fe80::1%eth0:80", "colonInScope"),
    ("[fe80::1%eth0:80]", "colonInScope"),
    ("[2001:db8::1%eth0]:80", "scopeNotAllowed"), ("[::1%3]:80", "scopeNotAllowed"),
    ("[::ffff:169.254.0.1%3]:80", "scopeNotAllowed"), ("169.254.0.1%eth0:80", "scopeNotAllowed"),
    ("[fec0::1%3]:80", "scopeNotAllowed"), ("[ff05::1%3]:80", "scopeNotAllowed"),
    ("0.0.0.0:80", "unspecified"), ("[::]:80", "unspecified"), ("::", "unspecified"),
    ("[::ffff:0.0.0.0]:80", "unspecified"), ("0.0.0.0:https", "unspecified"),
    ("224.0.0.1:80", "multicast"), ("239.255.255.255:80", "multicast"),
    ("[ff02::1%eth0]:80", "multicast"), ("[ff0e::1]:80", "multicast"),
    ("[::ffff:224.0.0.1]:80", "multicast"),
    ("255.255.255.255:80", "broadcast"), ("[::ffff:255.255.255.255]:80", "broadcast"),
  ])
  func `a malformed entry says what is wrong with it`(text: String, reason: String) {
    #expect(entry(text) == "error \(reason)")
    #expect(entry(text, defaultPort: 9) == "error \(reason)")
  }

  @Test(arguments: [
    "127.1", "127", "2130706433", "0177.0.0.1", "01.2.3.4", "1.2.3.04", "00.0.0.1", "1.2.3.4.5",
    "1.2.3", "256.0.0.1", "1.2.3.256", "1.2.3.4.", "127.1.", "0x7f.0.0.1", "0x7f000001",
    "0X7F000001", "foo.0x7f", "foo.0X7F.", "0x", "foo.1", "foo.1.", "0", "1.2.3.0xff",
  ])
  func `a host that ends in a number and is no dotted quad never becomes a name`(text: String) {
    #expect(entry("\(text):80") == "error numericHost")
    #expect(entry(text, defaultPort: 80) == "error numericHost")
    #expect(host(text, .number(80)) == "error numericHost")
    #expect(host(text, .service(Array("https".utf8))) == "error numericHost")
    #expect(address(text) == nil)
  }

  @Test func `a name has up to 253 bytes, and its labels up to 63`() {
    let label = String(repeating: "a", count: 63)
    let longest = "\(label).\(label).\(label).\(String(repeating: "a", count: 61))"
    #expect(longest.utf8.count == 253)
    #expect(entry("\(longest):1") == "name \(longest) port 1")
    #expect(entry("\(longest).:1") == "name \(longest). port 1")
    #expect(entry("\(longest)a:1") == "error nameTooLong")
    #expect(entry("\(longest)a.:1") == "error nameTooLong")
    #expect(entry("\(label)a:1") == "error labelTooLong")
    #expect(entry("a.\(label)a.b:1") == "error labelTooLong")
    #expect(entry("a.\(label)a.:1") == "error labelTooLong")
  }

  @Test func `a long text is refused in a time that does not grow with its square`() {
    for unit in ["a", "1", "0", ":", ".", "[", "]", "%", "a.", "1:", "::", "%a", "\0", "é"] {
      let long = String(repeating: unit, count: 1 << 18 / unit.utf8.count)
      #expect(entry(long, defaultPort: 1).hasPrefix("error "))
      #expect(entry("a:\(long)").hasPrefix("error "))
      #expect(entry("[fe80::1%\(long)]:1").hasPrefix("error "))
      #expect(address(long) == nil)
    }
  }

  // MARK: host and port apart

  @Test(arguments: [
    ("192.0.2.1", "192.0.2.1:80"), ("2001:db8::1", "[2001:db8::1]:80"), ("::1:80", "[::1:80]:80"),
    ("[2001:db8::1]", "[2001:db8::1]:80"), ("fe80::1%eth0", "[fe80::1%eth0]:80"),
    ("[fe80::1%eth0]", "[fe80::1%eth0]:80"), ("::ffff:192.0.2.1", "[::ffff:192.0.2.1]:80"),
    ("db.test", "name db.test port 80"),
    ("", "error missingHost"), ("db.test:80", "error badCharacter"), ("a:", "error badCharacter"),
    ("192.0.2.1:80", "error badCharacter"), ("[::1]:80", "error textAfterBracket"),
    ("[::1]x", "error textAfterBracket"), ("[::1", "error unclosedBracket"),
    ("[db.test]", "error notIPv6"), ("1:2:3:4:5:6:7:8:80", "error ipv6WithoutBrackets"),
    ("a:b:c", "error tooManyColons"), ("::", "error unspecified"), ("ff02::1", "error multicast"),
    ("::ffff:255.255.255.255", "error broadcast"), ("a b", "error controlCharacter"),
    ("2001:db8::1%eth0", "error scopeNotAllowed"),
  ])
  func `a host may be a name or a literal with or without brackets`(text: String, expected: String)
  {
    #expect(host(text, .number(80)) == expected)
    #expect(host(text, .service(Array("80".utf8))) == expected)
  }

  @Test(arguments: [
    ("https", "name ::1 service https"), ("80", "[::1]:80"), ("0", "error portZero"),
    ("65536", "error portOutOfRange"), ("", "error emptyPort"), ("a b", "error badPort"),
  ])
  func `a service is checked, and is a number when all its bytes are digits`(
    service: String, expected: String
  ) {
    #expect(host("[::1]", .service(Array(service.utf8))) == expected)
  }

  @Test func `W05 a port of 0 given apart is an error`() {
    #expect(host("192.0.2.1", .number(0)) == "error portZero")
    #expect(host("db.test", .number(0)) == "error portZero")
  }

  @Test func `a message stands after the entry`() {
    #expect(EntryError(.portZero).message.description == "port is 0")
    #expect(EntryError(.portOutOfRange).message.description == "port is above 65535")
    var seen: Set<String> = []
    var number: UInt8 = 0
    while let reason = EntryError.Reason(rawValue: number) {
      let message = EntryError(reason).message.description
      #expect(!message.isEmpty && !message.hasSuffix("."))
      #expect(seen.insert(message).inserted, "\(reason)")
      number += 1
    }
    #expect(number == 29)
  }

  // MARK: ports

  @Test(
    arguments: [
      ("1", 1), ("80", 80), ("00080", 80), ("65535", 65535), ("0", nil), ("65536", nil),
      ("000080", nil), ("", nil), ("+1", nil), ("-1", nil), (" 1", nil), ("1 ", nil), ("0x50", nil),
      ("8a", nil), ("99999999999999999999", nil), ("1\0", nil), ("１", nil),
    ] as [(String, UInt16?)])
  func `a port is one to five digits, 1 to 65535`(text: String, expected: UInt16?) {
    #expect(EndpointText.parsePort(Array(text.utf8)) == expected)
  }

  // MARK: literals

  @Test(arguments: [
    ("[::1]", "::1"), ("0.0.0.0", "0.0.0.0"), ("::", "::"), ("[::]", "::"),
    ("255.255.255.255", "255.255.255.255"), ("fe80::1%eth0", "fe80::1%eth0"),
    ("[fe80::1%eth0]", "fe80::1%eth0"), ("febf::1%12", "febf::1%12"),
    ("ff02::1%eth0", "ff02::1%eth0"), ("ff12::1%eth0", "ff12::1%eth0"),
  ])
  func `any address is read where no port belongs`(input: String, expected: String) {
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
  func `what is no address is none`(input: String) {
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

  @Test func `W23 a v4-mapped address stays mapped, and is printed so`() {
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
  func `an IPv6 address is printed as RFC 5952 section 4 has it`(input: String, expected: String) {
    #expect(address(input).map { text($0) } == expected)
  }

  @Test func `a scope is printed by name, or by number where the name could not be read again`() {
    let scoped = IPAddress(high: 0xfe80 << 48, low: 1, scope: 9)
    #expect(text(scoped, NumericScopes()) == "fe80::1%9")
    #expect(text(scoped, OneLink(name: Array("wlan0".utf8))) == "fe80::1%wlan0")
    for name in ["", "a]", "a%b", "a:b", "a b", "a\0", "a\u{1}", "a/b", "a234567890123456"] {
      #expect(text(scoped, OneLink(name: Array(name.utf8))) == "fe80::1%9")
    }
  }

  // MARK: against the C library

  @Test func `20,000 random addresses are printed and read as by the C library`() {
    var random = SeededGenerator(state: 1)
    for _ in 0..<20_000 {
      let original = randomAddress(&random)
      let printed = text(original)
      let library = libraryText(original)
      // The C library prints IPv4-compatible addresses, deprecated by RFC 4291, with a dotted quad.
      let isCompatible =
        original.family == .inet6 && original.high == 0 && original.low >> 32 == 0
        && original.low >> 16 != 0
      if isCompatible { #expect(!printed.contains(".")) } else { #expect(printed == library) }
      #expect(address(printed) == original)
      #expect(address(library) == original)
      #expect(libraryAddress(printed) == original)
    }
  }

  @Test func `50,000 damaged literals are accepted, with one value, where the C library does`() {
    var random = SeededGenerator(state: 2)
    let alphabet = Array("0123456789abcdefABCDEFgx:::...-+ /\u{e9}".utf8)
    var acceptedCount = 0
    for _ in 0..<50_000 {
      var bytes = Array(literal(&random).utf8)
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        let byte = alphabet.randomElement(using: &random)!
        switch Int.random(in: 0..<5, using: &random) {
        case 0 where place < bytes.count: bytes[place] = byte
        case 1 where place < bytes.count: bytes.remove(at: place)
        case 2: bytes.insert(contentsOf: bytes[place...].prefix(5), at: place)
        case 3: bytes.removeSubrange(place..<min(place + 5, bytes.count))
        default: bytes.insert(byte, at: place)
        }
      }
      // A string of the C library's: the bytes as they are, which may be no UTF-8, and a zero.
      let terminated = bytes.map(CChar.init(bitPattern:)) + [0]
      let library = libraryAddress(terminated)
      let ours = EndpointText.parseAddress(bytes, scopes: NumericScopes())
      #expect(ours == library, "\(String(decoding: bytes, as: UTF8.self))")
      if ours != nil { acceptedCount += 1 }
    }
    // Both ways have been taken often.
    #expect((5_000...45_000).contains(acceptedCount))
  }

  @Test func `whatever 50,000 damaged entries turn out to be, they are printed and read again`() {
    var random = SeededGenerator(state: 3)
    let seeds = [
      "192.0.2.1:80", "[2001:db8::1]:80", "[fe80::1%eth0]:80", "[::ffff:192.0.2.1]:https",
      "db.test:80",
      "a.b.:https", "fe80::1%7",
    ]
    let alphabet = Array("019afx:.[]%-_ /@\0\u{e9}".utf8)
    for _ in 0..<50_000 {
      var bytes = Array(seeds.randomElement(using: &random)!.utf8)
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        let byte = alphabet.randomElement(using: &random)!
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = byte
        case 1 where bytes.count > 1: bytes.remove(at: place)
        default: bytes.insert(byte, at: place)
        }
      }
      switch try? EndpointText.parseEntry(bytes, defaultPort: 9, scopes: TwoLinks()) {
      case nil: break
      case .endpoint(let endpoint):
        #expect(entry(text(endpoint)) == text(endpoint))
      case .name(let name, let port):
        let again = try? EndpointText.parseHost(name, port: port, scopes: TwoLinks())
        #expect(again == .name(host: name, port: port))
        #expect(name.allSatisfy { $0 > 0x20 && $0 != 0x7f })
        // What the C library would take for a number never comes this far.
        var v4 = in_addr()
        let isNumber = inet_aton(name.map(CChar.init(bitPattern:)) + [0], &v4) != 0
        if case .number = port { #expect(!isNumber) }
      }
    }
  }

  /// Many zeros, and often one of the prefixes that are printed or read in their own way.
  private func randomAddress(_ random: inout SeededGenerator) -> IPAddress {
    if Int.random(in: 0..<5, using: &random) == 0 {
      return IPAddress(v4: UInt32(random.next() >> 32))
    }
    var halves: [UInt64] = [0, 0]
    for index in 0..<8 where Bool.random(using: &random) {
      let group = random.next() >> UInt64.random(in: 48...63, using: &random)
      halves[index / 4] |= group << UInt64(48 - 16 * (index % 4))
    }
    switch Int.random(in: 0..<8, using: &random) {
    case 0: return IPAddress(v4: UInt32(truncatingIfNeeded: halves[1])).mapped
    case 1: return IPAddress(high: 0, low: halves[1] & 0xffff_ffff)
    default: return IPAddress(high: halves[0], low: halves[1])
    }
  }

  /// A random address in one of its many spellings.
  private func literal(_ random: inout SeededGenerator) -> String {
    let address = randomAddress(&random)
    if Bool.random(using: &random) { return libraryText(address) }
    if Bool.random(using: &random) { return libraryText(address).uppercased() }
    let half = Bool.random(using: &random) ? address.high : address.low
    let groups = (0..<4).map { String(half >> UInt64(16 * $0) & 0xffff, radix: 16) }
    let quad = libraryText(IPAddress(v4: address.v4Bits))
    return (groups + groups.prefix(2) + [quad]).joined(separator: ":")
  }
}
