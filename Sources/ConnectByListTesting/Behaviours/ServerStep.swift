import ConnectByListCore

/// What a behaviour asks the server to do next with a connection.
///
/// The server asks for the next step when all bytes of the step before have been given to the kernel.
enum ServerStep: Equatable {
  case send([UInt8])
  /// Ends the server's direction of the stream.
  case shut
  /// Closes the connection: the client reads the end of the stream.
  case close
  /// Resets the connection: the client gets ECONNRESET.
  case reset
  /// Nothing to do before this instant, unless something is received.
  case wait(until: Instant)
}
