/// A host name with its port, to be resolved when a race begins.
public struct HostName: Equatable, Sendable {
  public let host: [UInt8]
  public let port: PortText

  public init(host: [UInt8], port: PortText) {
    self.host = host
    self.port = port
  }

  /// 0 where the port is not a number.
  package var number: UInt16 {
    if case .number(let number) = port { return number }
    return 0
  }

  /// The only family that its addresses can have; `nil`: any. With the name of a service the host may be an address.
  package var onlyFamily: Family? {
    if host.contains(UInt8(ascii: ":")) { return .inet6 }
    return AddressLiteral.dottedQuad(host.span) == nil ? nil : .inet
  }

  /// Whether it means this machine: `localhost`, and every name below it (RFC 6761 section 6.3).
  package var isLocalhost: Bool {
    let word: StaticString = "localhost"
    var end = host.count
    if end > 0 && host[end - 1] == UInt8(ascii: ".") { end -= 1 }
    let start = end - word.utf8CodeUnitCount
    guard start >= 0, start == 0 || host[start - 1] == UInt8(ascii: ".") else { return false }
    for index in start..<end where host[index] | 0x20 != word.utf8Start[index - start] {
      return false
    }
    return true
  }
}

/// An SRV record (RFC 2782).
public struct ServiceRecord: Equatable, Sendable {
  /// The lowest first.
  public let priority: UInt16
  /// Of records of one priority, how often one is to be the first.
  public let weight: UInt16
  public let port: UInt16
  /// A host name, with or without the dot at its end. Only `.` (or empty): the service is not available.
  public let target: [UInt8]

  public init(priority: UInt16, weight: UInt16, port: UInt16, target: [UInt8]) {
    self.priority = priority
    self.weight = weight
    self.port = port
    self.target = target
  }
}
