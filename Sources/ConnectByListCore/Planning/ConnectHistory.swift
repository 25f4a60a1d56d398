/// How earlier connects of a list to one endpoint ended.
public struct EndpointHistory: Sendable, Equatable {
  /// Below zero: no handshake succeeded.
  private var average = TimeSpan(nanoseconds: -1)
  private var failedAt = Instant(nanoseconds: 0)
  /// 0: the last attempt did not fail.
  private var failedWith = Errno(0)
  private var successes: UInt32 = 0
  private var failures: UInt32 = 0
  /// Whether the last attempt that ended connected.
  public private(set) var hasConnected = false

  /// The moving average of the handshakes' times; `nil`: no handshake succeeded.
  public var roundTrip: TimeSpan? { average < .zero ? nil : average }
  /// When the last attempt failed, and with which error; `nil`: it connected.
  public var failure: (at: Instant, errno: Errno)? {
    failedWith == Errno(0) ? nil : (failedAt, failedWith)
  }
  public var successCount: Int { Int(successes) }
  public var failureCount: Int { Int(failures) }

  /// The weight of a new value in the moving average. Source: MongoDB's server selection specification.
  static let weight = 0.2

  /// The exponentially weighted moving average after `new`. The first value is its own average.
  static func average(_ old: Double?, _ new: Double) -> Double {
    guard let old else { return new }
    return weight * new + (1 - weight) * old
  }

  fileprivate mutating func noteConnected(after span: TimeSpan) {
    let old = roundTrip.map { Double($0.nanoseconds) }
    average = TimeSpan(nanoseconds: Int64(Self.average(old, Double(span.nanoseconds))))
    hasConnected = true
    failedWith = Errno(0)
    if successes < .max { successes += 1 }
  }

  fileprivate mutating func noteFailed(_ errno: Errno, at instant: Instant) {
    hasConnected = false
    failedAt = instant
    failedWith = errno
    if failures < .max { failures += 1 }
  }

  /// What this history says about the next attempt.
  func evidence(at now: Instant) -> RemotePathInformation.Evidence {
    if let failure { return (.failed(age: now - failure.at), nil) }
    // RFC 6298 section 2.2: after one measurement the variation is half of it.
    return (
      .connected, roundTrip.map { RemotePathInformation.RoundTrip(smoothed: $0, variance: $0 / 2) }
    )
  }
}

/// How earlier connects of a list ended, by endpoint. Only endpoints that were tried are in it.
public struct ConnectHistory: Sendable {
  private var endpoints: DistinctKeys<Endpoint>
  /// For each of `endpoints`; `nil`: it was forgotten.
  private var histories: [EndpointHistory?] = []
  private var forgottenCount = 0
  private let hashSecret: HashSecret

  public init(hashSecret: HashSecret = .fixed) {
    self.hashSecret = hashSecret
    endpoints = DistinctKeys(secret: hashSecret)
  }

  public var isEmpty: Bool { histories.count == forgottenCount }

  /// The history of an endpoint; `nil`: none. A v4-mapped endpoint is its IPv4 endpoint.
  public subscript(endpoint: Endpoint) -> EndpointHistory? {
    endpoints.number(of: endpoint.unmapped).flatMap { histories[$0] }
  }

  public mutating func forget() { self = ConnectHistory(hashSecret: hashSecret) }

  public mutating func forget(_ endpoint: Endpoint) {
    guard let number = endpoints.number(of: endpoint.unmapped), histories[number] != nil else {
      return
    }
    histories[number] = nil
    forgottenCount += 1
    if forgottenCount > 8 && 2 * forgottenCount > histories.count { removeForgotten() }
  }

  /// Makes the tables anew, so that they are bounded by what is remembered.
  private mutating func removeForgotten() {
    var rest = ConnectHistory(hashSecret: hashSecret)
    for (number, history) in histories.enumerated() where history != nil {
      rest.endpoints.insert(endpoints.keys[number])
      rest.histories.append(history)
    }
    self = rest
  }

  /// Records a connection. Once `countMax` endpoints are known, others are ignored.
  mutating func noteConnected(_ endpoint: Endpoint, after span: TimeSpan, countMax: Int = .max) {
    update(endpoint, countMax: countMax) { $0.noteConnected(after: span) }
  }

  /// Records a failure. Once `countMax` endpoints are known, others are ignored.
  mutating func noteFailed(
    _ endpoint: Endpoint, _ errno: Errno, at instant: Instant, countMax: Int = .max
  ) {
    update(endpoint, countMax: countMax) { $0.noteFailed(errno, at: instant) }
  }

  private mutating func update(
    _ endpoint: Endpoint, countMax: Int, _ change: (inout EndpointHistory) -> Void
  ) {
    let known = endpoints.number(of: endpoint)
    let isRemembered = known.map { histories[$0] != nil } ?? false
    guard isRemembered || histories.count - forgottenCount < countMax else { return }
    let number = known ?? endpoints.insert(endpoint).number
    if known == nil {
      histories.append(nil)
      forgottenCount += 1
    }
    var history = histories[number] ?? EndpointHistory()
    change(&history)
    if histories[number] == nil { forgottenCount -= 1 }
    histories[number] = history
  }

  /// Gives a plan what the history says about its remotes. To be called before the first start.
  func inform(_ plan: Plan, at now: Instant) {
    guard !isEmpty else { return }
    for index in plan.remotes.indices {
      guard let known = self[plan.remotes[index].endpoint] else { continue }
      plan.note(known.evidence(at: now), ofRemoteAt: index)
    }
  }
}
