import ConnectByListCore
import Glibc
import Testing

/// Random and damaged texts, compared with the C library's results.
@Suite struct RandomAddressTextTests {
  @Test func `20,000 random addresses are printed and parsed as by the C library`() {
    var random = SplitMix64(seed: 1)
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

  @Test
  func `50,000 damaged literals are accepted if the C library accepts them, with the same value`() {
    var random = SplitMix64(seed: 2)
    let alphabet = Array("0123456789abcdefABCDEFgx:::...-+ /\u{e9}".utf8)
    var acceptedCount = 0
    for _ in 0..<50_000 {
      var bytes = Array(literal(&random).utf8)
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let position = Int.random(in: 0...bytes.count, using: &random)
        let byte = alphabet.randomElement(using: &random)!
        switch Int.random(in: 0..<5, using: &random) {
        case 0 where position < bytes.count: bytes[position] = byte
        case 1 where position < bytes.count: bytes.remove(at: position)
        case 2: bytes.insert(contentsOf: bytes[position...].prefix(5), at: position)
        case 3: bytes.removeSubrange(position..<min(position + 5, bytes.count))
        default: bytes.insert(byte, at: position)
        }
      }
      // A C string: the bytes, which may not be UTF-8, and a zero.
      let terminated = bytes.map(CChar.init(bitPattern:)) + [0]
      let library = libraryAddress(terminated)
      let ours = EndpointText.parseAddress(bytes, scopes: NumericScopes())
      #expect(ours == library, "\(String(decoding: bytes, as: UTF8.self))")
      if ours != nil { acceptedCount += 1 }
    }
    // Both results are frequent.
    #expect((5_000...45_000).contains(acceptedCount))
  }

  @Test func `50,000 damaged entries are refused, or can be printed and parsed again`() {
    var random = SplitMix64(seed: 3)
    let seeds = [
      "192.0.2.1:80", "[2001:db8::1]:80", "[fe80::1%eth0]:80", "[::ffff:192.0.2.1]:https",
      "db.test:80",
      "a.b.:https", "fe80::1%7",
    ]
    let alphabet = Array("019afx:.[]%-_ /@\0\u{e9}".utf8)
    var nameCount = 0
    var endpointCount = 0
    for _ in 0..<50_000 {
      var bytes = Array(seeds.randomElement(using: &random)!.utf8)
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let position = Int.random(in: 0..<bytes.count, using: &random)
        let byte = alphabet.randomElement(using: &random)!
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[position] = byte
        case 1 where bytes.count > 1: bytes.remove(at: position)
        default: bytes.insert(byte, at: position)
        }
      }
      switch try? EndpointText.parseEntry(bytes, defaultPort: 9, scopes: TwoLinks()) {
      case nil: break
      case .endpoint(let endpoint):
        endpointCount += 1
        #expect(entry(text(endpoint)) == text(endpoint))
      case .name(let name, let port):
        nameCount += 1
        let again = try? EndpointText.parseHost(name, port: port, scopes: TwoLinks())
        #expect(again == .name(host: name, port: port))
        #expect(name.allSatisfy { $0 > 0x20 && $0 != 0x7f })
        // A text that the C library parses as a numeric address is never a name.
        var v4 = in_addr()
        let isNumber = inet_aton(name.map(CChar.init(bitPattern:)) + [0], &v4) != 0
        if case .number = port { #expect(!isNumber) }
      }
    }
    #expect(nameCount > 1_000 && endpointCount > 1_000)
  }

  /// Many bits are zero, and prefixes with a text form of their own (v4-mapped, v4-compatible) are frequent.
  private func randomAddress(_ random: inout SplitMix64) -> IPAddress {
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

  /// A random address in one of its text forms.
  private func literal(_ random: inout SplitMix64) -> String {
    let address = randomAddress(&random)
    if Bool.random(using: &random) { return libraryText(address) }
    if Bool.random(using: &random) { return libraryText(address).uppercased() }
    let half = Bool.random(using: &random) ? address.high : address.low
    let groups = (0..<4).map { String(half >> UInt64(16 * $0) & 0xffff, radix: 16) }
    let quad = libraryText(IPAddress(v4: address.v4Bits))
    return (groups + groups.prefix(2) + [quad]).joined(separator: ":")
  }
}
