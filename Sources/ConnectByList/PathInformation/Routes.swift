import CConnectByListPosix
import ConnectByListCore

/// What the routing table says of the way to a remote. Nothing is sent.
///
/// Asked by RTM_GETROUTE, many at a time on one netlink socket: that is what `connect` looks up,
/// policy rules included, and the answer has the source, the gateway and the interface. Measured
/// for 10,000 remotes on Linux 6.18, against a UDP socket that is connected to one remote after the
/// other: 9 ms against 14 (IPv4), 13 to 17 ms against 18 to 23 (IPv6), and 160 system calls against
/// 30,000. The UDP socket has to forget its peer in between: it keeps the source that was chosen
/// for the first remote (`inet_saddr` stays set), and would say it again of all that follow.
enum Routes {
  /// How a remote is reached.
  struct RouteLookup {
    var route: RemotePathInformation.Route
    /// Who has to answer address resolution: the gateway, or the remote itself where it is on the
    /// link. `nil`: nobody, or not known.
    var nextHop: NextHop?
    var isLocal = false
  }

  struct NextHop: Hashable {
    let address: IPAddress
    let interface: UInt32

    /// This machine.
    static let here = NextHop(address: .anyV4, interface: 0)
  }

  /// The route of each remote, in their order. `interface`: the index of the one that the
  /// connection is bound to; 0: any. Remotes with the same address are asked once.
  static func sources(of remotes: [Endpoint], interface: UInt32) -> [RemotePathInformation.Route] {
    let distinct = Distinct(remotes.count, secret: .ofThisProcess) { remotes[$0].address }
    let different = distinct.firsts.map { remotes[$0] }
    var ways = [RouteLookup?](repeating: nil, count: different.count)
    var requests = NetlinkRequests()
    let asked = append(
      different, interface: interface, locals: [], to: &requests, &ways)
    do throws(Errno) {
      var socket = try NetlinkSocket(.route)
      try socket.ask(&requests) { index, answer in
        ways[asked[index]] = way(to: different[asked[index]].address, answer)
      }
    } catch {}
    askByConnecting(different, interface: interface, &ways)
    return distinct.positions.map { ways[$0]?.route ?? .unknown }
  }

  // MARK: by netlink

  /// Adds a question for each remote, and fills in the ways that need none. Returns the index of
  /// the remote that each question is about.
  static func append(
    _ remotes: [Endpoint], interface: UInt32, locals: [LocalAddress],
    to requests: inout NetlinkRequests, _ ways: inout [RouteLookup?]
  ) -> [Int] {
    let loopback = interface == 0 ? locals.map { $0.address }.filter { $0.isLoopback } : []
    var asked: [Int] = []
    for (index, remote) in remotes.enumerated() {
      let address = remote.address
      if isOnNoLink(address, interface: interface) {
        ways[index] = RouteLookup(route: .refused(.invalidArgument))
      } else if address.isLoopback && loopback.contains(address) {
        // What this machine has is reached from itself.
        ways[index] = RouteLookup(route: .source(address), isLocal: true)
      } else {
        append(remote, interface: interface, to: &requests)
        asked.append(index)
      }
    }
    return asked
  }

  /// A link-local address without a link, or of another than the connection is bound to: EINVAL.
  private static func isOnNoLink(_ remote: IPAddress, interface: UInt32) -> Bool {
    guard remote.needsScope else { return false }
    return remote.scope == 0 ? interface == 0 : interface != 0 && interface != remote.scope
  }

  /// Asks for the route that a TCP connection to `remote` would take.
  private static func append(
    _ remote: Endpoint, interface: UInt32, to requests: inout NetlinkRequests
  ) {
    let address = remote.address
    requests.add(type: 26) { request in  // RTM_GETROUTE
      // struct rtmsg: family, bits of the destination, and zeros.
      request.append((address.netlinkFamily, address.family == .inet ? 32 : 128, 0, 0))
      request.append(0)
      request.append(0)
      request.append(attribute: 1, address)  // RTA_DST
      let out = address.scope != 0 ? address.scope : interface
      if out != 0 { request.append(attribute: 4, out) }  // RTA_OIF
      // Policy rules may look at them (Linux 4.17); before, they are passed over.
      request.append(attribute: 27, UInt8(6))  // RTA_IP_PROTO, TCP
      request.append(attribute: 29, remote.port.bigEndian)  // RTA_DPORT
    }
  }

  static func way(to remote: IPAddress, _ answer: NetlinkAnswer) -> RouteLookup? {
    switch answer {
    case .message(let message): return way(to: remote, message)
    case .refused(let errno): return refusal(errno).map { RouteLookup(route: .refused($0)) }
    case .startedAgain: return nil
    }
  }

  private static func way(to remote: IPAddress, _ message: NetlinkMessage) -> RouteLookup? {
    guard message.type == 24, let type = message.body.number(at: 7, as: UInt8.self)
    else { return nil }
    switch type {
    case RouteType.unicast, RouteType.local, RouteType.anycast: break
    // What connect says of them for TCP.
    case RouteType.broadcast, RouteType.multicast: return RouteLookup(route: .refused(.networkUnreachable))
    case RouteType.blackhole: return RouteLookup(route: .refused(.invalidArgument))
    case RouteType.unreachable: return RouteLookup(route: .refused(.hostUnreachable))
    case RouteType.prohibit: return RouteLookup(route: .refused(.accessDenied))
    default: return nil
    }
    var source: IPAddress?
    var gateway: IPAddress?
    var interface: UInt32 = 0
    for (type, payload) in message.attributes(after: 12) {
      switch type {
      case 4: interface = payload.number(at: 0, as: UInt32.self) ?? 0
      case 5: gateway = IPAddress(netlink: payload)
      case 7: source = IPAddress(netlink: payload)
      // RTA_VIA, an IPv6 gateway of an IPv4 route: the family in two bytes, the address.
      case 18 where payload.count > 2:
        gateway = IPAddress(netlink: UnsafeRawBufferPointer(rebasing: payload[2...]))
      default: break
      }
    }
    guard let source, !source.isUnspecified, source.family == remote.family else {
      // A route and no address to use it from: IPv6 cannot, IPv4 sends from 0.0.0.0.
      return RouteLookup(route: remote.family == .inet ? .unknown : .refused(.addressNotAvailable))
    }
    let isLocal = type == RouteType.local
    // This machine's own link-local addresses have a route by way of lo; their link is the
    // remote's.
    let link = remote.scope != 0 ? remote.scope : interface
    return RouteLookup(
      route: .source(source.needsScope ? source.withScope(link) : source),
      nextHop: isLocal ? nil : NextHop(address: gateway ?? remote, interface: interface),
      isLocal: isLocal)
  }

  /// The errors that `connect` has for a route; what else the kernel says is about the question.
  private static func refusal(_ errno: Errno) -> Errno? {
    switch errno {
    case .networkUnreachable, .hostUnreachable, .accessDenied, .invalidArgument, .noSuchDevice,
      .addressNotAvailable, Errno(100):  // ENETDOWN
      return errno
    default: return nil
    }
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

  // MARK: without netlink

  /// Fills in the ways that netlink did not tell by a UDP socket: some sandboxes have no netlink
  /// (systemd's RestrictAddressFamilies), or one that knows no routes. Three system calls a remote.
  static func askByConnecting(_ remotes: [Endpoint], interface: UInt32, _ ways: inout [RouteLookup?]) {
    var inet = RouteProbe(.inet, interface: interface)
    var inet6 = RouteProbe(.inet6, interface: interface)
    for (index, remote) in remotes.enumerated() where ways[index] == nil {
      let route = remote.family == .inet ? inet.route(to: remote) : inet6.route(to: remote)
      ways[index] = RouteLookup(route: route)
    }
  }
}

/// A UDP socket that is connected for the sake of its source address. UDP's `connect` sends
/// nothing.
private struct RouteProbe: ~Copyable {
  private let family: Family
  private let interface: UInt32
  private var socket: Descriptor?
  private var isRefused = false

  init(_ family: Family, interface: UInt32) {
    self.family = family
    self.interface = interface
  }

  mutating func route(to remote: Endpoint) -> RemotePathInformation.Route {
    guard let number = open() else { return .unknown }
    do throws(Errno) {
      // SOL_SOCKET, SO_BINDTOIFINDEX (Linux 5.0). Every time: it is forgotten with the peer.
      if interface != 0 {
        try Syscalls.setOption(number, level: 1, name: 62, to: CInt(bitPattern: interface))
      }
      _ = try Syscalls.connect(number, to: remote)
      let source = try Syscalls.localEndpoint(number)
      try Syscalls.disconnect(number)
      return source.map { .source($0.address) } ?? .unknown
    } catch {
      return .refused(error)
    }
  }

  private mutating func open() -> CInt? {
    if socket == nil && !isRefused {
      do throws(Errno) {
        socket = try Syscalls.socket(family, type: CInt(CBL_POSIX_SOCK_DGRAM))
      } catch {
        isRefused = true
      }
    }
    return socket?.number
  }
}
