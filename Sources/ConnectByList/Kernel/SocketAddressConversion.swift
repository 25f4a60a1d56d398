import CConnectByListPosix
import ConnectByListCore

// Endpoints between the core's form, CConnectByListPosix's, and a C caller's `struct sockaddr`.

extension cbl_posix_endpoint {
  init(_ endpoint: Endpoint) {
    self.init(
      high: endpoint.address.high, low: endpoint.address.low, scope: endpoint.address.scope,
      port: endpoint.port, family: endpoint.family.rawValue)
  }
}

extension Endpoint {
  /// `nil` for a family that is neither IP nor Unix. A Unix endpoint has no path.
  init?(_ endpoint: cbl_posix_endpoint) {
    switch endpoint.family {
    case 1: self = .unixElsewhere
    case 4:
      self.init(IPAddress(v4: UInt32(truncatingIfNeeded: endpoint.low)), port: endpoint.port)
    case 6:
      self.init(
        IPAddress(high: endpoint.high, low: endpoint.low, scope: endpoint.scope),
        port: endpoint.port)
    default: return nil
    }
  }

  /// Reads a `struct sockaddr_in` or `sockaddr_in6` at any alignment. `nil` for another family, and
  /// for a size below the family's structure; a larger size is accepted.
  package init?(sockaddr: UnsafeRawPointer, size: Int) {
    var endpoint = cbl_posix_endpoint()
    guard size >= 0, cbl_posix_endpoint_from_sockaddr(sockaddr, size, &endpoint) == 0 else {
      return nil
    }
    self.init(endpoint)
  }

  /// Writes the structure of an IPv4 or IPv6 endpoint, at any alignment, and returns its size.
  @discardableResult
  package func store(intoSockaddr sockaddr: UnsafeMutableRawPointer) -> Int {
    cbl_posix_endpoint_to_sockaddr(cbl_posix_endpoint(self), sockaddr)
  }

  /// The size of the address structure of a socket's domain (AF_INET, …).
  package static func sockaddrSize(ofDomain domain: CInt) -> Int {
    cbl_posix_sockaddr_size(domain)
  }
}
