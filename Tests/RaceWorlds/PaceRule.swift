import ConnectByListSimulation
import ConnectByListCore

// Section 4 of the contract, once more: when the next attempt may start, and must.

extension RaceChecker {
  /// How old an attempt must be before the cap may give it up.
  static let minimumAbandonAge = TimeSpan.milliseconds(500)

  var pairsLeft: Int { pairCount - startedPairs.count }

  /// Remotes not yet tried from their route's source.
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

  /// A deadline compresses it: min(paced, (deadline − now − reserve) / remotes left), not below 0.
  private func compressed(_ delay: TimeSpan, at now: TimeSpan) -> TimeSpan {
    let left = remotesLeft
    guard let deadline, options.pace != .sequential, left > 0 else { return delay }
    let reserve = min(TimeSpan.milliseconds(250), deadline / 2)
    return max(min(delay, (deadline - now - reserve) / Int64(left)), .zero)
  }

  /// After a start, which is the newest of those open.
  mutating func paceAfterStart(of remote: KnownWorld.Remote, at now: TimeSpan) {
    let ignorant = now + compressed(delay(patience: nil), at: now)
    let told = now + compressed(delay(patience: remote.patience), at: now)
    // Without names, and told everything at once, the race knew.
    let mayNotKnow = record.pathInformationWhenAsked || !record.scenario.names.isEmpty
    next = mayNotKnow ? (min(ignorant, told), max(ignorant, told)) : (told, told)
  }

  /// Remotes join: there are more to be tried before the deadline than when the delay was chosen.
  mutating func paceAfterJoin(at now: TimeSpan) {
    if open.isEmpty {
      next = (now, now)
    } else if options.pace != .sequential {
      next.0 = min(next.0, now + compressed(next.0 - now, at: now))
      next.1 = min(next.1, now + compressed(next.1 - now, at: now))
    }
  }

  /// Any failure starts the next at once.
  mutating func paceAfterFailure(at now: TimeSpan) { next = (now, now) }

  /// When the next attempt is due as things stand, the pace allowing it from `allowed` on; `nil`:
  /// not before something happens.
  func due(allowed: TimeSpan) -> TimeSpan? {
    if pairsLeft > 0 {
      guard open.count >= options.inFlight else { return max(allowed, changed) }
      // Only a deadline makes room, and only from the ripe.
      guard deadline != nil, let oldest = open.map({ $0.started }).min() else { return nil }
      return max(allowed, max(changed, oldest + Self.minimumAbandonAge))
    }
    return hedgeDue.map { max($0, changed) }
  }

  /// When a second socket to the only remote left is due.
  var hedgeDue: TimeSpan? {
    guard let hedge = options.hedge, !isHedged, pairsLeft == 0, open.count < options.inFlight,
      let oldest = open.first,
      open.allSatisfy({ $0.pair.remote == oldest.pair.remote })
    else { return nil }
    return max(oldest.started + hedge, world.settledAt)
  }

  /// Whether the pace has this start at this very time.
  mutating func checkPace(isHedge: Bool, at time: TimeSpan) {
    let allowed = isHedge ? (hedgeDue ?? .forever, hedgeDue ?? .forever) : next
    if time < allowed.0 {
      return complain(.early, "the pace allows it at \(allowed.0.milliseconds)")
    }
    let due = (max(allowed.0, changed), max(allowed.1, changed))
    if time == due.0 || time == due.1 { return }
    if time > due.1 {
      complain(.late, "it was due at \(due.1.milliseconds)")
    } else {
      complain(.early, "the pace has it at \(due.0.milliseconds) or at \(due.1.milliseconds)")
    }
  }
}
