import CConnectByListPosix
import ConnectByListCore

extension cbl_posix_endpoint {
  public init(_ endpoint: Endpoint) {
    self.init(
      high: endpoint.address.high, low: endpoint.address.low, scope: endpoint.address.scope,
      port: endpoint.port, family: endpoint.family.rawValue)
  }
}

extension Endpoint {
  /// `nil`: neither IPv4 nor IPv6.
  public init?(_ endpoint: cbl_posix_endpoint) {
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
}
