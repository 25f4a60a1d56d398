/// One entry of a race's event log (`Race.events`): what happened, and when.
///
/// The race is the only writer. An attempt has at most three events (`start`, `connected`, and its end), a
/// name at most two, and the race one more, so the log is bounded by the plan.
public struct RaceEvent: Equatable, Sendable {
  public enum Kind: UInt8, Sendable, CaseIterable {
    case start, connected, refused, unreachable, reset
    /// The caller's check refused the connection.
    case rejected
    /// The kernel's limit, `attempt_timeout`, or pending at the deadline.
    case timedOut
    /// With a code that has no word of its own; or in the call that starts the attempt (`isSynchronous`).
    case failed
    /// The race closed it: another attempt won, the race was cancelled (then the code is ECANCELED), or it
    /// was given up at the cap on attempts in flight.
    case abandon
    case resolved, unresolved
    /// The end of the race, always its last event.
    case won, lost, cancelled

    /// The event of an attempt that failed after the call that started it.
    init(of outcome: Outcome) {
      switch outcome {
      case .refused: self = .refused
      case .unreachable: self = .unreachable
      case .reset: self = .reset
      case .timedOut: self = .timedOut
      case .rejected: self = .rejected
      case .connected, .failed, .superseded, .cancelled, .notStarted, .pending: self = .failed
      }
    }
  }

  public let time: Instant
  /// The number of an attempt or of a name; -1 where the event is the race's.
  private let subject: Int32
  /// A code, or a count of addresses.
  private let detail: Int32
  public let kind: Kind
  /// The attempt failed in the call that started it. Then it has no `start`.
  public let isSynchronous: Bool

  init(
    _ kind: Kind, _ id: AttemptID, _ errno: Errno? = nil, isSynchronous: Bool = false,
    at time: Instant
  ) {
    self.init(kind, id.number, errno?.number ?? 0, isSynchronous: isSynchronous, at: time)
  }

  init(resolved id: NameID, count: Int, at time: Instant) {
    self.init(.resolved, id.number, Int32(count), at: time)
  }

  init(unresolved id: NameID, _ errno: Errno, at time: Instant) {
    self.init(.unresolved, id.number, errno.number, at: time)
  }

  /// The end of a race.
  init(_ result: RaceResult, at time: Instant) {
    switch result {
    case .won(let id): self.init(.won, id, at: time)
    case .lost(let errno, _): self.init(.lost, -1, errno.number, at: time)
    case .cancelled: self.init(.cancelled, -1, 0, at: time)
    }
  }

  private init(
    _ kind: Kind, _ subject: Int32, _ detail: Int32, isSynchronous: Bool = false, at time: Instant
  ) {
    self.time = time
    self.subject = subject
    self.detail = detail
    self.kind = kind
    self.isSynchronous = isSynchronous
  }

  public var attempt: AttemptID? { kind.row.subject == .attempt ? AttemptID(subject) : nil }
  public var name: NameID? { kind.row.subject == .name ? NameID(subject) : nil }
  /// How many addresses an answer to a name had.
  public var count: Int? { kind == .resolved ? Int(detail) : nil }
  /// The code with which the attempt, the name or the race ended.
  public var errno: Errno? { kind == .resolved || detail == 0 ? nil : Errno(detail) }
}
