/// The number of an attempt: from 0, in the order of starts.
public struct AttemptID: Hashable, Comparable, Sendable {
  public let number: Int32
  public init(_ number: Int32) { self.number = number }
  /// Its place among the attempts of its race.
  public var index: Int { Int(number) }
  public static func < (a: AttemptID, b: AttemptID) -> Bool { a.number < b.number }
}

/// A pair that was started, from its start to its end.
public struct Attempt: Sendable {
  public internal(set) var pair: Plan.Pair
  /// The pair's chance when it was started.
  public let chance: Double
  public let started: Instant
  /// When its handshake was done, it failed, or the race closed it.
  public private(set) var ended: Instant?
  public private(set) var outcome: Outcome = .pending
  /// Why it failed. `nil` where it did not fail, or where another's success, the cap or a cancel ended it.
  public private(set) var errno: Errno?
  /// How long an answer may be expected to take, and why: the base of its delay. It changes when path information
  /// comes while no other attempt has been started.
  public internal(set) var patience: Patience
  /// How many attempts were in flight at its start, this one included.
  let inFlightCount: Int
  /// When its silence counts against its pair: its delay, compression left out, after its start.
  var silentAt: Instant
  /// Until when the alternates of its remote are held; `distantFuture`: they are not.
  var holdsUntil = Instant.distantFuture
  var isSilenceNoted = false
  /// The local address that the kernel gave it, as far as the driver asked.
  public internal(set) var local: Endpoint?
  /// Of a connection for which Multipath TCP was asked: false where it fell back to TCP.
  public internal(set) var isMultipath: Bool?
  /// How often its SYN was sent again, as far as the driver asked.
  public internal(set) var resentCount: Int32 = 0
  /// Whether it is a second socket to a silent remote (`hedge`).
  public let isHedge: Bool
  /// Its neighbours in the list of attempts in flight (`AttemptsInFlight.swift`).
  var previousInFlight: AttemptID?
  var nextInFlight: AttemptID?
  /// Whether its handshake is done. It may still lose to a better one of the same wake-up, or be rejected.
  private(set) var isConnected = false

  init(
    _ pair: Plan.Pair, chance: Double, started: Instant, patience: Patience, inFlightCount: Int,
    silentAt: Instant, isHedge: Bool
  ) {
    self.pair = pair
    self.chance = chance
    self.started = started
    self.patience = patience
    self.inFlightCount = inFlightCount
    self.silentAt = silentAt
    self.isHedge = isHedge
  }

  /// In flight without an answer.
  var isPending: Bool { outcome == .pending && !isConnected }

  /// The state after an event of this attempt. Nothing else changes how it ended.
  mutating func apply(_ event: RaceEvent) {
    if let outcome = event.outcome { self.outcome = outcome }
    switch event.kind {
    case .start: break
    case .connected:
      isConnected = true
      ended = event.time
    // The handshake was done before.
    case .won: break
    case .abandon: ended = event.time
    case .refused, .unreachable, .reset, .rejected, .timedOut, .failed:
      errno = event.errno
      ended = event.time
    case .resolved, .unresolved, .lost, .cancelled: break
    }
  }
}
