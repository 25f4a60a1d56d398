import ConnectByListCore
import ConnectByListSimulation

// The other parts of a random world: names, evidence, options, a cancel.

extension WorldGenerator {
  // MARK: names

  mutating func makeNames() {
    guard chance(20) else { return }
    for number in 0..<between(1, 3) {
      let host = [UInt8]("name\(number).test".utf8)
      let port = port()
      if chance(15) {
        let answer = Scenario.Name.Answer(nil, after: span(), [], errno: .nameNotKnown)
        scenario.append(Scenario.Name(host: host, port: 0, [answer]))
        continue
      }
      let families: [Family] = pick([
        [.inet6, .inet], [.inet6, .inet], [.inet, .inet6], [.inet], [.inet6],
      ])
      let answers = families.map { answer($0, port: port) }
      scenario.append(Scenario.Name(host: host, port: port, answers))
    }
  }

  private mutating func answer(_ family: Family, port: UInt16) -> Scenario.Name.Answer {
    let after = span()
    if chance(20) {
      let errno = pick([Errno.nameNotKnown, Errno(-5), Errno(-3)])
      return Scenario.Name.Answer(family, after: after, [], errno: errno)
    }
    var addresses: [IPAddress] = []
    for _ in 0..<between(1, 3) { addresses.append(address(family)) }
    for address in addresses where chance(80) {
      scenario.describe(destination(Endpoint(address, port: pick([0, port]))))
    }
    return Scenario.Name.Answer(family, after: after, addresses)
  }

  /// A random address for a name, sometimes one that is in the list.
  private mutating func address(_ family: Family) -> IPAddress {
    let listed = targets.filter { $0.family == family && !$0.needsScope && !$0.isMapped }
    if !listed.isEmpty && chance(20) { return pick(listed) }
    let number = random.below(30) + 1
    return family == .inet
      ? IPAddress(v4: 0xc633_6400 + UInt32(number))
      : IPAddress(high: 0x2001_0db8_00aa_0000, low: UInt64(number))
  }

  // MARK: evidence

  mutating func makeEvidence() {
    if chance(15) { scenario.descriptorCount = between(0, 4) }
    let remotes = scenario.destinations.map { $0.endpoint }.prefix(12)
    for remote in remotes where chance(5) { scenario.failedNeighbours.append(remote.address) }
    guard chance(45) else { return }
    // How much of what could be known is.
    let percent = pick([10, 30, 80])
    for remote in remotes {
      for source in sources(of: remote) {
        if chance(percent) { makeMetrics(source, remote.address) }
        if remote.port != 0 && chance(percent) {
          for _ in 0..<between(1, 3) { makeSeen(source, remote) }
        }
      }
    }
    if chance(40) { makeStrangers() }
  }

  /// The addresses that a remote may be reached from, and sometimes one that the machine has lost.
  private mutating func sources(of remote: Endpoint) -> [IPAddress] {
    var sources = scenario.locals.map { $0.address }.filter { $0.family == remote.family }
    for destination in scenario.destinations where destination.endpoint == remote {
      if let source = destination.source, !sources.contains(source) { sources.append(source) }
    }
    if remote.family == .inet && chance(10) { sources.append(IPAddress(v4: 0x0a00_0063)) }
    return sources
  }

  private mutating func makeMetrics(_ source: IPAddress, _ destination: IPAddress) {
    scenario.metrics.append(
      Scenario.Metrics(
        source: source, destination: destination,
        RemotePathInformation.RoundTrip(
          smoothed: pick([.milliseconds(1), span(), .seconds(3)]),
          variance: pick([.zero, .microseconds(250), .milliseconds(2), .milliseconds(40)]))))
  }

  private mutating func makeSeen(_ source: IPAddress, _ remote: Endpoint) {
    let outcome: Scenario.Seen.Outcome = pick([
      .connected(roundTrip: span()), .connected(roundTrip: span()), .connected(roundTrip: nil),
      .failed, .failed, .refused,
    ])
    let age = pick([TimeSpan.zero, .seconds(1), .seconds(1), .seconds(20), .seconds(600)])
    scenario.seen.append(Scenario.Seen(source: source, remote, outcome, age: age))
  }

  /// Pairs that are not in the list: they make a population.
  private mutating func makeStrangers() {
    let isInet = chance(60)
    for number in 0..<between(3, 11) {
      let address =
        isInet
        ? IPAddress(v4: (chance(70) ? 0xc000_0200 : 0xcb00_7100) + UInt32(number + 220))
        : IPAddress(high: 0x2001_0db8_0000_0000, low: UInt64(number + 500))
      let locals = scenario.locals.map { $0.address }.filter { $0.family == address.family }
      let source = locals.isEmpty || chance(10) ? stranger(address.family) : pick(locals)
      if chance(70) {
        makeMetrics(source, address)
      } else {
        makeSeen(source, Endpoint(address, port: port()))
      }
    }
  }

  private func stranger(_ family: Family) -> IPAddress {
    family == .inet ? IPAddress(v4: 0x0a00_0063) : IPAddress(high: 0x2001_0db8_0000_0009, low: 9)
  }

  // MARK: options

  mutating func makeOptions() {
    if chance(60) {
      scenario.options.timeout =
        chance(8) ? .zero : chance(20) ? spanAboveZero() : .milliseconds(Int64(between(1, 60)) * 50)
    }
    if chance(25) { scenario.options.attemptDelay = max(spanAboveZero(), .milliseconds(10)) }
    if chance(15) {
      scenario.options.minimumDelay = pick([
        .milliseconds(20), .milliseconds(30), .milliseconds(200),
      ])
    }
    if chance(20) { scenario.options.attemptTimeout = spanAboveZero() }
    scenario.options.pace = pick([
      .accelerating, .accelerating, .accelerating, .accelerating, .steady, .parallel, .sequential,
    ])
    scenario.options.order = pick([.likely, .likely, .given, .given, .random])
    if scenario.options.order == .random { scenario.options.seed = UInt64(random.below(1_000)) }
    if chance(20) { scenario.options.hedge = max(spanAboveZero(), .milliseconds(10)) }
    if chance(20) { scenario.options.interleave = chance(50) }
    if chance(30) { scenario.options.inFlight = between(1, 5) }
    if chance(8) { scenario.options.family = pick([.inet, .inet6]) }
    if chance(12) { scenario.cancel = span() }
    if chance(15) && (scenario.options.timeout != nil || scenario.cancel != nil) {
      scenario.options.retry = .milliseconds(pick([10, 100, 150, 250, 500, 1000]))
    }
    makeLocalsOption()
  }

  private mutating func makeLocalsOption() {
    if chance(10) { scenario.options.locals = .routeOnly }
    // Named addresses are never tentative here: whether the race knows that one is depends on whether it
    // asks for path information, which the checker cannot know.
    let tentative = scenario.locals.filter { $0.flags.contains(.tentative) }.map { $0.address }
    let usable = scenario.locals.filter { !tentative.contains($0.address) }
    guard !usable.isEmpty, chance(15) else { return }
    var chosen: [Endpoint] = []
    for _ in 0..<between(1, 3) {
      chosen.append(Endpoint(pick(usable).address, port: pick([0, 0, 0, 4000])))
    }
    // An address that the machine does not have.
    if chance(15) { chosen.append(Endpoint(IPAddress(v4: 0x0a09_0909), port: 0)) }
    scenario.options.locals = .these(chosen)
  }

  /// Adds a remote if the list is empty, or if the family or missing links leave no candidate: such scenarios
  /// are refused before a race.
  mutating func requireSomethingToConnectTo() {
    if !scenario.names.isEmpty || !scenario.candidates().isEmpty { return }
    scenario.options.family = nil
    if scenario.candidates().isEmpty {
      let address = IPAddress(v4: 0xcb00_7100 + UInt32(random.below(9)))
      scenario.append(destination(Endpoint(address, port: 80)))
    }
  }
}
