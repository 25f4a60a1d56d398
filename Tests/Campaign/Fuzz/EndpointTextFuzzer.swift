import CConnectByListFuzzSupport
import ConnectByListCore
import Glibc

/// Endpoint text. Addresses are compared with `inet_pton`, scopes with `getaddrinfo` and AI_NUMERICHOST; what is
/// parsed can be printed and parsed again; a host that `inet_aton` reads is never a name.
func fuzzEndpointText(_ input: FuzzInput) {
  var input = input
  let defaultPort: UInt16? = input.byte() % 2 == 0 ? nil : 80
  let text = input.bytes
  guard text.count <= 512 else { return }
  compareAddress(text)
  compareScope(text)
  switch try? EndpointText.parseEntry(text, defaultPort: defaultPort, scopes: NumericScopes()) {
  case nil: break
  case .endpoint(let endpoint): checkRoundTrip(endpoint)
  case .name(let host, let port): checkName(host, port)
  }
  if let entry = try? EndpointText.parseHost(text, port: .number(80), scopes: NumericScopes()) {
    switch entry {
    case .endpoint(let endpoint): checkRoundTrip(endpoint)
    case .name(let host, let port): checkName(host, port)
    }
  }
  _ = EndpointText.parsePort(text)
}

private func terminated(_ bytes: [UInt8]) -> [CChar] { bytes.map(CChar.init(bitPattern:)) + [0] }

private func libraryAddress(_ text: [UInt8]) -> IPAddress? {
  var v4 = in_addr()
  if inet_pton(AF_INET, terminated(text), &v4) == 1 {
    return IPAddress(v4: UInt32(bigEndian: v4.s_addr))
  }
  var v6 = in6_addr()
  guard inet_pton(AF_INET6, terminated(text), &v6) == 1 else { return nil }
  return withUnsafeBytes(of: &v6) { address(in: $0) }
}

private func address(in bytes: UnsafeRawBufferPointer) -> IPAddress {
  IPAddress(
    high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
    low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
}

private func compareAddress(_ text: [UInt8]) {
  // A C string ends at a NUL; brackets and scopes are not inet_pton's.
  let isOurs = text.contains { $0 == 0 || $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "[") }
  guard !isOurs else { return }
  let ours = EndpointText.parseAddress(text, scopes: NumericScopes())
  check(ours == libraryAddress(text), "parseAddress and inet_pton differ")
  guard let ours else { return }
  var buffer = TextBuffer()
  buffer.append(ours, scopes: NumericScopes())
  check(libraryAddress(buffer.bytes) == ours, "inet_pton reads the printed text differently")
}

/// Scopes of digits: an address with one is what `getaddrinfo` makes of it. Others are names of interfaces.
private func compareScope(_ text: [UInt8]) {
  guard let percent = text.firstIndex(of: UInt8(ascii: "%")), percent + 1 < text.count,
    text[(percent + 1)...].allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
    let ours = EndpointText.parseAddress(text, scopes: NumericScopes()),
    text[0] != UInt8(ascii: "[")
  else { return }
  var bytes = [UInt8](repeating: 0, count: 16)
  var scope: UInt32 = 0
  let code = cbl_fuzz_numeric_address(terminated(text), &bytes, &scope)
  check(code == 0, "getaddrinfo refuses a scope of digits that is accepted: \(code)")
  check(
    bytes.withUnsafeBytes { address(in: $0) }.withScope(scope) == ours,
    "getaddrinfo reads the scope differently")
}

private func checkRoundTrip(_ endpoint: Endpoint) {
  var buffer = TextBuffer()
  buffer.append(endpoint, scopes: NumericScopes())
  let again = try? EndpointText.parseEntry(
    buffer.bytes, defaultPort: nil, scopes: NumericScopes())
  check(again == .endpoint(endpoint), "an endpoint is printed as another one")
  check(endpoint.port != 0, "an endpoint without a port")
  check(
    !endpoint.address.isUnspecified && !endpoint.address.isMulticast, "not an address of a peer")
}

private func checkName(_ host: [UInt8], _ port: PortText) {
  let again = try? EndpointText.parseHost(host, port: port, scopes: NumericScopes())
  check(again == .name(host: host, port: port), "a name is parsed as something else")
  check(host.allSatisfy { $0 > 0x20 && $0 != 0x7f }, "a name with a control character")
  guard case .number = port else { return }
  var v4 = in_addr()
  check(inet_aton(terminated(host), &v4) == 0, "a name that inet_aton reads as an address")
}
