import CConnectByListPosix
import ConnectByListCore

/// One connect by list on real sockets: the driver of a `Race`.
///
/// `advance` never blocks: it takes in what has completed and performs the race's steps until the race waits
/// or finishes. `waitAndAdvance` blocks until there is a reason to advance. The blocking call is a loop of the
/// two; an event loop polls `pollDescriptor()` instead.
///
/// While a single attempt is in flight its own socket is polled; the epoll descriptor is made for the second.
/// Every descriptor that was not handed out is closed with the operation.
public final class Operation: @unchecked Sendable {
  public enum Progress: Equatable, Sendable {
    /// Nothing to do before an event, or before `wakeUp`.
    case pending
    /// The caller must check this attempt's connection and call `accept` or `reject`.
    case validate(AttemptID)
    case finished(RaceResult)
  }

  /// The race of the current round. There are several only with the option `retry`.
  public private(set) var race: Race
  /// When `advance` is due without any event; `distantFuture`: never.
  public internal(set) var wakeUp: Instant
  var sockets = AttemptTable()
  var waitSet = WaitSet()
  var reader: PathInformationReader
  let settings: SocketSettings
  /// For the rounds after the first; `nil`: there is one round only.
  private let rounds: Rounds?
  /// Whether the kernel was asked for the round trips of this list's pairs only.
  var lacksPopulation = false
  let policy: EgressPolicy
  /// How each name of the list was resolved, by its number in the race.
  public internal(set) var names: [NameResult]
  var resolver: Resolver?
  var hasBegun = false
  /// The next `advance` begins the next round.
  private var isRoundOver = false
  let family: Family?
  /// The caller's, readable when the connect is to end; -1: none.
  let cancelDescriptor: CInt
  /// Keeps that descriptor open, where it is a handle's: its number would be given to another file.
  private let cancelHandle: CancelHandle?
  var isCancelled = false
  /// The socket whose number the winner takes; `nil`: the winner becomes a socket of its own.
  let target: CallerSocket?
  /// Whether the caller can free descriptors, as a collection of garbage does. Then the first time that there is
  /// none to be had `advance` returns `.pending` with `isShort`, and the next `advance` tries again.
  package var canFreeDescriptors = false
  /// The operation waits for nothing but that the caller frees descriptors.
  package internal(set) var isShort = false
  /// The attempt that then found no descriptor.
  var unstarted: AttemptID?
  /// The kernel has no Multipath TCP, or none with these settings.
  var isMultipathRefused = false
  /// For the observer: how many events of the log it has seen, and its number for this connect.
  package var observedEventCount = 0
  package var observedNumber = 0

  /// Begins connecting to one of the list's entries. The list is copied: changing it later has no effect on
  /// this operation. The deadline counts from here; no packet is sent before the first `advance`.
  ///
  /// Throws `.invalidArgument` for an empty list, `.familyNotSupported` where the wanted family has no entry,
  /// `.addressNotAvailable` where only link-local entries are left and no interface has such an address,
  /// `.noSuchDevice` for an interface that does not exist, `.badDescriptor` for a cancel descriptor that is not
  /// open.
  public convenience init(_ list: borrowing AddressList, _ request: borrowing ConnectRequest)
    throws(ConnectError)
  {
    try self.init(list, request, onto: nil)
  }

  init(
    _ list: borrowing AddressList, _ request: borrowing ConnectRequest, onto target: CallerSocket?
  ) throws(ConnectError) {
    let began = Clock.now()
    if request.cancelDescriptor >= 0 && !Syscalls.isOpen(request.cancelDescriptor) {
      throw ConnectError(.badDescriptor, "the cancel descriptor is not open")
    }
    reader = PathInformationReader(try RouteSelectors(request.settings))
    let plan = try reader.plan(list, request.options, at: began)
    race = Race(plan: plan, names: list.hasNames ? list.names(request.options) : [], at: began)
    names = list.hasNames ? list.names.map { NameResult(name: $0.name) } : []
    race.asksForPrefix = request.policy.allowsNameLookups
    self.target = target
    settings = request.settings
    policy = request.policy
    rounds = request.options.retry == nil ? nil : Rounds(copy list)
    family = request.options.family
    cancelDescriptor = request.cancelDescriptor
    cancelHandle = request.cancel
    wakeUp = began
  }

  private final class Rounds {
    /// The list as it was when the call began.
    let list: AddressList
    /// The races of earlier rounds, the last few of them.
    var earlier: [Race] = []
    static let earlierMax = 8

    init(_ list: AddressList) { self.list = list }
  }

  // MARK: driving

  package var options: ConnectOptions { race.plan.options }

  /// Takes in completions and performs the steps that are due.
  public func advance() -> Progress {
    if startsAgain() { return performSteps() }
    beginRound()
    if !hasBegun {
      if !names.isEmpty { startResolving() }
      if isShort { return pendingForDescriptors() }
      hasBegun = true
    }
    collectReady()
    return performSteps()
  }

  /// What `advance` waits for beside `wakeUp`: an event of the only attempt in flight, or of the wait set. The
  /// number is -1 where nothing is in flight.
  package var waitsFor: (number: CInt, events: CInt) {
    if isRoundOver { return (-1, 0) }
    if waitSet.isMade { return (waitSet.number, CInt(CBL_POSIX_READABLE)) }
    return (onlyInFlight?.number ?? -1, CInt(CBL_POSIX_WRITABLE))
  }

  /// Advances after a wait for `waitsFor`. `events`: those that ended it; 0: none; below 0: the wait has
  /// failed with -errno.
  package func advance(after events: CInt) -> Progress {
    if isRoundOver || isShort { return advance() }
    if events < 0 {
      waitFailed(Errno(-events))
    } else if waitSet.isMade {
      if events != 0 { collect(for: .zero) }
    } else if events != 0, let (id, _) = onlyInFlight {
      complete(id, events: events)
    }
    return performSteps()
  }

  /// Blocks until something completes or `wakeUp` has come, and advances.
  ///
  /// A signal neither ends nor shortens the wait.
  public func waitAndAdvance() -> Progress {
    if isRoundOver || isShort { return advance() }
    collect(for: (wakeUp == .distantFuture ? .forever : wakeUp - Clock.now()).wakingEarly)
    return performSteps()
  }

  /// Begins the next round where one is due: the list as it was when the call began, its names looked up anew.
  private func beginRound() {
    guard isRoundOver, let rounds else { return }
    isRoundOver = false
    do throws(ConnectError) {
      let list = rounds.list
      let plan = try reader.plan(list, options, at: race.began)
      if rounds.earlier.count == Rounds.earlierMax { rounds.earlier.removeFirst() }
      rounds.earlier.append(race)
      let now = Clock.now()
      race = Race(after: race, plan: plan, names: list.names(options), at: now)
      race.asksForPrefix = policy.allowsNameLookups
      if isCancelled { race.handle(.cancelled, at: now) }
      // Addresses and routes may have changed.
      reader = reader.anew
    } catch {
      preconditionFailure("a list that had a plan has one again")
    }
    observedEventCount = 0
    lacksPopulation = false
    names = rounds.list.names.map { NameResult(name: $0.name) }
    hasBegun = false
  }

  /// Lets a list remember how its endpoints did in this operation, which has finished.
  public func remember(in list: inout AddressList) {
    if let rounds { for race in rounds.earlier { list.take(race) } }
    list.take(race)
  }

  /// Runs to the end, blocking. Accepts every connection: a caller that wants to check them drives the
  /// operation itself.
  public func run() -> RaceResult {
    var progress = advance()
    while true {
      switch progress {
      case .pending: progress = waitAndAdvance()
      case .finished(let result): return result
      case .validate(let id):
        accept(id)
        progress = performSteps()
      }
    }
  }

  public func cancel() {
    isCancelled = true
    report(.cancelled)
  }

  /// Accepts a candidate. `number`: its descriptor where it was taken, still open: it gets what only a winner
  /// has (`linger`). A candidate on which that cannot be set is rejected.
  public func accept(_ id: AttemptID, descriptor number: CInt = -1) {
    if number >= 0 {
      do throws(Errno) { try applyToWinner(id, number) } catch { return reject(id) }
    }
    report(.accepted(id))
  }

  /// Rejects a candidate. `errno`: what made the check fail, where it is known.
  public func reject(_ id: AttemptID, _ errno: Errno? = nil) {
    report(.rejected(id, errno ?? .connectionAborted))
    drop(id)
  }

  /// The caller's own calls signal no descriptor, so `advance` is due at once.
  private func report(_ input: Race.Input) {
    let now = Clock.now()
    race.handle(input, at: now)
    wakeUp = now
  }

  /// Hands a connection out: the winner's, or a candidate's while it is being validated.
  public func takeDescriptor(of id: AttemptID) -> Descriptor? {
    sockets.take(id)
  }

  /// Sets what only a winner has: its close may wait, that of a loser or of a rejected candidate must not.
  func applyToWinner(_ id: AttemptID, _ number: CInt) throws(Errno) {
    try settings.applyToWinner(number, race.plan.remote(of: race.attempts[id.index].pair).family)
  }

  /// A descriptor that is readable whenever `advance` would find something completed. It belongs to the
  /// operation and is the same for the whole race.
  public func pollDescriptor() throws(Errno) -> CInt {
    try makeWaitSet()
    return waitSet.number
  }

  /// How many starts may fail at once before completions are looked for: without a network a list of thousands
  /// fails that way, and one attempt may have connected meanwhile.
  private static let synchronousFailuresMax = 64

  /// Takes in what has completed, without waiting.
  private func collectReady() {
    if sockets.count > 0 || resolver != nil || cancelDescriptor >= 0 { collect(for: .zero) }
  }

  /// Whether this error is to be answered by `isShort`.
  func asksForDescriptors(_ errno: Errno) -> Bool {
    guard canFreeDescriptors, errno == .tooManyOpen || errno == .tooManyOpenInSystem else {
      return false
    }
    canFreeDescriptors = false
    isShort = true
    return true
  }

  private func pendingForDescriptors() -> Progress {
    wakeUp = Clock.now()
    return .pending
  }

  /// Starts the attempt that found no descriptor; false where there is none.
  private func startsAgain() -> Bool {
    isShort = false
    guard let id = unstarted else { return false }
    unstarted = nil
    _ = start(id)
    return true
  }

  private func performSteps() -> Progress {
    let progress = performDueSteps()
    OperationObserver.current?(self)
    return progress
  }

  private func performDueSteps() -> Progress {
    var failureCount = 0
    // It is another one in the next round only. A property would be retained for each step.
    let race = race
    while true {
      switch race.nextStep(at: Clock.now()) {
      case .needsPathInformation: readPathInformation()
      case .lookUp(let lookup): lookUp(lookup)
      case .start(let id):
        let isStarted = start(id)
        if isShort { return pendingForDescriptors() }
        if isStarted && race.attempts[id.index].errno == nil { continue }
        failureCount += 1
        if failureCount % Self.synchronousFailuresMax == 0 { collectReady() }
      case .abandon(let id): drop(id)
      case .validate(let id): return .validate(id)
      case .wait(let until):
        let due = populationDue()
        if due < until && due <= Clock.now() {
          readPopulation()
          continue
        }
        wakeUp = min(until, due)
        return .pending
      case .nextRound:
        // The observer of the operation reads the last events of this round first.
        isRoundOver = true
        wakeUp = Clock.now()
        return .pending
      case .finish(let result):
        resolver = nil
        return .finished(result)
      }
    }
  }
}
