import CConnectByListPosix
import ConnectByListCore

/// One connect by list on real sockets: the driver of a `Race`.
///
/// `advance` never blocks: it takes in what has completed and does what the race asks for, until
/// the race says wait or finish. `wait` blocks until there is a reason to advance. The blocking
/// call is a loop of the two; an event loop has its own `wait` and polls `pollDescriptor()`.
///
/// As long as one attempt is in flight its own socket is polled; the epoll descriptor is made for
/// the second. When the operation goes, every descriptor that was not handed out is closed.
public struct Operation: ~Copyable {
  public enum Progress: Equatable, Sendable {
    /// Nothing to do until an event, or until `wakeUp`.
    case pending
    /// The caller has to look at this attempt's connection and say `accept` or `reject`.
    case validate(AttemptID)
    case finished(RaceResult)
  }

  public private(set) var race: Race
  /// When `advance` is due without any event; `distantFuture`: never.
  public private(set) var wakeUp: Instant
  private var sockets = AttemptTable()
  private var waitSet = WaitSet()
  private var finder: PathInformationReader
  private let settings: SocketSettings
  /// What became of each name of the list, by its number in the race.
  public private(set) var names: [NameResult]
  private var resolver: Resolver?
  private var hasBegun = false
  private let family: Family?
  /// The caller's, readable when the connect is to end; -1: none.
  private let cancelDescriptor: CInt
  private var isCancelled = false
  /// The socket that the winner is to become; `nil`: it becomes a socket of its own.
  let target: CallerSocket?
  /// The kernel has no Multipath TCP, or none with these settings.
  private var isMultipathRefused = false

  /// Begins the race; the clock runs from its beginning. Nothing is asked of the kernel before
  /// `advance`.
  init(
    race: Race, names: [HostName], finder: PathInformationReader, _ request: ConnectRequest,
    onto target: CallerSocket?
  ) {
    self.race = race
    self.finder = finder
    self.target = target
    self.names = names.map { NameResult(name: $0) }
    settings = request.settings
    family = request.options.family
    cancelDescriptor = request.cancelDescriptor
    wakeUp = race.began
  }

  // MARK: driving

  /// Takes in completions and does what is due.
  public mutating func advance() -> Progress {
    if !hasBegun {
      hasBegun = true
      if !names.isEmpty { startResolving() }
    }
    if sockets.count > 0 || resolver != nil || cancelDescriptor >= 0 { collect(for: .zero) }
    return act()
  }

  /// Blocks until something completes or `wakeUp` has come, and advances.
  ///
  /// A signal neither ends nor shortens it.
  public mutating func waitAndAdvance() -> Progress {
    collect(for: (wakeUp == .distantFuture ? .forever : wakeUp - Clock.now()).wakingEarly)
    return act()
  }

  /// Runs to the end, blocking. Not for races that validate.
  public mutating func run() -> RaceResult { run(FirstAttempt()) }

  /// The same where the first attempt may have been begun already.
  // Out of line: the optimiser is at the edge of making a second copy of the driver, 7 KB, for the
  // one call.
  @inline(never)
  mutating func run(_ first: consuming FirstAttempt) -> RaceResult {
    var progress = take(first)
    while true {
      switch progress {
      case .pending: progress = waitAndAdvance()
      case .finished(let result): return result
      case .validate(let id):
        // Nobody is there to ask: the caller drives such a race itself.
        accept(id)
        progress = act()
      }
    }
  }

  private mutating func take(_ first: consuming FirstAttempt) -> Progress {
    if let errno = first.failure {
      race.handle(.failed(startFirst(), errno, synchronous: true), at: Clock.now())
    } else if let socket = first.takeSocket() {
      let id = startFirst()
      sockets.insert(id, socket)
      if first.events != 0 { complete(id, events: first.events) }
    } else {
      return advance()
    }
    return act()
  }

  /// The race's first step, which was made before it.
  private mutating func startFirst() -> AttemptID {
    hasBegun = true
    guard case .start(let id) = race.nextStep(at: race.began) else {
      preconditionFailure("a race over one remote does not begin with it")
    }
    return id
  }

  public mutating func cancel() { tell(.cancelled) }

  public mutating func accept(_ id: AttemptID) { tell(.accepted(id)) }

  public mutating func reject(_ id: AttemptID) {
    tell(.rejected(id))
    drop(id)
  }

  /// The caller's own events wake nobody: `advance` is due at once.
  private mutating func tell(_ event: Race.Event) {
    let now = Clock.now()
    race.handle(event, at: now)
    wakeUp = now
  }

  /// Hands a connection out: a winner's, or for the time of its validation a candidate's.
  public mutating func takeDescriptor(of id: AttemptID) -> Descriptor? {
    sockets.take(id)
  }

  /// A descriptor that is readable whenever `advance` would find something completed. It is the
  /// operation's, the same for the whole race.
  public mutating func pollDescriptor() throws(Errno) -> CInt {
    try makeWaitSet()
    return waitSet.number
  }

  /// How many pairs may fail in the very call that starts them before somebody looks whether
  /// another attempt has got through: without a network a list of thousands fails that way in one
  /// go.
  private static let failuresMax = 64

  private mutating func act() -> Progress {
    var failureCount = 0
    while true {
      switch race.nextStep(at: Clock.now()) {
      case .needsPathInformation: race.update(finder.facts(for: race.plan))
      case .start(let id):
        if start(id) { continue }
        failureCount += 1
        if failureCount % Self.failuresMax == 0 && sockets.count > 0 { collect(for: .zero) }
      case .abandon(let id): drop(id)
      case .validate(let id): return .validate(id)
      case .wait(let until):
        wakeUp = until
        return .pending
      case .finish(let result): return .finished(result)
      }
    }
  }

  // MARK: names

  /// What cannot be looked up is not resolved; the rest of the list goes on.
  private mutating func startResolving() {
    do throws(Errno) {
      // A host name has no Unix addresses.
      if family == .unix { throw .familyNotSupported }
      let resolver = try Resolver.start(names.map { $0.name }, family: family)
      try makeWaitSet()
      try waitSet.add(resolver.number, WaitSet.resolver)
      self.resolver = consume resolver
    } catch {
      for index in names.indices { take(.failed(error), ofName: index) }
    }
  }

  private mutating func collectAnswers() {
    var answers: [(Int, Resolver.Answer)] = []
    resolver?.collect { answers.append(($0, $1)) }
    for (index, answer) in answers { take(answer, ofName: index) }
    // Its descriptor goes with the last answer.
    if names.allSatisfy({ $0.ended != nil }) { resolver = nil }
  }

  private mutating func take(_ answer: Resolver.Answer, ofName index: Int) {
    let now = Clock.now()
    let id = NameID(Int32(index))
    names[index].ended = now
    switch answer {
    case .addresses(let endpoints):
      let candidates = scoped(endpoints)
      names[index].addressCount = candidates.count
      race.handle(.resolved(id, family: nil, candidates), at: now)
    case .failed(let errno):
      names[index].errno = errno
      race.handle(.unresolved(id, family: nil, errno), at: now)
    }
  }

  /// A link-local address without a scope is one on each link, as in the list.
  private mutating func scoped(_ endpoints: [Endpoint]) -> [Endpoint] {
    var result: [Endpoint] = []
    for endpoint in endpoints {
      if endpoint.address.needsScope && endpoint.address.scope == 0 {
        for link in finder.links() { result.append(endpoint.withScope(link)) }
      } else {
        result.append(endpoint)
      }
    }
    return result
  }

  // MARK: attempts

  /// False where it failed at once.
  private mutating func start(_ id: AttemptID) -> Bool {
    let pair = race.attempts[id].pair
    do throws(Errno) {
      if race.plan.isImpossible(pair) { throw .addressNotAvailable }
      let remote = try adaptedToSocketFamily( race.plan.remote(of: pair))
      let socket = try makeSocket(remote.family)
      if race.plan.bindsLocal(pair), let local = race.plan.local(of: pair) {
        try SocketSettings.bind(socket.number, to: adaptedToSocketFamily( local))
      }
      let progress =
        remote.family == .unix
        ? try Syscalls.connect(socket.number, toUnix: race.plan.unixPaths[remote])
        : try Syscalls.connect(socket.number, to: remote)
      try watch(socket.number, id)
      sockets.insert(id, socket)
      if progress == .connected { complete(id, events: 0) }
      return true
    } catch {
      race.handle(.failed(id, error, synchronous: true), at: Clock.now())
      return false
    }
  }

  /// A socket with its settings: Multipath TCP's where that is wanted and
  /// can be had, and one like the caller's where that is to be connected.
  private mutating func makeSocket(_ family: Family) throws(Errno) -> Descriptor {
    if let target {
      let socket = try target.makeSocket()
      try settings.apply(to: socket.number, family)
      return socket
    }
    if race.plan.wantsMultipath && family != .unix && !isMultipathRefused {
      do throws(Errno) {
        let socket = try Syscalls.socket(family, protocol: CInt(CBL_POSIX_IPPROTO_MPTCP))
        try settings.apply(to: socket.number, family)
        return socket
      } catch {
        guard error.mayMeanNoMultipath else { throw error }
        isMultipathRefused = true
      }
    }
    let socket = try Syscalls.socket(family)
    try settings.apply(to: socket.number, family)
    return socket
  }

  /// As the sockets of this operation have it.
  private func adaptedToSocketFamily(_ endpoint: Endpoint) throws(Errno) -> Endpoint {
    guard let target else { return endpoint }
    return try target.adaptedToSocketFamily( endpoint)
  }

  /// Makes sure that the wait sees this socket, which is not in the table yet.
  private mutating func watch(_ fd: CInt, _ id: AttemptID) throws(Errno) {
    if !waitSet.isMade && sockets.count == 0 { return }
    try makeWaitSet()
    try waitSet.add(fd, id)
  }

  private mutating func makeWaitSet() throws(Errno) {
    guard !waitSet.isMade else { return }
    try waitSet.make()
    if let (id, number) = onlyInFlight { try waitSet.add(number, id) }
    if cancelDescriptor >= 0 && !isCancelled {
      try waitSet.add(cancelDescriptor, WaitSet.cancel)
    }
  }

  /// The only attempt, as long as its handshake lasts: a connection that waits for a verdict is
  /// writable all the time, and must not keep waking us.
  private var onlyInFlight: (id: AttemptID, number: CInt)? {
    guard let only = sockets.only, race.attempts[only.id].ended == nil else { return nil }
    return only
  }

  private mutating func drop(_ id: AttemptID) {
    guard let descriptor = sockets.take(id) else { return }
    noteEnd(id, descriptor.number, local: nil)
  }

  // MARK: completions

  /// Waits, and reports all that this wake-up brought.
  private mutating func collect(for span: TimeSpan) {
    if waitSet.isMade {
      // Collected first, acted on after: to complete an attempt changes the table.
      var completions: [(AttemptID, CInt)] = []
      var isMore = true
      var span = span
      while isMore {
        let before = completions.count
        waitSet.collect(for: span) { completions.append(($0, $1)) }
        // A full array may have left some behind; the winner is chosen among all.
        isMore = completions.count - before == WaitSet.batchMax && completions.count < sockets.count
        span = .zero
      }
      for (id, events) in completions where id.number >= 0 { complete(id, events: events) }
      for (id, _) in completions {
        if id == WaitSet.resolver { collectAnswers() }
        if id == WaitSet.cancel { takeCancel() }
      }
    } else if let (id, number) = onlyInFlight {
      let (events, cancel) = poll(number, events: CInt(CBL_POSIX_WRITABLE), for: span)
      if events != 0 { complete(id, events: events) }
      if cancel != 0 { takeCancel() }
    } else {
      // Nothing in flight: a delay, or a verdict.
      if poll(-1, events: 0, for: span).cancel != 0 { takeCancel() }
    }
  }

  private func poll(_ fd: CInt, events: CInt, for span: TimeSpan) -> (CInt, cancel: CInt) {
    if cancelDescriptor < 0 || isCancelled {
      return (Syscalls.poll(fd, events: events, for: span), 0)
    }
    let (ready, cancel) = Syscalls.poll(fd, events: events, or: cancelDescriptor, for: span)
    return (ready, cancel)
  }

  /// The descriptor stays readable, and is not looked at again.
  private mutating func takeCancel() {
    guard !isCancelled else { return }
    isCancelled = true
    if waitSet.isMade { waitSet.remove(cancelDescriptor) }
    race.handle(.cancelled, at: Clock.now())
  }

  /// One attempt's socket has something to say: SO_ERROR is read where it says POLLERR, or where it
  /// is not connected after all.
  private mutating func complete(_ id: AttemptID, events: CInt) {
    guard let fd = sockets.number(of: id) else { return }
    let isSuspicious = events & CInt(CBL_POSIX_FAILED) != 0
    var errno = isSuspicious ? Syscalls.takePendingError(fd) : nil
    if errno == nil {
      do throws(Errno) {
        let (local, failure) = try Handshake.check(fd, settings)
        errno = failure
        if failure == nil {
          noteEnd(id, fd, local: local)
          stopWatching(fd)
          race.handle(.connected(id), at: Clock.now())
          return
        }
      } catch {
        // Not connected. Hung up without an error: the connection came and went.
        errno = Syscalls.takePendingError(fd)
        if errno == nil && events & CInt(CBL_POSIX_HUNG_UP) != 0 { errno = .connectionReset }
      }
    }
    // After the peer's FIN a reset is EPIPE (`tcp_reset` in Linux's net/ipv4/tcp_input.c).
    if errno == .brokenPipe { errno = .connectionReset }
    // A wake-up for nothing leaves the attempt in flight.
    guard let errno else { return }
    race.handle(.failed(id, errno, synchronous: false), at: Clock.now())
    drop(id)
  }

  /// As in `onlyInFlight`, where there is a wait set.
  private func stopWatching(_ fd: CInt) {
    if race.plan.validates && waitSet.isMade { waitSet.remove(fd) }
  }

  /// PathInformation for the report. The kernel sends the first SYN again after one second
  /// (TCP_TIMEOUT_INIT), so a younger attempt is not asked.
  private mutating func noteEnd(_ id: AttemptID, _ fd: CInt, local: Endpoint?) {
    if race.plan.remote(of: race.attempts[id].pair).family == .unix { return }
    let attempt = race.attempts[id]
    var resent: Int32 = 0
    if (attempt.ended ?? Clock.now()) - attempt.started >= .seconds(1) {
      resent = Syscalls.resentCount(fd)
    }
    var local = local
    if local == nil {
      do throws(Errno) { local = try Syscalls.localEndpoint(fd) } catch { local = nil }
    }
    if let known = local, known.address.isUnspecified { local = nil }
    let isMultipath =
      race.plan.wantsMultipath && attempt.outcome == .pending ? Syscalls.isMultipath(fd) : nil
    // In the report pairs are of one family, whatever socket they were tried on.
    race.note(
      id, local: local?.unmapped, resentCount: resent, isMultipath: isMultipath)
  }
}

extension Errno {
  /// What a kernel says that has no Multipath TCP (EPROTONOSUPPORT; before Linux 5.6 EINVAL), has it
  /// switched off (net.mptcp.enabled: ENOPROTOOPT), lets nobody use it (SELinux, eBPF, seccomp:
  /// EPERM, EACCES), or has it without some option (TCP_NODELAY before Linux 5.17: EOPNOTSUPP).
  ///
  /// Where the setting itself is wrong, TCP says so too.
  fileprivate var mayMeanNoMultipath: Bool {
    switch self {
    case .protocolNotSupported, .invalidArgument, .noProtocolOption, .notPermitted, .accessDenied,
      .operationNotSupported:
      true
    default: false
    }
  }
}
