// What the driver does next.

extension Race {
  public func nextStep(at now: Instant) -> Step {
    settleStart()
    if connectedCount > 0, phase == .racing, let winner = bestConnected() {
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
    case .racing, .validating, .failed: break
    }
    if let result = earlyEnd(at: now) {
      phase = .closing(result)
      return closeNext(result, at: now)
    }
    if case .validating = phase { return .wait(until: deadline) }
    if case .failed(let nextRound) = phase {
      return nextRound <= now ? .nextRound : .wait(until: min(nextRound, deadline))
    }
    if let expired = firstExpired(at: now) {
      noteSilences(before: now)
      expire(expired, at: now)
      return .abandon(expired)
    }
    noteSilences(before: now)
    if let names, names.nextRelease <= now { join(names.release(at: now)) }
    askForPrefix()
    if let lookup = nextLookup() { return .lookUp(lookup) }
    if hasJoined {
      hasJoined = false
      // What is asked about as it joins is taken in by `update` together with the answer.
      if !hasPathInformation || plan.unknownCount == 0 { recompress(at: now) }
    }
    let pathInformationDue = pathInformationDue
    if needsPathInformation(at: now, due: pathInformationDue) { return .needsPathInformation }
    // Ranks are those of the plan before the silences of this instant.
    if isRankBaseStale { setRankBase() }
    // Of attempts that are started at one instant none is silent before all have been.
    if !pace.hasStarted { noteSilences(until: now) }
    return startOrWait(at: now, pathInformationDue: pathInformationDue)
  }

  /// The race ends early: it was cancelled, or the deadline has passed.
  private func earlyEnd(at now: Instant) -> RaceResult? {
    if isCancelled { return .cancelled }
    if now >= deadline && hadFirstRound { return .lost(.timedOut, isDeadline: true) }
    return nil
  }

  /// All attempts have the same bound, so they expire in the order of their starts.
  private func firstExpired(at now: Instant) -> AttemptID? {
    guard let bound = plan.options.attemptTimeout, let id = nextToExpire() else { return nil }
    return attempts[id.index].started + bound <= now ? id : nil
  }

  /// The attempt that `attempt_timeout` ends next.
  func nextToExpire() -> AttemptID? {
    while firstToExpire < attempts.count {
      if attempts[firstToExpire].isPending { return AttemptID(Int32(firstToExpire)) }
      firstToExpire += 1
    }
    return nil
  }

  /// Closes one attempt in flight a step, then finishes.
  private func closeNext(_ result: RaceResult, at now: Instant) -> Step {
    var winner: AttemptID?
    if case .won(let id) = result { winner = id }
    var next = firstInFlight
    if let first = next, first == winner { next = inFlight(after: first) }
    guard let id = next else { return finish(result, at: now) }
    switch result {
    case .won: record(RaceEvent(.abandon, id, at: now), of: id)
    case .cancelled: record(RaceEvent(.abandon, id, .cancelled, at: now), of: id)
    case .lost: record(RaceEvent(.timedOut, id, .timedOut, at: now), of: id)
    }
    removeFromFlight(id)
    return .abandon(id)
  }

  // MARK: silence

  /// Silence past its delay counts against a pair once; here that of attempts whose delay has passed before.
  func noteSilences(before now: Instant) {
    while let timer = silences.first, timer.time < now { noteFirstSilence() }
  }

  func noteSilences(until now: Instant) {
    while let timer = silences.first, timer.time <= now { noteFirstSilence() }
  }

  private func noteFirstSilence() {
    let timer = silences.first!
    silences.removeFirst()
    let attempt = attempts[timer.attempt.index]
    if attempt.isPending && attempt.silentAt == timer.time { noteSilence(of: timer.attempt) }
  }

  func noteSilence(of id: AttemptID) {
    guard !attempts[id.index].isSilenceNoted else { return }
    let pair = attempts[id.index].pair
    let isAgain =
      isHedged && attempts.contains { $0.pair == pair && $0.isSilenceNoted }
    attempts[id.index].isSilenceNoted = true
    let wasSuspect = plan.locals[pair.local].isSuspect
    plan.noteSilence(of: pair, again: isAgain)
    if !wasSuspect && plan.locals[pair.local].isSuspect { releaseHolds(ofSource: pair.local) }
  }

  /// The alternates of remotes whose first pair is from a suspect source are not held.
  func releaseHolds(ofSource local: Int32) {
    var next = firstInFlight
    while let id = next {
      next = inFlight(after: id)
      let pair = attempts[id.index].pair
      if pair.isFirst && pair.local == local { plan.release(pair.remote) }
    }
  }

  // MARK: path information

  /// Whether path information is asked for now, whatever is due: section 3 point 5.
  private func needsPathInformation(at now: Instant, due: Instant) -> Bool {
    guard plan.unknownCount > 0 else { return false }
    // Path information was read before: that of remotes which join later is read at once.
    if hasPathInformation { return true }
    if attempts.isEmpty && plan.ordersByPathInformation { return true }
    return due <= now
  }

  /// When silence has lasted long enough to ask for path information.
  var pathInformationDue: Instant {
    guard !hasPathInformation, plan.unknownCount > 0, let first = firstInFlight,
      plan.mayHaveUnknownAlternates || plan.hasPairsLeft || !areNamesSettled
    else { return .distantFuture }
    return attempts[first.index].started + plan.options.minimumDelay
  }

  // MARK: what joins

  /// Candidates join the plan.
  func join(_ candidates: [Candidate]) {
    guard !candidates.isEmpty, !isDecided else { return }
    let before = plan.remoteCount
    plan.add(candidates)
    // Duplicates of what is in the plan add nothing to be tried.
    guard plan.remoteCount > before else { return }
    isRankBaseStale = true
    hasJoined = true
  }

  /// Whether nothing starts any more: the attempts in flight are being closed, or there is none.
  public var isDecided: Bool {
    switch phase {
    case .racing, .validating: false
    case .failed, .closing, .finished: true
    }
  }
}
