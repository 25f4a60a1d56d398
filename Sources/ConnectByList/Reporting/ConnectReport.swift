import ConnectByListCore

/// How a connect went. Exists on success, on failure and at the deadline.
///
/// It keeps the race at its end. The rows are computed when they are asked for, because that costs what
/// planning did and most reports are never read.
public struct ConnectReport: Sendable {
  /// The race at its end. `nil` where nothing could be tried, such as with an empty list.
  public let race: Race?
  /// The names of the list, in its order.
  public let names: [NameResult]
  public let result: RaceResult
  /// From the call to its end.
  public let elapsed: TimeSpan

  /// Of a connect that did not begin.
  public init(_ errno: Errno) {
    race = nil
    names = []
    result = .lost(errno, isDeadline: false)
    elapsed = .zero
  }

  /// `race`: at its end.
  init(_ race: Race, names: [NameResult], result: RaceResult, elapsed: TimeSpan) {
    self.race = race
    self.names = names
    self.result = result
    self.elapsed = elapsed
  }

  /// The attempt that won.
  private var winner: Attempt? {
    guard let race, case .won(let id) = result else { return nil }
    return race.attempts[id.index]
  }

  /// The addresses of the connection; `local` is `nil` where it is not known.
  var ends: (local: Endpoint?, remote: Endpoint)? {
    guard let race, case .won(let id) = result else { return nil }
    return (race.attempts[id.index].local, race.plan.remote(of: race.attempts[id.index].pair))
  }

  /// The host name whose address won; `nil` for a literal.
  public var winnerName: [UInt8]? {
    guard let race, let winner, let id = race.name(of: winner.pair) else { return nil }
    return names[Int(id.number)].name.host
  }

  /// Whether the deadline ended the connect.
  public var isDeadline: Bool {
    if case .lost(_, let isDeadline) = result { return isDeadline }
    return false
  }

  /// Whether the connection is a Multipath TCP one; false: it fell back to TCP, or the kernel does not tell
  /// (before Linux 5.16). `nil` where it was not asked for, with a Unix address, and on failure.
  public var isMultipath: Bool? { winner?.isMultipath }

  /// `nil` where it connected.
  public var errno: Errno? {
    switch result {
    case .won: nil
    case .lost(let errno, _): errno
    case .cancelled: .cancelled
    }
  }

  /// The time from the call to an instant of the race.
  public func sinceCall(_ instant: Instant) -> TimeSpan {
    race.map { instant - $0.began } ?? .zero
  }

  /// One line that says what was tried and what happened: `timed out after 2.000 s: 3 pairs tried; last:
  /// 192.0.2.1:80 connection refused`.
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
    if errno != nil, let id = race.lastFailure {
      let attempt = race.attempts[id.index]
      text.append("; last: ")
      if attempt.errno == .addressNotAvailable, let local = race.plan.local(of: attempt.pair) {
        // Not the remote's fault: the machine does not have the address, or no port of it is free.
        text.append("local address ")
        text.append(local.address, scopes: SystemScopes())
      } else {
        if let endpoint = race.plan.translatedEndpoint(of: attempt.pair) {
          text.append(endpoint, scopes: SystemScopes())
          text.append(" through NAT64, ")
        }
        text.append(remoteOf: attempt.pair, in: race.plan, scopes: SystemScopes())
      }
      text.append(" ")
      text.append(
        race.plan.isImpossible(attempt.pair)
          ? "cannot be reached from the given local addresses" : attempt.errno!.words)
    } else if count > 0 && errno != nil {
      text.append("; none answered")
    }
    if let isMultipath { text.append(isMultipath ? "; MPTCP" : "; no MPTCP") }
    if errno != nil { appendUnresolved(to: &text) }
    return text
  }

  /// The first name without an address, and how many more there are.
  private func appendUnresolved(to text: inout TextBuffer) {
    let unresolved = names.filter { $0.addressCount == 0 && !$0.isPrefix }
    guard let first = unresolved.first else { return }
    text.append("; ")
    text.append(escaped: first.name.host)
    var isUnknownService = false
    if case .service(let service) = first.name.port, first.errno == .serviceNotKnown {
      isUnknownService = true
      text.append(":")
      text.append(escaped: service)
    }
    text.append(": ")
    text.append(first.failure?.words ?? "not resolved in time")
    if isUnknownService {
      text.append("; write its port number, or a name of /etc/services")
    }
    if unresolved.count > 1 {
      text.append(", and ")
      text.append(decimal: unresolved.count - 1)
      text.append(unresolved.count == 2 ? " more name" : " more names")
    }
  }
}
