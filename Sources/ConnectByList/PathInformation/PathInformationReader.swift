import ConnectByListCore

/// Finds out what a plan wants to know before a packet is sent: this machine's addresses, the route
/// to each remote, and what the kernel remembers of it.
///
/// Nothing here can fail: what cannot be had is not known, and the plan makes do. In system calls:
/// four for all routes and all local addresses (two more for each 64 remotes); two where neighbours
/// may tell one remote from another, or an interface may be down; four for the round trips (the
/// first time in a process six), none where all remotes have one address.
struct PathInformationReader {
  private let interface: UInt32
  /// `nil`: not asked yet. They are asked for once in a race.
  private var locals: [LocalAddress]?
  /// The next hop of the first remote that has one.
  private var firstHop: Routes.NextHop?
  /// Whether another remote has another.
  private var hopsDiffer = false
  /// The address of the first remote.
  private var firstAddress: IPAddress?

  /// `interface`: the index of the one that the connections are bound to; 0: any.
  init(interface: UInt32) { self.interface = interface }

  /// PathInformation of the remotes that the plan does not know yet; of the others there are none in it.
  mutating func facts(for plan: Plan) -> PathInformation {
    let unknown = (0..<plan.remoteCount).filter { plan.isUnknown($0) }
    // Unix addresses alone: nothing to ask.
    if unknown.isEmpty && locals == nil {
      return PathInformation(
        locals: [], remotes: [RemotePathInformation](repeating: RemotePathInformation(), count: plan.remoteCount))
    }
    let distinct = Distinct(unknown.count, secret: .ofThisProcess) {
      plan.endpoint(at: unknown[$0]).address
    }
    let found = facts(of: distinct.firsts.map { plan.endpoint(at: unknown[$0]) })
    var remotes = [RemotePathInformation](repeating: RemotePathInformation(), count: plan.remoteCount)
    for (position, index) in unknown.enumerated() {
      remotes[index] = found[distinct.positions[position]]
    }
    return PathInformation(locals: locals ?? [], remotes: remotes)
  }

  /// The interfaces on which an unscoped link-local remote may be.
  mutating func links() -> [UInt32] {
    if locals == nil { _ = facts(of: []) }
    return LocalAddresses.links(locals ?? [])
  }

  private mutating func facts(of remotes: [Endpoint]) -> [RemotePathInformation] {
    var ways = [Routes.RouteLookup?](repeating: nil, count: remotes.count)
    var facts = [RemotePathInformation](repeating: RemotePathInformation(), count: remotes.count)
    do throws(Errno) {
      try askRoutingTables(remotes, &ways, &facts)
    } catch {}
    if locals == nil { locals = [] }
    Routes.askByConnecting(remotes, interface: interface, &ways)
    for index in facts.indices { facts[index].route = ways[index]?.route ?? .unknown }
    addRoundTrips(remotes, &facts)
    return facts
  }

  // MARK: routes, local addresses, neighbours

  /// Two turns on one socket: routes and local addresses, then what only these let one ask.
  private mutating func askRoutingTables(
    _ remotes: [Endpoint], _ ways: inout [Routes.RouteLookup?], _ facts: inout [RemotePathInformation]
  ) throws(Errno) {
    let isFirstTime = locals == nil
    var requests = NetlinkRequests()
    // First, so that the dump begins while the queue is empty.
    if isFirstTime { LocalAddresses.append(to: &requests) }
    let dumps = requests.count
    let asked = Routes.append(
      remotes, interface: interface, locals: locals ?? [], to: &requests, &ways)
    guard requests.count > 0 else { return }
    var socket = try NetlinkSocket(.route)
    var collector = LocalAddressCollector()
    try socket.ask(&requests) { index, answer in
      if index < dumps {
        collector.take(answer)
      } else {
        let remote = asked[index - dumps]
        ways[remote] = Routes.way(to: remotes[remote].address, answer)
      }
    }
    if isFirstTime { locals = LocalAddresses.merged(collector.locals) }
    try askLinks(of: collector.locals, ways, on: &socket, &facts)
  }

  /// Which neighbours have failed, and which local addresses are on interfaces that are down.
  private mutating func askLinks(
    of found: [LocalAddress], _ ways: [Routes.RouteLookup?], on socket: inout NetlinkSocket,
    _ facts: inout [RemotePathInformation]
  ) throws(Errno) {
    var requests = NetlinkRequests()
    let hops = nextHops(ways)
    // As long as all are the same, its state tells no remote from another.
    let neighbours = Distinct(hopsDiffer ? hops.count : 0, secret: .ofThisProcess) { hops[$0] }
    for first in neighbours.firsts { Evidence.append(hops[first], to: &requests) }
    let doubtful = LocalAddresses.interfacesInDoubt(
      found, knownUp: ways.compactMap { $0?.nextHop?.interface })
    for interface in doubtful { LocalAddresses.append(questionOf: interface, to: &requests) }
    var hasFailed = [Bool](repeating: false, count: neighbours.firsts.count)
    var down: [UInt32] = []
    try socket.ask(&requests) { index, answer in
      if index < hasFailed.count {
        hasFailed[index] = Evidence.hasFailed(answer)
      } else if LocalAddresses.isDown(answer) {
        down.append(doubtful[index - hasFailed.count])
      }
    }
    if !down.isEmpty {
      locals = LocalAddresses.merged(found.filter { !down.contains($0.interface) })
    }
    guard !hasFailed.isEmpty else { return }
    let routed = ways.indices.filter { ways[$0]?.nextHop != nil }
    for (place, index) in zip(neighbours.positions, routed) {
      facts[index].neighbourFailed = hasFailed[place]
    }
  }

  /// The next hops of the remotes that have one, in their order. Notes whether they differ.
  private mutating func nextHops(_ ways: [Routes.RouteLookup?]) -> [Routes.NextHop] {
    var hops: [Routes.NextHop] = []
    for case let way? in ways {
      if let hop = way.nextHop { hops.append(hop) }
      // This machine itself counts as one more.
      guard let hop = way.nextHop ?? (way.isLocal ? .here : nil) else { continue }
      if let firstHop, firstHop != hop { hopsDiffer = true }
      firstHop = firstHop ?? hop
    }
    return hops
  }

  // MARK: round trips

  /// Not where all remotes have one address: what is known of it would tell none from another. Not
  /// of link-local addresses: the kernel keeps metrics by the address, without the link. Nor of
  /// loopback, whose round trips are all next to nothing: their order is not to wait for that
  /// (`Plan.needsPathInformationForOrder`), and would not be the explained one if it came later.
  private mutating func addRoundTrips(_ remotes: [Endpoint], _ facts: inout [RemotePathInformation]) {
    firstAddress = firstAddress ?? remotes.first?.address
    guard remotes.contains(where: { $0.address != firstAddress }) else { return }
    var asked: [Int] = []
    var questions: [Evidence.Question] = []
    for (index, remote) in remotes.enumerated()
    where !remote.address.needsScope && !remote.address.isLoopback {
      switch facts[index].route {
      case .source(let source): questions.append((remote.address, source))
      case .unknown: questions.append((remote.address, nil))
      case .refused: continue
      }
      asked.append(index)
    }
    guard !questions.isEmpty else { return }
    for (position, roundTrip) in Evidence.roundTrips(to: questions).enumerated() {
      facts[asked[position]].roundTrip = roundTrip
    }
  }
}
