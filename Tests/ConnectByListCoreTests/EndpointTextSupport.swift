import ConnectByListCore
import Glibc

/// Two interfaces: eth0, and one whose name is a digit that is not its index.
struct TwoLinks: ScopeNames {
  func index(ofInterface name: [UInt8]) -> UInt32? {
    name == Array("eth0".utf8) ? 3 : name == Array("7".utf8) ? 4 : nil
  }

  func name(ofInterface index: UInt32) -> [UInt8]? {
    index == 3 ? Array("eth0".utf8) : index == 4 ? Array("7".utf8) : nil
  }
}

/// One interface, with the index 9 and the given name.
struct OneLink: ScopeNames {
  let name: [UInt8]
  func index(ofInterface name: [UInt8]) -> UInt32? { name == self.name ? 9 : nil }
  func name(ofInterface index: UInt32) -> [UInt8]? { index == 9 ? name : nil }
}

func address(_ text: String) -> IPAddress? {
  EndpointText.parseAddress(Array(text.utf8), scopes: TwoLinks())
}

func text(_ address: IPAddress, _ scopes: some ScopeNames = TwoLinks()) -> String {
  var buffer = TextBuffer()
  buffer.append(address, scopes: scopes)
  return String(decoding: buffer.bytes, as: UTF8.self)
}

func text(_ endpoint: Endpoint) -> String {
  var buffer = TextBuffer()
  buffer.append(endpoint, scopes: TwoLinks())
  return String(decoding: buffer.bytes, as: UTF8.self)
}

/// The result as text: `name a port 80`, `name a service https`, the text of an endpoint, or
/// `error portZero`.
func describe(_ result: () throws(EntryError) -> EntryText) -> String {
  func string(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
  do {
    switch try result() {
    case .endpoint(let endpoint): return text(endpoint)
    case .name(let host, .number(let port)): return "name \(string(host)) port \(port)"
    case .name(let host, .records): return "records of \(String(decoding: host, as: UTF8.self))"
    case .name(let host, .service(let service)):
      return "name \(string(host)) service \(string(service))"
    }
  } catch {
    return "error \(error.reason)"
  }
}

func entry(_ text: String, defaultPort: UInt16? = nil) -> String {
  describe { () throws(EntryError) in
    try EndpointText.parseEntry(Array(text.utf8), defaultPort: defaultPort, scopes: TwoLinks())
  }
}

func host(_ text: String, _ port: PortText) -> String {
  describe { () throws(EntryError) in
    try EndpointText.parseHost(Array(text.utf8), port: port, scopes: TwoLinks())
  }
}

/// The address that the C library parses (inet_pton), which accepts neither a scope nor brackets.
func libraryAddress(_ text: String) -> IPAddress? {
  libraryAddress(text.utf8CString.map { $0 })
}

func libraryAddress(_ text: [CChar]) -> IPAddress? {
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

func libraryText(_ address: IPAddress) -> String {
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
