/// What became of an attempt. The words are the contract's; scripts compare them.
public enum Outcome: UInt8, Sendable {
  case connected, refused, unreachable, timedOut, reset, failed, superseded, cancelled, rejected
  /// A pair of the plan that was never started.
  case notStarted
  /// Still in flight.
  case pending

  public var word: StaticString {
    switch self {
    case .connected: "connected"
    case .refused: "refused"
    case .unreachable: "unreachable"
    case .timedOut: "timed_out"
    case .reset: "reset"
    case .failed: "failed"
    case .superseded: "superseded"
    case .cancelled: "cancelled"
    case .rejected: "rejected"
    case .notStarted: "not_started"
    case .pending: "pending"
    }
  }

  /// The outcome that an errno of `connect` amounts to.
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

/// What an attempt is called by: small integers from 0, in the order of starts.
public struct AttemptID: Hashable, Comparable, Sendable {
  public let number: Int32
  public init(_ number: Int32) { self.number = number }
  public static func < (a: AttemptID, b: AttemptID) -> Bool { a.number < b.number }
}

/// A pair that was started, from its start to its end.
public struct Attempt: Sendable {
  public internal(set) var pair: Plan.Pair
  /// The pair's chance when it was started.
  public let chance: Double
  public let started: Instant
  public internal(set) var ended: Instant?
  public internal(set) var outcome: Outcome = .pending
  /// Why it failed; `nil` where it did not, or where nobody but us ended it.
  public internal(set) var errno: Errno?
  /// When its silence counts against its pair.
  var silentAt: Instant
  /// When `attempt_timeout` ends it.
  let expires: Instant
  var isSilenceNoted = false
  /// Where the kernel let it connect from, where the driver asked.
  public internal(set) var local: Endpoint?
  /// Of a connection for which Multipath TCP was asked: whether it is one, and did not fall back.
  public internal(set) var isMultipath: Bool?
  /// How often its SYN was sent again, as far as the driver asked.
  public internal(set) var resentCount: Int32 = 0
  /// Failed in the call that started it.
  public internal(set) var isSynchronous = false
  /// A second socket to a silent remote.
  public let isHedge: Bool
  /// Handshake done; may still lose to a better one of the same wake-up, or be rejected.
  var isConnected = false

  /// In flight, and its silence not noted yet.
  var isSilent: Bool { !isConnected && !isSilenceNoted }
}

/// How a race ended.
public enum RaceResult: Equatable, Sendable {
  case won(AttemptID)
  /// Every pair failed (the code is that of the attempt that failed last), or the deadline came.
  case lost(Errno, isDeadline: Bool)
  case cancelled
}
