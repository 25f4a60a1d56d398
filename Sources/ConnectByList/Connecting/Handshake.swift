import CConnectByListPosix
import ConnectByListCore

enum Handshake {
  /// Where a connection is from that counts; `nil`: there is none such, and `check` says why.
  static func local(_ fd: CInt, _ settings: borrowing SocketSettings) -> Endpoint? {
    do throws(Errno) {
      let (local, failure) = try check(fd, settings)
      return failure == nil ? local : nil
    } catch {
      return nil
    }
  }

  /// What a wake-up without POLLERR amounts to. A `getpeername` that succeeds proves the connection;
  /// throws where it does not.
  ///
  /// `failure`: it is one, and must not count. A connection to itself (TCP's simultaneous open with
  /// one's own port) is a refusal: nobody listens there. A Unix socket cannot do that, and has no name
  /// to compare. An option that only a connection can have may be refused as any other.
  static func check(
    _ fd: CInt, _ settings: borrowing SocketSettings
  ) throws(Errno) -> (local: Endpoint?, failure: Errno?) {
    let remote = try Syscalls.remoteEndpoint(fd)
    let local = remote?.family == .unix ? nil : try Syscalls.localEndpoint(fd)
    if local != nil && local == remote { return (local, .connectionRefused) }
    return (local?.unmapped, settings.applyLate(to: fd, remote?.family ?? .inet))
  }
}
