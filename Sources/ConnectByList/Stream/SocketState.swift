import CConnectByListPosix
import ConnectByListCore

// What has become of the connection.

extension Socket {
  /// Keeps an error of the stream, and returns the one that is to be reported: the first.
  ///
  /// The kernel gives the reason of a broken connection to one call alone, and after that the end of the stream,
  /// which a reader would take for a whole message. What is no fault of the stream is not kept.
  mutating func record(_ error: Errno) -> Errno {
    switch error {
    case .outOfMemory, .noBufferSpace, .notConnected, .badDescriptor, .invalidArgument,
      .messageTooLong:
      return error
    default:
      if let failure { return failure }
      failure = error
      return error
    }
  }

  /// Whether the connection is as it was made, as far as this side knows now; does not wait.
  ///
  /// Throws `.brokenPipe` where the peer has ended its stream, also while bytes of it are unread; the error of the
  /// connection where it has one, which reads get too; `.notConnected`.
  public mutating func checkAlive() throws(Errno) {
    guard isConnected else { throw .notConnected }
    if let failure { throw failure }
    let asked = CInt(CBL_POSIX_PEER_ENDED)
    let events = try Syscalls.poll(number, events: asked, for: .zero)
    if events & CInt(CBL_POSIX_FAILED) != 0, let error = Syscalls.takePendingError(number) {
      throw error == .brokenPipe ? error : record(error)
    }
    // POLLHUP: both sides have ended.
    if events & (asked | CInt(CBL_POSIX_HUNG_UP)) != 0 { throw .brokenPipe }
  }
}
