import ConnectByListCore

/// Reads what a plan needs to know before a packet is sent: this machine's addresses, the route to each remote,
/// failed neighbours, and round trips that the kernel remembers.
///
/// Nothing here fails: what cannot be read is unknown, and the plan orders the pairs without it. Nor does it
/// take longer than it may: the kernel is asked in slices, and what is not asked by the deadline is unknown.
///
/// System calls: four for all routes and all local addresses, and two more for each 64 remotes; two where the
/// state of neighbours can distinguish remotes, where a remote is on a link, or where an interface may be down;
/// four for round trips (six for the first time in a process).
struct PathInformationReader {
  private let selectors: RouteSelectors
  /// Read once in a race. `nil`: not yet.
  private var locals: [LocalAddress]?
  /// The interfaces whose state was asked for, each with whether it is a broadcast link.
  private var links: [(interface: UInt32, isBroadcast: Bool)] = []
  /// The next hop of the first remote that has one.
  private var firstHop: NextHop?
  /// Whether two remotes have different next hops.
  private var hopsDiffer = false
  /// Whether the last reading was of all metrics of the kernel.
  private(set) var hasReadAllMetrics = false

  /// How many remotes are prepared for the kernel between two looks at the clock.
  private static let sliceMax = 512

  init(_ selectors: RouteSelectors = RouteSelectors()) { self.selectors = selectors }

  /// One for the same sockets that has not read anything.
  var anew: PathInformationReader { PathInformationReader(selectors) }

  /// Which round trips are read.
  enum Metrics {
    /// Those of the pairs that a connect to these remotes may try.
    case pairs(ConnectOptions.Locals)
    /// Those of all destinations too, up to `TCPMetrics.populationMax`: what round trips are usual.
    case population(ConnectOptions.Locals)
  }

  /// The path information of the plan's remotes; empty for those that the plan has it of already, and for
  /// those that are not asked for by the deadline.
  mutating func pathInformation(
    for plan: Plan, _ metrics: Metrics, until deadline: Instant = .distantFuture
  ) -> PathInformation {
    var remotes = [RemotePathInformation](
      repeating: RemotePathInformation(), count: plan.remoteCount)
    let unknown = (0..<plan.remoteCount).filter { plan.isUnknown($0) }
    // A plan of Unix addresses needs none of this.
    guard !unknown.isEmpty || locals != nil else {
      return PathInformation(locals: [], remotes: remotes, metrics: [])
    }
    var questions = unknown.map { Question(index: $0, endpoint: plan.endpoint(at: $0)) }
    askRoutingTables(&questions, &remotes, until: deadline)
    return PathInformation(
      locals: locals ?? [], remotes: remotes,
      metrics: roundTrips(questions, remotes, metrics, until: deadline))
  }

  /// The local addresses that were read before, and no path information of remotes: those of this plan have
  /// theirs already.
  func known(for plan: Plan) -> PathInformation {
    PathInformation(
      locals: locals ?? [],
      remotes: Array(repeating: RemotePathInformation(), count: plan.remoteCount))
  }

  /// The interfaces on which a link-local remote without a scope may be.
  mutating func interfacesOfLinkLocalAddresses() -> [UInt32] {
    if locals == nil {
      var none: [Question] = []
      var remotes: [RemotePathInformation] = []
      askRoutingTables(&none, &remotes, until: .distantFuture)
    }
    return LocalAddresses.links(locals ?? [])
  }

  /// A remote that is asked for.
  private struct Question {
    let index: Int
    let endpoint: Endpoint
    var hop: NextHop?
  }

  // MARK: routes, local addresses, neighbours

  private mutating func askRoutingTables(
    _ questions: inout [Question], _ remotes: inout [RemotePathInformation],
    until deadline: Instant
  ) {
    let isFirstTime = locals == nil
    var found: [LocalAddress] = []
    do throws(Errno) {
      var socket: NetlinkSocket?
      var start = 0
      repeat {
        let slice = start..<min(start + Self.sliceMax, questions.count)
        try askRoutes(&questions, slice, &remotes, &found, &socket)
        start = slice.upperBound
      } while start < questions.count && Clock.now() < deadline
      if isFirstTime { locals = LocalAddresses.merged(found) }
      if start == questions.count { try askLinks(questions, &remotes, found, &socket, deadline) }
    } catch {
      // Some sandboxes have no netlink; the UDP sockets of `askRoutes` need none.
    }
    if locals == nil { locals = [] }
  }

  /// Looks up the routes of some questions, and, the first time, this machine's addresses.
  private mutating func askRoutes(
    _ questions: inout [Question], _ slice: Range<Int>, _ remotes: inout [RemotePathInformation],
    _ found: inout [LocalAddress], _ socket: inout NetlinkSocket?
  ) throws(Errno) {
    let distinct = Distinct(slice.count, secret: .ofThisProcess) {
      questions[slice.lowerBound + $0].endpoint.address
    }
    let different = distinct.firsts.map { questions[slice.lowerBound + $0].endpoint }
    var lookups = [RouteLookup?](repeating: nil, count: different.count)
    var failure: Errno?
    do throws(Errno) {
      try ask(different, &lookups, &found, &socket, isFirst: slice.lowerBound == 0)
    } catch { failure = error }
    Routes.probe(different, as: selectors, &lookups)
    for (offset, position) in distinct.positions.enumerated() {
      guard let lookup = lookups[position] else { continue }
      let question = slice.lowerBound + offset
      let remote = questions[question].endpoint.address
      questions[question].hop = lookup.nextHop
      note(lookup.nextHop ?? (lookup.isLocal ? .thisMachine : nil))
      remotes[questions[question].index].route = lookup.route
      remotes[questions[question].index].isThisMachine = lookup.isLocal
      remotes[questions[question].index].needsGateway =
        lookup.nextHop.map { $0.address != remote } ?? false
    }
    if let failure { throw failure }
  }

  private mutating func ask(
    _ remotes: [Endpoint], _ lookups: inout [RouteLookup?], _ found: inout [LocalAddress],
    _ socket: inout NetlinkSocket?, isFirst: Bool
  ) throws(Errno) {
    var requests = NetlinkRequests()
    // The dump is first, so that it begins while the queue is empty.
    if isFirst && locals == nil { LocalAddresses.addRequest(to: &requests) }
    let dumpCount = requests.count
    let asked = Routes.addRequests(
      for: remotes, as: selectors, locals: locals ?? [], to: &requests, &lookups)
    guard requests.count > 0 else { return }
    var collector = LocalAddressCollector()
    if socket == nil { socket = try NetlinkSocket(.route) }
    try socket!.ask(&requests) { index, answer in
      if index < dumpCount {
        collector.take(answer)
      } else {
        let remote = asked[index - dumpCount]
        lookups[remote] = Routes.lookup(of: remotes[remote].address, answer)
      }
    }
    if dumpCount > 0 { found = collector.locals }
  }

  private mutating func note(_ hop: NextHop?) {
    guard let hop else { return }
    if let firstHop, firstHop != hop { hopsDiffer = true }
    firstHop = firstHop ?? hop
  }

  /// Notes which neighbours have failed and which links are broadcast links, and drops the local addresses of
  /// interfaces that are down.
  private mutating func askLinks(
    _ questions: [Question], _ remotes: inout [RemotePathInformation], _ found: [LocalAddress],
    _ socket: inout NetlinkSocket?, _ deadline: Instant
  ) throws(Errno) {
    var requests = NetlinkRequests()
    // A next hop that all remotes share cannot distinguish them, so its state is not requested.
    let routed = hopsDiffer ? questions.filter { $0.hop != nil } : []
    let hops = Distinct(routed.count, secret: .ofThisProcess) { routed[$0].hop! }
    for first in hops.firsts { Neighbours.addRequest(for: routed[first].hop!, to: &requests) }
    let neighbourCount = requests.count
    let doubtful = LocalAddresses.interfacesInDoubt(
      found, knownUp: questions.compactMap { $0.hop?.interface })
    let interfaces = newLinks(questions, remotes) + doubtful
    for interface in interfaces { LocalAddresses.addRequest(forLink: interface, to: &requests) }
    guard requests.count > 0 else { return }
    var hasFailed = [Bool](repeating: false, count: neighbourCount)
    var states = [LinkState](repeating: .unknown, count: interfaces.count)
    if socket == nil { socket = try NetlinkSocket(.route) }
    try socket!.ask(&requests, until: deadline) { index, answer in
      if index < neighbourCount {
        hasFailed[index] = Neighbours.hasFailed(answer)
      } else {
        states[index - neighbourCount] = LinkState(answer)
      }
    }
    for (position, question) in zip(hops.positions, routed) {
      remotes[question.index].neighbourFailed = hasFailed[position]
    }
    take(states, of: interfaces, found)
  }

  /// The interfaces of remotes that need no gateway, as far as their state was not asked for before.
  private func newLinks(
    _ questions: [Question], _ remotes: [RemotePathInformation]
  ) -> [UInt32] {
    var seen = DistinctKeys(links.map { $0.interface }, secret: .ofThisProcess)
    var interfaces: [UInt32] = []
    for question in questions {
      guard let hop = question.hop, !remotes[question.index].needsGateway,
        seen.insert(hop.interface).isNew
      else { continue }
      interfaces.append(hop.interface)
    }
    return interfaces
  }

  private mutating func take(
    _ states: [LinkState], of interfaces: [UInt32], _ found: [LocalAddress]
  ) {
    for (interface, state) in zip(interfaces, states) {
      links.append((interface, state == .broadcast))
    }
    let down = zip(interfaces, states).filter { $1 == .down }.map { $0.0 }
    // Of an address that two interfaces have the first was kept, which may be the one that is down.
    var known =
      down.isEmpty || found.isEmpty
      ? locals ?? [] : LocalAddresses.merged(found.filter { !down.contains($0.interface) })
    known.removeAll { down.contains($0.interface) }
    for index in known.indices
    where links.contains(where: { $0.interface == known[index].interface && $0.isBroadcast }) {
      known[index].flags.insert(.broadcast)
    }
    locals = known
  }

  // MARK: round trips

  private mutating func roundTrips(
    _ questions: [Question], _ remotes: [RemotePathInformation], _ metrics: Metrics,
    until deadline: Instant
  ) -> [PathMetrics] {
    let (sources, wantsPopulation) =
      switch metrics {
      case .pairs(let sources): (sources, false)
      case .population(let sources): (sources, true)
      }
    var pairs: [TCPMetrics.Pair] = []
    for question in questions {
      addPairs(of: question, remotes[question.index], sources, to: &pairs)
      if pairs.count >= TCPMetrics.pairsMax {
        hasReadAllMetrics = true
        return TCPMetrics.all(max: .max, until: deadline)
      }
    }
    let known = TCPMetrics.entries(of: pairs, until: deadline)
    guard wantsPopulation else { return known }
    return TCPMetrics.all(max: TCPMetrics.populationMax, until: deadline) + known
  }

  /// Adds the pairs of a remote with its route's source and with every other source that may be tried.
  ///
  /// Link-local remotes have none: the kernel keeps metrics by the address, without its link. Nor do loopback
  /// remotes: a round trip inside this machine tells nothing.
  private func addPairs(
    of question: Question, _ remote: RemotePathInformation, _ sources: ConnectOptions.Locals,
    to pairs: inout [TCPMetrics.Pair]
  ) {
    let address = question.endpoint.address
    guard !address.needsScope, !address.isLoopback else { return }
    if case .refused = remote.route { return }
    var own: IPAddress?
    if case .source(let source) = remote.route {
      own = source
      pairs.append((source: source, destination: address))
    }
    switch sources {
    case .routeOnly: break
    case .all:
      for local in locals ?? [] where local.address != own && local.canReach(address) {
        pairs.append((source: local.address, destination: address))
      }
    case .these(let named):
      for local in named where local.address != own && local.family == address.family {
        pairs.append((source: local.address, destination: address))
      }
    }
  }
}
