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
  var text = TextBuffer(capacity: 1024)
  var isOver = false
  var hasStarted = false
  /// "The first N SYNs vanish", of all attempts of a pair.
  var synsLost: [ReferencePath: Int] = [:]

  // The round: "each round is a new race".
  var began: TimeSpan = .zero
  var plan: ReferencePlan
  var attempts: [Attempt] = []
  var answersTaken = 0
  var joinsTaken = 0
  var lastFailure = Errno.timedOut
  /// `nil`: no round is being raced; the next begins then.
  var nextRound: TimeSpan?
  /// The plan as it stood when information or remotes last joined.
  var ranked: ReferencePlan

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

  var hasMoreNow: Bool {
    if let nextRound { return nextRound <= now }
    if deadline == .zero { return true }
    return pending.contains {
      let attempt = attempts[$0]
      return attempt.end.at <= now || nextSyn(attempt) == now
        || attempt.silentAt <= now && !attempt.isSilent
    }
  }

  /// All instants at which something may happen. Those at which nothing does cost only time.
  var instants: [TimeSpan] {
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
    endEarlierRow()
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

  // MARK: silence

  private mutating func takeSilences() {
    for place in pending where attempts[place].silentAt <= now && !attempts[place].isSilent {
      attempts[place].isSilent = true
      plan.noteSilent(attempts[place].pair)
    }
  }

  /// A delay of nothing passes in the instant of its start, at which nothing happens any more.
  private mutating func endEarlierRow() {
    if !attempts.isEmpty, !pace.hasPassed, pace.due(began: began) < now {
      pace.hasPassed = true
      pace.row = 0
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

  // MARK: lines

  mutating func line(_ body: (inout Self) -> Void) {
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
