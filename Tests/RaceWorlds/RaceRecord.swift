import ConnectByListCore
import ConnectByListSimulation

/// The results of a race as plain values, which are all that the checker reads.
///
/// They are copied from the events of the transcript and the rows of the report. Tests of the checker change
/// them and expect a violation.
public struct RaceRecord: Sendable {
  /// One event. `attempt` is an index into `pairs`.
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

  /// The addresses of an attempt. `local` is `nil` if the route has no source address.
  public struct Pair: Hashable, Sendable {
    public var local: Endpoint?
    public var remote: Endpoint
  }

  /// One row of the report. `attempt` is `nil` for a pair that was not started.
  public struct Row: Sendable {
    public var rank: Int
    public var attempt: Int?
    public var outcome: Outcome = .notStarted
    public var errno: Errno?
    public var started: TimeSpan = .zero
    public var ended: TimeSpan?
  }

  public var scenario: Scenario
  /// The race got path information when it asked; otherwise it had it from the start.
  public let pathInformationWhenAsked: Bool
  public var lines: [Line]
  /// Indexed by attempt.
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

/// A rule that a race violates.
public struct Violation: Sendable, CustomStringConvertible {
  public enum Rule: String, Sendable {
    case structure = "every attempt starts once, ends once, and nothing comes after the end"
    case oneEnd = "the last line, and no other, is the end"
    case deadline = "nothing happens after the deadline, and a cancel ends the race"
    case startedTwice = "a pair is started once, or twice with the option hedge"
    case unknownPair =
      "only pairs of the world are started, and each remote's first from its route's source"
    case listOrder = "the order is as given"
    case early = "no start before the pace allows it"
    case late = "a start happens as soon as the pace allows it"
    case cap = "at most in_flight attempts are open"
    case givenUp =
      "an attempt is given up only at the cap, under a deadline, and when it is 500 ms old"
    case world = "an attempt ends as the world describes, and when"
    case order = "at one instant: completions, cancel, deadline, starts"
    case names = "names are resolved as the world describes"
    case winner = "of those connected at one instant the lowest rank wins"
    case code = "the lost code is the last failure's, or ETIMEDOUT at the deadline"
    case lostTooSoon = "a race is lost when every pair has failed, or at the deadline"
    case answerable = "a race is won if a pair that could be started would answer in time"
    case report = "the report has every attempt, as in the transcript"
    case repeatable = "the same scenario gives the same transcript"
  }

  public let rule: Rule
  /// The index of the line at which it was found.
  public let line: Int
  public let text: String

  public var description: String { "line \(line + 1): \(text) (\(rule.rawValue))" }
}
