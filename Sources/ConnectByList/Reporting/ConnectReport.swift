import ConnectByListCore

/// How a connect went: kept on success, on failure and at the deadline.
///
/// It keeps the race, or what the shortest of races is run again from, and tells of it when asked;
/// making the rows costs what planning did, and most connects that succeed are never asked. A socket
/// keeps its report, so what is kept is small where it can be.
public final class ConnectReport: Sendable {
  private let sole: SoleRace?
  private let raced: RaceBox?
  /// What became of the list's names, in its order.
  public let names: [NameResult]
  public let result: RaceResult
  /// From the call to its end.
  public let elapsed: TimeSpan

  /// Apart: it is of no use to a report that has a `SoleRace`, and several times as large.
  private final class RaceBox: Sendable {
    let race: Race
    init(_ race: Race) { self.race = race }
  }

  /// Of a connect that did not begin.
  public init(_ errno: Errno) {
    sole = nil
    raced = nil
    names = []
    result = .lost(errno, isDeadline: false)
    elapsed = .zero
  }

  init(race: Race, names: [NameResult], result: RaceResult, elapsed: TimeSpan) {
    sole = nil
    raced = RaceBox(race)
    self.names = names
    self.result = result
    self.elapsed = elapsed
  }

  init(_ sole: SoleRace) {
    self.sole = sole
    raced = nil
    names = []
    result = .won(AttemptID(0))
    elapsed = sole.ended - sole.began
  }

  /// The race at its end. `nil` where nothing could be tried: the list was empty, the interface is not
  /// there.
  public var race: Race? { sole?.race() ?? raced?.race }

  /// The ends of the connection that won, as its attempt has them; `local` is `nil` where it is not
  /// known.
  var ends: (local: Endpoint?, remote: Endpoint)? {
    if let sole { return (sole.local, sole.remote) }
    guard let raced, case .won(let id) = result else { return nil }
    let attempt = raced.race.attempts[Int(id.number)]
    return (attempt.local, raced.race.plan.remote(of: attempt.pair))
  }

  /// Whether our deadline ended it.
  public var isDeadline: Bool {
    if case .lost(_, let isDeadline) = result { return isDeadline }
    return false
  }

  /// Whether the connection is Multipath TCP's; false: it fell back to TCP, or the kernel does not
  /// tell (before Linux 5.16). `nil` where it was not asked for, with a Unix address, on failure.
  public var isMultipath: Bool? {
    guard case .won(let id) = result, let raced else { return nil }
    return raced.race.attempts[Int(id.number)].isMultipath
  }

  /// `nil` where it connected.
  public var errno: Errno? {
    switch result {
    case .won: nil
    case .lost(let errno, _): errno
    case .cancelled: .cancelled
    }
  }

  /// Time since the call.
  public func sinceCall(_ instant: Instant) -> TimeSpan {
    if let sole { return instant - sole.began }
    return raced.map { instant - $0.race.began } ?? .zero
  }

  /// One line that says what was tried and what happened: `timed out after 2.000 s: 3 pairs tried;
  /// last: 192.0.2.1:80 connection refused`.
  public func summary() -> TextBuffer {
    var text = TextBuffer(capacity: 120)
    switch result {
    case .won: text.append("connected")
    case .cancelled: text.append("cancelled")
    case .lost(let errno, _): text.append(errno.words)
    }
    guard let race else { return text }
    text.append(" after ")
    text.append(seconds: elapsed)
    text.append(" s: ")
    let count = race.attempts.count
    text.append(decimal: count)
    text.append(count == 1 ? " pair tried" : " pairs tried")
    if let id = race.lastFailure {
      let attempt = race.attempts[Int(id.number)]
      text.append("; last: ")
      text.append(remoteOf: attempt.pair, in: race.plan, scopes: SystemScopes())
      text.append(" ")
      text.append(attempt.errno!.words)
    } else if count > 0 && errno != nil {
      text.append("; none answered")
    }
    if let isMultipath { text.append(isMultipath ? "; MPTCP" : "; no MPTCP") }
    guard errno != nil else { return text }
    let unresolved = names.filter { $0.addressCount == 0 }
    if let first = unresolved.first {
      text.append("; ")
      text.append(escaped: first.name.host)
      text.append(": ")
      text.append(first.errno?.words ?? "not resolved in time")
      if unresolved.count > 1 {
        text.append(", and ")
        text.append(decimal: unresolved.count - 1)
        text.append(unresolved.count == 2 ? " more name" : " more names")
      }
    }
    return text
  }
}

/// Why a connect did not begin, or did not succeed.
public struct ConnectError: Error, Sendable {
  public let errno: Errno
  /// What was tried and what happened, in one line without the call's name.
  public let message: [UInt8]
  public let report: ConnectReport

  /// Of a connect that did not begin.
  package init(_ errno: Errno, _ message: StaticString? = nil) {
    self.errno = errno
    self.message = [UInt8](message ?? errno.words)
    report = ConnectReport(errno)
  }

  package init(_ errno: Errno, _ message: TextBuffer) {
    self.errno = errno
    self.message = message.bytes
    report = ConnectReport(errno)
  }

  init(_ report: ConnectReport) {
    errno = report.errno!
    message = report.summary().bytes
    self.report = report
  }
}
