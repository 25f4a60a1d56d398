/// The plan: which pair of a local address and a remote is tried next.
///
/// The simple plan is a sorted array of all pairs. It has two faults. It costs locals × remotes before
/// the first SYN, although most connects need one pair. And it is wrong after the first silent attempt: the
/// other pairs of that source and of that remote are less likely then, and an order made at the start cannot
/// know. So the plan answers `next()`, and the race reports to it what happened in between:
///
/// - *First pairs*, one a remote, from the source that the remote's route takes. They are sorted once, into
///   one queue for each source (`PlanQueues.swift`). What happens to other remotes does not change the order
///   within a queue, so the next first pair is the likeliest of the queues' heads.
/// - *Alternate sources*: every other compatible local address, once the remote's first pair was started.
///   There is one heap for each local address (`AlternateSources.swift`). A remote's chance only falls during
///   a race, so an entry that is out of date is too high in its heap, never too low, and is corrected when it
///   comes to the top.
///
/// Planning n remotes costs n log n once and log n a pair, and no memory for pairs that are never reached. A
/// plan over one remote sorts nothing and makes neither queues nor heaps nor a table of local addresses before
/// one is needed.
///
/// It is a class because a race passes it to many functions and it is too large to copy each time. `copy()` makes
/// another one: told that every attempt is silent, it gives the ranks. A plan has one user at a time.
public final class Plan: @unchecked Sendable {
  /// A local address (or the route's choice) and a remote, as indices into the plan's tables.
  public struct Pair: Hashable, Sendable {
    public let local: Int32
    public let remote: Int32
    /// Whether the pair is its remote's first, from the route's own source.
    public let isFirst: Bool
  }

  struct Remote: Sendable {
    let endpoint: Endpoint
    /// Index of its entry in the caller's list.
    let entry: Int32
    var pathInformation = RemotePathInformation()
    /// False until the kernel was asked: a remote that joins late is asked for separately.
    var hasPathInformation = false
    /// The local index of the first pair.
    var source: Int32 = 0
    /// Position in the order of section 3 point 3, from 0.
    var orderIndex: Int32 = 0
    /// The rule that put it after its predecessor.
    var rule: OrderingRule = .unchanged
    /// The remote before it in the order; -1: none.
    var predecessor: Int32 = -1
    /// Interleaving of the families put it after its predecessor.
    var isInterleaved = false
    /// R of section 3, as it is now in the race.
    var chance = 0.0
    /// Whether its first pair was started.
    var isStarted = false
  }

  let options: ConnectOptions
  /// The list's, as they were when the plan was made.
  public let unixPaths: UnixPaths
  private let hashSecret: HashSecret
  /// By which remotes are ordered where the order is `likely`. To be set before the first start.
  public var policyTable = PolicyTable.rfc6724
  /// The endpoints of `remotes`, for finding duplicates; `nil` until candidates are added to the plan.
  private var endpoints: DistinctKeys<Endpoint>?
  var locals = LocalTable()
  var remotes: [Remote] = []
  var queues = FirstPairQueues()
  var alternates = AlternateSources()
  /// Whether `queues` and `alternates` are up to date with the remotes and what is known of them.
  var isPrepared = false
  /// Whether the local addresses are known. Before that only the routes' own choice can be tried.
  public internal(set) var hasLocals = false
  /// How many remotes have no path information yet. Unix addresses need none.
  var unknownCount = 0
  /// Whether any remote is an IP address, for which local addresses matter.
  var hasIP = false
  /// How many remotes' first pairs were not started yet.
  public internal(set) var firstsLeft = 0

  /// A plan over candidates in the caller's order, of which nothing is known yet.
  ///
  /// `unixPaths`: the list's table of paths, where Unix addresses are among the candidates.
  public init(
    _ candidates: [Candidate], options: ConnectOptions, unixPaths: UnixPaths = UnixPaths(),
    hashSecret: HashSecret = .fixed
  ) {
    self.options = options
    self.unixPaths = unixPaths
    self.hashSecret = hashSecret
    if case .these(let chosen) = options.locals {
      for (index, endpoint) in chosen.enumerated() where !chosen[..<index].contains(endpoint) {
        let bits: UInt8 = endpoint.family == .inet ? 32 : 128
        locals.append(LocalAddress(endpoint.address, prefixLength: bits), port: endpoint.port)
      }
    }
    append(candidates)
  }

  /// A plan in the same state. The two share their tables until one of them changes.
  func copy() -> Plan { Plan(copying: self) }

  private init(copying other: Plan) {
    options = other.options
    unixPaths = other.unixPaths
    hashSecret = other.hashSecret
    policyTable = other.policyTable
    endpoints = other.endpoints
    locals = other.locals
    remotes = other.remotes
    queues = other.queues
    alternates = other.alternates
    isPrepared = other.isPrepared
    hasLocals = other.hasLocals
    unknownCount = other.unknownCount
    hasIP = other.hasIP
    firstsLeft = other.firstsLeft
  }

  /// Adds candidates, before the first start or later: the answers to a name. One whose endpoint is in the
  /// plan already is left out.
  public func add(_ candidates: [Candidate]) {
    var endpoints = endpoints ?? DistinctKeys(remotes.map { $0.endpoint }, secret: hashSecret)
    append(candidates.filter { endpoints.insert($0.endpoint).isNew })
    self.endpoints = endpoints
  }

  private func append(_ candidates: [Candidate]) {
    remotes.reserveCapacity(remotes.count + candidates.count)
    for candidate in candidates {
      var remote = Remote(endpoint: candidate.endpoint, entry: candidate.entry)
      remote.orderIndex = Int32(remotes.count)
      remote.source = LocalTable.routesChoice(candidate.endpoint.family)
      if candidate.endpoint.family == .unix {
        remote.pathInformation.isHere = true
        remote.hasPathInformation = true
      } else {
        hasIP = true
        unknownCount += 1
      }
      remote.chance = remote.pathInformation.chance
      remotes.append(remote)
      firstsLeft += 1
    }
    if case .these = options.locals { chooseSourcesAmongLocals() }
    isPrepared = false
  }

  // MARK: the next pair

  /// The pair to start now, the likeliest of those that may start; `nil` when every pair was started.
  public func next() -> Pair? {
    // A single remote has no order.
    if !isPrepared && remotes.count == 1 && firstsLeft == 1 { return startFirstPair(of: 0) }
    prepare()
    guard let queue = bestQueue() else {
      return bestAlternate(avoidingSuspects: false).map { startAlternate(from: $0) }
    }
    // A suspect source has made every fourth start go to an alternate source that is not suspect.
    if alternates.startsSinceLast >= 3, let local = bestAlternate(avoidingSuspects: true) {
      return startAlternate(from: local)
    }
    return startFirstPair(of: queues.removeHead(ofQueue: queue))
  }

  /// Whether a pair is left. Does not take it.
  public func hasNext() -> Bool {
    if firstsLeft > 0 { return true }
    guard !locals.addresses.isEmpty else { return false }
    prepare()
    return bestAlternate(avoidingSuspects: false) != nil
  }

  private func startFirstPair(of remote: Int32) -> Pair {
    let source = remotes[Int(remote)].source
    firstsLeft -= 1
    alternates.startsSinceLast += 1
    remotes[Int(remote)].isStarted = true
    if source >= LocalTable.firstAddress { locals[source].isUsed = true }
    if isPrepared { offerAlternates(of: remote) }
    return Pair(local: source, remote: remote, isFirst: true)
  }

  // MARK: what a pair is

  public func remote(of pair: Pair) -> Endpoint { remotes[Int(pair.remote)].endpoint }

  /// The local address of a pair; `nil`: the route's choice, or none at all (`isImpossible`).
  public func local(of pair: Pair) -> Endpoint? {
    let local = locals[pair.local]
    return local.address.map { Endpoint($0.address, port: local.port) }
  }

  /// Whether the socket is bound to the local address. A first pair from the route's own source is not
  /// bound: the route chooses that source anyway.
  public func bindsLocal(_ pair: Pair) -> Bool {
    if case .these = options.locals { return true }
    return !pair.isFirst
  }

  /// Whether the caller named local addresses and none of them can reach the remote.
  public func isImpossible(_ pair: Pair) -> Bool { pair.local == LocalTable.noSource }

  /// What is known of the round trip to this pair's remote.
  public func roundTrip(of pair: Pair) -> RemotePathInformation.RoundTrip? {
    remotes[Int(pair.remote)].pathInformation.roundTrip
  }

  /// The same pair after path information came: the route's choice may have become an address.
  func updated(_ pair: Pair) -> Pair {
    guard pair.isFirst, pair.local < LocalTable.firstAddress else { return pair }
    return Pair(local: remotes[Int(pair.remote)].source, remote: pair.remote, isFirst: true)
  }

  // MARK: what was asked for

  public var wantsMultipath: Bool { options.mptcp }

  /// Whether a connection counts only after the caller's check.
  public var validates: Bool { options.validates }

  public var remoteCount: Int { remotes.count }
}
