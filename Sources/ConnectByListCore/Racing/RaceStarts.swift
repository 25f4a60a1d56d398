// When the next attempt starts, and which: section 4 of the contract.

extension Race {
  func startOrWait(at now: Instant, pathInformationDue: Instant) -> Step {
    takeFailures(at: now)
    var wakeUp = min(deadline, names?.nextRelease ?? .distantFuture, pathInformationDue)
    if mayHavePairsLeft {
      switch startDue(at: now) {
      case .step(let step): return step
      case .blocked(let until): wakeUp = min(wakeUp, until)
      }
    }
    if flights.count == 0 && areNamesSettled && !plan.hasPairsLeft {
      return lacksAlternates || lacksRoutes ? .needsPathInformation : allFailed(at: now)
    }
    if let hedge = hedge() {
      if hedge.due <= now {
        if hedge.isAlone {
          isHedged = true
          return start(attempts[firstInFlight!.index].pair, nil, at: now)
        }
      } else {
        wakeUp = min(wakeUp, hedge.due)
      }
    }
    if let bound = plan.options.attemptTimeout, let id = nextToExpire() {
      wakeUp = min(wakeUp, attempts[id.index].started + bound)
    }
    hadFirstRound = true
    if pace.hasStarted { pace.owed = 0 }
    pace.hasStarted = false
    pace.isBurst = false
    return .wait(until: wakeUp)
  }

  /// Every pair has failed: the race is lost, or a new round begins in time.
  private func allFailed(at now: Instant) -> Step {
    guard let retry = plan.options.retry, now < deadline else {
      return finish(.lost(lastErrno ?? .timedOut, isDeadline: false), at: now)
    }
    phase = .failed(nextRound: max(now, roundBegan + retry))
    hadFirstRound = true
    return nextStep(at: now)
  }

  /// Attempts may start for the failures of this instant; a row of them ends with the newest attempt's delay.
  private func takeFailures(at now: Instant) {
    pace.owed = max(pace.owed, failures.rights(plan.options.pace, inFlight: flights.count))
    failures = FreshFailures()
    // Of several starts at one instant the last one's delay holds.
    if !pace.hasStarted { pace.endRow(ifDelayHasPassed: pace.delayEnds <= now) }
  }

  /// With a timeout of 0 only first pairs start.
  private var startsFirstPairsOnly: Bool { plan.options.timeout == .zero }

  private var hasPairsLeft: Bool {
    startsFirstPairsOnly ? plan.firstsLeft > 0 : plan.hasPairsLeft
  }

  /// Alternates are not known before path information has been asked for.
  private var lacksAlternates: Bool {
    !hasPathInformation && plan.mayHaveUnknownAlternates && !startsFirstPairsOnly
  }

  /// Whether a NAT64 may help, which only path information can tell.
  private var lacksRoutes: Bool {
    asksForPrefix && !hasPathInformation && plan.unknownCount > 0 && !startsFirstPairsOnly
      && lastErrno == .networkUnreachable
  }

  private var mayHavePairsLeft: Bool { hasPairsLeft || lacksAlternates }

  private func isDue(at now: Instant) -> Bool {
    if pace.isBurst || pace.isDueBySilence(at: now) || flights.count == 0 { return true }
    return pace.owed > 0 && plan.options.pace != .sequential
  }

  private enum DueStart {
    case step(Step)
    /// Nothing may start before this instant, unless an attempt ends.
    case blocked(until: Instant)
  }

  /// Starts the next pair if one is due and may start.
  private func startDue(at now: Instant) -> DueStart {
    guard isDue(at: now) else { return .blocked(until: pace.delayEnds) }
    // The list has been connected from a source of which it is not known whether it still exists.
    if !hasPathInformation && !plan.isNamed && plan.chosenSourcesLeft > 0 {
      return .step(.needsPathInformation)
    }
    endHolds(at: now)
    if let choice = promised {
      promised = nil
      return .step(start(choice.pair, choice, at: now))
    }
    var recorded = 0
    while true {
      if startsFirstPairsOnly && plan.firstsLeft == 0 { return .blocked(until: .distantFuture) }
      guard let choice = plan.choose(heldToo: pace.compressedEnds <= now) else {
        if lacksAlternates { return .step(.needsPathInformation) }
        return .blocked(until: min(nextHoldEnd(after: now), nextSilence))
      }
      if plan.isHopeless(choice.pair) {
        recordHopeless(choice, at: now)
        recorded += 1
        // The driver looks at the clock.
        if recorded == Self.recordedMax { return .step(.wait(until: now)) }
        continue
      }
      if plan.onlyRefusedLeft && plan.options.pace != .sequential { pace.isBurst = true }
      let cap = min(plan.options.inFlight, shortageCap ?? .max)
      if flights.count < cap { return .step(start(choice.pair, choice, at: now)) }
      // Beyond the first start of an instant only a paced one may end another attempt.
      guard deadline != .distantFuture, !pace.hasStarted || pace.isDueBySilence(at: now) else {
        // Silence changes which pair is the next: a pair without a route needs no place.
        return .blocked(
          until: min(nextSilence, pace.delayEnds > now ? pace.delayEnds : .distantFuture))
      }
      if let victim = leastLikely(at: now), Chance.isLikelier(choice.chance, than: victim.chance) {
        promised = choice
        return .step(giveUp(victim.id, at: now))
      }
      return .blocked(until: min(nextVictimAge(after: now), nextSilence, nextHoldEnd(after: now)))
    }
  }

  /// A run of pairs that cannot be started is recorded in parts, as it takes time.
  private static var recordedMax: Int { 1_000 }

  /// A pair that is known to have no route has failed with its errno. It costs no time and needs no socket.
  private func recordHopeless(_ choice: Plan.Choice, at now: Instant) {
    if rankBase == nil && plan.hasSeveralPairs { setRankBase() }
    plan.take(choice)
    let id = AttemptID(Int32(attempts.count))
    attempts.append(
      Attempt(
        choice.pair, chance: 0, started: now, patience: plan.patience(of: choice.pair),
        inFlightCount: flights.count, silentAt: .distantFuture, isHedge: false))
    let errno = plan.errno(ofHopeless: choice.pair)
    log.append(RaceEvent(.start, id, at: now))
    record(RaceEvent(.failed, id, errno, isSynchronous: true, at: now), of: id)
    lastErrno = errno
  }

  // MARK: starts

  /// `choice`: `nil` for a second socket to the same pair.
  private func start(_ pair: Plan.Pair, _ choice: Plan.Choice?, at now: Instant) -> Step {
    if rankBase == nil && plan.hasSeveralPairs { setRankBase() }
    let id = AttemptID(Int32(attempts.count))
    undo = Undo(
      choice: choice, pace: pace, suspectStarts: plan.suspectStarts,
      wasUsed: plan.locals.isUsed(pair.local))
    let chance = plan.chance(of: pair)
    let holds =
      pair.isFirst && choice != nil && plan.holdsAlternates
      && !plan.locals.isSuspect(pair.local)
    if let choice { plan.take(choice, holding: holds) }
    let patience = plan.patience(of: pair)
    let delay = delay(base: patience.base, inFlight: flights.count + 1)
    pace.newest = id
    pace.hasEndedRow = false
    pace.silenceEnds = now + delay
    pace.compressedEnds = now + compressedDelay(at: now)
    pace.owed = max(0, pace.owed - 1)
    pace.hasStarted = true
    var attempt = Attempt(
      pair, chance: chance, started: now, patience: patience, inFlightCount: flights.count + 1,
      silentAt: pace.silenceEnds, isHedge: choice == nil)
    if holds {
      attempt.holdsUntil = now + patience.base * 2
    }
    // As in `Plan.append`.
    if attempts.isEmpty { attempts = [attempt] } else { attempts.append(attempt) }
    putInFlight(id)
    record(RaceEvent(.start, id, at: now), of: id)
    return .start(id)
  }

  /// The newest start was made, or has failed: it cannot be taken back any more.
  func settleStart() {
    guard undo != nil else { return }
    undo = nil
    addTimers(of: AttemptID(Int32(attempts.count - 1)))
  }

  private func addTimers(of id: AttemptID) {
    // It may have ended in the call that started it.
    guard attempts[id.index].isPending else { return }
    let attempt = attempts[id.index]
    if attempt.silentAt != .distantFuture {
      silences.insert(Timer(time: attempt.silentAt, attempt: id))
    }
    if attempt.holdsUntil != .distantFuture {
      holds.insert(Timer(time: attempt.holdsUntil, attempt: id))
    }
  }

  private func delay(base: TimeSpan, inFlight: Int) -> TimeSpan {
    Pace.delay(
      plan.options.pace, minimum: plan.options.minimumDelay, base: base, inFlight: inFlight)
  }

  private func compressedDelay(at now: Instant) -> TimeSpan {
    guard let timeout = plan.options.timeout else { return .forever }
    return Pace.compressed(
      plan.options.pace, minimum: plan.options.minimumDelay, timeout: timeout, now: now,
      deadline: deadline, untried: plan.untriedCount, alternates: plan.alternatesToPace)
  }

  /// More is to be tried before the deadline than when the delay was chosen: the shorter delay holds.
  func recompress(at now: Instant) {
    guard pace.newest != nil, plan.options.timeout != nil else { return }
    plan.prepare()
    pace.compressedEnds = min(pace.compressedEnds, now + compressedDelay(at: now))
  }

  /// Path information that came while the newest attempt is in flight says how long it may be silent.
  func repaceNewest() {
    guard let id = pace.newest, attempts[id.index].isPending else { return }
    let attempt = attempts[id.index]
    let patience = plan.patience(of: attempt.pair)
    let delay = delay(base: patience.base, inFlight: attempt.inFlightCount)
    attempts[id.index].patience = patience
    pace.silenceEnds = attempt.started + delay
    if !attempt.isSilenceNoted { attempts[id.index].silentAt = pace.silenceEnds }
    if attempt.holdsUntil != .distantFuture {
      attempts[id.index].holdsUntil = attempt.started + patience.base * 2
    }
    addTimers(of: id)
  }

  // MARK: what is waited for

  /// The alternates of a remote may start once its first pair has had time to answer.
  private func endHolds(at now: Instant) {
    while let timer = holds.first, timer.time <= now {
      holds.removeFirst()
      let attempt = attempts[timer.attempt.index]
      if attempt.holdsUntil == timer.time { plan.release(attempt.pair.remote) }
    }
  }

  private func nextHoldEnd(after now: Instant) -> Instant {
    let end = holds.first?.time ?? .distantFuture
    return pace.compressedEnds > now ? min(end, pace.compressedEnds) : end
  }

  private var nextSilence: Instant { silences.first?.time ?? .distantFuture }

  // MARK: the cap and the hedge

  /// The age from which an attempt may be given up at the cap on attempts in flight: a handshake across the
  /// world, with one slow hop, is done by then (section 4 of the contract).
  private static var minimumAbandonAge: TimeSpan { .milliseconds(500) }

  /// The attempt to give up for the next start: the least likely of those that are old enough; of equals the
  /// oldest.
  private func leastLikely(at now: Instant) -> (id: AttemptID, chance: Double)? {
    var least: (id: AttemptID, chance: Double)?
    var next = firstInFlight
    while let id = next {
      next = inFlight(after: id)
      let attempt = attempts[id.index]
      if attempt.started + Self.minimumAbandonAge > now { break }
      if !attempt.isPending { continue }
      let chance = plan.chance(of: attempt.pair)
      if let least, !Chance.isLikelier(least.chance, than: chance) { continue }
      least = (id, chance)
    }
    return least
  }

  /// When the next attempt is old enough to be given up.
  private func nextVictimAge(after now: Instant) -> Instant {
    var next = firstInFlight
    while let id = next {
      let age = attempts[id.index].started + Self.minimumAbandonAge
      if age > now { return age }
      next = inFlight(after: id)
    }
    return .distantFuture
  }

  private func giveUp(_ id: AttemptID, at now: Instant) -> Step {
    record(RaceEvent(.abandon, id, at: now), of: id)
    end(id)
    return .abandon(id)
  }

  /// When a second socket to the only remote left is due; `nil`: never, or not as things are. `isAlone`: no pair of
  /// another remote is left to start.
  private func hedge() -> (due: Instant, isAlone: Bool)? {
    guard let hedge = plan.options.hedge, !isHedged, areNamesSettled, let first = firstInFlight,
      flights.count < min(plan.options.inFlight, shortageCap ?? .max), plan.firstsLeft == 0
    else { return nil }
    let remote = attempts[first.index].pair.remote
    var next = inFlight(after: first)
    while let id = next {
      if attempts[id.index].pair.remote != remote { return nil }
      next = inFlight(after: id)
    }
    return (
      attempts[first.index].started + hedge, plan.hasOnlyAlternates(of: remote)
    )
  }
}

extension Errno {
  /// This process or machine has no more of something that a socket needs.
  var isShortage: Bool {
    switch self {
    case .tooManyOpen, .tooManyOpenInSystem, .noBufferSpace, .outOfMemory: true
    default: false
    }
  }
}
