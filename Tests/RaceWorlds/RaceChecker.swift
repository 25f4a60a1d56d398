import ConnectByListCore
import ConnectByListSimulation

/// Finds the rules that a race violates, from the scenario and the race's record.
///
/// It reads the lines once, and keeps which attempts are open, how and when each will end, which pairs are
/// left, and when the next may start. A start must happen at the exact nanosecond. It implements section 4 of
/// the contract a second time in `PaceRule.swift`, and the pairs of section 3 in `KnownWorld.swift`.
///
/// It does not check the order of remotes by their chance, which the tests of the plan do.
public struct RaceChecker {
  /// An attempt in flight.
  struct Open {
    let attempt: Int
    let pair: RaceRecord.Pair
    let started: TimeSpan
    let behaviour: Scenario.Behaviour
    /// How and when it ends in this world.
    var completion: (kind: RaceEvent.Kind, errno: Errno?, time: TimeSpan)
    /// When its next SYN arrives; `nil` if its end does not depend on a SYN.
    var nextSyn: TimeSpan?
    var resends = 0
    var connectedAt: TimeSpan?
  }

  enum State { case notSeen, open, ended }

  let record: RaceRecord
  let world: KnownWorld
  let deadline: TimeSpan?
  let cancel: TimeSpan?
  private(set) var violations: [Violation] = []

  /// The index of the current line.
  private(set) var index = 0
  var options: ConnectOptions { record.scenario.options }

  /// How many of the world's remotes are known now, and the pairs of each.
  var known = 0
  var pairsOfRemote: [[RaceRecord.Pair]] = []
  var isTried: [Bool] = []
  var pairCount = 0
  var startedPairs: Set<RaceRecord.Pair> = []
  var listedLast = -1
  var synsToLose: [RaceRecord.Pair: Int] = [:]

  var states: [State]
  var open: [Open] = []
  /// When the pace allows the next start. Two instants, if it is not known whether the race already had a
  /// round trip when it computed the delay.
  var next: (TimeSpan, TimeSpan) = (.zero, .zero)
  /// When something last changed. A start that becomes possible by a change happens then or later.
  var changed: TimeSpan = .zero
  var isHedged = false
  var wasFull = false
  var isNothingAsynchronous = true
  /// An attempt has ended, other than in the call that started it.
  var hasAnswers = false
  var hasFailed = false
  var lastFailure: Errno?
  private var namesSeen = 0

  /// The violations in this race, in the order of the lines.
  public static func violations(in record: RaceRecord) -> [Violation] {
    var checker = RaceChecker(record)
    checker.readLines()
    checker.checkReport()
    return checker.violations
  }

  private init(_ record: RaceRecord) {
    self.record = record
    world = KnownWorld(record.scenario)
    deadline = record.scenario.options.timeout
    cancel = record.scenario.cancel
    states = Array(repeating: .notSeen, count: record.pairs.count)
  }

  /// Adds a violation. One violation leads to others: of each rule only the first is kept.
  mutating func note(_ rule: Violation.Rule, _ text: String) {
    if !violations.contains(where: { $0.rule == rule }) {
      violations.append(Violation(rule: rule, line: index, text: text))
    }
  }

  // MARK: lines

  private mutating func readLines() {
    var time = TimeSpan.zero
    for (number, line) in record.lines.enumerated() {
      index = number
      if line.time < time { note(.structure, "time goes back") }
      time = max(time, line.time)
      if let deadline, line.time > deadline { note(.deadline, "after the deadline") }
      if let cancel, line.time > cancel { note(.deadline, "after the cancel") }
      advance(to: line.time)
      read(line)
    }
    if record.lines.last?.kind.isEnd != true { note(.oneEnd, "there is no end") }
    for (attempt, state) in states.enumerated() where state != .ended {
      note(.structure, "attempt \(attempt) never ends")
    }
    if namesSeen < world.nameLines.count, world.nameLines[namesSeen].time <= time {
      note(.names, "a name's answer is missing")
    }
  }

  private mutating func read(_ line: RaceRecord.Line) {
    if line.kind.isEnd && index < record.lines.count - 1 {
      note(.oneEnd, "the end is not the last line")
    }
    switch line.kind {
    case .resolved, .unresolved: readName(line)
    case .lost: readLost(line)
    case .cancelled:
      if line.time != cancel { note(.deadline, "cancelled at an instant without a cancel") }
      requireNoneOpen(line)
    case .start, .connected, .refused, .unreachable, .reset, .rejected, .timedOut, .failed,
      .abandon, .won:
      guard let attempt = line.attempt, states.indices.contains(attempt) else {
        return note(.structure, "an event of an attempt that does not exist")
      }
      readAttempt(attempt, line)
    }
    changed = max(changed, line.time)
  }

  private mutating func readAttempt(_ attempt: Int, _ line: RaceRecord.Line) {
    if line.kind == .start || line.kind == .failed && states[attempt] == .notSeen {
      return readStart(attempt, line)
    }
    guard let position = open.firstIndex(where: { $0.attempt == attempt }) else {
      return note(
        .structure, "\(line.kind.word) of an attempt that is not open")
    }
    switch line.kind {
    case .connected, .refused, .unreachable, .reset, .failed: readCompletion(position, line)
    case .timedOut: readTimedOut(position, line)
    case .rejected: readRejected(position, line)
    case .abandon: readAbandon(position, line)
    case .won: readWon(position, line)
    case .start, .resolved, .unresolved, .lost, .cancelled: break
    }
  }

  private mutating func readName(_ line: RaceRecord.Line) {
    guard namesSeen < world.nameLines.count else {
      return note(.names, "an answer of a name that was not asked for")
    }
    let expected = world.nameLines[namesSeen]
    namesSeen += 1
    let isExpected =
      expected.kind == line.kind && expected.name == line.name && expected.time == line.time
      && expected.count == line.count && expected.errno == line.errno
    if !isExpected { note(.names, "the world has another answer, or has it at another time") }
    if line.kind == .unresolved { lastFailure = line.errno }
  }

  // MARK: between two lines

  /// Advances to the time of the next line: remotes join and SYNs arrive. What was due before that time
  /// is a violation.
  private mutating func advance(to time: TimeSpan) {
    while known < world.remotes.count, world.remotes[known].knownAt <= time {
      let joins = world.remotes[known].knownAt
      requireNothingOverdue(at: joins)
      let before = known
      while known < world.remotes.count, world.remotes[known].knownAt == joins { known += 1 }
      pairsOfRemote = world.remotes[..<known].map { world.pairs(of: $0, known: known) }
      pairCount = pairsOfRemote.reduce(0) { $0 + $1.count }
      isTried += Array(repeating: false, count: known - before)
      paceAfterJoin(at: joins)
      changed = max(changed, joins)
    }
    requireNothingOverdue(at: time)
    takeSyns(until: time)
    for attempt in open where attempt.connectedAt == nil {
      if attempt.completion.time < time || expiry(of: attempt) < time {
        note(.world, "attempt \(attempt.attempt) should have ended before")
      }
    }
    for attempt in open where attempt.connectedAt.map({ $0 < time }) ?? false {
      note(.structure, "attempt \(attempt.attempt) is connected, and has no further line")
    }
  }

  private mutating func requireNothingOverdue(at time: TimeSpan) {
    if let due = due(allowed: next.1), due < time {
      note(.late, "an attempt was due at \(due.milliseconds)")
    }
  }

  func expiry(of attempt: Open) -> TimeSpan {
    options.attemptTimeout.map { attempt.started + $0 } ?? .forever
  }
}

extension RaceEvent.Kind {
  var isEnd: Bool { self == .won || self == .lost || self == .cancelled }
}

extension TimeSpan {
  /// As in transcripts: milliseconds with three decimals.
  var milliseconds: String {
    var text = TextBuffer()
    text.append(milliseconds: self)
    return String(decoding: text.bytes, as: UTF8.self)
  }
}
