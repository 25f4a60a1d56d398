import ConnectByListCore
import ConnectByListSimulation
import Glibc

/// Section 3 point 5 of the contract: what is known of pairs without sending a packet.
struct ReferenceEvidence {
  /// A pair's round trip.
  struct RoundTrip {
    var smoothed: TimeSpan
    var variance: TimeSpan
  }

  private let scenario: Scenario
  /// "Lines of a pair are taken oldest first."
  private let seen: [Scenario.Seen]

  init(_ scenario: Scenario) {
    self.scenario = scenario
    var seen = scenario.seen
    sortStably(&seen) { $0.age > $1.age }
    self.seen = seen
  }

  var isEmpty: Bool { seen.isEmpty && scenario.metrics.isEmpty }

  // MARK: what the list has seen

  func hasSeen(_ remote: Endpoint) -> Bool { seen.contains { $0.endpoint == remote } }

  /// "The newest entry of the list's history."
  func newest(_ source: IPAddress, _ remote: Endpoint) -> Scenario.Seen? {
    seen.last { $0.source == source && $0.endpoint == remote }
  }

  /// "The list also remembers which source each remote was last connected from."
  func rememberedSource(of remote: Endpoint) -> IPAddress? {
    for line in seen.reversed() where line.endpoint == remote {
      if case .connected = line.outcome { return line.source }
    }
    return nil
  }

  /// "The smoothed round trip (EWMA, weight 0.2; its variance is taken to be half of it)." "A later
  /// failure leaves the pair's round trip in place." "A handshake whose SYN was sent again gives no
  /// round trip."
  private func seenRoundTrip(_ source: IPAddress, _ remote: Endpoint) -> TimeSpan? {
    var average: TimeSpan?
    for line in seen where line.source == source && line.endpoint == remote {
      guard case .connected(let new?) = line.outcome else { continue }
      guard let old = average else {
        average = new
        continue
      }
      let mean = 0.2 * Double(new.nanoseconds) + 0.8 * Double(old.nanoseconds)
      average = TimeSpan(nanoseconds: Int64(mean))
    }
    return average
  }

  // MARK: the kernel

  /// "The kernel's TCP metrics for (source, destination)." Of two lines of a pair the later counts.
  func metrics(_ source: IPAddress, _ destination: IPAddress) -> RoundTrip? {
    for line in scenario.metrics.reversed()
    where line.source == source && line.destination == destination {
      return RoundTrip(smoothed: line.roundTrip.smoothed, variance: line.roundTrip.variance)
    }
    return nil
  }

  func neighbourFailed(_ address: IPAddress) -> Bool {
    scenario.failedNeighbours.contains(address)
  }

  // MARK: both

  /// "Where both the list and the kernel have a round trip, the list's own counts."
  func roundTrip(_ source: IPAddress, _ remote: Endpoint, isAsked: Bool) -> RoundTrip? {
    if let own = seenRoundTrip(source, remote) {
      return RoundTrip(smoothed: own, variance: own / 2)
    }
    return isAsked ? metrics(source, remote.address) : nil
  }

  /// "R comes from the first of these that is known: neighbour FAILED 0.2; the newest entry of the
  /// list's history (connected 0.95; failed 0.8·(1 − 2^(−age/60 s))); metrics 0.95." The prior is 0.8.
  func remoteChance(_ remote: Endpoint, from source: IPAddress?, isAsked: Bool) -> Double {
    if isAsked && neighbourFailed(remote.address) { return 0.2 }
    guard let source else { return 0.8 }
    if let newest = newest(source, remote) {
      if case .connected = newest.outcome { return 0.95 }
      return 0.8 * (1 - exp2(-newest.age.seconds / 60))
    }
    return isAsked && metrics(source, remote.address) != nil ? 0.95 : 0.8
  }

  /// Section 4, base delay 2, without its upper limit: "one smoothed round trip for each destination
  /// address, the smallest of its sources, the list's own before the kernel's; those in the /24 or
  /// /48 of the newest attempt's remote if they are at least 5, else those of its family if at least
  /// 5, else none. Of n values in rising order it is number ⌊0.9·n⌋."
  func population(near remote: IPAddress, isAsked: Bool) -> TimeSpan? {
    if isEmpty { return nil }
    let values = destinationRoundTrips(isAsked: isAsked).filter {
      $0.address.family == remote.family
    }
    let prefix = remote.family == .inet ? 96 + 24 : 48
    let near = values.filter { $0.address.commonPrefixLength(with: remote) >= prefix }
    let counted = near.count >= 5 ? near : values
    if counted.count < 5 { return nil }
    return counted.map { $0.smoothed }.sorted()[counted.count * 9 / 10 - 1]
  }

  private func destinationRoundTrips(isAsked: Bool) -> [(address: IPAddress, smoothed: TimeSpan)] {
    /// By source and destination address: the list's own, of several ports the smallest.
    var pairs: [(source: IPAddress, address: IPAddress, smoothed: TimeSpan, isOwn: Bool)] = []
    func take(_ source: IPAddress, _ address: IPAddress, _ smoothed: TimeSpan, isOwn: Bool) {
      guard let place = pairs.firstIndex(where: { $0.source == source && $0.address == address })
      else { return pairs.append((source, address, smoothed, isOwn)) }
      if pairs[place].isOwn == isOwn && smoothed < pairs[place].smoothed {
        pairs[place].smoothed = smoothed
      }
    }
    for line in seen {
      if let own = seenRoundTrip(line.source, line.endpoint) {
        take(line.source, line.endpoint.address, own, isOwn: true)
      }
    }
    if isAsked {
      for line in scenario.metrics {
        let counted = metrics(line.source, line.destination)!.smoothed
        take(line.source, line.destination, counted, isOwn: false)
      }
    }
    var destinations: [(address: IPAddress, smoothed: TimeSpan)] = []
    for pair in pairs {
      if let place = destinations.firstIndex(where: { $0.address == pair.address }) {
        destinations[place].smoothed = min(destinations[place].smoothed, pair.smoothed)
      } else {
        destinations.append((pair.address, pair.smoothed))
      }
    }
    return destinations
  }
}
