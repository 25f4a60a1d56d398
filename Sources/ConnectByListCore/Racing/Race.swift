/// The race: which attempt starts when, who wins, and what becomes of the rest.
///
/// It is a machine without hands. The driver reports what happened (`handle`), with the time it
/// happened, and asks what to do (`nextStep`) until the answer is to wait or to finish. The race
/// owns no socket and reads no clock, so the same code runs on sockets and on a virtual clock,
/// where a test can state every time exactly.
///
/// At one instant the order is: completions, then a cancel, then the deadline, then starts. The
/// driver keeps it by reporting all that one wake-up brought before it asks for a step.
public struct Race: Sendable {
  /// What the driver has to do next.
  public enum Step: Equatable, Sendable {
    /// Find out the facts and call `supply`.
    case needsPathInformation
    /// Start connecting; report `.failed` at once if that fails at once.
    case start(AttemptID)
    /// Close the attempt's socket. What became of it is in its `outcome`.
    case abandon(AttemptID)
    /// Ask the caller whether this connection is the one wanted; report `.accepted` or `.rejected`.
    case validate(AttemptID)
    /// Wait for events, until this instant at the latest (`distantFuture`: for ever), then ask
    /// again.
    case wait(until: Instant)
    /// All other sockets are closed; a winner's is the caller's now.
    case finish(RaceResult)
  }

  /// What the driver has to report.
  public enum Event: Equatable, Sendable {
    case connected(AttemptID)
    /// `synchronous`: in the very call that started it.
    case failed(AttemptID, Errno, synchronous: Bool)
    case accepted(AttemptID)
    case rejected(AttemptID)
    /// A name's addresses; `family`: of this family only, the other's answer is still to come or
    /// came before. `nil`: all of them.
    case resolved(NameID, family: Family?, [Endpoint])
    case unresolved(NameID, family: Family?, Errno)
    case cancelled
  }

  private enum Phase: Equatable {
    case racing
    /// The caller is looking at a connection. Nothing starts; handshakes go on in the kernel.
    case validating(AttemptID)
    /// Decided: the open attempts are being closed, one a step.
    case closing(RaceResult)
  }

  public private(set) var plan: Plan
  public private(set) var attempts: [Attempt] = []
  public let began: Instant
  public let deadline: Instant

  private var phase: Phase = .racing
  private var open: [AttemptID] = []
  /// When silence starts the next attempt.
  private var nextStart: Instant
  /// Whether `nextStart` is a delay after the newest start; a failure makes it the failure's own
  /// time.
  private var isPacedBySilence = false
  /// When the deadline has the next attempt start at the latest, however long the delay.
  private var latestStart = Instant.distantFuture
  /// When it is time to ask for evidence that paces, where the first attempt went out without: no
  /// start can be due before, and most connects are over by then.
  private var pathInformationDue = Instant.distantFuture
  private var isCancelled = false
  private var lastErrno: Errno?
  private var isHedged = false
  private var names: PendingNames
  /// With a timeout of nothing, or next to nothing, the deadline is over before the race begins: one
  /// round is granted all the same.
  private var hadFirstRound = false
  /// The plan as it was when the order of what had not been started was last made; with how many
  /// attempts had been started by then. Ranks are told from here.
  private var rankBase: RankBase

  private final class RankBase: Sendable {
    let plan: Plan
    let started: Int

    init(_ plan: Plan, started: Int) {
      self.plan = plan
      self.started = started
    }
  }

  /// A race over a plan and names that are being resolved, that begins now. One of them is not
  /// empty.
  public init(plan: Plan, names: [PendingNames.Name] = [], at now: Instant) {
    assert(plan.remoteCount > 0 || !names.isEmpty)
    self.plan = plan
    self.names = PendingNames(names)
    began = now
    nextStart = now
    deadline = plan.options.timeout.map { now + $0 } ?? .distantFuture
    rankBase = RankBase(plan, started: 0)
  }

  private var options: ConnectOptions { plan.request.options }

  /// Takes in facts, whether the race asked for them or not.
  public mutating func update(_ facts: PathInformation) {
    plan.update(facts)
    for index in attempts.indices {
      let attempt = attempts[index]
      let pair = plan.updated(attempt.pair)
      guard pair != attempt.pair else { continue }
      attempts[index].pair = pair
      plan.applyFailureToSource(of: pair, wasSilent: attempt.isSilenceNoted, attempt.errno)
    }
    plan.prepare()
    rankBase = RankBase(plan, started: attempts.count)
    paceByEvidence()
  }

  /// PathInformation that came while the newest attempt is in flight say how long it may be silent.
  private mutating func paceByEvidence() {
    guard isPacedBySilence, let newest = attempts.last, newest.outcome == .pending else { return }
    nextStart = min(newest.started + delay(after: newest.pair), latestStart)
    attempts[attempts.count - 1].silentAt = nextStart
  }

  /// What the driver learned of an attempt's socket; changes nothing in the race, only its report.
  public mutating func note(
    _ id: AttemptID, local: Endpoint?, resentCount: Int32, isMultipath: Bool? = nil
  ) {
    attempts[id].local = local
    attempts[id].resentCount = resentCount
    attempts[id].isMultipath = isMultipath
  }

  // MARK: events

  public mutating func handle(_ event: Event, at now: Instant) {
    switch event {
    case .connected(let id):
      // An attempt that was closed may have completed on the way: it is closed all the same.
      guard attempts[id].outcome == .pending else { return }
      attempts[id].isConnected = true
      attempts[id].ended = now
    case .failed(let id, let errno, let synchronous):
      guard attempts[id].outcome == .pending else { return }
      attempts[id].isSynchronous = synchronous
      fail(id, errno, Outcome(of: errno), at: now)
    case .rejected(let id):
      // The verdict on a candidate that the deadline or a cancel has overtaken changes nothing.
      guard phase == .validating(id) else { return }
      phase = .racing
      fail(id, .connectionAborted, .rejected, at: now)
    case .accepted(let id):
      guard phase == .validating(id) else { return }
      phase = .closing(.won(id))
      attempts[id].outcome = .connected
    case .resolved(let name, let family, let endpoints):
      join(names.answer(name, family, endpoints, at: now), at: now)
    case .unresolved(let name, let family, let errno):
      join(names.answer(name, family, [], at: now), at: now)
      if names.hasNoAddress(name) { lastErrno = errno }
    case .cancelled:
      isCancelled = true
    }
  }

  /// Whether every answer to this name has come, and none had an address.
  public func hasNoAddress(_ name: NameID) -> Bool { names.hasNoAddress(name) }

  /// Candidates join the plan. Where nothing is in flight they need not wait for a delay.
  private mutating func join(_ candidates: [Candidate], at now: Instant) {
    guard !candidates.isEmpty else { return }
    plan.add(candidates)
    plan.prepare()
    if open.isEmpty {
      startNext(at: now)
    } else {
      // There are more to be tried before the deadline than when the delay was chosen.
      latestStart = min(latestStart, latestStart(at: now))
      nextStart = min(nextStart, latestStart)
    }
    rankBase = RankBase(plan, started: attempts.count)
  }

  @inline(never)
  private mutating func fail(_ id: AttemptID, _ errno: Errno, _ outcome: Outcome, at now: Instant) {
    attempts[id].outcome = outcome
    attempts[id].errno = errno
    attempts[id].ended = now
    close(id)
    lastErrno = errno
    plan.noteFailure(of: attempts[id].pair, errno, wasSilent: attempts[id].isSilenceNoted)
    // Any failure starts the next at once.
    startNext(at: now)
  }

  private mutating func startNext(at now: Instant) {
    nextStart = now
    isPacedBySilence = false
  }

  // MARK: steps

  public mutating func nextStep(at now: Instant) -> Step {
    if case .racing = phase, let winner = bestConnected() {
      if options.validates {
        phase = .validating(winner)
        hadFirstRound = true
        return .validate(winner)
      }
      attempts[winner].outcome = .connected
      phase = .closing(.won(winner))
    }
    switch phase {
    case .closing(let result): return closeNext(result, at: now)
    case .validating:
      if let result = untimelyEnd(at: now) {
        phase = .closing(result)
        return closeNext(result, at: now)
      }
      return .wait(until: deadline)
    case .racing: break
    }
    if let result = untimelyEnd(at: now) {
      phase = .closing(result)
      return closeNext(result, at: now)
    }
    if let late = firstExpired(at: now) {
      fail(late, .timedOut, .timedOut, at: now)
      return .abandon(late)
    }
    noteSilence(at: now)
    join(names.release(at: now), at: now)
    return startOrWait(at: now)
  }

  // Loops, here and below, where a closure would do: it would have a copy of the race.
  private func firstExpired(at now: Instant) -> AttemptID? {
    for id in open where attempts[id].expires <= now && !attempts[id].isConnected { return id }
    return nil
  }

  /// What ends the race without anybody's merit: the caller, or the clock.
  private mutating func untimelyEnd(at now: Instant) -> RaceResult? {
    if isCancelled { return .cancelled }
    if now >= deadline && hadFirstRound {
      return .lost(.timedOut, isDeadline: true)
    }
    return nil
  }

  /// Closes one open attempt a step, then finishes.
  private mutating func closeNext(_ result: RaceResult, at now: Instant) -> Step {
    var winner: AttemptID?
    if case .won(let id) = result { winner = id }
    guard let id = open.first == winner ? open.dropFirst().first : open.first else {
      if let winner { close(winner) }
      return .finish(result)
    }
    switch result {
    case .won: attempts[id].outcome = .superseded
    case .cancelled: attempts[id].outcome = .cancelled
    case .lost:
      attempts[id].outcome = .timedOut
      attempts[id].errno = .timedOut
    }
    attempts[id].ended = now
    close(id)
    return .abandon(id)
  }

  private mutating func startOrWait(at now: Instant) -> Step {
    // Whether a second socket is due depends on whether other local addresses are left to try.
    if plan.needsPathInformationForOrder || options.hedge != nil && plan.needsPathInformation { return .needsPathInformation }
    var wakeUp = deadline
    if plan.needsPathInformation || plan.hasNext() {
      if nextStart > now {
        if plan.lacksEvidence && pathInformationDue <= now { return .needsPathInformation }
        wakeUp = min(wakeUp, nextStart, plan.lacksEvidence ? pathInformationDue : nextStart)
      } else if plan.needsPathInformation {
        return .needsPathInformation
      } else if open.count < options.inFlight {
        return start(plan.next()!, at: now, isHedge: false)
      } else if deadline != .distantFuture {
        // At the cap a failure wakes us, and under a deadline the age at which one may be given up.
        if let victim = leastLikelyAtCap(at: now) { return giveUp(victim, at: now) }
        for id in open where !attempts[id].isConnected {
          wakeUp = min(wakeUp, attempts[id].started + Race.minimumAbandonAge)
        }
      }
    } else if !names.isSettled {
      // More to come: the resolver, or the end of a resolution delay, wakes us.
    } else if open.isEmpty {
      let result = RaceResult.lost(lastErrno ?? .timedOut, isDeadline: false)
      phase = .closing(result)
      return .finish(result)
    } else if let hedgeAt = hedgeInstant() {
      if hedgeAt <= now {
        isHedged = true
        return start(attempts[open[0]].pair, at: now, isHedge: true)
      }
      wakeUp = min(wakeUp, hedgeAt)
    }
    wakeUp = min(wakeUp, names.nextRelease)
    for id in open { wakeUp = min(wakeUp, attempts[id].expires) }
    hadFirstRound = true
    return .wait(until: wakeUp)
  }

  private mutating func start(_ pair: Plan.Pair, at now: Instant, isHedge: Bool) -> Step {
    let id = AttemptID(Int32(attempts.count))
    open.append(id)
    latestStart = latestStart(at: now)
    isPacedBySilence = true
    nextStart = min(now + delay(after: pair), latestStart)
    if options.pace == .accelerating { pathInformationDue = now + options.minimumDelay }
    attempts.append(
      Attempt(
        pair: pair, chance: plan.chance(of: pair), started: now, silentAt: nextStart,
        expires: options.attemptTimeout.map { now + $0 } ?? .distantFuture, isHedge: isHedge))
    return .start(id)
  }

  /// How long the newest attempt may be silent before the next starts.
  private func delay(after pair: Plan.Pair) -> TimeSpan {
    Pace.delay(options, roundTrip: plan.roundTrip(of: pair), inFlight: open.count)
  }

  /// When the next attempt must start for all remotes to be tried before the deadline.
  private func latestStart(at now: Instant) -> Instant {
    guard let timeout = options.timeout, options.pace != .sequential else { return .distantFuture }
    return now
      + Pace.share(now: now, deadline: deadline, timeout: timeout, remotesLeft: plan.firstsLeft)
  }

  /// Silence past its delay counts against a pair once.
  private mutating func noteSilence(at now: Instant) {
    for id in open where attempts[id].silentAt <= now && attempts[id].isSilent {
      attempts[id].isSilenceNoted = true
      plan.noteSilence(of: attempts[id].pair)
    }
  }

  // MARK: the winner

  /// Of all that are connected now, the one whose pair ranks first.
  private func bestConnected() -> AttemptID? {
    var connected: [AttemptID] = []
    var pairs: [Plan.Pair] = []
    var first: AttemptID?
    for id in open where attempts[id].isConnected {
      if let first {
        if connected.isEmpty {
          connected.append(first)
          pairs.append(attempts[first].pair)
        }
        connected.append(id)
        pairs.append(attempts[id].pair)
      } else {
        first = id
      }
    }
    guard connected.count > 1 else { return first }
    let ranks = ranks(of: pairs)
    var best = 0
    for index in connected.indices where ranks[index] < ranks[best] { best = index }
    return connected[best]
  }

  /// The rank of each of these pairs: its place, from 1, in the order of starts if every attempt
  /// stayed silent.
  private func ranks(of pairs: [Plan.Pair]) -> [Int] {
    var ranks = [Int](repeating: .max, count: pairs.count)
    var missing = pairs.count
    forEachRanked { pair, rank, _ in
      for index in pairs.indices where pairs[index] == pair && ranks[index] == .max {
        ranks[index] = rank
        missing -= 1
      }
      return missing > 0
    }
    return ranks
  }

  /// Goes through the pairs in the order of their ranks, with the chance each had when it came to
  /// be the next, until `body` says false.
  @inline(never)
  func forEachRanked(_ body: (Plan.Pair, _ rank: Int, _ chance: Double) -> Bool) {
    var rank = 0
    for index in 0..<rankBase.started where !attempts[index].isHedge {
      rank += 1
      let pair = attempts[index].pair
      if !body(pair, rank, attempts[index].chance) { return }
    }
    var silent = rankBase.plan
    while let pair = silent.next() {
      rank += 1
      if !body(pair, rank, silent.chance(of: pair)) { return }
      silent.noteSilence(of: pair)
    }
  }

  // MARK: the cap and the hedge

  /// How old an attempt must be before the cap may give it up: a handshake across the world, with
  /// one slow hop, is done by then.
  private static let minimumAbandonAge: TimeSpan = .milliseconds(500)

  /// The attempt that makes room for the next, under a deadline: the least likely of the ripe ones.
  private func leastLikelyAtCap(at now: Instant) -> AttemptID? {
    var least: AttemptID?
    for id in open where attempts[id].started + Race.minimumAbandonAge <= now && !attempts[id].isConnected {
      if let other = least,
        plan.chance(of: attempts[other].pair) <= plan.chance(of: attempts[id].pair)
      {
        continue
      }
      least = id
    }
    return least
  }

  private mutating func giveUp(_ id: AttemptID, at now: Instant) -> Step {
    attempts[id].outcome = .superseded
    attempts[id].ended = now
    close(id)
    return .abandon(id)
  }

  /// When a second socket to the only remote left is due; `nil`: never.
  private func hedgeInstant() -> Instant? {
    guard let hedge = options.hedge, !isHedged, open.count < options.inFlight,
      let first = open.first
    else { return nil }
    let remote = attempts[first].pair.remote
    for id in open where attempts[id].pair.remote != remote { return nil }
    return attempts[first].started + hedge
  }

  private mutating func close(_ id: AttemptID) {
    if let index = open.firstIndex(of: id) { open.remove(at: index) }
  }
}

extension [Attempt] {
  public internal(set) subscript(id: AttemptID) -> Attempt {
    get { self[Int(id.number)] }
    _modify { yield &self[Int(id.number)] }
  }
}
