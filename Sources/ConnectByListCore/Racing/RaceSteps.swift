// What the driver does next, and when the next attempt starts.

extension Race {
  public func nextStep(at now: Instant) -> Step {
    if phase == .racing, let winner = bestConnected() {
      if plan.options.validates {
        phase = .validating(winner)
        hadFirstRound = true
        return .validate(winner)
      }
      phase = .closing(.won(winner))
    }
    switch phase {
    case .finished(let result): return .finish(result)
    case .closing(let result): return closeNext(result, at: now)
    case .racing, .validating: break
    }
    if let result = earlyEnd(at: now) {
      phase = .closing(result)
      return closeNext(result, at: now)
    }
    if case .validating = phase { return .wait(until: deadline) }
    if let expired = firstExpired(at: now) {
      fail(expired, .timedOut, at: now)
      return .abandon(expired)
    }
    noteSilence(at: now)
    join(names.release(at: now), at: now)
    return startOrWait(at: now)
  }

  /// The race ends early: it was cancelled, or the deadline has passed.
  private func earlyEnd(at now: Instant) -> RaceResult? {
    if isCancelled { return .cancelled }
    if now >= deadline && hadFirstRound { return .lost(.timedOut, isDeadline: true) }
    return nil
  }

  private func firstExpired(at now: Instant) -> AttemptID? {
    guard plan.options.attemptTimeout != nil else { return nil }
    var next = firstInFlight
    while let id = next {
      if attempts[id.index].expires <= now && !attempts[id.index].isConnected { return id }
      next = inFlight(after: id)
    }
    return nil
  }

  /// When `attempt_timeout` ends the next attempt.
  private func nextExpiry() -> Instant {
    var expiry = Instant.distantFuture
    var next = firstInFlight
    while let id = next {
      expiry = min(expiry, attempts[id.index].expires)
      next = inFlight(after: id)
    }
    return expiry
  }

  /// Silence past its delay counts against a pair once.
  private func noteSilence(at now: Instant) {
    var next = firstInFlight
    while let id = next {
      if attempts[id.index].silentAt <= now && attempts[id.index].isSilent {
        attempts[id.index].isSilenceNoted = true
        plan.noteSilence(of: attempts[id.index].pair)
      }
      next = inFlight(after: id)
    }
  }

  /// Closes one attempt in flight a step, then finishes.
  private func closeNext(_ result: RaceResult, at now: Instant) -> Step {
    var winner: AttemptID?
    if case .won(let id) = result { winner = id }
    var next = firstInFlight
    if let first = next, first == winner { next = inFlight(after: first) }
    guard let id = next else { return finish(result, at: now) }
    switch result {
    case .won: record(RaceEvent(.abandon, id, at: now))
    case .cancelled: record(RaceEvent(.abandon, id, .cancelled, at: now))
    case .lost: record(RaceEvent(.timedOut, id, .timedOut, at: now))
    }
    removeFromFlight(id)
    return .abandon(id)
  }

  private func startOrWait(at now: Instant) -> Step {
    // Whether a second socket is due depends on whether alternate sources are left to try.
    if plan.needsPathInformationForOrder || plan.options.hedge != nil && plan.needsPathInformation {
      return .needsPathInformation
    }
    var wakeUp = deadline
    if plan.needsPathInformation || plan.hasNext() {
      if nextStart > now {
        if plan.lacksEvidence && pathInformationDue <= now { return .needsPathInformation }
        wakeUp = min(wakeUp, nextStart, plan.lacksEvidence ? pathInformationDue : nextStart)
      } else if plan.needsPathInformation {
        return .needsPathInformation
      } else if flights.count < plan.options.inFlight {
        return startNextPair(at: now)
      } else if deadline != .distantFuture {
        // At the cap a failure wakes us, and under a deadline the age at which an attempt may be given up.
        if let victim = leastLikelyAtCap(at: now) { return giveUp(victim, at: now) }
        wakeUp = min(wakeUp, nextVictimAge())
      }
    } else if !names.isSettled {
      // The resolver wakes us, or the end of a resolution delay.
    } else if flights.count == 0 {
      return finish(.lost(lastErrno ?? .timedOut, isDeadline: false), at: now)
    } else if let hedgeAt = hedgeInstant() {
      if hedgeAt <= now {
        isHedged = true
        return start(attempts[firstInFlight!.index].pair, at: now, isHedge: true)
      }
      wakeUp = min(wakeUp, hedgeAt)
    }
    wakeUp = min(wakeUp, names.nextRelease)
    if plan.options.attemptTimeout != nil { wakeUp = min(wakeUp, nextExpiry()) }
    hadFirstRound = true
    return .wait(until: wakeUp)
  }

  // MARK: starts

  private func startNextPair(at now: Instant) -> Step {
    if rankBase == nil && plan.hasSeveralPairs { setRankBase() }
    return start(plan.next()!, at: now, isHedge: false)
  }

  private func start(_ pair: Plan.Pair, at now: Instant, isHedge: Bool) -> Step {
    let id = AttemptID(Int32(attempts.count))
    latestStart = latestStart(at: now)
    isPacedBySilence = true
    nextStart = min(now + Pace.delay(plan, after: pair, inFlight: flights.count + 1), latestStart)
    if plan.options.pace == .accelerating { pathInformationDue = now + plan.options.minimumDelay }
    attempts.append(
      Attempt(
        pair, chance: plan.chance(of: pair), started: now, silentAt: nextStart,
        expires: plan.options.attemptTimeout.map { now + $0 } ?? .distantFuture, isHedge: isHedge))
    putInFlight(id)
    record(RaceEvent(.start, id, at: now))
    return .start(id)
  }

  func startNext(at now: Instant) {
    nextStart = now
    isPacedBySilence = false
  }

  /// Candidates join the plan. Where nothing is in flight they are not delayed.
  func join(_ candidates: [Candidate], at now: Instant) {
    guard !candidates.isEmpty else { return }
    plan.add(candidates)
    if flights.count == 0 {
      startNext(at: now)
    } else {
      // More remotes have to be tried before the deadline than when the delay was chosen.
      latestStart = min(latestStart, latestStart(at: now))
      nextStart = min(nextStart, latestStart)
    }
    setRankBase()
  }

  private func latestStart(at now: Instant) -> Instant {
    guard let timeout = plan.options.timeout, plan.options.pace != .sequential else {
      return .distantFuture
    }
    return now
      + Pace.share(now: now, deadline: deadline, timeout: timeout, remotesLeft: plan.firstsLeft)
  }

  /// Path information that came while the newest attempt is in flight says how long it may be silent.
  func repaceNewest() {
    guard isPacedBySilence, let newest = attempts.last, newest.outcome == .pending else { return }
    let delay = Pace.delay(plan, after: newest.pair, inFlight: flights.count)
    nextStart = min(newest.started + delay, latestStart)
    attempts[attempts.count - 1].silentAt = nextStart
  }

  // MARK: the cap and the hedge

  /// The age from which an attempt may be given up at the cap on attempts in flight: a handshake across the
  /// world, with one slow hop, is done by then (section 4 of the contract).
  private static let minimumAbandonAge: TimeSpan = .milliseconds(500)

  /// The attempt to give up for the next start: the least likely of those that are old enough; of equals the
  /// oldest.
  private func leastLikelyAtCap(at now: Instant) -> AttemptID? {
    var least: (id: AttemptID, chance: Double)?
    var next = firstInFlight
    while let id = next {
      next = inFlight(after: id)
      let attempt = attempts[id.index]
      guard attempt.started + Race.minimumAbandonAge <= now, !attempt.isConnected else { continue }
      let chance = plan.chance(of: attempt.pair)
      if let least, least.chance <= chance { continue }
      least = (id, chance)
    }
    return least?.id
  }

  /// When the next attempt is old enough to be given up.
  private func nextVictimAge() -> Instant {
    var age = Instant.distantFuture
    var next = firstInFlight
    while let id = next {
      if !attempts[id.index].isConnected {
        age = min(age, attempts[id.index].started + Race.minimumAbandonAge)
      }
      next = inFlight(after: id)
    }
    return age
  }

  private func giveUp(_ id: AttemptID, at now: Instant) -> Step {
    record(RaceEvent(.abandon, id, at: now))
    removeFromFlight(id)
    return .abandon(id)
  }

  /// When a second socket to the only remote left is due; `nil`: never.
  private func hedgeInstant() -> Instant? {
    guard let hedge = plan.options.hedge, !isHedged, flights.count < plan.options.inFlight,
      let first = firstInFlight
    else { return nil }
    let remote = attempts[first.index].pair.remote
    var next = inFlight(after: first)
    while let id = next {
      if attempts[id.index].pair.remote != remote { return nil }
      next = inFlight(after: id)
    }
    return attempts[first.index].started + hedge
  }
}
