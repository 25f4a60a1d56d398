import ConnectByListCore
import Glibc

/// /etc/gai.conf, compared with a reading that follows glibc's `gaiconf_init` with the C library's own functions.
func fuzzGaiConf(_ input: FuzzInput) {
  let text = input.bytes
  guard text.count <= 4096 else { return }
  let reference = ReferenceGaiConf(text)
  guard let table = GaiConf.policyTable(text) else {
    check(reference.isEmpty, "a line that glibc reads is ignored")
    return
  }
  check(!reference.isEmpty, "a line is read that glibc ignores")
  let addresses = reference.prefixes + fixedAddresses
  let policies = addresses.map { table.policy(of: $0) }
  for first in addresses.indices {
    check(
      reference.scopes.isEmpty || addresses[first].unmapped.family == .inet6
        || table.scope(of: addresses[first]) == reference.scope(of: addresses[first]),
      "another scope")
    for second in addresses.indices.prefix(first) {
      let wanted = (reference.precedence(addresses[first]), reference.precedence(addresses[second]))
      let found = (policies[first].precedence, policies[second].precedence)
      check(
        (wanted.0 < wanted.1) == (found.0 < found.1)
          && (wanted.0 == wanted.1) == (found.0 == found.1),
        "another order of precedences")
      let labels = (reference.label(addresses[first]), reference.label(addresses[second]))
      check(
        (labels.0 == labels.1) == (policies[first].label == policies[second].label),
        "labels match differently")
    }
  }
}

private let fixedAddresses: [IPAddress] = [
  IPAddress(high: 0, low: 1), IPAddress(v4: 0x7f00_0001).mapped, IPAddress(v4: 0x0a00_0001).mapped,
  IPAddress(high: 0x2001_0000 << 32, low: 1), IPAddress(high: 0x2002 << 48, low: 1),
  IPAddress(high: 0xfc00 << 48, low: 1), IPAddress(high: 0x2001_0db8 << 32, low: 1),
]

/// The lines of the file, as glibc keeps them.
private struct ReferenceGaiConf {
  private struct Line {
    let prefix: IPAddress
    let length: Int
    let value: Int
  }

  private var labels: [Line] = []
  private var precedences: [Line] = []
  private var scopeLines: [Line] = []

  var isEmpty: Bool { labels.isEmpty && precedences.isEmpty && scopeLines.isEmpty }
  var scopes: [IPAddress] { scopeLines.map { $0.prefix } }
  var prefixes: [IPAddress] { (labels + precedences + scopeLines).prefix(24).map { $0.prefix } }

  init(_ text: [UInt8]) {
    for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      let words = Self.words(line)
      guard words.count > 1 else { continue }
      let value = words.count > 2 ? words[2] : ""
      switch words[0] {
      case "label": Self.add(words[1], value, to: &labels)
      case "precedence": Self.add(words[1], value, to: &precedences)
      case "scopev4": Self.addScope(words[1], value, to: &scopeLines)
      default: break
      }
    }
  }

  /// Bytes of 0x80 and above stay as they are: words are compared and passed to C.
  private static func words(_ line: ArraySlice<UInt8>) -> [String] {
    var words: [[UInt8]] = [[]]
    for byte in line {
      if byte == 0 || byte == UInt8(ascii: "#") { break }
      if isspace(CInt(byte)) != 0 { words.append([]) } else { words[words.count - 1].append(byte) }
    }
    return words.filter { !$0.isEmpty }.map { String(decoding: $0, as: UTF8.self) }
  }

  private static func number(_ text: String?, default value: Int, most: Int) -> Int? {
    guard let text else { return value }
    // Numbers that wrap around are not compared.
    if text.hasPrefix("-") && text.utf8.count > 12 { return nil }
    var end: UnsafeMutablePointer<CChar>?
    return text.withCString { start in
      let number = strtoul(start, &end, 10)
      return end!.pointee == 0 && number <= most ? Int(number) : nil
    }
  }

  private static func parts(_ text: String) -> (address: String, length: String?) {
    guard let slash = text.firstIndex(of: "/") else { return (text, nil) }
    return (String(text[..<slash]), String(text[text.index(after: slash)...]))
  }

  private static func inet6(_ text: String) -> IPAddress? {
    var bytes = in6_addr()
    guard inet_pton(AF_INET6, text, &bytes) == 1 else { return nil }
    return withUnsafeBytes(of: &bytes) {
      IPAddress(
        high: UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)),
        low: UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }
  }

  private static func append(
    _ prefix: IPAddress, _ length: Int, _ value: String, to lines: inout [Line]
  ) {
    guard let value = number(value, default: 0, most: Int(Int32.max)), lines.count < 128 else {
      return
    }
    lines.append(Line(prefix: prefix, length: length, value: value))
  }

  private static func add(_ prefix: String, _ value: String, to lines: inout [Line]) {
    let (address, length) = parts(prefix)
    guard let address = inet6(address), let length = number(length, default: 128, most: 128)
    else { return }
    append(address, length, value, to: &lines)
  }

  private static func addScope(_ prefix: String, _ value: String, to lines: inout [Line]) {
    let (address, length) = parts(prefix)
    var v4 = in_addr()
    if let address = inet6(address) {
      guard address.high == 0, address.low >> 32 == 0xffff,
        let length = number(length, default: 128, most: 128), length >= 96
      else { return }
      append(address, length, value, to: &lines)
    } else if inet_pton(AF_INET, address, &v4) == 1 {
      guard let length = number(length, default: 32, most: 32) else { return }
      append(
        IPAddress(v4: UInt32(bigEndian: v4.s_addr)).mapped, length + 96, value, to: &lines)
    }
  }

  /// The value of the longest prefix, of equal ones the first.
  private static func find(_ address: IPAddress, _ lines: [Line], default value: Int) -> Int {
    var best: Line?
    for line in lines where matches(address, line) && line.length > best?.length ?? -1 {
      best = line
    }
    return best?.value ?? value
  }

  private static func matches(_ address: IPAddress, _ line: Line) -> Bool {
    func bit(_ address: IPAddress, _ index: Int) -> UInt64 {
      (index < 64 ? address.high >> UInt64(63 - index) : address.low >> UInt64(127 - index)) & 1
    }
    return (0..<line.length).allSatisfy { bit(address, $0) == bit(line.prefix, $0) }
  }

  func label(_ address: IPAddress) -> Int {
    labels.isEmpty
      ? Int(PolicyTable.rfc6724.policy(of: address).label)
      : Self.find(address, labels, default: 1)
  }

  func precedence(_ address: IPAddress) -> Int {
    precedences.isEmpty
      ? Int(PolicyTable.rfc6724.policy(of: address).precedence)
      : Self.find(address, precedences, default: 40)
  }

  func scope(of address: IPAddress) -> UInt8 {
    UInt8(clamping: Self.find(address, scopeLines, default: 14))
  }
}
