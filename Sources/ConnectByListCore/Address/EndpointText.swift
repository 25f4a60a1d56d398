/// The result of parsing an entry.
public enum EntryText: Equatable, Sendable {
  case endpoint(Endpoint)
  /// Has to be resolved. `host` is a host name. If `port` is a service, `host` may also be an address without
  /// brackets: only the service has to be looked up then.
  case name(host: [UInt8], port: PortText)
}

public enum PortText: Equatable, Sendable {
  case number(UInt16)
  /// The name of a service, such as `https`.
  case service([UInt8])
  /// That of the host's SRV records: the host is the name of a service, such as `_redis._tcp.example.net`.
  case records
}

/// Parses entries, hosts, addresses and ports.
///
/// Linear in the text's length. Parsing an address without a scope allocates nothing.
///
/// Other notations of IPv4 addresses, which `inet_aton` and with it resolvers accept (127.1, 0x7f000001), are
/// rejected and never become names: a filter on the text, such as a list of forbidden hosts, must not be
/// circumvented by another spelling.
public enum EndpointText {
  /// Parses `192.0.2.1:80`, `[fe80::1%eth0]:80`, `name:80` or `name:https`.
  ///
  /// - Parameter defaultPort: the port of a text without one; `nil` or 0: such a text is an error. A bare
  ///   `2001:db8::1` is accepted with a default port only, since all of it is the address.
  /// - Throws: the leftmost defect: the host's, then the port's.
  public static func parseEntry(
    _ text: [UInt8], defaultPort: UInt16?, scopes: some ScopeNames
  ) throws(EntryError) -> EntryText {
    if text.isEmpty { throw EntryError(.empty) }
    let parts = try split(text)
    let literal = try literal(text, parts.host, parts.form, scopes: scopes)
    let port: PortText
    if let range = parts.port {
      port = try portText(text, range)
    } else if let defaultPort, defaultPort != 0 {
      port = .number(defaultPort)
    } else {
      throw EntryError(parts.form == .bareIPv6 ? .missingPortAfterIPv6 : .missingPort)
    }
    return entry(text, parts.host, literal, port)
  }

  /// Parses a host and a port that were given separately.
  ///
  /// - Parameters:
  ///   - host: a name or an address; an IPv6 address with or without brackets.
  ///   - port: a service of digits only counts as a number.
  /// - Throws: the host's defect, then the port's.
  public static func parseHost(
    _ host: [UInt8], port: PortText, scopes: some ScopeNames
  ) throws(EntryError) -> EntryText {
    if host.isEmpty { throw EntryError(.missingHost) }
    var parts = try split(host)
    if parts.port != nil {
      if parts.form == .bracketed { throw EntryError(.textAfterBracket) }
      // No host has exactly one colon: the check of the name rejects the whole text.
      parts.host = 0..<host.count
    }
    let literal = try literal(host, parts.host, parts.form, scopes: scopes)
    switch port {
    case .number(let number):
      if number == 0 { throw EntryError(.portZero) }
      return entry(host, parts.host, literal, port)
    case .service(let name):
      return entry(host, parts.host, literal, try portText(name, 0..<name.count))
    case .records:
      if literal != nil { throw EntryError(.serviceIsAddress) }
      return entry(host, parts.host, nil, port)
    }
  }

  /// Parses an address without a port: `192.0.2.1`, `fe80::1%eth0`, `[::1]`. `nil`: the text is not an
  /// address, or its scope is malformed. Addresses that cannot be an entry, such as the unspecified
  /// address, are accepted.
  public static func parseAddress(_ text: [UInt8], scopes: some ScopeNames) -> IPAddress? {
    let bytes = text.span
    guard let first = text.first, first == UInt8(ascii: "[") else {
      return try? AddressLiteral.parse(bytes, scopes: scopes)
    }
    guard text.count > 2, text[text.count - 1] == UInt8(ascii: "]"),
      let address = try? AddressLiteral.parse(
        bytes.extracting(1..<text.count - 1), scopes: scopes),
      address.family == .inet6
    else { return nil }
    return address
  }

  /// Parses a port number, 1 … 65535, of one to five digits.
  public static func parsePort(_ text: [UInt8]) -> UInt16? {
    let number = AddressLiteral.decimal(text.span, digitsMax: 5).flatMap { UInt16(exactly: $0) }
    return number == 0 ? nil : number
  }

  // MARK: host and port apart

  private enum Form {
    /// The host is in brackets, so it must be IPv6.
    case bracketed
    /// There are two colons or more, so all of the text must be an IPv6 address: whether the `80` of
    /// `::1:80` is meant as a port cannot be known.
    case bareIPv6
    /// An IPv4 literal or a name.
    case plain
  }

  private struct Parts {
    var host: Range<Int>
    let port: Range<Int>?
    let form: Form
  }

  /// Splits `text`, which is not empty, into host and port by its brackets and colons only.
  private static func split(_ text: [UInt8]) throws(EntryError) -> Parts {
    if text[0] == UInt8(ascii: "[") {
      guard let close = text.firstIndex(of: UInt8(ascii: "]")) else {
        throw EntryError(.unclosedBracket)
      }
      let after = close + 1
      if after == text.count { return Parts(host: 1..<close, port: nil, form: .bracketed) }
      guard text[after] == UInt8(ascii: ":") else { throw EntryError(.textAfterBracket) }
      return Parts(host: 1..<close, port: after + 1..<text.count, form: .bracketed)
    }
    guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else {
      return Parts(host: 0..<text.count, port: nil, form: .plain)
    }
    let afterColon = colon + 1..<text.count
    return text[afterColon].contains(UInt8(ascii: ":"))
      ? Parts(host: 0..<text.count, port: nil, form: .bareIPv6)
      : Parts(host: 0..<colon, port: afterColon, form: .plain)
  }

  private static func entry(
    _ text: [UInt8], _ host: Range<Int>, _ literal: IPAddress?, _ port: PortText
  ) -> EntryText {
    if let literal, case .number(let number) = port {
      return .endpoint(Endpoint(literal, port: number))
    }
    return .name(host: Array(text[host]), port: port)
  }

  // MARK: the host

  /// Parses the host in `range`: an address that can be connected to, or `nil` for a valid host name.
  private static func literal(
    _ text: [UInt8], _ range: Range<Int>, _ form: Form, scopes: some ScopeNames
  ) throws(EntryError) -> IPAddress? {
    let host = text.span.extracting(range)
    guard let address = try AddressLiteral.parse(host, scopes: scopes) else {
      switch form {
      case .bracketed: throw EntryError(.notIPv6)
      case .bareIPv6: throw EntryError(endsInPort(text) ? .ipv6WithoutBrackets : .tooManyColons)
      case .plain:
        try checkName(host)
        return nil
      }
    }
    if form == .bracketed && address.family != .inet6 { throw EntryError(.notIPv6) }
    if address.isUnspecified { throw EntryError(.unspecified) }
    if address.isMulticast { throw EntryError(.multicast) }
    if address.isBroadcast { throw EntryError(.broadcast) }
    return address
  }

  /// Whether `text`, which is not an address, is one up to its last colon: `1:2:3:4:5:6:7:8:80`.
  private static func endsInPort(_ text: [UInt8]) -> Bool {
    guard let colon = text.lastIndex(of: UInt8(ascii: ":")) else { return false }
    return AddressLiteral.ipv6(text.span.extracting(0..<colon)) != nil
  }

  /// Throws for what cannot be a host name.
  ///
  /// Lengths as in RFC 1035 section 2.3.4: labels of 63 bytes, and 253 bytes in all, which are 255 in a DNS
  /// message. Underscores occur in names in use and are accepted, as are bytes of 0x80 and above: the
  /// resolver converts or rejects internationalized names.
  private static func checkName(_ host: borrowing Span<UInt8>) throws(EntryError) {
    if host.isEmpty { throw EntryError(.missingHost) }
    let isAbsolute = host[host.count - 1] == UInt8(ascii: ".")
    let end = isAbsolute ? host.count - 1 : host.count
    if end > 253 { throw EntryError(.nameTooLong) }
    var label = 0
    for index in 0..<end {
      switch host[index] {
      case UInt8(ascii: "."):
        try checkLabel(label..<index)
        label = index + 1
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"), 0x80...0xff:
        break
      case 0...0x20, 0x7f: throw EntryError(.controlCharacter)
      default: throw EntryError(.badCharacter)
      }
    }
    try checkLabel(label..<end)
    if isNumber(host.extracting(label..<end)) { throw EntryError(.numericHost) }
  }

  private static func checkLabel(_ label: Range<Int>) throws(EntryError) {
    if label.isEmpty { throw EntryError(.emptyLabel) }
    if label.count > 63 { throw EntryError(.labelTooLong) }
  }

  /// Whether the last label is a number, so that `inet_aton`, and with it resolvers, may read the host as an
  /// address: all digits, or `0x` and any number of hexadecimal digits. Source: the URL standard's "ends in
  /// a number checker".
  private static func isNumber(_ label: borrowing Span<UInt8>) -> Bool {
    guard label.count >= 2, label[0] == UInt8(ascii: "0"), label[1] | 0x20 == UInt8(ascii: "x")
    else { return AddressLiteral.isDigits(label) }
    for index in 2..<label.count where AddressLiteral.hexDigit(label[index]) == nil {
      return false
    }
    return true
  }

  // MARK: the port

  /// The longest name of a service in bytes. RFC 6335 section 5.1 allows 15; older services files have longer
  /// names.
  private static let serviceBytesMax = 32

  private static func portText(
    _ text: [UInt8], _ range: Range<Int>
  ) throws(EntryError) -> PortText {
    if range.isEmpty { throw EntryError(.emptyPort) }
    let port = text.span.extracting(range)
    if AddressLiteral.isDigits(port) {
      guard let number = AddressLiteral.decimal(port, digitsMax: 5), number <= UInt16.max else {
        throw EntryError(.portOutOfRange)
      }
      if number == 0 { throw EntryError(.portZero) }
      return .number(UInt16(number))
    }
    guard port.count <= serviceBytesMax else { throw EntryError(.badPort) }
    var hasLetter = false
    for index in port.indices {
      switch port[index] {
      case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"):
        hasLetter = true
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
      default: throw EntryError(.badPort)
      }
    }
    guard hasLetter else { throw EntryError(.badPort) }
    return .service(Array(text[range]))
  }
}
