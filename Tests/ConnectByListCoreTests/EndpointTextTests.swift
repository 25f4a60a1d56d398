import ConnectByListCore
import Testing

/// The text of an entry: host and port in one text, or in two.
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
  func `W05 a bad port is an error with and without a default port`(text: String, reason: String) {
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
    ("[fe80::1%4294967296]:80", "unknownScope"),
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
  func `a malformed entry gives the reason`(text: String, reason: String) {
    #expect(entry(text) == "error \(reason)")
    #expect(entry(text, defaultPort: 9) == "error \(reason)")
  }

  @Test(arguments: [
    "127.1", "127", "2130706433", "0177.0.0.1", "01.2.3.4", "1.2.3.04", "00.0.0.1", "1.2.3.4.5",
    "1.2.3", "256.0.0.1", "1.2.3.256", "1.2.3.4.", "127.1.", "0x7f.0.0.1", "0x7f000001",
    "0X7F000001", "foo.0x7f", "foo.0X7F.", "0x", "foo.1", "foo.1.", "0", "1.2.3.0xff",
  ])
  func `a host that ends in a number and is not a dotted quad is not a name`(text: String) {
    #expect(entry("\(text):80") == "error numericHost")
    #expect(entry(text, defaultPort: 80) == "error numericHost")
    #expect(host(text, .number(80)) == "error numericHost")
    #expect(host(text, .service(Array("https".utf8))) == "error numericHost")
    #expect(address(text) == nil)
  }

  @Test func `a name has at most 253 bytes, and each label at most 63`() {
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

  @Test func `a text of 256 KiB is refused in linear time`() {
    for unit in ["a", "1", "0", ":", ".", "[", "]", "%", "a.", "1:", "::", "%a", "\0", "é"] {
      let long = String(repeating: unit, count: 1 << 18 / unit.utf8.count)
      #expect(entry(long, defaultPort: 1).hasPrefix("error "))
      #expect(entry("a:\(long)").hasPrefix("error "))
      #expect(entry("[fe80::1%\(long)]:1").hasPrefix("error "))
      #expect(address(long) == nil)
    }
  }

  // MARK: host and port in two texts

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

  @Test func `W05 a port of 0 is an error`() {
    #expect(host("192.0.2.1", .number(0)) == "error portZero")
    #expect(host("db.test", .number(0)) == "error portZero")
  }

  @Test func `each reason has a message of its own, to be printed after the entry`() {
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
    #expect(number == 30)
  }

  @Test func `the scope 0 is the default zone`() {
    #expect(entry("[fe80::1%0]:80") == entry("[fe80::1]:80"))
  }

  // MARK: ports

  @Test(
    arguments: [
      ("1", 1), ("80", 80), ("00080", 80), ("65535", 65535), ("0", nil), ("65536", nil),
      ("000080", nil), ("", nil), ("+1", nil), ("-1", nil), (" 1", nil), ("1 ", nil), ("0x50", nil),
      ("8a", nil), ("99999999999999999999", nil), ("1\0", nil), ("１", nil),
    ] as [(String, UInt16?)])
  func `a port has one to five digits and is 1 to 65535`(text: String, expected: UInt16?) {
    #expect(EndpointText.parsePort(Array(text.utf8)) == expected)
  }
}
