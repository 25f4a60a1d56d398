/// What a list remembers of an endpoint that it was connected to, or failed to be.
public struct EndpointHistory: Sendable, Equatable {
  /// Smoothed time of the handshakes that succeeded; `nil`: none did.
  public internal(set) var roundTrip: TimeSpan?
  /// Whether the last attempt that came to an end connected.
  public internal(set) var hasConnected = false
  /// When the last failure was, and what it was; `nil` after a success.
  public internal(set) var failure: (at: Instant, errno: Errno)?
  public internal(set) var successCount = 0
  public internal(set) var failureCount = 0

  public static func == (a: EndpointHistory, b: EndpointHistory) -> Bool {
    a.roundTrip == b.roundTrip && a.hasConnected == b.hasConnected
      && a.failure?.at == b.failure?.at && a.failure?.errno == b.failure?.errno
      && a.successCount == b.successCount && a.failureCount == b.failureCount
  }

  /// How much of a new value goes into the average: MongoDB's server selection uses the same.
  static let weight = 0.2

  /// The exponentially weighted moving average after `new`; the first value is its own average.
  static func average(_ old: Double?, _ new: Double) -> Double {
    guard let old else { return new }
    return weight * new + (1 - weight) * old
  }

  mutating func noteConnected(after span: TimeSpan) {
    let old = roundTrip.map { Double($0.nanoseconds) }
    roundTrip = TimeSpan(nanoseconds: Int64(Self.average(old, Double(span.nanoseconds))))
    hasConnected = true
    failure = nil
    successCount += 1
  }

  mutating func noteFailed(_ errno: Errno, at instant: Instant) {
    hasConnected = false
    failure = (instant, errno)
    failureCount += 1
  }

  /// What it says of the next attempt.
  func evidence(at now: Instant) -> RemoteFacts.Evidence {
    if let failure { return (.failed(age: now - failure.at), nil) }
    // RFC 6298 section 2.2: of one measurement the variation is taken to be half of it.
    return (.connected, roundTrip.map { RemoteFacts.RoundTrip(smoothed: $0, variance: $0 / 2) })
  }
}

/// What a list remembers. Bounded by the list: only endpoints that were tried are in it.
public struct ConnectHistory: Sendable {
  private var endpoints: [Endpoint: EndpointHistory] = [:]

  public init() {}

  public var isEmpty: Bool { endpoints.isEmpty }

  public subscript(endpoint: Endpoint) -> EndpointHistory? { endpoints[endpoint.unmapped] }

  public mutating func forget() { endpoints = [:] }

  public mutating func forget(_ endpoint: Endpoint) { endpoints[endpoint.unmapped] = nil }

  /// Takes in how a race's attempts ended. An attempt that somebody else's success or a cancel
  /// stopped says nothing of its endpoint. Once `countMax` endpoints are known no new ones are
  /// taken in.
  public mutating func take(_ race: Race, countMax: Int = .max) {
    for attempt in race.attempts {
      guard let ended = attempt.ended else { continue }
      let endpoint = race.plan.remote(of: attempt.pair)
      guard endpoints.count < countMax || endpoints[endpoint] != nil else { continue }
      switch attempt.outcome {
      case .connected:
        endpoints[endpoint, default: EndpointHistory()]
          .noteConnected(after: ended - attempt.started)
      case .refused, .unreachable, .timedOut, .reset, .failed, .rejected:
        // Our own shortage of descriptors or memory is not the endpoint's fault.
        switch attempt.errno {
        case .tooManyOpen, .tooManyOpenInSystem, .outOfMemory, .noBufferSpace,
          .addressNotAvailable, nil:
          continue
        case let errno?:
          endpoints[endpoint, default: EndpointHistory()].noteFailed(errno, at: ended)
        }
      case .superseded, .cancelled, .notStarted, .pending: continue
      }
    }
  }

  /// Takes in a connection of a list that has this endpoint.
  mutating func noteConnected(_ endpoint: Endpoint, after span: TimeSpan) {
    endpoints[endpoint, default: EndpointHistory()].noteConnected(after: span)
  }

  /// What it says of the remotes of a plan, before any of them was started.
  func inform(_ plan: inout Plan, at now: Instant) {
    guard !isEmpty else { return }
    for index in plan.remotes.indices {
      guard let known = endpoints[plan.remotes[index].endpoint] else { continue }
      plan.note(known.evidence(at: now), ofRemoteAt: index)
    }
  }
}
