import ConnectByListCore
import ConnectByListSimulation

/// The world that a scenario describes: when each remote becomes known, its pairs, and how each pair behaves.
///
/// It is written from the contract and the scenario's grammar alone, and shares no code with the plan, the race
/// or the simulated world, so that it does not repeat their mistakes.
struct KnownWorld {
  struct Remote {
    let endpoint: Endpoint
    /// When the race knows it: a literal at once, a name's address when it is resolved.
    let knownAt: TimeSpan
    /// Its index in the list; `nil` for a name's address or an expanded link-local address.
    let listed: Int?
    /// The index of the description that applies to it; `nil`: it is silent.
    let destination: Int?
    /// The source address of its route; `nil` if there is no route or no usable address.
    let source: IPAddress?
    /// How long an answer takes, from its round trip: srtt + 4·rttvar; `nil` if that is not known.
    let patience: TimeSpan?
  }

  /// A line of the transcript about a name.
  struct NameLine {
    let time: TimeSpan
    let kind: RaceEvent.Kind
    let name: Int
    let count: Int?
    let errno: Errno?
  }

  let scenario: Scenario
  /// In the order in which they become known.
  private(set) var remotes: [Remote] = []
  private(set) var nameLines: [NameLine] = []
  /// When the last name has answered.
  private(set) var settledAt: TimeSpan = .zero

  init(_ scenario: Scenario) {
    self.scenario = scenario
    addLiterals()
    addNames()
  }

  // MARK: remotes

  private mutating func addLiterals() {
    for (position, entry) in scenario.list.enumerated() {
      guard case .remote(let index) = entry else { continue }
      let destination = scenario.destinations[index]
      let address = destination.endpoint.address
      guard scenario.options.family == nil || scenario.options.family == address.family else {
        continue
      }
      if destination.source == nil && address.needsScope && address.scope == 0 {
        var links: [UInt32] = []
        for local in scenario.locals where local.address.needsScope {
          if !links.contains(local.address.scope) { links.append(local.address.scope) }
        }
        for link in links { add(destination.endpoint.withScope(link), at: .zero, listed: position) }
      } else {
        add(destination.endpoint, at: .zero, listed: position)
      }
    }
  }

  private mutating func add(_ endpoint: Endpoint, at time: TimeSpan, listed: Int? = nil) {
    if remotes.contains(where: { $0.endpoint == endpoint }) { return }
    let destination = self.destination(of: endpoint)
    var source: IPAddress?
    if let destination, scenario.destinations[destination].behaviour == .noRoute {
      source = nil
    } else {
      source =
        destination.flatMap { scenario.destinations[$0].source }
        ?? scenario.locals.first { Self.canConnect($0, endpoint.address) }?.address
    }
    remotes.append(
      Remote(
        endpoint: endpoint, knownAt: time, listed: listed, destination: destination,
        source: source, patience: patience(endpoint, from: source)))
  }

  /// A `remote` line applies before a `world` line, an equal port before any port, an equal scope before
  /// none.
  private func destination(of endpoint: Endpoint) -> Int? {
    var order: [Int] = []
    for case .remote(let index) in scenario.list { order.append(index) }
    if order.count < scenario.destinations.count { order += scenario.destinations.indices }
    for address in [endpoint.address, endpoint.address.withScope(0)] {
      for port in [endpoint.port, 0] {
        let wanted = Endpoint(address, port: port)
        if let found = order.first(where: { scenario.destinations[$0].endpoint == wanted }) {
          return found
        }
      }
      if address.scope == 0 { break }
    }
    return nil
  }

  private func patience(_ endpoint: Endpoint, from source: IPAddress?) -> TimeSpan? {
    // The list's measurement is the first of RFC 6298, whose deviation is half of it.
    var patience: TimeSpan?
    for line in scenario.history where line.endpoint == endpoint {
      patience = line.roundTrip.map { $0 + ($0 / 2) * 4 }
    }
    for line in scenario.metrics
    where line.destination == endpoint.address && line.source == source {
      patience = line.roundTrip.smoothed + line.roundTrip.variance * 4
    }
    return patience
  }

  // MARK: names

  /// RFC 8305 section 3: IPv4 addresses that come first wait up to 50 ms for the IPv6 addresses.
  private mutating func addNames() {
    var found: [(time: TimeSpan, endpoint: Endpoint)] = []
    for (number, name) in scenario.names.enumerated() {
      let asked = self.asked(name)
      let v6 = asked.first { $0.family == .inet6 }?.after
      for answer in asked {
        if answer.after > settledAt { settledAt = answer.after }
        var knownAt = answer.after
        if answer.family == .inet, let v6, v6 > knownAt {
          knownAt = min(v6, knownAt + .milliseconds(50))
        }
        for address in answer.addresses {
          found.append((knownAt, Endpoint(address, port: name.port).unmapped))
        }
      }
      addLines(of: asked, name: number)
    }
    sortStably(&found) { $0.time < $1.time }
    for (time, endpoint) in found { add(endpoint, at: time) }
    sortStably(&nameLines) { $0.time < $1.time }
  }

  private func asked(_ name: Scenario.Name) -> [Scenario.Name.Answer] {
    guard let wanted = scenario.options.family else { return name.answers }
    let asked = name.answers.filter { $0.family == nil || $0.family == wanted }
    if !asked.isEmpty { return asked }
    // EAI_NODATA: the name exists, and has no address of this family.
    return [Scenario.Name.Answer(wanted, after: name.answers[0].after, [], errno: Errno(-5))]
  }

  /// Each answer with addresses makes a line. A name without any makes one line, at its last answer.
  private mutating func addLines(of asked: [Scenario.Name.Answer], name: Int) {
    var inOrder = asked
    sortStably(&inOrder) { $0.after < $1.after }
    for (index, answer) in inOrder.enumerated() {
      if !answer.addresses.isEmpty {
        nameLines.append(
          NameLine(
            time: answer.after, kind: .resolved, name: name, count: answer.addresses.count,
            errno: nil))
      } else if index == inOrder.count - 1 && inOrder.allSatisfy({ $0.addresses.isEmpty }) {
        nameLines.append(
          NameLine(
            time: answer.after, kind: .unresolved, name: name, count: nil, errno: answer.errno))
      }
    }
  }

  // MARK: pairs

  /// Section 3 point 4: the same family, loopback only with loopback, link-local only with
  /// link-local of the same link, never tentative.
  static func canConnect(_ local: LocalAddress, _ remote: IPAddress) -> Bool {
    let address = local.address
    if local.flags.contains(.tentative) || address.family != remote.family { return false }
    if address.isLoopback || remote.isLoopback { return address.isLoopback && remote.isLoopback }
    if address.isLinkLocal || remote.isLinkLocal {
      return address.isLinkLocal && remote.isLinkLocal && address.scope == remote.scope
    }
    return true
  }

  /// The local addresses that can be tried while the first `known` remotes are known: the machine's and the
  /// sources of routes, or those that the caller named.
  func locals(known: Int) -> [(endpoint: Endpoint, address: LocalAddress)] {
    var result: [(endpoint: Endpoint, address: LocalAddress)] = []
    func take(_ endpoint: Endpoint, _ address: LocalAddress?) {
      if result.contains(where: { $0.endpoint == endpoint }) { return }
      result.append(
        (endpoint, address ?? LocalAddress(endpoint.address, prefixLength: 0)))
    }
    switch scenario.options.locals {
    case .routeOnly: break
    case .these(let chosen):
      for endpoint in chosen {
        take(endpoint, scenario.locals.first { $0.address == endpoint.address })
      }
    case .all:
      for local in scenario.locals { take(Endpoint(local.address, port: 0), local) }
      for remote in remotes[..<known] {
        if let source = remote.source { take(Endpoint(source, port: 0), nil) }
      }
    }
    return result
  }

  /// When a local address can first be tried. An address that is only a route's source is known when its
  /// remote is.
  func knownAt(local: Endpoint?) -> TimeSpan {
    guard let local, case .all = scenario.options.locals,
      !scenario.locals.contains(where: { $0.address == local.address })
    else { return .zero }
    return remotes.first { $0.source == local.address }?.knownAt ?? .zero
  }

  /// The local address of a remote's first pair: the route's source. Of the caller's named addresses that one
  /// if it is among them, else the first usable one. `nil` if there is none.
  func firstLocal(of remote: Remote) -> Endpoint? {
    guard case .these = scenario.options.locals else {
      return remote.source.map { Endpoint($0, port: 0) }
    }
    let fitting = locals(known: 0).filter { Self.canConnect($0.address, remote.endpoint.address) }
    return (fitting.first { $0.endpoint.address == remote.source } ?? fitting.first)?.endpoint
  }

  /// All pairs of this remote while the first `known` remotes are known, the one from the route's source
  /// first.
  func pairs(of remote: Remote, known: Int) -> [RaceRecord.Pair] {
    let first = firstLocal(of: remote)
    var pairs = [RaceRecord.Pair(local: first, remote: remote.endpoint)]
    for local in locals(known: known)
    where local.endpoint != first && Self.canConnect(local.address, remote.endpoint.address) {
      pairs.append(RaceRecord.Pair(local: local.endpoint, remote: remote.endpoint))
    }
    return pairs
  }

  /// How an attempt of this pair behaves. `isFirst`: it is the remote's first pair.
  func behaviour(_ pair: RaceRecord.Pair, of remote: Remote, isFirst: Bool) -> Scenario.Behaviour {
    var isBound = !isFirst
    if case .these = scenario.options.locals {
      isBound = true
      if pair.local == nil { return .failsAtOnce(.addressNotAvailable) }
    }
    let address = pair.local?.address
    if let line = scenario.pairs.last(where: { $0.local == address && $0.remote == pair.remote }) {
      return line.behaviour
    }
    if isBound, let address, !isOurs(address) { return .failsAtOnce(.addressNotAvailable) }
    return remote.destination.map { scenario.destinations[$0].behaviour } ?? .silent
  }

  private func isOurs(_ address: IPAddress) -> Bool {
    if let local = scenario.locals.first(where: { $0.address == address }) {
      return !local.flags.contains(.tentative)
    }
    return scenario.destinations.contains { $0.source == address }
  }
}

/// A stable insertion sort; the arrays are short.
func sortStably<T>(_ array: inout [T], by precedes: (T, T) -> Bool) {
  for index in array.indices.dropFirst() {
    var position = index
    while position > 0 && precedes(array[position], array[position - 1]) {
      array.swapAt(position, position - 1)
      position -= 1
    }
  }
}
