import ConnectByListCore

/// What the routing table says about one remote.
struct RouteLookup {
  var route: RemotePathInformation.Route
  /// The gateway, or the remote itself where it is on the link. `nil`: the remote is this machine, or
  /// the next hop is not known.
  var nextHop: NextHop?
  /// The remote is one of this machine's own addresses.
  var isLocal = false
}

/// The machine that has to answer address resolution (ARP, neighbour discovery) before a packet can
/// leave.
struct NextHop: Hashable {
  let address: IPAddress
  /// The interface that it is reached through.
  let interface: UInt32

  /// Represents this machine, which needs no address resolution.
  static let thisMachine = NextHop(address: .anyV4, interface: 0)
}
