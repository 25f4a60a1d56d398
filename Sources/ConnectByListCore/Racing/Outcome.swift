/// What became of an attempt. The words are the contract's; scripts compare them.
public enum Outcome: UInt8, Sendable {
  case connected, refused, unreachable, timedOut, reset, failed
  /// Another attempt won, or it was given up at the cap on attempts in flight.
  case superseded
  case cancelled
  /// The caller's check refused the connection.
  case rejected
  /// A pair of the plan that was never started.
  case notStarted
  /// Still in flight.
  case pending

  /// The outcome of an attempt that failed with `errno`.
  package init(of errno: Errno) {
    switch errno {
    case .connectionRefused: self = .refused
    case .hostUnreachable, .networkUnreachable: self = .unreachable
    case .connectionReset: self = .reset
    case .timedOut: self = .timedOut
    case .cancelled: self = .cancelled
    default: self = .failed
    }
  }
}
