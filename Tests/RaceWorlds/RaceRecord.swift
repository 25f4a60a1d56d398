import ConnectByListSimulation
import ConnectByListCore

/// What a race left behind, as plain values: all that the checker reads.
///
/// It is taken from the transcript's events and the report's rows, and can be changed afterwards: a
/// checker that has never seen a broken race is not known to find one.
public struct RaceRecord: Sendable {
  /// One event. `attempt`: its number, an index into `pairs`.
  public struct Line: Equatable, Sendable {
    public var time: TimeSpan
    public var kind: RaceEvent.Kind
    public var attempt: Int?
    public var name: Int?
    public var errno: Errno?
    public var count: Int?

    public init(
      _ kind: RaceEvent.Kind, _ attempt: Int? = nil, name: Int? = nil, errno: Errno? = nil,
      count: Int? = nil, at time: TimeSpan
    ) {
      self.time = time
      self.kind = kind
      self.attempt = attempt
      self.name = name
      self.errno = errno
      self.count = count
    }
  }

  /// Whom an attempt connected; `local` is `nil` where there is no source at all.
  public struct Pair: Hashable, Sendable {
    public var local: Endpoint?
    public var remote: Endpoint
  }

  /// One row of the report. Without an attempt it is a pair that was not started.
  public struct Row: Sendable {
    public var rank: Int
    public var attempt: Int?
    public var outcome: Outcome = .notStarted
    public var errno: Errno?
    public var started: TimeSpan = .zero
    public var ended: TimeSpan?
  }

  public var scenario: Scenario
  /// PathInformation were told when the race gathered them; otherwise it had them from the start.
  public let pathInformationWhenAsked: Bool
  public var lines: [Line]
  /// By attempt.
  public var pairs: [Pair]
  public var rows: [Row]

  public init(_ transcript: Transcript, pathInformationWhenAsked: Bool) {
    let race = transcript.race
    scenario = transcript.scenario
    self.pathInformationWhenAsked = pathInformationWhenAsked
    lines = transcript.events.map {
      Line(
        $0.kind, $0.attempt.map { Int($0.number) }, name: $0.name.map { Int($0.number) },
        errno: $0.errno, count: $0.count, at: $0.time - race.began)
    }
    pairs = race.attempts.map { Pair(local: $0.local, remote: race.plan.remote(of: $0.pair)) }
    rows = race.rows().map {
      var row = Row(rank: $0.rank)
      guard let id = $0.attempt else { return row }
      let attempt = race.attempts[id.index]
      row.attempt = Int(id.number)
      row.outcome = attempt.outcome
      row.errno = attempt.errno
      row.started = attempt.started - race.began
      row.ended = attempt.ended.map { $0 - race.began }
      return row
    }
  }
}

/// A property that a race did not have.
public struct Complaint: Sendable, CustomStringConvertible {
  public enum Rule: String, Sendable {
    case structure = "every attempt starts once, ends once, and nothing comes after the end"
    case oneEnd = "the last line, and no other, is the end"
    case deadline = "nothing happens after the deadline, and a cancel ends the race"
    case startedTwice = "a pair is started once, unless hedged"
    case unknownPair = "only pairs of the world are started, each remote's route first"
    case listOrder = "the given order is kept"
    case early = "no start before the pace allows it"
    case late = "a start that the pace allows is not put off"
    case cap = "never more attempts open than in_flight"
    case givenUp = "only a full race under a deadline gives up an attempt, and a ripe one"
    case world = "an attempt ends as the world has it, and when"
    case order = "at one instant: completions, cancel, deadline, starts"
    case names = "names are resolved as the world has it"
    case winner = "of those connected at one instant the lowest rank wins"
    case code = "the lost code is the last failure's, or ETIMEDOUT at the deadline"
    case lostTooSoon = "a race is lost when every pair has failed, or at the deadline"
    case answerable = "a race is won if a pair that could be started would answer in time"
    case report = "the report has every attempt, as the transcript has it"
    case repeatable = "the same seed, the same transcript"
  }

  public let rule: Rule
  /// Index of the line at which it was noticed.
  public let line: Int
  public let text: String

  public var description: String { "line \(line + 1): \(text) (\(rule.rawValue))" }
}
