/// The race: which attempt starts when, which one wins, and what becomes of the rest.
///
/// The race performs no I/O: it returns steps, and the driver performs them. The driver reports what happened
/// (`handle`), with the time, and asks what to do (`nextStep`) until the answer is to wait or to finish. The
/// race owns no socket and reads no clock, so the same code runs on sockets and on a virtual clock, where a
/// test can state every time exactly.
///
/// At one instant the order is: completions, then a cancel, then the deadline, then starts. The driver keeps
/// it by reporting all that one wake-up brought before it asks for a step.
///
/// All that happens is in `events`; the state of each attempt follows from its events (`Attempt.apply`).
///
/// It is a class because it is too large to copy. Its driver is its only user until it has finished; then it
/// does not change any more and may be shared.
public final class Race: @unchecked Sendable {
  /// What the driver has to do next.
  public enum Step: Equatable, Sendable {
    /// Ask the kernel for path information and call `update`.
    case needsPathInformation
    /// Look this name up, and report its answers.
    case lookUp(Lookup)
    /// Start connecting. Report `.failed` at once if the call itself fails.
    case start(AttemptID)
    /// Close the attempt's socket. Its `outcome` says why.
    case abandon(AttemptID)
    /// Have the caller check this connection, and report `.accepted` or `.rejected`.
    case validate(AttemptID)
    /// Wait for events, until this instant at the latest (`distantFuture`: without a limit), then ask again.
    case wait(until: Instant)
    /// All pairs have failed, and the list is to be tried again (`retry`): resolve its names anew, and go on with
    /// `Race(after:plan:names:at:)`. This race stays as it is.
    case nextRound
    /// The race is over. All sockets but the winner's are closed; the winner's belongs to the caller.
    case finish(RaceResult)
  }

  /// What the driver reports.
  public enum Input: Equatable, Sendable {
    case connected(AttemptID)
    /// `synchronous`: in the call that started it.
    case failed(AttemptID, Errno, synchronous: Bool)
    case accepted(AttemptID)
    /// The code says why, where the caller knows.
    case rejected(AttemptID, Errno = .connectionAborted)
    /// Addresses of a name. `family`: of this family only, the other's answer is a separate one; `nil`: all.
    case resolved(NameID, family: Family?, [Endpoint])
    case unresolved(NameID, family: Family?, Errno)
    /// The SRV records of a name. `seed`: for the draw by weight.
    case services(NameID, [ServiceRecord], seed: UInt64)
    case cancelled
  }

  enum Phase: Equatable {
    case racing
    /// The caller checks a connection. Nothing starts; handshakes go on in the kernel.
    case validating(AttemptID)
    /// All pairs have failed. The next round begins at this instant, unless the deadline comes before it.
    case failed(nextRound: Instant)
    /// Decided: the attempts in flight are being closed, one a step.
    case closing(RaceResult)
    case finished(RaceResult)
  }

  /// Of a finished race over a long list: of what was tried, and of the first pairs that never started.
  public let plan: Plan
  /// By their numbers.
  public internal(set) var attempts: [Attempt] = []
  /// All that happened, in order. A driver that passes events on reads what was added since its last look,
  /// after it has performed a step: an attempt that fails in the call that starts it turns its `start` into
  /// its `failed`.
  public internal(set) var events: [RaceEvent] = []
  /// The beginning of the call.
  public let began: Instant
  /// The beginning of this round of the call.
  let roundBegan: Instant
  /// From 1; with `retry` each round is a race.
  public let round: Int
  public let deadline: Instant

  var phase: Phase = .racing
  var flights = AttemptsInFlight()
  /// How many attempts in flight have done their handshake, while the race has not been decided.
  var connectedCount = 0
  var pace = PaceState()
  var failures = FreshFailures()
  /// How the newest start is taken back; `nil`: it was made, or failed.
  var undo: Undo?
  /// The pair for which another attempt was given up; it starts in the same instant.
  var promised: Plan.Choice?
  /// While a socket could not be made: as many attempts as were in flight then. `nil`: no shortage.
  var shortageCap: Int?
  /// When silences count, and when holds end. An entry may be out of date: then the attempt has another instant.
  var silences = Heap<Timer>()
  var holds = Heap<Timer>()
  /// No attempt before this one is in flight and may be ended by `attempt_timeout`.
  var firstToExpire = 0
  /// Whether path information was taken in.
  var hasPathInformation = false
  var isCancelled = false
  var lastErrno: Errno?
  var isHedged = false
  var names: PendingNames
  /// The names that were not in the list, in the order of their numbers.
  public internal(set) var lookups: [Lookup] = []
  var startedLookupCount = 0
  /// Whether the driver can look up the prefix of a NAT64. To be set before the first step.
  public var asksForPrefix = false
  var hasAskedForPrefix = false
  /// Path information has arrived since `plan` was last asked whether it needs the prefix of a NAT64.
  var isTranslationStale = false
  /// A deadline that has passed before the race begins (a timeout near 0) still allows one round of starts.
  var hadFirstRound = false
  var rankBase: RankBase?
  /// The report's rows and count, made where the plan was let go.
  var keptRows: [ReportRow]?
  var notStartedKept: Int?
  var isRankBaseStale = false
  /// Candidates have joined since the delay was last compressed.
  var hasJoined = false

  /// What a start has changed.
  struct Undo: Sendable {
    let choice: Plan.Choice?
    let pace: PaceState
    let suspectStarts: Int
    let wasUsed: Bool
  }

  /// A race over a plan and names that are being resolved, which begins now. One of the two must not be empty.
  public convenience init(plan: Plan, names: [PendingNames.Name] = [], at now: Instant) {
    let deadline = plan.options.timeout.map { now + $0 } ?? .distantFuture
    self.init(plan, names, began: now, roundBegan: now, round: 1, deadline: deadline)
  }

  /// The next round after a race that has asked for it. Its plan must have the evidence, the order and the seed of
  /// the call's beginning: it is made from the list as it was then, at `previous.began`.
  public convenience init(
    after previous: Race, plan: Plan, names: [PendingNames.Name] = [], at now: Instant
  ) {
    self.init(
      plan, names, began: previous.began, roundBegan: now, round: previous.round + 1,
      deadline: previous.deadline)
  }

  private init(
    _ plan: Plan, _ names: [PendingNames.Name], began: Instant, roundBegan: Instant, round: Int,
    deadline: Instant
  ) {
    assert(plan.remoteCount > 0 || !names.isEmpty)
    self.plan = plan
    self.names = PendingNames(names)
    self.began = began
    self.roundBegan = roundBegan
    self.round = round
    self.deadline = deadline
    // The most common race has three events: start, connected, won.
    events.reserveCapacity(3)
  }

  // MARK: what happened

  public func handle(_ input: Input, at now: Instant) {
    switch input {
    case .connected(let id):
      // An attempt that was closed may have completed before that.
      guard attempts[id.index].isPending else { return }
      noteSilences(before: now)
      record(RaceEvent(.connected, id, at: now))
      connectedCount += 1
    case .failed(let id, let errno, let synchronous):
      guard id.index < attempts.count, attempts[id.index].isPending else { return }
      if synchronous {
        failInCall(id, errno, at: now)
      } else {
        noteSilences(before: now)
        fail(id, errno, at: now)
      }
    case .rejected(let id, let errno):
      // The deadline or a cancel may have ended the race before the verdict came.
      guard phase == .validating(id) else { return }
      phase = .racing
      fail(id, errno, isRejected: true, at: now)
    case .accepted(let id):
      guard phase == .validating(id) else { return }
      phase = .closing(.won(id))
    case .resolved(let name, let family, let endpoints):
      if !isFinished { events.append(RaceEvent(resolved: name, count: endpoints.count, at: now)) }
      if names.isPrefix(name) { return takePrefix(name, endpoints, at: now) }
      join(names.answer(name, family, endpoints, at: now))
    case .unresolved(let name, let family, let errno):
      join(names.answer(name, family, [], errno, at: now))
      // One family without an address says little while the other has some, or may have.
      guard let errno = names.failure(of: name) else { return }
      // The attempts say why the race is lost, not that there is no NAT64.
      if !names.isPrefix(name) { lastErrno = errno }
      if !isFinished { events.append(RaceEvent(unresolved: name, errno, at: now)) }
    case .services(let name, let records, let seed):
      if !isFinished { events.append(RaceEvent(resolved: name, count: records.count, at: now)) }
      take(records, of: name, seed: seed)
    case .cancelled: isCancelled = true
    }
  }

  /// Takes in path information, whether the race asked for it or not.
  public func update(_ pathInformation: PathInformation, at now: Instant) {
    settleStart()
    plan.update(pathInformation)
    hasPathInformation = true
    isTranslationStale = true
    for index in attempts.indices {
      let pair = plan.updated(attempts[index].pair)
      if pair != attempts[index].pair { attempts[index].pair = pair }
    }
    isRankBaseStale = true
    if plan.locals.hasSuspect {
      for local in plan.locals.addresses where plan.locals[local].isSuspect {
        releaseHolds(ofSource: local)
      }
    }
    repaceNewest()
    recompress(at: now)
  }

  /// What the driver learned of an attempt's socket. Changes the report only.
  public func note(
    _ id: AttemptID, local: Endpoint?, resentCount: Int32, isMultipath: Bool? = nil
  ) {
    attempts[id.index].local = local
    attempts[id.index].resentCount = resentCount
    attempts[id.index].isMultipath = isMultipath
  }

  // MARK: the log

  /// Writes down an event of an attempt and applies it.
  func record(_ event: RaceEvent) {
    let id = event.attempt!
    attempts[id.index].apply(event)
    if event.isSynchronous {
      assert(events.last == RaceEvent(.start, id, at: attempts[id.index].started))
      events[events.count - 1] = event
    } else {
      events.append(event)
    }
  }

  /// An attempt ended without a connection, after the call that started it.
  func fail(_ id: AttemptID, _ errno: Errno, isRejected: Bool = false, at now: Instant) {
    let kind: RaceEvent.Kind = isRejected ? .rejected : RaceEvent.Kind(of: Outcome(of: errno))
    record(RaceEvent(kind, id, errno, at: now))
    end(id)
    lastErrno = errno
    pace.endRow(ifDelayHasPassed: pace.delayEnds < now)
    pace.row += 1
    failures.noteFailure(row: pace.row)
    plan.noteFailure(
      of: attempts[id.index].pair, errno, wasSilent: attempts[id.index].isSilenceNoted,
      isSynchronous: false, isRejected: isRejected)
  }

  /// `attempt_timeout` ends an attempt: it was silent.
  func expire(_ id: AttemptID, at now: Instant) {
    record(RaceEvent(.timedOut, id, .timedOut, at: now))
    end(id)
    lastErrno = .timedOut
    pace.row = 0
    failures.timedOut += 1
    noteSilence(of: id)
  }

  /// An attempt failed in the call that starts it: that was no start. Where it failed for want of a descriptor or
  /// memory while others are in flight, it did not fail either, but waits until one of them has ended.
  func failInCall(_ id: AttemptID, _ errno: Errno, at now: Instant) {
    guard let undo, id.index == attempts.count - 1 else { return }
    self.undo = nil
    pace = undo.pace
    plan.suspectStarts = undo.suspectStarts
    if errno.isShortage && flights.count > 1 {
      removeFromFlight(id)
      attempts.removeLast()
      events.removeLast()
      if let choice = undo.choice {
        plan.putBack(choice, wasUsed: undo.wasUsed)
      } else {
        isHedged = false
      }
      shortageCap = flights.count
      return
    }
    record(RaceEvent(.failed, id, errno, isSynchronous: true, at: now))
    end(id)
    lastErrno = errno
    plan.noteFailure(
      of: attempts[id.index].pair, errno, wasSilent: false, isSynchronous: true, isRejected: false)
  }

  /// An attempt is not in flight any more.
  func end(_ id: AttemptID) {
    removeFromFlight(id)
    if attempts[id.index].isConnected { connectedCount -= 1 }
    shortageCap = nil
    let pair = attempts[id.index].pair
    if pair.isFirst { plan.release(pair.remote) }
  }

  /// Ends the race. Its last event.
  func finish(_ result: RaceResult, at now: Instant) -> Step {
    // A report may be read on several threads.
    if isRankBaseStale { setRankBase() }
    if case .won(let id) = result {
      record(RaceEvent(result, at: now))
      end(id)
    } else {
      events.append(RaceEvent(result, at: now))
    }
    phase = .finished(result)
    letGo()
    return .finish(result)
  }

  var isFinished: Bool {
    if case .finished = phase { return true }
    return false
  }
}
