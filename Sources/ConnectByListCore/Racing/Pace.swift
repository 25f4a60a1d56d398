/// When the next attempt starts: section 4 of the contract.
enum Pace {
  /// The delay from a start to the next while all are silent. `inFlight`: how many attempts are in flight, the
  /// new one included. `.forever` where silence starts nothing.
  static func delay(
    _ pace: ConnectOptions.Pace, minimum: TimeSpan, base: TimeSpan, inFlight: Int
  ) -> TimeSpan {
    switch pace {
    case .parallel: return .zero
    case .sequential: return .forever
    case .steady: return base
    case .accelerating:
      return max(minimum, base / (1 << Int64(min(inFlight - 1, 62))))
    }
  }

  /// The longest delay that still lets everything be tried before the deadline, with a reserve for the last
  /// one's handshake. It may be shorter than `minimumDelay` while remotes are untried.
  static func compressed(
    _ pace: ConnectOptions.Pace, minimum: TimeSpan, timeout: TimeSpan, now: Instant,
    deadline: Instant, untried: Int, alternates: Int
  ) -> TimeSpan {
    guard pace != .sequential else { return .forever }
    let reserve = min(.milliseconds(250), timeout / 2)
    let left = max(.zero, deadline - now - reserve)
    if untried > 0 {
      let forAlternates = min(minimum * Int64(alternates), left / 2)
      return (left - forAlternates) / Int64(untried)
    }
    return alternates > 0 ? max(minimum, left / Int64(alternates)) : .forever
  }
}

/// What decides when the next attempt starts. A failure in the call that starts an attempt puts it back as it was.
struct PaceState: Sendable {
  /// The attempt of the latest start; `nil`: nothing was started yet.
  var newest: AttemptID?
  /// When silence starts the next: the delay of the newest attempt after its start.
  var silenceEnds = Instant.distantFuture
  /// The same, compressed by the deadline.
  var compressedEnds = Instant.distantFuture
  /// How many attempts may start at once because others failed.
  var owed = 0
  /// How many failures came in a row, silence not having ended it.
  var row = 0
  /// Whether the newest attempt's delay has ended a row already: it does so once, when it passes.
  var hasEndedRow = false
  /// Whether an attempt was started since the race last waited: in this round of this instant.
  var hasStarted = false
  /// The alternates of all refused remotes are being started together.
  var isBurst = false

  /// When the newest attempt's running delay passes.
  var delayEnds: Instant { min(silenceEnds, compressedEnds) }

  /// A row of failures ends when the newest attempt's delay passes.
  mutating func endRow(ifDelayHasPassed hasPassed: Bool) {
    guard hasPassed, !hasEndedRow else { return }
    hasEndedRow = true
    row = 0
  }

  /// Whether silence starts an attempt now; also the first one of all.
  func isDueBySilence(at now: Instant) -> Bool { newest == nil || delayEnds <= now }
}

/// The failures of an instant, before attempts start for them.
struct FreshFailures: Sendable {
  /// Failed after they were started, and ended by `attempt_timeout`.
  var failed = 0
  var timedOut = 0
  /// 2^(n−1), n failures being in a row.
  var widening = 0

  mutating func noteFailure(row: Int) {
    failed += 1
    widening = 1 << min(row - 1, 16)
  }

  /// How many attempts may start for them.
  func rights(_ pace: ConnectOptions.Pace, inFlight: Int) -> Int {
    let count = failed + timedOut
    guard pace == .accelerating, failed > 0 else { return count }
    return max(count, widening - inFlight)
  }
}

/// An instant at which something becomes due for an attempt.
struct Timer: Comparable, Sendable {
  let time: Instant
  let attempt: AttemptID

  static func < (a: Timer, b: Timer) -> Bool {
    a.time != b.time ? a.time < b.time : a.attempt < b.attempt
  }
}
