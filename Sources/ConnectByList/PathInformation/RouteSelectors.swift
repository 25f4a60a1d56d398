import ConnectByListCore

/// What the kernel selects a route by, beside the destination: what an attempt's socket is bound to and marked
/// with. A lookup without these may find another route than the socket gets.
struct RouteSelectors: Sendable, Equatable {
  /// The index of the interface that the sockets are bound to; 0: any.
  var interface: UInt32 = 0
  /// SO_MARK.
  var mark: UInt32 = 0
  /// IP_TOS.
  var typeOfService: UInt8 = 0
  /// IPV6_TCLASS.
  var trafficClass: UInt8 = 0

  /// The part of the type of service that routing looks at. The two low bits are ECN's.
  func service(_ family: Family) -> UInt8 {
    (family == .inet ? typeOfService : trafficClass) & 0xfc
  }
}
