import CConnectByListPosix
import ConnectByListCore

/// Finds the source address of a route by connecting a UDP socket, which sends no packet.
struct RouteProbe: ~Copyable {
  private let family: Family
  private let interface: UInt32
  private var socket: Descriptor?
  /// A socket of this family cannot be made.
  private var isRefused = false

  init(_ family: Family, interface: UInt32) {
    self.family = family
    self.interface = interface
  }

  mutating func route(to remote: Endpoint) -> RemotePathInformation.Route {
    guard let number = openSocket() else { return .unknown }
    do throws(Errno) {
      // Linux 5.0. Set each time, because disconnecting clears it.
      if interface != 0 {
        try Syscalls.setOption(
          number, level: SocketLevel.socket, name: SocketNumber.bindToInterface,
          to: CInt(bitPattern: interface))
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
        socket = try Syscalls.socket(family, type: CInt(CBL_POSIX_SOCK_DGRAM))
      } catch {
        isRefused = true
      }
    }
    return socket?.number
  }
}
