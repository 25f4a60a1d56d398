// The words for events and outcomes, which scripts and transcripts compare: the contract's section 6, and
// section 8 for what a line of a transcript tells.

extension RaceEvent.Kind {
  enum Subject { case attempt, name, race }

  /// `showsErrno`: the transcript prints the code; the words of the other kinds say it already.
  var row: (word: StaticString, subject: Subject, showsErrno: Bool) {
    switch self {
    case .start: ("start", .attempt, false)
    case .connected: ("connected", .attempt, false)
    case .refused: ("refused", .attempt, false)
    case .unreachable: ("unreachable", .attempt, false)
    case .reset: ("reset", .attempt, false)
    case .rejected: ("rejected", .attempt, false)
    case .timedOut: ("timedout", .attempt, false)
    case .failed: ("failed", .attempt, true)
    case .abandon: ("abandon", .attempt, false)
    case .resolved: ("resolved", .name, false)
    case .unresolved: ("unresolved", .name, true)
    case .won: ("won", .attempt, false)
    case .lost: ("lost", .race, true)
    case .cancelled: ("cancelled", .race, false)
    }
  }

  public var word: StaticString { row.word }
  public var showsErrno: Bool { row.showsErrno }
}

extension RaceEvent {
  /// The outcome that this event gives its attempt; `nil`: it has no attempt, or the attempt goes on.
  var outcome: Outcome? {
    switch kind {
    case .won: .connected
    case .refused, .unreachable, .reset, .timedOut, .failed: errno.map { Outcome(of: $0) }
    case .rejected: .rejected
    case .abandon: errno == .cancelled ? .cancelled : .superseded
    // A connection counts once it has won: a better one may come in the same wake-up.
    case .start, .connected: nil
    case .resolved, .unresolved, .lost, .cancelled: nil
    }
  }
}

extension Outcome {
  public var word: StaticString {
    switch self {
    case .connected: "connected"
    case .refused: "refused"
    case .unreachable: "unreachable"
    case .timedOut: "timed_out"
    case .reset: "reset"
    case .failed: "failed"
    case .superseded: "superseded"
    case .cancelled: "cancelled"
    case .rejected: "rejected"
    case .notStarted: "not_started"
    case .pending: "pending"
    }
  }
}
