import ConnectByListCore
import ConnectByListSimulation

/// A scenario as a reader of its text understands it: what is in the list, when names are answered,
/// which source a route takes, and what becomes of an attempt.
///
/// Written from sections 3 and 8 of the contract alone. It shares no code with the plan, the race or
/// the simulated world, so that a mistake there cannot hide here as well.
struct ReferenceWorld {
  /// An answer to a name's lookup: a line of the transcript, or none where the other family has
  /// addresses, or may have.
  struct Answer {
    enum Line {
      case resolved(count: Int)
      case unresolved(Errno)
    }

    let at: TimeSpan
    let name: Int
    let line: Line?
  }

  /// Addresses that become remotes of the race.
  struct Join {
    let at: TimeSpan
    /// The entry's place in the list.
    let entry: Int
    let endpoints: [Endpoint]
    /// Joins because the wait for the other family has ended, not because of an answer.
    var isOverdue = false
  }

  let scenario: Scenario
  /// In the order of their instants, at one instant in the order of their lines.
  private(set) var answers: [Answer] = []
  /// In the order of their instants, literals first.
  private(set) var joins: [Join] = []

  init(_ scenario: Scenario) {
    self.scenario = scenario
    for (entry, listed) in scenario.list.enumerated() {
      if case .remote(let index) = listed {
        let endpoints = literals(scenario.destinations[index]).filter { isWanted($0.family) }
        joins.append(Join(at: .zero, entry: entry, endpoints: endpoints))
      }
    }
    for (entry, listed) in scenario.list.enumerated() {
      if case .name(let index) = listed { lookUp(scenario.names[index], index, entry: entry) }
    }
    sortStably(&answers) { $0.at < $1.at }
    // At one instant answers come first.
    sortStably(&joins) { $0.at != $1.at ? $0.at < $1.at : !$0.isOverdue && $1.isOverdue }
  }

  private func isWanted(_ family: Family) -> Bool {
    scenario.options.family.map { $0 == family } ?? true
  }

  /// Section 3 point 1: "an unscoped link-local address becomes one candidate per link". Section 8:
  /// "a `remote` with `from` is taken as it is".
  private func literals(_ remote: Scenario.Destination) -> [Endpoint] {
    let address = remote.endpoint.address
    guard remote.source == nil, address.needsScope, address.scope == 0 else {
      return [remote.endpoint]
    }
    var links: [UInt32] = []
    for local in scenario.locals where local.address.needsScope {
      if !links.contains(local.address.scope) { links.append(local.address.scope) }
    }
    return links.map { remote.endpoint.withScope($0) }
  }

  // MARK: names

  /// RFC 8305 section 3: IPv4 addresses that are there first wait 50 ms for IPv6's answer.
  private mutating func lookUp(_ name: Scenario.Name, _ index: Int, entry: Int) {
    var asked = name.answers.filter { $0.family == nil || isWanted($0.family!) }
    if asked.isEmpty, let wanted = scenario.options.family {
      // EAI_NODATA: the name exists, and has nothing of this family.
      asked = [
        Scenario.Name.Answer(wanted, after: name.answers[0].after, [], errno: Errno(-5))
      ]
    }
    let inet6 = asked.first { $0.family == .inet6 }
    // IPv6 first, for both may join at one instant.
    for family in [Family.inet6, .inet] {
      guard let answer = asked.first(where: { $0.family == family }), !answer.addresses.isEmpty
      else { continue }
      var at = answer.after
      var isOverdue = false
      if family == .inet, let inet6, inet6.after > at {
        at = min(inet6.after, at + .milliseconds(50))
        isOverdue = at < inet6.after
      }
      let endpoints = answer.addresses.map { Endpoint($0, port: name.port).unmapped }
      joins.append(Join(at: at, entry: entry, endpoints: endpoints, isOverdue: isOverdue))
    }
    var inOrder = asked
    sortStably(&inOrder) { $0.after < $1.after }
    let hasNone = asked.allSatisfy { $0.addresses.isEmpty }
    for (number, answer) in inOrder.enumerated() {
      var line: Answer.Line?
      if !answer.addresses.isEmpty {
        line = .resolved(count: answer.addresses.count)
      } else if hasNone && number == inOrder.count - 1 {
        // That one family has no address (EAI_NODATA) says less than any other failure.
        let telling = inOrder.map { $0.errno!.number }.filter { $0 != -5 }.max()
        line = .unresolved(telling.map { Errno($0) } ?? answer.errno!)
      }
      answers.append(Answer(at: answer.after, name: index, line: line))
    }
  }

  // MARK: routes

  /// The line that describes an endpoint: what is listed before what is only described, its own port
  /// before any port, its own link before none.
  private func destination(of endpoint: Endpoint) -> Scenario.Destination? {
    var listed: [Int] = []
    for case .remote(let index) in scenario.list { listed.append(index) }
    let described = scenario.destinations.indices.filter { !listed.contains($0) }
    let links = endpoint.address.scope == 0 ? [0] : [endpoint.address.scope, 0]
    for link in links {
      for port in [endpoint.port, 0] {
        let wanted = Endpoint(endpoint.address, port: port).withScope(link)
        for index in listed + described where scenario.destinations[index].endpoint == wanted {
          return scenario.destinations[index]
        }
      }
    }
    return nil
  }

  /// What the routing table says of an endpoint.
  struct Route {
    /// `nil`: it has no route, or no local address is compatible.
    let source: IPAddress?
    let hasNoRoute: Bool
    let isNative: Bool
    /// What an attempt meets that no `pair` line is about.
    let behaviour: Scenario.Behaviour
  }

  func route(to endpoint: Endpoint) -> Route {
    let compatible = scenario.locals.first { Self.isCompatible($0, endpoint.address) }?.address
    guard let destination = destination(of: endpoint) else {
      return Route(source: compatible, hasNoRoute: false, isNative: false, behaviour: .silent)
    }
    let hasNoRoute = destination.behaviour == .noRoute
    return Route(
      source: hasNoRoute ? nil : destination.source ?? compatible, hasNoRoute: hasNoRoute,
      isNative: destination.isNative, behaviour: destination.behaviour)
  }

  /// Section 3 point 4: "same family; loopback only with loopback; link-local only with link-local
  /// of the same link; never tentative".
  static func isCompatible(_ local: LocalAddress, _ remote: IPAddress) -> Bool {
    let address = local.address
    if address.family != remote.family || local.flags.contains(.tentative) { return false }
    if address.isLoopback != remote.isLoopback { return false }
    if address.isLinkLocal != remote.isLinkLocal { return false }
    return !address.isLinkLocal || address.scope == remote.scope
  }

  /// This machine's line of an address. A route's source needs none; its whole length is compared then.
  func local(_ address: IPAddress) -> LocalAddress {
    scenario.locals.first { $0.address == address } ?? LocalAddress(address, prefixLength: 128)
  }

  // MARK: attempts

  /// What an attempt from `local` meets.
  ///
  /// - Parameter isBound: whether its socket is bound to the address before it connects.
  func behaviour(_ local: IPAddress?, _ remote: Endpoint, _ route: Route, isBound: Bool)
    -> Scenario.Behaviour
  {
    for line in scenario.pairs.reversed() where line.local == local && line.remote == remote {
      return line.behaviour
    }
    if isBound, let local, !canBind(local) { return .failsAtOnce(.addressNotAvailable) }
    return route.behaviour
  }

  private func canBind(_ address: IPAddress) -> Bool {
    if let local = scenario.locals.first(where: { $0.address == address }) {
      return !local.flags.contains(.tentative)
    }
    return scenario.destinations.contains { $0.source == address }
  }
}

/// Insertion sort: equals stay in their order, and the arrays are short.
func sortStably<T>(_ array: inout [T], by precedes: (T, T) -> Bool) {
  for index in array.indices.dropFirst() {
    var place = index
    while place > 0 && precedes(array[place], array[place - 1]) {
      array.swapAt(place, place - 1)
      place -= 1
    }
  }
}
