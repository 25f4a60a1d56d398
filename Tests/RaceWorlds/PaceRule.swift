import ConnectByListCore
import ConnectByListSimulation

// A second implementation of section 4 of the contract: when the next attempt starts.

extension RaceChecker {
  /// The least age of an attempt that is given up at the cap.
  static let minimumAbandonAge = TimeSpan.milliseconds(500)

  var pairsLeft: Int { pairCount - startedPairs.count }

  /// How many remotes have not been tried from their route's source.
  private var remotesLeft: Int {
    var left = 0
    for tried in isTried where !tried { left += 1 }
    return left
  }

  /// The delay from a start to the next: max(minimum, base / 2^(n−1)), n attempts being in flight.
  private func delay(patience: TimeSpan?) -> TimeSpan {
    switch options.pace {
    case .parallel: return .zero
    case .sequential: return .forever
    case .steady: return options.attemptDelay
    case .accelerating:
      var delay = options.attemptDelay
      if let patience { delay = max(min(patience, .seconds(2)), options.minimumDelay) }
      for _ in open.dropFirst() { delay = delay / 2 }
      return max(delay, options.minimumDelay)
    }
  }

  /// A deadline compresses the delay: min(delay, (deadline − now − reserve) / remotes left), at least 0.
  private func compressed(_ delay: TimeSpan, at now: TimeSpan) -> TimeSpan {
    let left = remotesLeft
    guard let deadline, options.pace != .sequential, left > 0 else { return delay }
    let reserve = min(TimeSpan.milliseconds(250), deadline / 2)
    return max(min(delay, (deadline - now - reserve) / Int64(left)), .zero)
  }

  /// After a start, which is the last of `open`.
  mutating func paceAfterStart(of remote: KnownWorld.Remote, at now: TimeSpan) {
    let withoutRoundTrip = now + compressed(delay(patience: nil), at: now)
    let withRoundTrip = now + compressed(delay(patience: remote.patience), at: now)
    // With all path information from the start, and no names, the race had the round trip.
    let mayNotKnow = record.pathInformationWhenAsked || !record.scenario.names.isEmpty
    next =
      mayNotKnow
      ? (min(withoutRoundTrip, withRoundTrip), max(withoutRoundTrip, withRoundTrip))
      : (withRoundTrip, withRoundTrip)
  }

  /// After remotes join: the time until the deadline is now divided among more of them.
  mutating func paceAfterJoin(at now: TimeSpan) {
    if open.isEmpty {
      next = (now, now)
    } else if options.pace != .sequential {
      next.0 = min(next.0, now + compressed(next.0 - now, at: now))
      next.1 = min(next.1, now + compressed(next.1 - now, at: now))
    }
  }

  /// After a failure the next starts at once.
  mutating func paceAfterFailure(at now: TimeSpan) { next = (now, now) }

  /// When the next attempt is due if nothing else happens and the pace allows it from `allowed`; `nil`:
  /// never.
  func due(allowed: TimeSpan) -> TimeSpan? {
    if pairsLeft > 0 {
      guard open.count >= options.inFlight else { return max(allowed, changed) }
      // At the cap an attempt is given up only under a deadline, and only when it is old enough.
      guard deadline != nil, let oldest = open.map({ $0.started }).min() else { return nil }
      return max(allowed, max(changed, oldest + Self.minimumAbandonAge))
    }
    return hedgeDue.map { max($0, changed) }
  }

  /// When a second attempt to the only remote in flight is due (option `hedge`).
  var hedgeDue: TimeSpan? {
    guard let hedge = options.hedge, !isHedged, pairsLeft == 0, open.count < options.inFlight,
      let oldest = open.first,
      open.allSatisfy({ $0.pair.remote == oldest.pair.remote })
    else { return nil }
    return max(oldest.started + hedge, world.settledAt)
  }

  /// Checks that a start happens at the instant that the pace gives.
  mutating func checkPace(isHedge: Bool, at time: TimeSpan) {
    let allowed = isHedge ? (hedgeDue ?? .forever, hedgeDue ?? .forever) : next
    if time < allowed.0 {
      return note(.early, "the pace allows it at \(allowed.0.milliseconds)")
    }
    let due = (max(allowed.0, changed), max(allowed.1, changed))
    if time == due.0 || time == due.1 { return }
    if time > due.1 {
      note(.late, "it was due at \(due.1.milliseconds)")
    } else {
      note(.early, "it was due at \(due.0.milliseconds) or at \(due.1.milliseconds)")
    }
  }
}
