import ConnectByListSimulation
import ConnectByListCore

/// Says what is wrong with a race, from the scenario and what the race left behind.
///
/// It goes through the lines once and keeps what a reader with pencil and paper would: which
/// attempts are open, what each is going to bring, which pairs are left, and when the next may
/// start. A start is judged on the nanosecond: sooner is early, later is late. Section 4 of the
/// contract is written down once more in `PaceRule.swift`, section 3's pairs in `KnownWorld.swift`.
///
/// Not judged here: the order of chance among remotes. The plan's own tests have that.
public struct RaceChecker {
  /// An attempt in flight.
  struct Open {
    let attempt: Int
    let pair: RaceRecord.Pair
    let started: TimeSpan
    let behaviour: Scenario.Behaviour
    /// What the world has in store for it, and when.
    var completion: (kind: RaceEvent.Kind, errno: Errno?, time: TimeSpan)
    /// When its next SYN arrives, where it may be one of those that vanish.
    var nextSyn: TimeSpan?
    var resends = 0
    var connectedAt: TimeSpan?
  }

  enum State { case notSeen, open, ended }

  let record: RaceRecord
  let world: KnownWorld
  let deadline: TimeSpan?
  let cancel: TimeSpan?
  private(set) var complaints: [Complaint] = []

  /// The line being looked at.
  private(set) var index = 0
  var options: ConnectOptions { record.scenario.options }

  /// How many of the world's remotes are known by now, and the pairs of each.
  var known = 0
  var pairsOfRemote: [[RaceRecord.Pair]] = []
  var isTried: [Bool] = []
  var pairCount = 0
  var startedPairs: Set<RaceRecord.Pair> = []
  var listedLast = -1
  var synsToLose: [RaceRecord.Pair: Int] = [:]

  var states: [State]
  var open: [Open] = []
  /// When the pace lets the next one start: where it cannot be known whether the race had been told
  /// a round trip by then, there are two answers.
  var next: (TimeSpan, TimeSpan) = (.zero, .zero)
  /// When something last changed: what could not start before may start from then on.
  var changed: TimeSpan = .zero
  var isHedged = false
  var wasFull = false
  var isNothingAsynchronous = true
  /// An attempt has ended otherwise than in the call that started it.
  var hasAnswers = false
  var hasFailed = false
  var lastFailure: Errno?
  private var namesSeen = 0

  /// The complaints about this race, in the order of the lines; none is what one hopes for.
  public static func complaints(about record: RaceRecord) -> [Complaint] {
    var checker = RaceChecker(record)
    checker.readLines()
    checker.checkReport()
    return checker.complaints
  }

  private init(_ record: RaceRecord) {
    self.record = record
    world = KnownWorld(record.scenario)
    deadline = record.scenario.options.timeout
    cancel = record.scenario.cancel
    states = Array(repeating: .notSeen, count: record.pairs.count)
  }

  /// A broken race brings one complaint after the other; of each rule the first is told.
  mutating func complain(_ rule: Complaint.Rule, _ text: String) {
    if !complaints.contains(where: { $0.rule == rule }) {
      complaints.append(Complaint(rule: rule, line: index, text: text))
    }
  }

  // MARK: lines

  private mutating func readLines() {
    var time = TimeSpan.zero
    for (number, line) in record.lines.enumerated() {
      index = number
      if line.time < time { complain(.structure, "time goes back") }
      time = max(time, line.time)
      if let deadline, line.time > deadline { complain(.deadline, "after the deadline") }
      if let cancel, line.time > cancel { complain(.deadline, "after the cancel") }
      pass(to: line.time)
      read(line)
    }
    if record.lines.last?.kind.isEnd != true { complain(.oneEnd, "there is no end") }
    for (attempt, state) in states.enumerated() where state != .ended {
      complain(.structure, "attempt \(attempt) never ends")
    }
    if namesSeen < world.nameLines.count, world.nameLines[namesSeen].time <= time {
      complain(.names, "a name's answer is missing")
    }
  }

  private mutating func read(_ line: RaceRecord.Line) {
    if line.kind.isEnd && index < record.lines.count - 1 {
      complain(.oneEnd, "the end is not the last line")
    }
    switch line.kind {
    case .resolved, .unresolved: readName(line)
    case .lost: readLost(line)
    case .cancelled:
      if line.time != cancel { complain(.deadline, "cancelled when nobody cancels") }
      requireNoneOpen(line)
    case .start, .connected, .refused, .unreachable, .reset, .rejected, .timedOut, .failed,
      .abandon, .won:
      guard let attempt = line.attempt, states.indices.contains(attempt) else {
        return complain(.structure, "an event of no attempt")
      }
      readAttempt(attempt, line)
    }
    changed = max(changed, line.time)
  }

  private mutating func readAttempt(_ attempt: Int, _ line: RaceRecord.Line) {
    if line.kind == .start || line.kind == .failed && states[attempt] == .notSeen {
      return readStart(attempt, line)
    }
    guard let place = open.firstIndex(where: { $0.attempt == attempt }) else {
      return complain(
        .structure, "\(line.kind.word) of an attempt that is not open")
    }
    switch line.kind {
    case .connected, .refused, .unreachable, .reset, .failed: readCompletion(place, line)
    case .timedOut: readTimedOut(place, line)
    case .rejected: readRejected(place, line)
    case .abandon: readAbandon(place, line)
    case .won: readWon(place, line)
    case .start, .resolved, .unresolved, .lost, .cancelled: break
    }
  }

  private mutating func readName(_ line: RaceRecord.Line) {
    guard namesSeen < world.nameLines.count else {
      return complain(.names, "a name's answer that nobody asked for")
    }
    let expected = world.nameLines[namesSeen]
    namesSeen += 1
    let isExpected =
      expected.kind == line.kind && expected.name == line.name && expected.time == line.time
      && expected.count == line.count && expected.errno == line.errno
    if !isExpected { complain(.names, "the world has another answer, or another time for it") }
    if line.kind == .unresolved { lastFailure = line.errno }
  }

  // MARK: what passes between two lines

  /// Time goes on: remotes join, SYNs arrive, and whatever should have happened before now is
  /// missed.
  private mutating func pass(to time: TimeSpan) {
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
        complain(.world, "attempt \(attempt.attempt) should have ended before")
      }
    }
    for attempt in open where attempt.connectedAt.map({ $0 < time }) ?? false {
      complain(.structure, "attempt \(attempt.attempt) is connected, and nothing comes of it")
    }
  }

  private mutating func requireNothingOverdue(at time: TimeSpan) {
    if let due = due(allowed: next.1), due < time {
      complain(.late, "an attempt was due at \(due.milliseconds)")
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
  /// As transcripts have it.
  var milliseconds: String {
    var text = TextBuffer()
    text.append(milliseconds: self)
    return String(decoding: text.bytes, as: UTF8.self)
  }
}
