import ConnectByListSimulation
import ConnectByListCore

/// A scenario as a reader of its text understands it: which remotes there are from when on, which
/// pairs they make, and how each pair behaves.
///
/// Written from the contract and the scenario's grammar alone. It shares no code with the plan, the
/// race or the simulated world, so that a mistake there cannot hide here as well.
struct KnownWorld {
  struct Remote {
    let endpoint: Endpoint
    /// When the race hears of it: a literal at once, a name's address when it is resolved.
    let knownAt: TimeSpan
    /// Its place in the list, where it is listed as it is.
    let listed: Int?
    /// The description that it falls under; `nil`: nobody is there.
    let destination: Int?
    /// What its route takes; `nil`: there is none, or no address fits.
    let source: IPAddress?
    /// What is known of its round trip: srtt + 4·rttvar.
    let patience: TimeSpan?
  }

  /// A line that a name's lookup leaves in the transcript.
  struct NameLine {
    let time: TimeSpan
    let kind: TranscriptEvent.Kind
    let name: Int
    let count: Int?
    let errno: Errno?
  }

  let scenario: Scenario
  /// In the order in which they become known.
  private(set) var remotes: [Remote] = []
  private(set) var nameLines: [NameLine] = []
  /// From when on no name brings anything more.
  private(set) var settledAt: TimeSpan = .zero

  init(_ scenario: Scenario) {
    self.scenario = scenario
    addLiterals()
    addNames()
  }

  // MARK: remotes

  private mutating func addLiterals() {
    for (place, entry) in scenario.list.enumerated() {
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
        for link in links { add(destination.endpoint.withScope(link), at: .zero, listed: place) }
      } else {
        add(destination.endpoint, at: .zero, listed: place)
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

  /// What is listed goes before what is described, its own port before any port, its own link
  /// before none.
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
    // The list's own measurement counts as RFC 6298's first: its deviation is half of it.
    var patience: TimeSpan?
    for line in scenario.seen where line.endpoint == endpoint {
      patience = nil
      if case .connected(let roundTrip?) = line.outcome {
        patience = roundTrip + (roundTrip / 2) * 4
      }
    }
    for line in scenario.metrics
    where line.destination == endpoint.address && line.source == source {
      patience = line.roundTrip.smoothed + line.roundTrip.variance * 4
    }
    return patience
  }

  // MARK: names

  /// RFC 8305 section 3: IPv4 addresses that come first wait 50 ms for the IPv6 ones.
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
    // EAI_NODATA: the name is there, and has nothing of this family.
    return [Scenario.Name.Answer(wanted, after: name.answers[0].after, [], errno: Errno(-5))]
  }

  /// An answer with addresses is a line; a name without any is one, at its last answer.
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

  /// The local addresses that can be tried while the first `known` remotes are known: the
  /// machine's, with the sources of routes, or those that the caller named.
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

  /// When a local address can first be tried: one that only a route tells of, when its remote is
  /// known.
  func knownAt(local: Endpoint?) -> TimeSpan {
    guard let local, case .all = scenario.options.locals,
      !scenario.locals.contains(where: { $0.address == local.address })
    else { return .zero }
    return remotes.first { $0.source == local.address }?.knownAt ?? .zero
  }

  /// Where a remote is tried from first: the route's own source, or of the named addresses that
  /// one, or else the first that fits; `nil`: from nowhere in particular, or from nowhere at all.
  func firstLocal(of remote: Remote) -> Endpoint? {
    guard case .these = scenario.options.locals else {
      return remote.source.map { Endpoint($0, port: 0) }
    }
    let fitting = locals(known: 0).filter { Self.canConnect($0.address, remote.endpoint.address) }
    return (fitting.first { $0.endpoint.address == remote.source } ?? fitting.first)?.endpoint
  }

  /// Every pair of this remote while the first `known` remotes are known, the route's own first.
  func pairs(of remote: Remote, known: Int) -> [RaceRecord.Pair] {
    let first = firstLocal(of: remote)
    var pairs = [RaceRecord.Pair(local: first, remote: remote.endpoint)]
    for local in locals(known: known)
    where local.endpoint != first && Self.canConnect(local.address, remote.endpoint.address) {
      pairs.append(RaceRecord.Pair(local: local.endpoint, remote: remote.endpoint))
    }
    return pairs
  }

  /// How an attempt of this pair behaves; `isFirst`: from the route's own source.
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
