import ConnectByListCore

/// A step of a script that an endpoint plays on a connection.
public enum ScriptStep: Equatable, Sendable {
  /// Waits for these bytes. `*` stands for any run of bytes, `\*` for a star.
  case expect([UInt8])
  /// Waits for a line that ends with LF or CR LF; its text without that end must match, if one is given.
  case expectLine([UInt8]?)
  /// Waits for this number of bytes, whatever they are.
  case expectAny(Int)
  case send([UInt8])
  case wait(TimeSpan)
  /// Closes the connection; the client reads the end of the stream.
  case close
  /// Ends the endpoint's direction of the stream and goes on reading.
  case shut
  /// Resets the connection; the client gets ECONNRESET.
  case reset

  /// The most bytes that `expectAny` can wait for.
  public static let expectAnyMax = ScriptRun.pendingMax
}
