import ConnectByListCore

/// Answers queries about a scenario: what a driver would find out about an endpoint, and how the attempts
/// of a pair end.
struct ScenarioWorld: Sendable {
  /// One endpoint in the described network.
  struct Place: Sendable {
    /// Its index in the scenario's destinations; `nil` if it is not described: then it is silent.
    let destination: Int?
    /// The source address of its route; `nil` if it has no route or no local address is compatible.
    let source: IPAddress?
    let hasNoRoute: Bool
  }

  private struct PairKey: Hashable {
    let local: IPAddress?
    let remote: Endpoint
  }

  /// What `LocalAddress.canReach` compares.
  private struct Reach: Hashable {
    let family: Family
    let isLoopback: Bool
    let isLinkLocal: Bool
    let scope: UInt32

    init(_ address: IPAddress) {
      family = address.family
      isLoopback = address.isLoopback
      isLinkLocal = address.isLinkLocal
      scope = address.scope
    }
  }

  let scenario: Scenario
  private var destinations: [Endpoint: Int] = [:]
  private var pairs: [PairKey: Scenario.Behaviour] = [:]
  /// The first local address that reaches the addresses of a kind.
  private var firstReaching: [Reach: IPAddress] = [:]
  /// The addresses that this machine has and may use. The source of a route counts as local.
  private var usable: Set<IPAddress> = []
  private let failedNeighbours: Set<IPAddress>

  init(_ scenario: Scenario) {
    self.scenario = scenario
    failedNeighbours = Set(scenario.failedNeighbours)
    destinations.reserveCapacity(scenario.destinations.count)
    // The first of two equal entries counts, and the list counts before `world` lines.
    for case .remote(let index) in scenario.list { describe(index) }
    if scenario.destinations.count > scenario.list.count - scenario.names.count {
      for index in scenario.destinations.indices { describe(index) }
    }
    for pair in scenario.pairs {
      pairs[PairKey(local: pair.local, remote: pair.remote)] = pair.behaviour
    }
    for destination in scenario.destinations {
      if let source = destination.source { usable.insert(source) }
    }
    var known: Set<IPAddress> = []
    for local in scenario.locals {
      // Of two lines with one address the first counts.
      let isFirst = known.insert(local.address).inserted
      if local.flags.contains(.tentative) {
        if isFirst { usable.remove(local.address) }
        continue
      }
      if isFirst { usable.insert(local.address) }
      let reach = Reach(local.address)
      if firstReaching[reach] == nil { firstReaching[reach] = local.address }
    }
  }

  private mutating func describe(_ index: Int) {
    let endpoint = scenario.destinations[index].endpoint
    if destinations[endpoint] == nil { destinations[endpoint] = index }
  }

  /// Looks for a description of the endpoint with its port, then of its address with any port. A scoped
  /// address may also be described without its scope.
  func place(of endpoint: Endpoint) -> Place {
    var index = destinations[endpoint] ?? destinations[Endpoint(endpoint.address, port: 0)]
    if index == nil && endpoint.address.scope != 0 {
      index =
        destinations[endpoint.withScope(0)]
        ?? destinations[Endpoint(endpoint.address.withScope(0), port: 0)]
    }
    guard let index else {
      return Place(
        destination: nil, source: firstReaching[Reach(endpoint.address)], hasNoRoute: false)
    }
    let destination = scenario.destinations[index]
    if destination.hasNoRoute { return Place(destination: index, source: nil, hasNoRoute: true) }
    return Place(
      destination: index, source: destination.source ?? firstReaching[Reach(endpoint.address)],
      hasNoRoute: false)
  }

  /// What a driver would find out about this endpoint.
  func pathInformation(of endpoint: Endpoint, at place: Place) -> RemotePathInformation {
    var information = RemotePathInformation()
    if place.hasNoRoute {
      information.route = .refused(.networkUnreachable)
    } else {
      information.route = place.source.map { .source($0) } ?? .noSource
    }
    if let index = place.destination {
      information.isNative = scenario.destinations[index].isNative
    }
    information.neighbourFailed = failedNeighbours.contains(endpoint.address)
    return information
  }

  /// The kernel's metrics.
  var metrics: [PathMetrics] {
    scenario.metrics.map {
      PathMetrics(source: $0.source, destination: $0.destination, $0.roundTrip)
    }
  }

  /// What the list has seen before a connect that begins now. Lines are taken oldest first.
  func history(at now: Instant) -> ConnectHistory {
    var history = ConnectHistory()
    let lines = scenario.seen
    for index in sortedIndices(lines.count, { (lines[$1].age, $0) < (lines[$0].age, $1) }) {
      let line = lines[index]
      switch line.outcome {
      case .connected(let roundTrip):
        history.noteConnected(
          from: line.source, isRoutesChoice: false, to: line.endpoint, after: roundTrip)
      case .refused, .failed:
        let errno: Errno = line.outcome == .refused ? .connectionRefused : .timedOut
        history.noteFailed(
          from: line.source, isRoutesChoice: false, to: line.endpoint, errno,
          at: Instant(
            nanoseconds: (now - Instant(nanoseconds: 0)).nanoseconds - line.age.nanoseconds))
      }
    }
    return history
  }

  /// How an attempt from `local` ends.
  ///
  /// - Parameter isBound: whether its socket is first bound to that address.
  func behaviour(
    local: IPAddress?, remote: Endpoint, at place: Place, isBound: Bool
  ) -> Scenario.Behaviour {
    if !pairs.isEmpty, let behaviour = pairs[PairKey(local: local, remote: remote)] {
      return behaviour
    }
    if place.hasNoRoute { return .noRoute }
    if isBound, let local, !usable.contains(local) { return .failsAtOnce(.addressNotAvailable) }
    guard let index = place.destination else { return .silent }
    return scenario.destinations[index].behaviour
  }
}

extension Scenario {
  /// Whether the caller's check rejects any connection.
  var rejectsSome: Bool {
    func isRejection(_ behaviour: Behaviour) -> Bool {
      if case .rejects = behaviour { return true }
      return false
    }
    return destinations.contains { isRejection($0.behaviour) }
      || pairs.contains { isRejection($0.behaviour) }
  }
}

extension Scenario.Name {
  /// The family that is looked up; `nil` if both are.
  var onlyFamily: Family? { answers.count == 1 ? answers[0].family : nil }
}
