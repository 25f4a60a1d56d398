import CConnectByListPosix
import ConnectByListCore

/// A socket that the caller made and wants connected.
///
/// Attempts run on sockets of their own, made with the same options; the winner takes the caller's number
/// (`dup3`). So on failure the caller's socket is unchanged. What refers to the socket and not to its number
/// does not follow: duplicates of the descriptor, and epoll registrations, which the kernel drops silently.
public struct CallerSocket: Sendable {
  public let number: CInt
  /// AF_INET, AF_INET6 or AF_UNIX.
  public let domain: CInt
  /// IPPROTO_TCP or IPPROTO_MPTCP; 0 for a Unix socket.
  let protocolNumber: CInt
  let isNonBlocking: Bool
  let closesOnExec: Bool

  /// Checks that the socket can be connected. Does not change it.
  ///
  /// Throws, in this order: `.badDescriptor`, `.notASocket`, `.operationNotSupported` (not a stream; neither
  /// TCP, MPTCP nor Unix; made in another network namespace), `.isConnected`, `.alreadyConnecting`,
  /// `.invalidArgument` (it listens, or it is bound).
  public init(checking number: CInt) throws(Errno) {
    self.number = number
    isNonBlocking = try Syscalls.isNonBlocking(number)
    closesOnExec = try Syscalls.closesOnExec(number)
    let type = try Syscalls.option(number, level: SocketLevel.socket, name: SocketNumber.type)
    domain = try Syscalls.option(number, level: SocketLevel.socket, name: SocketNumber.domain)
    protocolNumber = try Syscalls.option(
      number, level: SocketLevel.socket, name: SocketNumber.protocolNumber)
    guard type == CInt(CBL_POSIX_SOCK_STREAM), hasKnownProtocol else {
      throw .operationNotSupported
    }
    guard try isOfThisNamespace() else { throw .operationNotSupported }
    var isConnected = true
    do throws(Errno) { _ = try Syscalls.remoteEndpoint(number) } catch { isConnected = false }
    if isConnected { throw .isConnected }
    if Syscalls.isConnecting(number) { throw .alreadyConnecting }
    let listens = try Syscalls.option(
      number, level: SocketLevel.socket, name: SocketNumber.acceptsConnections)
    let isBound = try Syscalls.isBound(number)
    if listens != 0 || isBound { throw .invalidArgument }
  }

  private var hasKnownProtocol: Bool {
    switch domain {
    case CInt(CBL_POSIX_AF_INET), CInt(CBL_POSIX_AF_INET6):
      protocolNumber == SocketLevel.tcp || protocolNumber == CInt(CBL_POSIX_IPPROTO_MPTCP)
    case CInt(CBL_POSIX_AF_UNIX): true
    default: false
    }
  }

  /// The attempts' sockets belong to the network namespace of this thread. Before Linux 5.14 the kernel does
  /// not tell a socket's namespace, and the answer is true.
  private func isOfThisNamespace() throws(Errno) -> Bool {
    guard domain != CInt(CBL_POSIX_AF_UNIX) else { return true }
    let fresh = try makeSocket()
    do throws(Errno) {
      return try cookie(of: number) == cookie(of: fresh.number)
    } catch {
      return true
    }
  }

  /// Exactly eight bytes: for a larger buffer the kernel returns EINVAL.
  private func cookie(of fd: CInt) throws(Errno) -> [UInt8] {
    try Syscalls.optionBytes(
      fd, level: SocketLevel.socket, name: SocketNumber.networkNamespaceCookie, size: 8)
  }

  /// The settings for the attempts' sockets: the options that the caller set on the socket, overridden by
  /// those of this connect.
  func settings(under chosen: SocketSettings) throws(Errno) -> SocketSettings {
    let fresh = try makeSocket()
    var settings = SocketSettings()
    // A caller's socket keeps the system's default of TCP_NODELAY unless the caller or this connect sets it.
    settings.noDelay = false
    for setting in try SocketOption.differences(of: number, from: fresh.number, family) {
      settings.add(setting)
    }
    settings.add(chosen)
    return settings
  }

  private var family: Family {
    switch domain {
    case CInt(CBL_POSIX_AF_INET): .inet
    case CInt(CBL_POSIX_AF_INET6): .inet6
    default: .unix
    }
  }

  /// A socket of the same domain and protocol, without options.
  func makeSocket() throws(Errno) -> Descriptor {
    try Syscalls.socket(domain: domain, protocol: protocolNumber)
  }

  /// An endpoint as a socket of this family writes it: IPv4 on an AF_INET6 socket is v4-mapped. Throws
  /// `.familyNotSupported` where the socket cannot have it.
  func adaptedToSocketFamily(_ endpoint: Endpoint) throws(Errno) -> Endpoint {
    switch (family, endpoint.family) {
    case (.inet, .inet), (.inet6, .inet6), (.unix, .unix): return endpoint
    case (.inet6, .inet): return endpoint.mapped
    default: throw .familyNotSupported
    }
  }

  /// Gives the winner this socket's number, with the caller's O_NONBLOCK and FD_CLOEXEC.
  func take(_ winner: consuming Descriptor) throws(Errno) {
    try Syscalls.setNonBlocking(winner.number, isNonBlocking)
    try Syscalls.duplicate(winner.number, onto: number, closesOnExec: closesOnExec)
  }
}
