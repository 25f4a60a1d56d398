import ConnectByListCore

/// Reads what a plan needs to know before a packet is sent: this machine's addresses, the route to
/// each remote, failed neighbours, and round trips that the kernel remembers.
///
/// Nothing here fails: what cannot be read is unknown, and the plan orders the pairs without it.
/// System calls: four for all routes and all local addresses, and two more for each 64 remotes; two
/// where the state of neighbours can distinguish remotes, or where an interface may be down; four for
/// round trips (six for the first time in a process), none where all remotes have the same address.
struct PathInformationReader {
  private let interface: UInt32
  /// Read once in a race. `nil`: not yet.
  private var locals: [LocalAddress]?
  /// The next hop of the first remote that has one.
  private var firstHop: NextHop?
  /// Whether two remotes have different next hops.
  private var hopsDiffer = false
  /// The address of the first remote.
  private var firstAddress: IPAddress?
  private var metrics: [PathMetrics] = []

  /// - Parameter interface: the index of the interface that the connections are bound to; 0: any.
  init(interface: UInt32) { self.interface = interface }

  /// The path information of the plan's remotes; empty for those that the plan has it of already.
  mutating func pathInformation(for plan: Plan) -> PathInformation {
    let unknown = (0..<plan.remoteCount).filter { plan.isUnknown($0) }
    var remotes = [RemotePathInformation](
      repeating: RemotePathInformation(), count: plan.remoteCount)
    // A plan of Unix addresses needs none of this.
    if unknown.isEmpty && locals == nil { return PathInformation(locals: [], remotes: remotes) }
    let distinct = Distinct(unknown.count, secret: .ofThisProcess) {
      plan.endpoint(at: unknown[$0]).address
    }
    let found = pathInformation(of: distinct.firsts.map { plan.endpoint(at: unknown[$0]) })
    for (index, position) in zip(unknown, distinct.positions) { remotes[index] = found[position] }
    return PathInformation(locals: locals ?? [], remotes: remotes, metrics: metrics)
  }

  /// The interfaces on which a link-local remote without a scope may be.
  mutating func links() -> [UInt32] {
    if locals == nil { _ = pathInformation(of: []) }
    return LocalAddresses.links(locals ?? [])
  }

  private mutating func pathInformation(of remotes: [Endpoint]) -> [RemotePathInformation] {
    var lookups = [RouteLookup?](repeating: nil, count: remotes.count)
    var pathInformation = [RemotePathInformation](
      repeating: RemotePathInformation(), count: remotes.count)
    do throws(Errno) {
      try askRoutingTables(remotes, &lookups, &pathInformation)
    } catch {
      // Some sandboxes have no netlink; the UDP sockets of `probe` need none.
    }
    if locals == nil { locals = [] }
    Routes.probe(remotes, interface: interface, &lookups)
    for index in remotes.indices {
      pathInformation[index].route = lookups[index]?.route ?? .unknown
    }
    addRoundTrips(remotes, pathInformation)
    return pathInformation
  }

  // MARK: routes, local addresses, neighbours

  /// Two exchanges on one socket: routes and local addresses, then neighbours and interfaces, which
  /// the answers of the first one name.
  private mutating func askRoutingTables(
    _ remotes: [Endpoint], _ lookups: inout [RouteLookup?],
    _ pathInformation: inout [RemotePathInformation]
  ) throws(Errno) {
    let isFirstTime = locals == nil
    var requests = NetlinkRequests()
    // The dump is first, so that it begins while the queue is empty.
    if isFirstTime { LocalAddresses.addRequest(to: &requests) }
    let dumpCount = requests.count
    let asked = Routes.addRequests(
      for: remotes, interface: interface, locals: locals ?? [], to: &requests, &lookups)
    guard requests.count > 0 else { return }
    var socket = try NetlinkSocket(.route)
    var collector = LocalAddressCollector()
    try socket.ask(&requests) { index, answer in
      if index < dumpCount {
        collector.take(answer)
      } else {
        let remote = asked[index - dumpCount]
        lookups[remote] = Routes.lookup(of: remotes[remote].address, answer)
      }
    }
    if isFirstTime { locals = LocalAddresses.merged(collector.locals) }
    try askLinks(of: collector.locals, lookups, on: &socket, &pathInformation)
  }

  /// Notes which neighbours have failed, and drops the local addresses of interfaces that are down.
  private mutating func askLinks(
    of found: [LocalAddress], _ lookups: [RouteLookup?], on socket: inout NetlinkSocket,
    _ pathInformation: inout [RemotePathInformation]
  ) throws(Errno) {
    var requests = NetlinkRequests()
    let hops = nextHops(lookups)
    // A next hop that all remotes share cannot distinguish them, so its state is not requested.
    let neighbours = Distinct(hopsDiffer ? hops.count : 0, secret: .ofThisProcess) { hops[$0] }
    for first in neighbours.firsts { Neighbours.addRequest(for: hops[first], to: &requests) }
    let doubtful = LocalAddresses.interfacesInDoubt(
      found, knownUp: lookups.compactMap { $0?.nextHop?.interface })
    for interface in doubtful { LocalAddresses.addRequest(forLink: interface, to: &requests) }
    var hasFailed = [Bool](repeating: false, count: neighbours.firsts.count)
    var down: [UInt32] = []
    try socket.ask(&requests) { index, answer in
      if index < hasFailed.count {
        hasFailed[index] = Neighbours.hasFailed(answer)
      } else if LocalAddresses.isDown(answer) {
        down.append(doubtful[index - hasFailed.count])
      }
    }
    if !down.isEmpty {
      locals = LocalAddresses.merged(found.filter { !down.contains($0.interface) })
    }
    guard !hasFailed.isEmpty else { return }
    let routed = lookups.indices.filter { lookups[$0]?.nextHop != nil }
    for (position, index) in zip(neighbours.positions, routed) {
      pathInformation[index].neighbourFailed = hasFailed[position]
    }
  }

  /// The next hops of the remotes that have one, in their order. Updates `hopsDiffer`.
  private mutating func nextHops(_ lookups: [RouteLookup?]) -> [NextHop] {
    var hops: [NextHop] = []
    for case let lookup? in lookups {
      if let hop = lookup.nextHop { hops.append(hop) }
      guard let hop = lookup.nextHop ?? (lookup.isLocal ? .thisMachine : nil) else { continue }
      if let firstHop, firstHop != hop { hopsDiffer = true }
      firstHop = firstHop ?? hop
    }
    return hops
  }

  // MARK: round trips

  /// Adds the round trips of the remotes, unless all have one address, which a round trip could not
  /// distinguish.
  ///
  /// Link-local remotes have none: the kernel keeps metrics by the address, without its link. Nor do
  /// loopback remotes, because their order must not wait for path information
  /// (`Plan.needsPathInformationForOrder`), and round trips that came later would change it.
  private mutating func addRoundTrips(
    _ remotes: [Endpoint], _ pathInformation: [RemotePathInformation]
  ) {
    firstAddress = firstAddress ?? remotes.first?.address
    guard remotes.contains(where: { $0.address != firstAddress }) else { return }
    var questions: [TCPMetrics.Question] = []
    for (index, remote) in remotes.enumerated()
    where !remote.address.needsScope && !remote.address.isLoopback {
      switch pathInformation[index].route {
      case .source(let source): questions.append((remote.address, source))
      case .unknown, .noSource, .refused: continue
      }
    }
    guard !questions.isEmpty else { return }
    for (question, roundTrip) in zip(questions, TCPMetrics.roundTrips(to: questions)) {
      guard let roundTrip, let source = question.source else { continue }
      metrics.append(PathMetrics(source: source, destination: question.address, roundTrip))
    }
  }
}
