import ConnectByListCore

/// A scenario made ready to be asked: what is true of an endpoint, and how a pair behaves.
struct ScenarioWorld: Sendable {
  /// What is known of one endpoint.
  struct Place: Sendable {
    /// Index among the scenario's destinations; `nil`: it is not described, and so nobody is there.
    let destination: Int?
    /// The source that its route takes; `nil`: there is no route, or no local address fits.
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
    // What is listed goes before what is only described, and of two lines of a list the first
    // counts.
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

  /// Described with its port, or for any port; a link's copy is described by the line without a
  /// link.
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
  func facts(of endpoint: Endpoint, at place: Place) -> RemotePathInformation {
    var facts = RemotePathInformation()
    if place.hasNoRoute {
      facts.route = .refused(.networkUnreachable)
    } else if let source = place.source {
      facts.route = .source(source)
    }
    if let index = place.destination { facts.isNative = scenario.destinations[index].isNative }
    facts.neighbourFailed = scenario.failedNeighbours.contains(endpoint.address)
    for line in scenario.history where line.endpoint == endpoint {
      facts.history = line.history
      // RFC 6298 section 2.2: the first measurement's deviation is half of it.
      facts.roundTrip = line.roundTrip.map {
        RemotePathInformation.RoundTrip(smoothed: $0, variance: $0 / 2)
      }
    }
    // The kernel's metrics, where there are some, have seen more connections than the list.
    for line in scenario.metrics
    where line.destination == endpoint.address && line.source == place.source {
      facts.roundTrip = line.roundTrip
    }
    return facts
  }

  /// How an attempt from `local` behaves; `isBound`: its socket is bound to that address first.
  func behaviour(
    local: IPAddress?, remote: Endpoint, at place: Place, isBound: Bool
  ) -> Scenario.Behaviour {
    if !pairs.isEmpty, let behaviour = pairs[PairKey(local: local, remote: remote)] {
      return behaviour
    }
    if isBound, let local, !isOurs(local) { return .failsAtOnce(.addressNotAvailable) }
    guard let index = place.destination else { return .silent }
    return scenario.destinations[index].behaviour
  }

  /// Whether this machine has the address, and may use it. The sources of routes are its own too.
  private func isOurs(_ address: IPAddress) -> Bool {
    if let local = scenario.locals.first(where: { $0.address == address }) {
      return !local.flags.contains(.tentative)
    }
    return scenario.destinations.contains { $0.source == address }
  }
}

extension Scenario {
  /// Whether the caller's check has anything to say.
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
  /// The family that is asked for, where it is one only.
  var onlyFamily: Family? { answers.count == 1 ? answers[0].family : nil }
}
