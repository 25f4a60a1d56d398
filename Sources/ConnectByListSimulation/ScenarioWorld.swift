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

  let scenario: Scenario
  private var destinations: [Endpoint: Int] = [:]
  private var pairs: [PairKey: Scenario.Behaviour] = [:]

  init(_ scenario: Scenario) {
    self.scenario = scenario
    destinations.reserveCapacity(scenario.destinations.count)
    // The first of two equal entries counts, and the list counts before `world` lines.
    for case .remote(let index) in scenario.list { describe(index) }
    if scenario.destinations.count > scenario.list.count - scenario.names.count {
      for index in scenario.destinations.indices { describe(index) }
    }
    for pair in scenario.pairs {
      pairs[PairKey(local: pair.local, remote: pair.remote)] = pair.behaviour
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
        destination: nil, source: firstCompatible(endpoint.address), hasNoRoute: false)
    }
    let destination = scenario.destinations[index]
    if destination.hasNoRoute { return Place(destination: index, source: nil, hasNoRoute: true) }
    return Place(
      destination: index, source: destination.source ?? firstCompatible(endpoint.address),
      hasNoRoute: false)
  }

  private func firstCompatible(_ remote: IPAddress) -> IPAddress? {
    scenario.locals.first { $0.canReach(remote) }?.address
  }

  /// What a driver would find out about this endpoint.
  func pathInformation(of endpoint: Endpoint, at place: Place) -> RemotePathInformation {
    var information = RemotePathInformation()
    if place.hasNoRoute {
      information.route = .refused(.networkUnreachable)
    } else if let source = place.source {
      information.route = .source(source)
    }
    if let index = place.destination {
      information.isNative = scenario.destinations[index].isNative
    }
    information.neighbourFailed = scenario.failedNeighbours.contains(endpoint.address)
    for line in scenario.seen where line.endpoint == endpoint {
      switch line.outcome {
      case .connected(let roundTrip):
        information.history = .connected
        // RFC 6298 section 2.2: the first measurement's deviation is half of it.
        information.roundTrip = roundTrip.map {
          RemotePathInformation.RoundTrip(smoothed: $0, variance: $0 / 2)
        }
      case .refused, .failed:
        information.history = .failed(age: line.age)
        information.roundTrip = nil
      }
    }
    // The kernel's metrics count before the history: they are of more connections.
    for line in scenario.metrics
    where line.destination == endpoint.address && line.source == place.source {
      information.roundTrip = line.roundTrip
    }
    return information
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
    if isBound, let local, !isLocal(local) { return .failsAtOnce(.addressNotAvailable) }
    guard let index = place.destination else { return .silent }
    return scenario.destinations[index].behaviour
  }

  /// Whether this machine has the address and may use it. The source of a route counts as local.
  private func isLocal(_ address: IPAddress) -> Bool {
    if let local = scenario.locals.first(where: { $0.address == address }) {
      return !local.flags.contains(.tentative)
    }
    return scenario.destinations.contains { $0.source == address }
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
