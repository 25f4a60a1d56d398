import CConnectByListPosix
import ConnectByListCore

/// Finds the source address of a route by connecting a UDP socket, which sends no packet.
struct RouteProbe: ~Copyable {
  private let family: Family
  private let selectors: RouteSelectors
  private var socket: Descriptor?
  /// A socket of this family cannot be made.
  private var isRefused = false

  init(_ family: Family, _ selectors: RouteSelectors) {
    self.family = family
    self.selectors = selectors
  }

  mutating func route(to remote: Endpoint) -> RemotePathInformation.Route {
    guard let number = openSocket() else { return .unknown }
    do throws(Errno) {
      // Linux 5.0. Set each time, because disconnecting clears it.
      if selectors.interface != 0 {
        try Syscalls.setOption(
          number, level: SocketLevel.socket, name: SocketNumber.bindToInterface,
          to: CInt(bitPattern: selectors.interface))
      }
      // Nothing is sent, and the socket is not handed out.
      _ = try Syscalls.connect(number, to: remote, under: .unrestricted)
      let source = try Syscalls.localEndpoint(number)
      // Otherwise the next `connect` would keep the source that was chosen for this remote
      // (`inet_saddr` in Linux's net/ipv4/datagram.c).
      try Syscalls.disconnect(number)
      return source.map { .source($0.address) } ?? .unknown
    } catch {
      return .refused(error)
    }
  }

  private mutating func openSocket() -> CInt? {
    if socket == nil && !isRefused {
      do throws(Errno) {
        let made = try Syscalls.socket(family, type: CInt(CBL_POSIX_SOCK_DGRAM))
        try mark(made.number)
        socket = consume made
      } catch {
        isRefused = true
      }
    }
    return socket?.number
  }

  /// Sets what the routes of the attempts' sockets are selected by. A process that may not set the mark cannot
  /// set it on an attempt either, which fails for that.
  private func mark(_ number: CInt) throws(Errno) {
    if selectors.mark != 0 {
      try Syscalls.setOption(
        number, level: SocketLevel.socket, name: SocketNumber.mark,
        to: CInt(bitPattern: selectors.mark))
    }
    let service = CInt(selectors.service(family))
    guard service != 0 else { return }
    if family == .inet {
      try Syscalls.setOption(
        number, level: SocketLevel.ip, name: SocketNumber.typeOfService, to: service)
    } else {
      try Syscalls.setOption(
        number, level: SocketLevel.ipv6, name: SocketNumber.trafficClass, to: service)
    }
  }
}
