import ConnectByListCore

/// One line of a transcript, without its text: 24 bytes.
public struct TranscriptEvent: Equatable, Sendable {
  public enum Kind: UInt8, Sendable {
    case start, connected, refused, unreachable, reset, rejected
    /// The kernel's limit, `attempt_timeout`, or pending at the deadline.
    case timedOut
    /// With an errno that has no word of its own; or in the call that starts it, and then there was
    /// no `start`.
    case failed
    /// Pending when the race was over, or given up by the cap.
    case abandon
    case resolved, unresolved
    case won, lost, cancelled

    /// The event of an attempt that was started and failed.
    init(of errno: Errno) {
      switch Outcome(of: errno) {
      case .refused: self = .refused
      case .unreachable: self = .unreachable
      case .reset: self = .reset
      case .timedOut: self = .timedOut
      case .connected, .failed, .superseded, .cancelled, .rejected, .notStarted, .pending:
        self = .failed
      }
    }

    public var word: StaticString {
      switch self {
      case .start: "start"
      case .connected: "connected"
      case .refused: "refused"
      case .unreachable: "unreachable"
      case .reset: "reset"
      case .rejected: "rejected"
      case .timedOut: "timedout"
      case .failed: "failed"
      case .abandon: "abandon"
      case .resolved: "resolved"
      case .unresolved: "unresolved"
      case .won: "won"
      case .lost: "lost"
      case .cancelled: "cancelled"
      }
    }

    fileprivate var isOfName: Bool { self == .resolved || self == .unresolved }
    fileprivate var isOfAttempt: Bool { !isOfName && self != .lost && self != .cancelled }
    fileprivate var showsErrno: Bool { self == .failed || self == .unresolved || self == .lost }
  }

  /// Since the race began.
  public let time: TimeSpan
  private let subject: Int32
  private let detail: Int32
  public let kind: Kind

  init(_ kind: Kind, _ id: AttemptID, errno: Errno? = nil, at time: TimeSpan) {
    self.time = time
    self.kind = kind
    subject = id.number
    detail = errno?.number ?? 0
  }

  init(resolved id: NameID, count: Int, at time: TimeSpan) {
    self.time = time
    kind = .resolved
    subject = id.number
    detail = Int32(count)
  }

  init(unresolved id: NameID, _ errno: Errno, at time: TimeSpan) {
    self.time = time
    kind = .unresolved
    subject = id.number
    detail = errno.number
  }

  init(lost errno: Errno, at time: TimeSpan) {
    self.time = time
    kind = .lost
    subject = -1
    detail = errno.number
  }

  init(cancelledAt time: TimeSpan) {
    self.time = time
    kind = .cancelled
    subject = -1
    detail = 0
  }

  /// Whose event it is, where it is an attempt's.
  public var attempt: AttemptID? { kind.isOfAttempt ? AttemptID(subject) : nil }
  public var name: NameID? { kind.isOfName ? NameID(subject) : nil }
  /// How many addresses a name's answer had.
  public var count: Int? { kind == .resolved ? Int(detail) : nil }
  /// What the attempt, the name or the race ended with.
  public var errno: Errno? { kind == .resolved || detail == 0 ? nil : Errno(detail) }
}

/// What a simulated race was like.
public struct Transcript: Sendable {
  public let result: RaceResult
  /// Virtual time from the call to the end.
  public let elapsed: TimeSpan
  /// Empty where nobody wanted them.
  public let events: [TranscriptEvent]
  /// The race at its end, for reports.
  public let race: Race
  let world: ScenarioWorld

  public var scenario: Scenario { world.scenario }

  /// A line an event, each with its newline: section 8 of the contract.
  public var text: [UInt8] {
    var text = TextBuffer(capacity: 48 * events.count)
    for event in events {
      append(event, to: &text)
      text.append(byte: UInt8(ascii: "\n"))
    }
    return text.bytes
  }

  /// The events' lines, without newlines.
  public var lines: [[UInt8]] {
    events.map {
      var text = TextBuffer()
      append($0, to: &text)
      return text.bytes
    }
  }

  private func append(_ event: TranscriptEvent, to text: inout TextBuffer) {
    text.append(milliseconds: event.time)
    text.append(byte: UInt8(ascii: " "))
    text.append(event.kind.word)
    if let attempt = event.attempt {
      text.append(byte: UInt8(ascii: " "))
      text.append(race.attempts[attempt].pair, of: race.plan, in: world)
    }
    if let name = event.name {
      text.append(byte: UInt8(ascii: " "))
      text.append(escaped: scenario.names[Int(name.number)].host, limit: 253)
    }
    if let count = event.count {
      text.append(byte: UInt8(ascii: " "))
      text.append(decimal: count)
    }
    if event.kind.showsErrno, let errno = event.errno {
      text.append(byte: UInt8(ascii: " "))
      text.append(errno)
    }
  }
}

extension TextBuffer {
  /// `10.0.0.5 192.0.2.1:80`. The source is what `getsockname` would say, also where the plan left
  /// it to the route; `-` where there is none.
  mutating func append(_ pair: Plan.Pair, of plan: Plan, in world: ScenarioWorld) {
    let remote = plan.remote(of: pair)
    let local = plan.local(of: pair)
    let source: IPAddress? =
      plan.isImpossible(pair) ? nil : local?.address ?? world.place(of: remote).source
    if let local, local.port != 0 {
      append(local, scopes: world.scenario.scopes)
    } else if let source {
      append(source, scopes: world.scenario.scopes)
    } else {
      append(byte: UInt8(ascii: "-"))
    }
    append(byte: UInt8(ascii: " "))
    append(remote, scopes: world.scenario.scopes)
  }
}
