/// The race: which attempt starts when, who wins, and what becomes of the rest.
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
    /// Start connecting. Report `.failed` at once if the call itself fails.
    case start(AttemptID)
    /// Close the attempt's socket. Its `outcome` says why.
    case abandon(AttemptID)
    /// Have the caller check this connection, and report `.accepted` or `.rejected`.
    case validate(AttemptID)
    /// Wait for events, until this instant at the latest (`distantFuture`: without a limit), then ask again.
    case wait(until: Instant)
    /// The race is over. All sockets but the winner's are closed; the winner's belongs to the caller.
    case finish(RaceResult)
  }

  /// What the driver reports.
  public enum Input: Equatable, Sendable {
    case connected(AttemptID)
    /// `synchronous`: in the call that started it.
    case failed(AttemptID, Errno, synchronous: Bool)
    case accepted(AttemptID)
    case rejected(AttemptID)
    /// Addresses of a name. `family`: of this family only, the other's answer is a separate one; `nil`: all.
    case resolved(NameID, family: Family?, [Endpoint])
    case unresolved(NameID, family: Family?, Errno)
    case cancelled
  }

  enum Phase: Equatable {
    case racing
    /// The caller checks a connection. Nothing starts; handshakes go on in the kernel.
    case validating(AttemptID)
    /// Decided: the attempts in flight are being closed, one a step.
    case closing(RaceResult)
    case finished(RaceResult)
  }

  public let plan: Plan
  /// By their numbers.
  public internal(set) var attempts: [Attempt] = []
  /// All that happened, in order. A driver that passes events on reads what was added since its last look,
  /// after it has performed a step: an attempt that fails in the call that starts it turns its `start` into
  /// its `failed`.
  public internal(set) var events: [RaceEvent] = []
  public let began: Instant
  public let deadline: Instant

  var phase: Phase = .racing
  var flights = AttemptsInFlight()
  /// When silence starts the next attempt.
  var nextStart: Instant
  /// Whether `nextStart` is a delay after the newest start. A failure makes it the time of the failure.
  var isPacedBySilence = false
  /// When the next attempt starts at the latest, so that all remotes are tried before the deadline.
  var latestStart = Instant.distantFuture
  /// When to ask for path information that paces, where the first attempt was started without it. No start
  /// can be due before, and most connects are over by then.
  var pathInformationDue = Instant.distantFuture
  var isCancelled = false
  var lastErrno: Errno?
  var isHedged = false
  var names: PendingNames
  /// A deadline that has passed before the race begins (a timeout near 0) still allows one round of starts.
  var hadFirstRound = false
  var rankBase: RankBase?

  /// A race over a plan and names that are being resolved, which begins now. One of the two must not be empty.
  public init(plan: Plan, names: [PendingNames.Name] = [], at now: Instant) {
    assert(plan.remoteCount > 0 || !names.isEmpty)
    self.plan = plan
    self.names = PendingNames(names)
    began = now
    nextStart = now
    deadline = plan.options.timeout.map { now + $0 } ?? .distantFuture
    // The most common race has three events: start, connected, won.
    events.reserveCapacity(3)
  }

  // MARK: what happened

  public func handle(_ input: Input, at now: Instant) {
    switch input {
    case .connected(let id):
      // An attempt that was closed may have completed before that.
      guard attempts[id.index].outcome == .pending, !attempts[id.index].isConnected else { return }
      record(RaceEvent(.connected, id, at: now))
    case .failed(let id, let errno, let synchronous):
      guard attempts[id.index].outcome == .pending, !attempts[id.index].isConnected else { return }
      fail(id, errno, isSynchronous: synchronous, at: now)
    case .rejected(let id):
      // The deadline or a cancel may have ended the race before the verdict came.
      guard phase == .validating(id) else { return }
      phase = .racing
      fail(id, .connectionAborted, isRejected: true, at: now)
    case .accepted(let id):
      guard phase == .validating(id) else { return }
      phase = .closing(.won(id))
    case .resolved(let name, let family, let endpoints):
      if !isFinished { events.append(RaceEvent(resolved: name, count: endpoints.count, at: now)) }
      join(names.answer(name, family, endpoints, at: now), at: now)
    case .unresolved(let name, let family, let errno):
      join(names.answer(name, family, [], at: now), at: now)
      // One family without an address says little while the other has some, or may have.
      guard names.hasNoAddress(name) else { return }
      lastErrno = errno
      if !isFinished { events.append(RaceEvent(unresolved: name, errno, at: now)) }
    case .cancelled: isCancelled = true
    }
  }

  /// Takes in path information, whether the race asked for it or not.
  public func update(_ pathInformation: PathInformation) {
    plan.update(pathInformation)
    for index in attempts.indices {
      let attempt = attempts[index]
      let pair = plan.updated(attempt.pair)
      guard pair != attempt.pair else { continue }
      attempts[index].pair = pair
      plan.applyFailureToSource(of: pair, wasSilent: attempt.isSilenceNoted, attempt.errno)
    }
    setRankBase()
    repaceNewest()
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

  func fail(
    _ id: AttemptID, _ errno: Errno, isSynchronous: Bool = false, isRejected: Bool = false,
    at now: Instant
  ) {
    let kind: RaceEvent.Kind =
      isRejected
      ? .rejected : isSynchronous ? .failed : RaceEvent.Kind(of: Outcome(of: errno))
    record(RaceEvent(kind, id, errno, isSynchronous: isSynchronous, at: now))
    removeFromFlight(id)
    lastErrno = errno
    plan.noteFailure(
      of: attempts[id.index].pair, errno, wasSilent: attempts[id.index].isSilenceNoted)
    // Any failure starts the next at once.
    startNext(at: now)
  }

  /// Ends the race. Its last event.
  func finish(_ result: RaceResult, at now: Instant) -> Step {
    if case .won(let id) = result {
      record(RaceEvent(result, at: now))
      removeFromFlight(id)
    } else {
      events.append(RaceEvent(result, at: now))
    }
    phase = .finished(result)
    return .finish(result)
  }

  /// Whether the race is over but for the attempts in flight, which are being closed.
  public var isDecided: Bool {
    switch phase {
    case .racing, .validating: false
    case .closing, .finished: true
    }
  }

  private var isFinished: Bool {
    if case .finished = phase { return true }
    return false
  }
}
