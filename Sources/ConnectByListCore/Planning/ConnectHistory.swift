/// How earlier connects of a list ended: from one source to one endpoint, or to an endpoint from any source.
public struct EndpointHistory: Sendable, Equatable {
  /// Below zero: no handshake gave a round trip.
  private var average = TimeSpan(nanoseconds: -1)
  private var failedAt = Instant(nanoseconds: 0)
  /// 0: the last attempt did not fail.
  private var failedWith = Errno(0)
  private var successes: UInt32 = 0
  private var failures: UInt32 = 0
  /// Whether the last attempt that ended connected.
  public private(set) var hasConnected = false
  /// The route chose the source.
  var isRoutesChoice = false

  /// The moving average of the handshakes' times; `nil`: none is known. It outlives a failure.
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

  /// The round trip as it paces. RFC 6298 section 2.2: after one measurement the variation is half of it.
  var measured: RemotePathInformation.RoundTrip? {
    roundTrip.map { RemotePathInformation.RoundTrip(smoothed: $0, variance: $0 / 2) }
  }

  /// Whether the last attempt failed otherwise than by a refusal.
  var hasFailedUnrefused: Bool { failure.map { $0.errno != .connectionRefused } ?? false }

  /// `span`: `nil` where a SYN was sent again (Karn's rule).
  fileprivate mutating func noteConnected(after span: TimeSpan?) {
    if let span {
      let old = roundTrip.map { Double($0.nanoseconds) }
      average = TimeSpan(nanoseconds: Int64(Self.average(old, Double(span.nanoseconds))))
    }
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

  /// Adds what was counted from another source to this, the newest.
  fileprivate mutating func add(_ older: EndpointHistory) {
    successes = successes.addingReportingOverflow(older.successes).partialValue
    failures = failures.addingReportingOverflow(older.failures).partialValue
    if average < .zero { average = older.average }
  }
}

/// How earlier connects of a list ended, by pair: a source and an endpoint. Only what was tried is in it.
public struct ConnectHistory: Sendable {
  /// A source that is not known is the unspecified address. `nil`: the pair was forgotten.
  private(set) var pairs: PairTable<Endpoint, EndpointHistory?>
  /// Of each endpoint, by its number in `pairs`.
  private var endpoints: [Newest] = []
  private var forgottenCount = 0
  /// Whether a source that the route did not choose was ever noted.
  private var hasChosenSources = false
  var hashSecret: HashSecret { pairs.secret }

  /// Indices of pairs; -1: none.
  private struct Newest: Sendable {
    /// Of the last attempt that ended.
    var ended: Int32 = -1
    /// Of the last attempt that connected.
    var connected: Int32 = -1
    var pairCount: Int32 = 0
  }

  /// A machine that changes its addresses every day would add a pair to every endpoint each day.
  static let sourcesMax = 64

  public init(hashSecret: HashSecret = .fixed) {
    pairs = PairTable(secret: hashSecret)
  }

  public var isEmpty: Bool { endpoints.count == forgottenCount }

  /// The history of an endpoint from all sources; `nil`: none. A v4-mapped endpoint is its IPv4 endpoint.
  public subscript(endpoint: Endpoint) -> EndpointHistory? {
    guard let newest = newest(endpoint.unmapped), newest.ended >= 0 else { return nil }
    var sum = pairs.values[Int(newest.ended)]
    pairs.forEach(of: endpoint.unmapped) { index in
      if index != Int(newest.ended), let other = pairs.values[index] { sum?.add(other) }
    }
    return sum
  }

  /// The history of a pair; `nil`: none.
  func history(from source: IPAddress, to endpoint: Endpoint) -> EndpointHistory? {
    guard !isEmpty, let index = pairs.index(source, endpoint) else { return nil }
    return pairs.values[index]
  }

  /// The history of the pair that the route last chose for an endpoint, as long as the route's source is not
  /// known.
  func historyOfRoutesChoice(to endpoint: Endpoint) -> EndpointHistory? {
    guard let newest = newest(endpoint) else { return nil }
    return routesChoice(at: newest.ended) ?? routesChoice(at: newest.connected)
  }

  private func routesChoice(at index: Int32) -> EndpointHistory? {
    guard index >= 0, let history = pairs.values[Int(index)], history.isRoutesChoice else {
      return nil
    }
    return history
  }

  /// The source that an endpoint was last connected from, and the history of that pair.
  func remembered(_ endpoint: Endpoint) -> (source: IPAddress, history: EndpointHistory)? {
    guard let newest = newest(endpoint), newest.connected >= 0 else { return nil }
    let index = Int(newest.connected)
    return pairs.values[index].map { (pairs.source(at: index), $0) }
  }

  /// Whether an endpoint has a history from a source that the route did not choose.
  func hasChosenSource(_ endpoint: Endpoint) -> Bool {
    guard hasChosenSources else { return false }
    var isFound = false
    pairs.forEach(of: endpoint) { index in
      if let history = pairs.values[index], !history.isRoutesChoice { isFound = true }
    }
    return isFound
  }

  private func newest(_ endpoint: Endpoint) -> Newest? {
    isEmpty ? nil : pairs.number(of: endpoint).map { endpoints[$0] }
  }

  // MARK: copies

  /// The pairs of an endpoint, and which of them are the newest.
  struct Copies: Sendable {
    var pairs: [(source: IPAddress, history: EndpointHistory)] = []
    var ended = -1
    var connected = -1
  }

  /// What is known of an endpoint; `nil`: nothing.
  func copies(of endpoint: Endpoint) -> Copies? {
    guard let newest = newest(endpoint), newest.ended >= 0 else { return nil }
    var copies = Copies()
    pairs.forEach(of: endpoint) { index in
      guard let history = pairs.values[index] else { return }
      if newest.ended == Int32(index) { copies.ended = copies.pairs.count }
      if newest.connected == Int32(index) { copies.connected = copies.pairs.count }
      copies.pairs.append((pairs.source(at: index), history))
    }
    return copies
  }

  /// Takes in what another history knows of an endpoint that this one does not know.
  mutating func insert(_ copies: Copies, of endpoint: Endpoint) {
    guard pairs.number(of: endpoint) == nil else { return }
    var newest = Newest(pairCount: Int32(copies.pairs.count))
    for (place, pair) in copies.pairs.enumerated() {
      let index = Int32(pairs.insert(pair.source, endpoint, pair.history))
      if place == copies.ended { newest.ended = index }
      if place == copies.connected { newest.connected = index }
    }
    endpoints.append(newest)
    hasChosenSources = hasChosenSources || copies.pairs.contains { !$0.history.isRoutesChoice }
  }

  // MARK: remembering and forgetting

  public mutating func forget() { self = ConnectHistory(hashSecret: hashSecret) }

  public mutating func forget(_ endpoint: Endpoint) {
    guard let number = pairs.number(of: endpoint.unmapped), endpoints[number].ended >= 0 else {
      return
    }
    var forgotten: [Int] = []
    pairs.forEach(of: endpoint.unmapped) { forgotten.append($0) }
    for index in forgotten { pairs.values[index] = nil }
    endpoints[number] = Newest()
    forgottenCount += 1
    if forgottenCount > 8 && 2 * forgottenCount > endpoints.count { removeForgotten() }
  }

  /// Makes the tables anew, so that they are bounded by what is remembered.
  private mutating func removeForgotten() {
    var rest = ConnectHistory(hashSecret: hashSecret)
    for index in pairs.indices {
      guard let history = pairs.values[index] else { continue }
      let endpoint = pairs.key(at: index)
      let copy = rest.pairs.insert(pairs.source(at: index), endpoint, history)
      let number = rest.pairs.number(of: endpoint)!
      if number == rest.endpoints.count { rest.endpoints.append(Newest()) }
      let newest = endpoints[pairs.number(of: endpoint)!]
      if newest.ended == Int32(index) { rest.endpoints[number].ended = Int32(copy) }
      if newest.connected == Int32(index) { rest.endpoints[number].connected = Int32(copy) }
      rest.endpoints[number].pairCount += 1
    }
    rest.hasChosenSources = hasChosenSources
    self = rest
  }

  /// Records a connection. Once `countMax` endpoints are known, others are ignored.
  ///
  /// - Parameters:
  ///   - source: the local address; unspecified where it is not known.
  ///   - isRoutesChoice: whether the route chose it, as the socket was not bound.
  ///   - span: the round trip; `nil` where a SYN was sent again.
  public mutating func noteConnected(
    from source: IPAddress, isRoutesChoice: Bool, to endpoint: Endpoint, after span: TimeSpan?,
    countMax: Int = .max
  ) {
    let index = update(source, isRoutesChoice, endpoint, countMax: countMax) {
      $0.noteConnected(after: span)
    }
    guard let index, endpoints[index.endpoint].connected != Int32(index.pair) else { return }
    endpoints[index.endpoint].connected = Int32(index.pair)
  }

  /// Records a failure. Once `countMax` endpoints are known, others are ignored.
  public mutating func noteFailed(
    from source: IPAddress, isRoutesChoice: Bool, to endpoint: Endpoint, _ errno: Errno,
    at instant: Instant, countMax: Int = .max
  ) {
    _ = update(source, isRoutesChoice, endpoint, countMax: countMax) {
      $0.noteFailed(errno, at: instant)
    }
  }

  private mutating func update(
    _ source: IPAddress, _ isRoutesChoice: Bool, _ endpoint: Endpoint, countMax: Int,
    _ change: (inout EndpointHistory) -> Void
  ) -> (pair: Int, endpoint: Int)? {
    var (known, place) = pairs.numbers(of: source, endpoint)
    let isRemembered = known.map { endpoints[$0].ended >= 0 } ?? false
    guard isRemembered || endpoints.count - forgottenCount < countMax else { return nil }
    if isRemembered, countMax != .max, place == nil,
      Int(endpoints[known!].pairCount) >= Self.sourcesMax
    {
      forget(endpoint)
      (known, place) = pairs.numbers(of: source, endpoint)
    }
    let pair = place ?? pairs.insert(source, endpoint, nil)
    let number = known ?? endpoints.count
    if known == nil {
      endpoints.append(Newest())
    } else if endpoints[number].ended < 0 {
      forgottenCount -= 1
    }
    var history = pairs.values[pair] ?? EndpointHistory()
    if pairs.values[pair] == nil { endpoints[number].pairCount += 1 }
    change(&history)
    history.isRoutesChoice = isRoutesChoice
    if !isRoutesChoice { hasChosenSources = true }
    pairs.values[pair] = history
    // The race whose end this is shares the table.
    if endpoints[number].ended != Int32(pair) { endpoints[number].ended = Int32(pair) }
    return (pair, number)
  }
}
