import ConnectByListCore
import ConnectByListSimulation

/// Section 4 of the contract: when the next attempt starts.
struct ReferencePace {
  /// The latest start and the delay that is counted from it.
  var latest: TimeSpan?
  var delay: TimeSpan = .zero
  /// The latest instant that a deadline lets the next start wait for; `nil`: it does not compress.
  var bound: TimeSpan?
  /// Whether that delay has passed.
  var hasPassed = false
  /// Failures in a row.
  var row = 0
  /// How many may start because of failures.
  var owed = 0
  /// Failures and `attempt_timeout`s of this instant, until they are counted.
  var failures = 0
  var timeouts = 0
  /// The cap that a shortage of descriptors has set, until an attempt ends.
  var shortage: Int?

  func due(began: TimeSpan) -> TimeSpan {
    guard let latest else { return began }
    return min(latest + delay, bound ?? .forever)
  }
}

extension ReferenceRace {
  /// "Among those at least 0.5 s old."
  static let abandonAge = TimeSpan.milliseconds(500)
  private static let defaultDelay = TimeSpan.milliseconds(150)
  private static let neighbourDelay = TimeSpan.milliseconds(30)

  // MARK: after silence

  /// "The base is how long an answer may be expected to take; the first of these that is known."
  func baseDelay(_ pair: ReferencePlan.Pair) -> TimeSpan {
    // "`steady` uses `attempt_delay` alone."
    if options.pace == .steady { return options.attemptDelay ?? Self.defaultDelay }
    // "`minimum_delay` is applied last and wins over every upper limit."
    return max(expectedAnswer(pair), options.minimumDelay)
  }

  private func expectedAnswer(_ pair: ReferencePlan.Pair) -> TimeSpan {
    let remote = endpoint(pair)
    // 1. "The newest attempt's pair: `srtt + 4 * rttvar`, at most 2 s."
    if let source = pair.local?.address,
      let trip = evidence.roundTrip(source, remote, isAsked: plan.isAsked)
    {
      return min(trip.smoothed + trip.variance * 4, .seconds(2))
    }
    // "An `attempt_delay` that the caller gave stands in place of 2 to 4."
    if let given = options.attemptDelay { return given }
    // 2. "The population; at most `attempt_delay`."
    if let expected = evidence.population(near: remote.address, isAsked: plan.isAsked) {
      return min(expected, Self.defaultDelay)
    }
    // 3. "`minimum_delay` to loopback and this machine's own addresses; 30 ms to a neighbour (the
    // pair's source is on a broadcast link whose prefix contains the remote)."
    if remote.address.isLoopback { return options.minimumDelay }
    if plan.isAsked {
      if world.scenario.locals.contains(where: { $0.address == remote.address }) {
        return options.minimumDelay
      }
      if let source = pair.local?.address, isNeighbour(remote.address, of: world.local(source)) {
        return Self.neighbourDelay
      }
    }
    // 4. "`attempt_delay`, 0.15 s unless set."
    return Self.defaultDelay
  }

  private func isNeighbour(_ remote: IPAddress, of local: LocalAddress) -> Bool {
    guard local.flags.contains(.broadcast), local.address.family == remote.family,
      local.address.scope == remote.scope
    else { return false }
    let prefix = Int(local.prefixLength) + (remote.family == .inet ? 96 : 0)
    return local.address.commonPrefixLength(with: remote) >= prefix
  }

  /// "max(`minimum_delay`, base / 2^(n−1)), n attempts being in flight, counted at each start, that
  /// attempt included."
  func pacedDelay(_ base: TimeSpan, inFlight: Int) -> TimeSpan {
    switch options.pace {
    case .parallel: return .zero
    case .sequential: return .forever
    case .steady: return base
    case .accelerating:
      let halved = TimeSpan(nanoseconds: base.nanoseconds >> Int64(min(inFlight - 1, 62)))
      return max(options.minimumDelay, halved)
    }
  }

  mutating func noteStart(_ delay: TimeSpan) {
    pace.latest = now
    pace.delay = delay
    pace.hasPassed = false
    pace.bound = compressed().map { now + $0 }
  }

  /// "A deadline compresses the delay, so that everything is tried": at most so much from now.
  private func compressed() -> TimeSpan? {
    guard let deadline, let timeout = options.timeout, options.pace != .sequential else {
      return nil
    }
    let reserve = min(.milliseconds(250), timeout / 2)
    let left = max(.zero, deadline - now - reserve)
    // "Remotes known to have no route are not counted."
    let untried = Int64(plan.untried.filter { !plan.isKnownImpossible($0) }.count)
    // "The alternates of all refused remotes count as one."
    let all = plan.alternatesLeft
    let others = all.filter { !plan.remotes[$0.remote].isRefused }
    let alternates = Int64(others.count + (others.count < all.count ? 1 : 0))
    if untried > 0 {
      return (left - min(options.minimumDelay * alternates, left / 2)) / untried
    }
    return alternates > 0 ? max(options.minimumDelay, left / alternates) : nil
  }

  /// Remotes joined or information arrived while a delay runs.
  mutating func tightenBound() {
    guard pace.latest != nil, let compressed = compressed() else { return }
    pace.bound = min(pace.bound ?? .forever, now + compressed)
  }

  // MARK: after failure

  /// "After the failures of an instant, k of them, n in a row by then, max(k, 2^(n−1) − attempts in
  /// flight) attempts start." An `attempt_timeout` "starts one" and ends the row. "Other paces: a
  /// failure starts the next at once."
  mutating func owe() {
    let (k, timeouts) = (pace.failures, pace.timeouts)
    if k + timeouts == 0 { return }
    pace.row += k
    var owed = k + timeouts
    if options.pace == .accelerating && k > 0 {
      owed = max(owed, 1 << min(pace.row - 1, 20) - pending.count)
    }
    if timeouts > 0 { pace.row = 0 }
    pace.owed = max(pace.owed, owed)
    pace.failures = 0
    pace.timeouts = 0
  }

  // MARK: starts

  mutating func startAttempts() {
    var startedNow = 0
    var isBurst = false
    var hasGivenUp = false
    while true {
      let isPaced = pace.due(began: began) <= now || pending.isEmpty
      guard isPaced || startedNow < pace.owed || isBurst else { break }
      if options.pace == .sequential && !pending.isEmpty { break }
      if !plan.remotes.isEmpty { askBeforeStart() }
      guard let pair = nextPair() else { break }
      // "A pair known to have no route is recorded at its turn, also with the cap full."
      if plan.isKnownImpossible(pair.remote) {
        recordFailure(
          pair,
          plan.isAsked && plan.remotes[pair.remote].route.hasNoRoute
            ? .networkUnreachable : .addressNotAvailable)
        continue
      }
      // "All alternates of all refused (or rejected) remotes start at the next due start, in one
      // instant: within `in_flight`, beyond the widening."
      if plan.hasOnlyRefusedLeft && options.pace != .sequential { isBurst = true }
      if pending.count >= cap {
        guard isPaced || startedNow == 0, !hasGivenUp, giveUp(for: pair) else { break }
        hasGivenUp = true
      }
      let startsBefore = attempts.count
      if !start(pair) {
        // "Until one of them ends the cap is the number in flight."
        pace.shortage = pending.count
        continue
      }
      if attempts.count > startsBefore {
        startedNow += 1
        hasGivenUp = false
      }
    }
    if startedNow > 0 { pace.owed = 0 }
    hedge()
  }

  private var cap: Int { min(options.inFlight, pace.shortage ?? .max) }

  /// The next pair that may come now. Where none is known, alternates are asked for.
  private mutating func nextPair() -> ReferencePlan.Pair? {
    if let pair = plan.next({ mayCome($0) }) { return pair }
    guard case .all = options.locals, !plan.isAsked, !plan.remotes.isEmpty,
      options.timeout != .zero
    else { return nil }
    ask()
    return plan.next { mayCome($0) }
  }

  /// "Alternate sources are polite": "held until 2 × base of that remote's first pair after that
  /// attempt's start, unless that attempt has failed or its source is suspect". "A held alternate
  /// waits no longer than the compressed delay after the latest start."
  private func mayCome(_ alternate: ReferencePlan.Pair) -> Bool {
    // "With `timeout = 0` only first pairs start."
    if options.timeout == .zero { return false }
    if plan.isNamed || options.pace == .parallel || options.pace == .sequential { return true }
    // The host has answered.
    if plan.remotes[alternate.remote].isRefused { return true }
    let firstPair = plan.firstPair(of: alternate.remote)
    guard let first = attempts.first(where: { $0.pair == firstPair }), first.isPending,
      !plan.isSuspect(firstPair.local)
    else { return true }
    return min(first.start + first.base * 2, pace.bound ?? .forever) <= now
  }

  /// "Under a deadline, when a start is due and the cap is full, the attempt with the lowest chance
  /// now, among those at least 0.5 s old (ties: the oldest), is given up if the next pair that may
  /// start is strictly likelier."
  private mutating func giveUp(for pair: ReferencePlan.Pair) -> Bool {
    guard deadline != nil else { return false }
    var least: Int?
    for place in pending where attempts[place].start + Self.abandonAge <= now {
      if let other = least,
        !ReferencePlan.isLikelier(
          plan.chance(attempts[other].pair), than: plan.chance(attempts[place].pair))
      {
        continue
      }
      least = place
    }
    guard let least,
      ReferencePlan.isLikelier(plan.chance(pair), than: plan.chance(attempts[least].pair))
    else { return false }
    attempts[least].isPending = false
    plan.noteEnded(attempts[least].pair, wasSilent: attempts[least].isSilent)
    pace.shortage = nil
    line("abandon", attempts[least].pair)
    return true
  }

  /// "When a single remote is left and silent for that long, a second socket to it is started."
  private mutating func hedge() {
    guard let hedge = options.hedge, !isHedged, isSettled, let oldest = pending.first else {
      return
    }
    let remote = attempts[oldest].pair.remote
    guard pending.allSatisfy({ attempts[$0].pair.remote == remote }), plan.untried.isEmpty,
      plan.alternatesLeft.allSatisfy({ $0.remote == remote }),
      attempts[oldest].start + hedge <= now, pending.count < cap
    else { return }
    let startsBefore = attempts.count
    if start(attempts[oldest].pair) { isHedged = true } else { pace.shortage = pending.count }
    // A failure's right ends when an attempt starts, and this is one.
    if attempts.count > startsBefore { pace.owed = 0 }
  }
}
