import ConnectByListCore
import ConnectByListSimulation

/// A second implementation of the connect contract (connect.md, sections 3, 4 and 8): the transcript
/// that a scenario must give. Slow and written for reading; what it does says the section that it
/// follows.
///
/// Every instant at which anything may happen is visited, in the order of section 8: "completions
/// (answers of names in the order of their lines, then attempts in the order of their starts),
/// cancel, deadline, `attempt_timeout`s, silences, starts".
public struct ReferenceRace {
  struct Attempt {
    let pair: ReferencePlan.Pair
    let start: TimeSpan
    /// Attempts in flight at its start, itself included.
    let inFlight: Int
    let behaviour: Scenario.Behaviour
    /// How long an answer may be expected to take.
    var base: TimeSpan
    /// When it is silent; counted once.
    var silentAt: TimeSpan
    var isSilent = false
    /// What the world has in store for it; `nil` errno: it connects.
    var end: (at: TimeSpan, errno: Errno?)
    /// SYNs sent so far, of one whose SYNs are lost.
    var synCount = 0
    var isConnected = false
    var isPending = true
  }

  let world: ReferenceWorld
  let evidence: ReferenceEvidence
  var options: ConnectOptions { world.scenario.options }
  let deadline: TimeSpan?

  // The call.
  var now: TimeSpan = .zero
  private(set) var text = TextBuffer(capacity: 1024)
  private var isOver = false
  private var hasStarted = false
  /// "The first N SYNs vanish", of all attempts of a pair.
  private var synsLost: [ReferencePath: Int] = [:]

  // The round: "each round is a new race".
  var began: TimeSpan = .zero
  var plan: ReferencePlan
  var attempts: [Attempt] = []
  private var answersTaken = 0
  private var joinsTaken = 0
  private var lastFailure = Errno.timedOut
  /// `nil`: no round is being raced; the next begins then.
  private var nextRound: TimeSpan?
  /// The plan as it stood when information or remotes last joined.
  private var ranked: ReferencePlan

  // The pace.
  var pace = ReferencePace()
  var isHedged = false

  public static func transcript(of scenario: Scenario) -> [UInt8] {
    var race = ReferenceRace(scenario)
    race.run()
    return race.text.bytes
  }

  private init(_ scenario: Scenario) {
    world = ReferenceWorld(scenario)
    evidence = ReferenceEvidence(scenario)
    deadline = scenario.options.timeout
    plan = ReferencePlan(world, evidence)
    ranked = plan
  }

  // MARK: time

  private mutating func run() {
    while !isOver {
      // At one instant things may follow from one another: what starts may answer at once.
      repeat { doRound() } while !isOver && hasMoreNow
      if isOver { break }
      guard let next = instants.filter({ $0 > now }).min() else {
        preconditionFailure("the race waits for nothing")
      }
      now = next
    }
  }

  private var hasMoreNow: Bool {
    if let nextRound { return nextRound <= now }
    if deadline == .zero { return true }
    return pending.contains {
      let attempt = attempts[$0]
      return attempt.end.at <= now || nextSyn(attempt) == now
        || attempt.silentAt <= now && !attempt.isSilent
    }
  }

  /// All instants at which something may happen. Those at which nothing does cost only time.
  private var instants: [TimeSpan] {
    var instants: [TimeSpan] = []
    if let deadline { instants.append(deadline) }
    if let cancel = world.scenario.cancel { instants.append(cancel) }
    if let nextRound { return instants + [nextRound] }
    instants += world.answers.map { began + $0.at } + world.joins.map { began + $0.at }
    for place in pending {
      let attempt = attempts[place]
      instants += [attempt.end.at, attempt.silentAt]
      if let syn = nextSyn(attempt) { instants.append(syn) }
      if let timeout = options.attemptTimeout { instants.append(attempt.start + timeout) }
      if let hedge = options.hedge { instants.append(attempt.start + hedge) }
      instants += [
        attempt.start + options.minimumDelay, attempt.start + Self.abandonAge,
        attempt.start + attempt.base * 2,
      ]
    }
    instants += [pace.due(began: began), pace.bound ?? .forever]
    return instants
  }

  /// The attempts in flight, in the order of their starts.
  var pending: [Int] { attempts.indices.filter { attempts[$0].isPending } }

  // MARK: one instant

  private mutating func doRound() {
    if let nextRound {
      if let cancel = world.scenario.cancel, cancel <= now { return finish("cancelled") }
      if let deadline, deadline <= now { return lose(.timedOut) }
      if nextRound > now { return }
      beginRound()
    }
    takeAnswers()
    takeCompletions()
    if decide() { return }
    if let cancel = world.scenario.cancel, cancel <= now { return endAll("abandon", "cancelled") }
    // "`timeout = 0` starts what can be started": once, before its deadline counts.
    if let deadline, deadline <= now, deadline > .zero || hasStarted { return endAtDeadline() }
    hasStarted = true
    takeTimeouts()
    askAfterSilence()
    takeSilences()
    owe()
    endRow()
    startAttempts()
    if isAllFailed { endRound() }
  }

  private mutating func beginRound() {
    began = nextRound!
    nextRound = nil
    plan = ReferencePlan(world, evidence)
    ranked = plan
    attempts = []
    answersTaken = 0
    joinsTaken = 0
    pace = ReferencePace()
    isHedged = false
  }

  // MARK: completions

  private mutating func takeAnswers() {
    while answersTaken < world.answers.count {
      let answer = world.answers[answersTaken]
      guard began + answer.at <= now else { break }
      answersTaken += 1
      guard let result = answer.line else { continue }
      line {
        let host = $0.world.scenario.names[answer.name].host
        switch result {
        case .resolved(let count):
          $0.text.append("resolved ")
          $0.text.append(escaped: host, limit: 253)
          $0.text.append(" ")
          $0.text.append(decimal: count)
        case .unresolved(let errno):
          $0.text.append("unresolved ")
          $0.text.append(escaped: host, limit: 253)
          $0.text.append(" ")
          $0.text.append(errno)
        }
      }
      if case .unresolved(let errno) = result { lastFailure = errno }
    }
    let before = plan.remotes.count
    while joinsTaken < world.joins.count, began + world.joins[joinsTaken].at <= now {
      plan.add(world.joins[joinsTaken].endpoints, entry: world.joins[joinsTaken].entry)
      joinsTaken += 1
    }
    if plan.remotes.count > before { planChanged() }
  }

  /// Remotes joined, or information arrived.
  private mutating func planChanged() {
    plan.update()
    ranked = plan
    tightenBound()
  }

  /// SYNs arrive, and are lost or will be answered; then what ends now does.
  private mutating func takeCompletions() {
    takeSyns()
    for place in pending where attempts[place].end.at <= now {
      let (pair, errno) = (attempts[place].pair, attempts[place].end.errno)
      guard let errno else {
        attempts[place].isConnected = true
        line("connected", pair)
        continue
      }
      fail(place, errno, word(of: errno))
      pace.failures += 1
    }
  }

  private mutating func fail(_ place: Int, _ errno: Errno, _ word: StaticString) {
    attempts[place].isPending = false
    lastFailure = errno
    plan.noteFailed(
      attempts[place].pair, errno, inCall: false, wasSilent: attempts[place].isSilent)
    line(word, attempts[place].pair, word.description == "failed" ? errno : nil)
    pace.shortage = nil
  }

  private func word(of errno: Errno) -> StaticString {
    switch errno {
    case .connectionRefused: "refused"
    case .hostUnreachable, .networkUnreachable: "unreachable"
    case .connectionReset: "reset"
    case .timedOut: "timedout"
    default: "failed"
    }
  }

  /// When its next SYN arrives, of an attempt whose SYNs are lost.
  private func nextSyn(_ attempt: Attempt) -> TimeSpan? {
    guard attempt.isPending, case .loses = attempt.behaviour,
      attempt.end.at == attempt.start + Scenario.kernelLimit,
      attempt.synCount <= Scenario.resends.count
    else { return nil }
    if attempt.synCount == 0 { return attempt.start }
    return attempt.start + Scenario.resends[attempt.synCount - 1]
  }

  private mutating func takeSyns() {
    for place in pending {
      while let syn = nextSyn(attempts[place]), syn <= now,
        case .loses(let count, let after) = attempts[place].behaviour
      {
        attempts[place].synCount += 1
        let path = ReferencePath(
          local: attempts[place].pair.local, remote: endpoint(attempts[place].pair))
        if synsLost[path, default: 0] < count {
          synsLost[path, default: 0] += 1
        } else {
          attempts[place].end = (syn + after, nil)
        }
      }
    }
  }

  // MARK: ends

  /// "All completions of one wake-up are collected before one is chosen: of those the lowest rank
  /// wins." One that the check rejects is a failure, and the next is checked.
  private mutating func decide() -> Bool {
    var connected = pending.filter { attempts[$0].isConnected }
    if connected.isEmpty { return false }
    if connected.count > 1 {
      let ranks = ranked.ranks()
      sortStably(&connected) { ranks[attempts[$0].pair]! < ranks[attempts[$1].pair]! }
    }
    for place in connected {
      let pair = attempts[place].pair
      if case .rejects = attempts[place].behaviour {
        attempts[place].isPending = false
        lastFailure = .connectionAborted
        plan.noteEnded(pair, wasSilent: attempts[place].isSilent)
        plan.noteRejected(pair)
        pace.shortage = nil
        pace.failures += 1
        line("rejected", pair)
        continue
      }
      attempts[place].isPending = false
      endPending("abandon")
      line("won", pair)
      isOver = true
      return true
    }
    return false
  }

  private mutating func endPending(_ word: StaticString) {
    for place in pending {
      attempts[place].isPending = false
      line(word, attempts[place].pair)
    }
  }

  private mutating func endAll(_ word: StaticString, _ end: StaticString) {
    endPending(word)
    finish(end)
  }

  private mutating func finish(_ end: StaticString) {
    line { $0.text.append(end) }
    isOver = true
  }

  private mutating func lose(_ errno: Errno) {
    line {
      $0.text.append("lost ")
      $0.text.append(errno)
    }
    isOver = true
  }

  private mutating func endAtDeadline() {
    endPending("timedout")
    lose(.timedOut)
  }

  var isSettled: Bool {
    answersTaken == world.answers.count && joinsTaken == world.joins.count
  }

  private var isAllFailed: Bool { isSettled && pending.isEmpty && !plan.hasPairsLeft }

  /// "When every pair has failed before the deadline, the list is tried again, `retry` after the
  /// round began (at once where that has passed)."
  private mutating func endRound() {
    guard let retry = options.retry, deadline.map({ now < $0 }) ?? true else {
      return lose(lastFailure)
    }
    nextRound = max(now, began + retry)
  }

  private mutating func takeTimeouts() {
    guard let timeout = options.attemptTimeout else { return }
    for place in pending where attempts[place].start + timeout <= now {
      // "An `attempt_timeout`, which is silence."
      if !attempts[place].isSilent { plan.noteSilent(attempts[place].pair) }
      attempts[place].isPending = false
      lastFailure = .timedOut
      pace.shortage = nil
      pace.timeouts += 1
      line("timedout", attempts[place].pair)
    }
  }

  // MARK: information

  /// Section 3 point 5: "otherwise after `minimum_delay` of silence". Once it was asked for, remotes
  /// that join are asked about when they join.
  private mutating func askAfterSilence() {
    if plan.isAsked { return }
    if pending.contains(where: { attempts[$0].start + options.minimumDelay <= now }) { ask() }
  }

  /// "Before the first start where the order is `likely` and the remotes have two or more addresses
  /// that are not all loopback, or where several local addresses were named." And where the list has
  /// seen a remote that is not tried: which source its route takes is not known otherwise.
  mutating func askBeforeStart() {
    if plan.isAsked { return }
    if plan.started.isEmpty {
      let addresses = Set(plan.remotes.map { $0.endpoint.address })
      let isWorthIt = addresses.count > 1 && addresses.contains { !$0.isLoopback }
      if options.order == .likely && isWorthIt || plan.isNamed && plan.locals.count > 1 {
        return ask()
      }
    }
    if !plan.isNamed, plan.untried.contains(where: { evidence.hasSeen(plan.remotes[$0].endpoint) })
    {
      ask()
    }
  }

  mutating func ask() {
    plan.ask()
    plan.update()
    // "It counts for the running delay."
    if let newest = attempts.indices.last, attempts[newest].isPending {
      let base = baseDelay(attempts[newest].pair)
      attempts[newest].base = base
      let delay = pacedDelay(base, inFlight: attempts[newest].inFlight)
      pace.delay = delay
      if !attempts[newest].isSilent { attempts[newest].silentAt = attempts[newest].start + delay }
    }
    planChanged()
  }

  // MARK: silence

  private mutating func takeSilences() {
    for place in pending where attempts[place].silentAt <= now && !attempts[place].isSilent {
      attempts[place].isSilent = true
      plan.noteSilent(attempts[place].pair)
    }
  }

  private mutating func endRow() {
    // "The row ends when the newest attempt's delay passes, whether or not anything may start, and
    // at an `attempt_timeout`."
    if !attempts.isEmpty, !pace.hasPassed, pace.due(began: began) <= now {
      pace.hasPassed = true
      pace.row = 0
    }
  }

  // MARK: starts

  /// Starts the pair, or finds that it fails in the call. `false`: there is no descriptor, and that
  /// is not the pair's failure.
  mutating func start(_ pair: ReferencePlan.Pair) -> Bool {
    let route = plan.remotes[pair.remote].route
    let remote = plan.remotes[pair.remote].endpoint
    var behaviour: Scenario.Behaviour
    if plan.isKnownImpossible(pair.remote) && !route.hasNoRoute {
      behaviour = .failsAtOnce(.addressNotAvailable)
    } else {
      behaviour = world.behaviour(
        pair.local?.address, remote, route, isBound: plan.isBound(pair))
    }
    if let most = world.scenario.descriptorCount, pending.count >= most {
      behaviour = .failsAtOnce(.tooManyOpen)
    }
    if case .failsAtOnce(let errno) = behaviour {
      if isShortage(errno) && !pending.isEmpty { return false }
      recordFailure(pair, errno)
      return true
    }
    plan.take(pair)
    plan.noteStarted(pair)
    line("start", pair)
    append(pair, behaviour)
    return true
  }

  /// A failure in the call, or one that is known beforehand.
  mutating func recordFailure(_ pair: ReferencePlan.Pair, _ errno: Errno) {
    let isKnown = plan.isKnownImpossible(pair.remote)
    plan.take(pair)
    if !isKnown { plan.noteFailed(pair, errno, inCall: true, wasSilent: true) }
    lastFailure = errno
    line("failed", pair, errno)
  }

  private mutating func append(_ pair: ReferencePlan.Pair, _ behaviour: Scenario.Behaviour) {
    var end: (at: TimeSpan, errno: Errno?) = (now + Scenario.kernelLimit, .timedOut)
    switch behaviour {
    case .answers(let after), .rejects(let after): end = (now + after, nil)
    case .fails(let errno, let after): end = (now + after, errno)
    case .silent, .loses, .failsAtOnce: break
    }
    let inFlight = pending.count + 1
    let base = baseDelay(pair)
    let delay = pacedDelay(base, inFlight: inFlight)
    attempts.append(
      Attempt(
        pair: pair, start: now, inFlight: inFlight, behaviour: behaviour, base: base,
        silentAt: now + delay, end: end))
    noteStart(delay)
  }

  private func isShortage(_ errno: Errno) -> Bool {
    errno == .tooManyOpen || errno == Errno(23) || errno == Errno(105) || errno == Errno(12)
  }

  func endpoint(_ pair: ReferencePlan.Pair) -> Endpoint { plan.remotes[pair.remote].endpoint }

  // MARK: lines

  private mutating func line(_ body: (inout Self) -> Void) {
    text.append(milliseconds: now)
    text.append(" ")
    body(&self)
    text.append("\n")
  }

  mutating func line(_ word: StaticString, _ pair: ReferencePlan.Pair, _ errno: Errno? = nil) {
    let scopes = world.scenario.scopes
    line {
      $0.text.append(word)
      $0.text.append(" ")
      if let local = pair.local {
        if local.port == 0 {
          $0.text.append(local.address, scopes: scopes)
        } else {
          $0.text.append(local, scopes: scopes)
        }
      } else {
        $0.text.append("-")
      }
      $0.text.append(" ")
      $0.text.append($0.endpoint(pair), scopes: scopes)
      if let errno {
        $0.text.append(" ")
        $0.text.append(errno)
      }
    }
  }
}

/// A pair as the network sees it, through all rounds.
struct ReferencePath: Hashable {
  let local: Endpoint?
  let remote: Endpoint
}
