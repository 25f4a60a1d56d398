import ConnectByListCore

/// Lookups in the routing table. No packet is sent.
///
/// RTM_GETROUTE looks up what `connect` would, policy rules included, and answers with the source
/// address, the gateway and the interface. Many requests share one netlink socket. The alternative is
/// a UDP socket that is connected to one remote after the other (`RouteProbe`). Measured for 10,000
/// remotes on Linux 6.18: netlink 9 ms, UDP 14 ms (IPv4); 13 to 17 ms, 18 to 23 ms (IPv6); 160
/// system calls, 30,000.
enum Routes {
  /// The route of each remote, in their order. Remotes with the same address are looked up once.
  static func routes(to remotes: [Endpoint], as selectors: RouteSelectors) -> [RemotePathInformation
    .Route]
  {
    let distinct = Distinct(remotes.count, secret: .ofThisProcess) { remotes[$0].address }
    let different = distinct.firsts.map { remotes[$0] }
    var lookups = [RouteLookup?](repeating: nil, count: different.count)
    var requests = NetlinkRequests()
    let asked = addRequests(
      for: different, as: selectors, locals: [], to: &requests, &lookups)
    do throws(Errno) {
      var socket = try NetlinkSocket(.route)
      try socket.ask(&requests) { index, answer in
        let remote = asked[index]
        lookups[remote] = lookup(of: different[remote].address, answer)
      }
    } catch {
      // Some sandboxes have no netlink; the UDP sockets below need none.
    }
    probe(different, as: selectors, &lookups)
    return distinct.positions.map { lookups[$0]?.route ?? .unknown }
  }

  // MARK: requests

  /// Adds a request for each remote whose route has to be looked up, and fills in `lookups` for the
  /// others. Returns the index of the remote of each request.
  static func addRequests(
    for remotes: [Endpoint], as selectors: RouteSelectors, locals: [LocalAddress],
    to requests: inout NetlinkRequests, _ lookups: inout [RouteLookup?]
  ) -> [Int] {
    let user = Syscalls.routingUser
    let loopback =
      selectors.interface == 0 ? locals.map { $0.address }.filter { $0.isLoopback } : []
    var asked: [Int] = []
    for (index, remote) in remotes.enumerated() {
      let address = remote.address
      if hasNoLink(address, interface: selectors.interface) {
        lookups[index] = RouteLookup(route: .refused(.invalidArgument))
      } else if address.isLoopback && loopback.contains(address) {
        // A connection to an address of this machine has that address as its source too.
        lookups[index] = RouteLookup(route: .source(address), isLocal: true)
      } else {
        addRequest(for: remote, as: selectors, user, to: &requests)
        asked.append(index)
      }
    }
    return asked
  }

  /// Whether `connect` would answer EINVAL: a link-local address without a scope, or with the scope
  /// of another interface than the one that the connection is bound to.
  private static func hasNoLink(_ remote: IPAddress, interface: UInt32) -> Bool {
    guard remote.needsScope else { return false }
    return remote.scope == 0 ? interface == 0 : interface != 0 && interface != remote.scope
  }

  /// Adds a request for the route of a TCP connection to `remote`.
  private static func addRequest(
    for remote: Endpoint, as selectors: RouteSelectors, _ user: UInt32?,
    to requests: inout NetlinkRequests
  ) {
    let address = remote.address
    let bits: UInt8 = address.family == .inet ? 32 : 128
    let service = selectors.service(address.family)
    requests.add(type: MessageType.getRoute) { request in
      // struct rtmsg: family, bits of the destination, of the source, type of service, and zeros.
      request.append((address.netlinkFamily, bits, 0, service))
      request.append(0)
      request.append(0)
      request.append(attribute: Attribute.destination, address)
      let output = address.scope != 0 ? address.scope : selectors.interface
      if output != 0 { request.append(attribute: Attribute.outputInterface, output) }
      if selectors.mark != 0 { request.append(attribute: Attribute.mark, selectors.mark) }
      // For policy rules that look at them (the user: Linux 4.10; the rest: 4.17). Older kernels ignore them.
      if let user { request.append(attribute: Attribute.user, user) }
      request.append(attribute: Attribute.ipProtocol, UInt8(6))  // IPPROTO_TCP
      request.append(attribute: Attribute.destinationPort, remote.port.bigEndian)
    }
  }

  // MARK: answers

  /// `nil` where the answer says nothing about the route.
  static func lookup(of remote: IPAddress, _ answer: NetlinkAnswer) -> RouteLookup? {
    switch answer {
    case .message(let message): return lookup(of: remote, message)
    case .refused(let errno): return isRouteError(errno) ? RouteLookup(route: .refused(errno)) : nil
    case .dumpRestarted: return nil
    }
  }

  private static func lookup(of remote: IPAddress, _ message: NetlinkMessage) -> RouteLookup? {
    guard message.type == MessageType.newRoute,
      let type = message.body.number(at: 7, as: UInt8.self)
    else { return nil }
    switch type {
    case RouteType.unicast, RouteType.local, RouteType.anycast: break
    // What `connect` answers for TCP on a route of each of these types.
    case RouteType.broadcast, RouteType.multicast:
      return RouteLookup(route: .refused(.networkUnreachable))
    case RouteType.blackhole: return RouteLookup(route: .refused(.invalidArgument))
    case RouteType.unreachable: return RouteLookup(route: .refused(.hostUnreachable))
    case RouteType.prohibit: return RouteLookup(route: .refused(.accessDenied))
    default: return nil
    }
    var source: IPAddress?
    var gateway: IPAddress?
    var interface: UInt32 = 0
    let headerSize = 12  // struct rtmsg
    for (type, payload) in message.attributes(after: headerSize) {
      switch type {
      case Attribute.outputInterface: interface = payload.number(at: 0, as: UInt32.self) ?? 0
      case Attribute.gateway: gateway = IPAddress(netlink: payload)
      case Attribute.preferredSource: source = IPAddress(netlink: payload)
      // The IPv6 gateway of an IPv4 route: two bytes of family, then the address.
      case Attribute.via where payload.count > 2:
        gateway = IPAddress(netlink: UnsafeRawBufferPointer(rebasing: payload[2...]))
      default: break
      }
    }
    guard let source, !source.isUnspecified, source.family == remote.family else {
      // There is a route but no address to use it from. IPv6 refuses; IPv4 sends from 0.0.0.0.
      return RouteLookup(route: remote.family == .inet ? .unknown : .refused(.addressNotAvailable))
    }
    let isLocal = type == RouteType.local
    // A route to this machine's own link-local address goes through lo; the address's link is the
    // remote's scope.
    let link = remote.scope != 0 ? remote.scope : interface
    return RouteLookup(
      route: .source(source.needsScope ? source.withScope(link) : source),
      nextHop: isLocal ? nil : NextHop(address: gateway ?? remote, interface: interface),
      isLocal: isLocal)
  }

  /// Whether `connect` would fail with this error for want of a route. Any other error is about the
  /// request.
  private static func isRouteError(_ errno: Errno) -> Bool {
    switch errno {
    case .networkUnreachable, .hostUnreachable, .accessDenied, .invalidArgument, .noSuchDevice,
      .addressNotAvailable, Errno(100):  // ENETDOWN
      true
    default: false
    }
  }

  // MARK: without netlink

  /// Fills in the lookups that netlink did not answer, with UDP sockets: some sandboxes have no
  /// netlink (systemd's RestrictAddressFamilies), or one without routes. Three system calls a remote.
  static func probe(
    _ remotes: [Endpoint], as selectors: RouteSelectors, _ lookups: inout [RouteLookup?]
  ) {
    var inet = RouteProbe(.inet, selectors)
    var inet6 = RouteProbe(.inet6, selectors)
    for (index, remote) in remotes.enumerated() where lookups[index] == nil {
      let route = remote.family == .inet ? inet.route(to: remote) : inet6.route(to: remote)
      lookups[index] = RouteLookup(route: route)
    }
  }

  // MARK: numbers of linux/rtnetlink.h

  private enum MessageType {
    static let newRoute: UInt16 = 24  // RTM_NEWROUTE
    static let getRoute: UInt16 = 26  // RTM_GETROUTE
  }

  private enum Attribute {
    static let destination: UInt16 = 1  // RTA_DST
    static let outputInterface: UInt16 = 4  // RTA_OIF
    static let gateway: UInt16 = 5  // RTA_GATEWAY
    static let preferredSource: UInt16 = 7  // RTA_PREFSRC
    static let mark: UInt16 = 16  // RTA_MARK
    static let via: UInt16 = 18  // RTA_VIA
    static let user: UInt16 = 25  // RTA_UID
    static let ipProtocol: UInt16 = 27  // RTA_IP_PROTO
    static let destinationPort: UInt16 = 29  // RTA_DPORT
  }

  private enum RouteType {
    static let unicast: UInt8 = 1
    static let local: UInt8 = 2
    static let broadcast: UInt8 = 3
    static let anycast: UInt8 = 4
    static let multicast: UInt8 = 5
    static let blackhole: UInt8 = 6
    static let unreachable: UInt8 = 7
    static let prohibit: UInt8 = 8
  }
}
