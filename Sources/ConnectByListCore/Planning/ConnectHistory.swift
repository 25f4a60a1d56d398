/// What a list remembers of an endpoint that it was connected to, or failed to be: 32 bytes.
public struct EndpointHistory: Sendable, Equatable {
  /// Below zero: none of its handshakes succeeded.
  private var average = TimeSpan(nanoseconds: -1)
  private var failedAt = Instant(nanoseconds: 0)
  /// 0: the last attempt did not fail.
  private var failedWith = Errno(0)
  private var successes: UInt32 = 0
  private var failures: UInt32 = 0
  /// Whether the last attempt that came to an end connected.
  public private(set) var hasConnected = false

  /// Smoothed time of the handshakes that succeeded; `nil`: none did.
  public var roundTrip: TimeSpan? { average < .zero ? nil : average }
  /// When the last failure was, and what it was; `nil` after a success.
  public var failure: (at: Instant, errno: Errno)? {
    failedWith == Errno(0) ? nil : (failedAt, failedWith)
  }
  public var successCount: Int { Int(successes) }
  public var failureCount: Int { Int(failures) }

  /// Nothing is remembered.
  fileprivate var isEmpty: Bool { successes == 0 && failures == 0 }

  /// How much of a new value goes into the average: MongoDB's server selection uses the same.
  static let weight = 0.2

  /// The exponentially weighted moving average after `new`; the first value is its own average.
  static func average(_ old: Double?, _ new: Double) -> Double {
    guard let old else { return new }
    return weight * new + (1 - weight) * old
  }

  mutating func noteConnected(after span: TimeSpan) {
    let old = roundTrip.map { Double($0.nanoseconds) }
    average = TimeSpan(nanoseconds: Int64(Self.average(old, Double(span.nanoseconds))))
    hasConnected = true
    failedWith = Errno(0)
    if successes < .max { successes += 1 }
  }

  mutating func noteFailed(_ errno: Errno, at instant: Instant) {
    hasConnected = false
    failedAt = instant
    failedWith = errno
    if failures < .max { failures += 1 }
  }

  /// What it says of the next attempt.
  func evidence(at now: Instant) -> RemotePathInformation.Evidence {
    if let failure { return (.failed(age: now - failure.at), nil) }
    // RFC 6298 section 2.2: of one measurement the variation is taken to be half of it.
    return (.connected, roundTrip.map { RemotePathInformation.RoundTrip(smoothed: $0, variance: $0 / 2) })
  }
}

/// What a list remembers. Bounded by the list: only endpoints that were tried are in it.
public struct ConnectHistory: Sendable {
  private var endpoints = EndpointTable()
  /// Of each of them. What was forgotten is empty until there is more of that than of the rest.
  private var histories: [EndpointHistory] = []
  private var emptyCount = 0

  public init() {}

  public var isEmpty: Bool { histories.count == emptyCount }

  public subscript(endpoint: Endpoint) -> EndpointHistory? {
    guard let place = endpoints.place(of: endpoint.unmapped) else { return nil }
    let history = histories[place]
    return history.isEmpty ? nil : history
  }

  public mutating func forget() { self = ConnectHistory() }

  public mutating func forget(_ endpoint: Endpoint) {
    guard let place = endpoints.place(of: endpoint.unmapped), !histories[place].isEmpty else {
      return
    }
    histories[place] = EndpointHistory()
    emptyCount += 1
    guard emptyCount > 8 && 2 * emptyCount > histories.count else { return }
    var rest = ConnectHistory()
    for place in histories.indices where !histories[place].isEmpty {
      _ = rest.endpoints.insert(endpoints.endpoints[place])
      rest.histories.append(histories[place])
    }
    self = rest
  }

  /// Notes a handshake that succeeded. A new endpoint is taken in only while fewer than `countMax` are known.
  mutating func noteConnected(_ endpoint: Endpoint, after span: TimeSpan, countMax: Int) {
    if let place = place(of: endpoint, countMax: countMax) {
      histories[place].noteConnected(after: span)
    }
  }

  /// Notes an attempt that failed; `countMax` as above.
  mutating func noteFailed(
    _ endpoint: Endpoint, _ errno: Errno, at instant: Instant, countMax: Int
  ) {
    if let place = place(of: endpoint, countMax: countMax) {
      histories[place].noteFailed(errno, at: instant)
    }
  }

  /// Where something is about to be remembered of an endpoint; `nil`: there is no room.
  private mutating func place(of endpoint: Endpoint, countMax: Int) -> Int? {
    if let place = endpoints.place(of: endpoint) {
      if histories[place].isEmpty { emptyCount -= 1 }
      return place
    }
    guard histories.count - emptyCount < countMax else { return nil }
    _ = endpoints.insert(endpoint)
    histories.append(EndpointHistory())
    return histories.count - 1
  }

  /// What it says of the remotes of a plan, before any of them was started.
  func inform(_ plan: Plan, at now: Instant) {
    guard !isEmpty else { return }
    for index in plan.remotes.indices {
      guard let known = self[plan.remotes[index].endpoint] else { continue }
      plan.note(known.evidence(at: now), ofRemoteAt: index)
    }
  }
}
