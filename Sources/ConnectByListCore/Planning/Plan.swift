/// The plan: which pair of a local address and a remote is tried next.
///
/// The simple plan is a sorted array of all pairs. It has two faults. It costs locals × remotes before
/// the first SYN, although most connects need one pair. And it is wrong after the first silent attempt: the
/// other pairs of that source and of that remote are less likely then, and an order made at the start cannot
/// know. So the plan answers `choose()`, and the race reports to it what happened in between:
///
/// - *First pairs*, one a remote, from its first source (`FirstSources.swift`). They are sorted once, into
///   one queue for each source (`PlanQueues.swift`). What happens to other remotes does not change the order
///   within a queue, so the next first pair is the likeliest of the queues' heads.
/// - *Alternate sources*: every other compatible local address, once the remote's first pair was started
///   (`AlternateSources.swift`).
///
/// Planning n remotes costs n log n once and log n a pair, and no memory for pairs that are never reached. A
/// plan over one remote sorts nothing and makes neither queues nor rows nor a table of local addresses before
/// one is needed.
///
/// It is a class because a race passes it to many functions and it is too large to copy each time. `copy()` makes
/// another one: told that every attempt is silent, it gives the ranks. A plan has one user at a time.
public final class Plan: @unchecked Sendable {
  /// A local address (or the route's choice) and a remote, as indices into the plan's tables.
  public struct Pair: Hashable, Sendable {
    public let local: Int32
    public let remote: Int32
    /// Whether the pair is its remote's first.
    public let isFirst: Bool
  }

  typealias Metrics = PairTable<IPAddress, RemotePathInformation.RoundTrip>

  /// A pair that may be started, and where it is taken from.
  struct Choice {
    enum Place {
      /// The only remote of a plan.
      case only
      case first(queue: Int)
      case alternate(AlternateSources.Kind, row: Int)
    }

    let pair: Pair
    let chance: Double
    let place: Place
  }

  struct Remote: Sendable {
    let endpoint: Endpoint
    /// Index of its entry in the caller's list.
    let entry: Int32
    /// Of a target of an SRV entry.
    let target: ServiceTarget.Place
    /// Whether it is an IPv4 remote under a NAT64's prefix.
    var isTranslation = false
    /// Whether another remote is this one under a NAT64's prefix.
    var isTranslated = false
    var pathInformation = RemotePathInformation()
    /// False until the kernel was asked: a remote that joins late is asked for separately.
    var hasPathInformation = false
    /// The list's history has it from a source that the route did not choose.
    var hasChosenSource = false
    /// What the list has seen of it from the source that the route chose; `nil`: nothing.
    var ofRoutesChoice: EndpointHistory?
    /// The local index of the first pair.
    var source: Int32 = 0
    /// The local index of the route's own source.
    var routesOwn: Int32 = 0
    /// Position in the order of section 3 point 3, from 0.
    var orderIndex: Int32 = 0
    /// The rule that put it after its predecessor.
    var rule: OrderingRule = .unchanged
    /// The remote before it in the order; -1: none.
    var predecessor: Int32 = -1
    /// It was moved behind its predecessor because of the groups of an SRV entry.
    var isRegrouped = false
    /// `initialChance` of that remote; below zero where there is none.
    var predecessorChance = -1.0
    /// Interleaving of the families put it after its predecessor.
    var isInterleaved = false
    /// R of section 3, as it is now in the race.
    var chance = 0.0
    /// R as it was before anything happened in the race.
    var initialChance = 0.0
    /// Whether its first pair was started.
    var isStarted = false
    /// Whether its alternates wait for its first pair.
    var isHeld = false
    /// Whether it has refused, or was rejected.
    var isRefused = false
    var alternatesLeft: Int32 = 0
    var alternatesStarted: Int32 = 0
    /// Of its entries in the rows of alternates.
    var version: Int32 = 0

    /// It is known that its only pair cannot be started: no route, or no address of the caller's fits.
    var isHopeless: Bool {
      if source == LocalTable.noSource { return true }
      if case .refused = pathInformation.route { return true }
      return false
    }
  }

  package let options: ConnectOptions
  /// The list's, as they were when the plan was made.
  public let unixPaths: UnixPaths
  let hashSecret: HashSecret
  /// When the connect began: evidence is as old as it was then.
  let began: Instant
  /// What the list has seen itself. The race drops what its report does not need.
  var history: ConnectHistory
  var locals = LocalTable()
  var remotes: [Remote] = []
  /// `nil`: none of them was needed.
  var tables: PlanTables?
  /// Whether a remote is a target of an SRV entry.
  var hasGroups = false
  /// Whether this machine has a global IPv6 address to connect from, as far as is known.
  var hasGlobalInet6 = false
  /// How many translated remotes' first pairs were not started.
  var translatedLeft = 0
  /// Whether `queues` and `alternates` are up to date with the remotes and what is known of them.
  var isPrepared = false
  /// Whether the local addresses are known. Before that only the routes' own choice can be tried.
  public internal(set) var hasLocals = false
  /// How many remotes have no path information yet. Unix addresses need none.
  var unknownCount = 0
  /// Whether any remote is an IP address, for which local addresses matter.
  var hasIP = false
  /// How many remotes' first pairs were not started yet, and how many of these are hopeless.
  public internal(set) var firstsLeft = 0
  var hopelessLeft = 0
  /// How many remotes that were not tried have a history from a source that the route did not choose.
  var chosenSourcesLeft = 0
  /// How many attempts were started since the first start at which a source was suspect.
  var suspectStarts = 0
  /// For ranks: politeness is left out.
  var ignoresHolds = false

  /// A plan over candidates in the caller's order, of which nothing but the list's history is known.
  ///
  /// - Parameters:
  ///   - unixPaths: the list's table of paths, where Unix addresses are among the candidates.
  ///   - began: the beginning of the connect.
  public init(
    _ candidates: [Candidate], options: ConnectOptions, unixPaths: UnixPaths = UnixPaths(),
    history: ConnectHistory = ConnectHistory(), at began: Instant = Instant(nanoseconds: 0),
    hashSecret: HashSecret = .fixed
  ) {
    self.options = options
    self.unixPaths = unixPaths
    self.hashSecret = hashSecret
    self.history = history
    self.began = began
    if case .these(let chosen) = options.locals {
      let distinct = Distinct(chosen.count, secret: hashSecret) { chosen[$0] }
      for index in distinct.firsts {
        // Its prefix is not known yet: rule 9 counts no bits of it.
        let endpoint = chosen[index]
        locals.append(
          LocalAddress(endpoint.address, prefixLength: 0), port: endpoint.port, secret: hashSecret)
      }
    }
    append(candidates, history)
  }

  /// A plan in the same state. The two share their tables until one of them changes.
  func copy() -> Plan { Plan(copying: self) }

  private init(copying other: Plan) {
    options = other.options
    unixPaths = other.unixPaths
    hashSecret = other.hashSecret
    began = other.began
    history = other.history
    locals = other.locals
    remotes = other.remotes
    tables = other.tables?.copy()
    hasGroups = other.hasGroups
    hasGlobalInet6 = other.hasGlobalInet6
    translatedLeft = other.translatedLeft
    isPrepared = other.isPrepared
    hasLocals = other.hasLocals
    unknownCount = other.unknownCount
    hasIP = other.hasIP
    firstsLeft = other.firstsLeft
    hopelessLeft = other.hopelessLeft
    chosenSourcesLeft = other.chosenSourcesLeft
    suspectStarts = other.suspectStarts
    ignoresHolds = other.ignoresHolds
  }

  /// Adds candidates, before the first start or later: the answers to a name. One whose endpoint is in the
  /// plan already is left out.
  public func add(_ candidates: [Candidate]) {
    let tables = neededTables()
    var endpoints =
      tables.endpoints ?? DistinctKeys(remotes.map { $0.endpoint }, secret: hashSecret)
    tables.endpoints = nil
    let added = candidates.filter { endpoints.insert($0.endpoint).isNew }
    tables.endpoints = endpoints
    if !added.isEmpty { append(added, history) }
  }

  /// Adds remotes under a NAT64's prefix.
  func addTranslations(_ candidates: [Candidate]) {
    let before = remotes.count
    add(candidates)
    for index in before..<remotes.count { remotes[index].isTranslation = true }
    translatedLeft += remotes.count - before
    hasGroups = hasGroups || remotes.count > before
  }

  private func append(_ candidates: [Candidate], _ history: ConnectHistory) {
    if candidates.isEmpty { return }
    remotes.reserveCapacity(max(remotes.count + candidates.count, remotes.capacity))
    for candidate in candidates { append(candidate, history) }
  }

  /// Appends a candidate whose endpoint is not in the plan. `history`: the plan's, which is a parameter because a
  /// property would be copied for each call of it (120 instructions).
  func append(_ candidate: Candidate, _ history: ConnectHistory) {
    var remote = Remote(
      endpoint: candidate.endpoint, entry: candidate.entry, target: candidate.target)
    if candidate.target.group > 0 { hasGroups = true }
    remote.orderIndex = Int32(remotes.count)
    remote.source = LocalTable.routesChoice(candidate.endpoint.family)
    remote.routesOwn = remote.source
    remote.ofRoutesChoice = history.historyOfRoutesChoice(to: candidate.endpoint)
    if candidate.endpoint.family == .unix {
      remote.pathInformation.isHere = true
      remote.hasPathInformation = true
    } else {
      hasIP = true
      unknownCount += 1
      remote.hasChosenSource = !history.isEmpty && history.hasChosenSource(candidate.endpoint)
      if remote.hasChosenSource { chosenSourcesLeft += 1 }
    }
    remotes.append(remote)
    firstsLeft += 1
    chooseFirstSource(remotes.count - 1)
    isPrepared = false
  }

  // MARK: the next pair

  /// The pair to start now, the likeliest of those that may start; `nil`: none may. It is not taken.
  ///
  /// `heldToo`: held alternates may start as well.
  func choose(heldToo: Bool = false) -> Choice? {
    // A single remote has no order.
    if !isPrepared && remotes.count == 1 && firstsLeft == 1 && locals.addresses.isEmpty {
      let pair = Pair(local: remotes[0].source, remote: 0, isFirst: true)
      return Choice(pair: pair, chance: chance(of: pair), place: .only)
    }
    prepare()
    let heldToo = heldToo || ignoresHolds
    guard let queue = bestQueue() else {
      return bestAlternate(avoidingSuspects: false, heldToo: heldToo)
    }
    // A suspect source makes the first start and every fourth one after it go to an alternate source that is not
    // suspect.
    if locals.hasSuspect && suspectStarts % 4 == 0,
      let alternate = bestAlternate(avoidingSuspects: true, heldToo: heldToo)
    {
      return alternate
    }
    let remote = tables!.queues.head(ofQueue: queue)
    let pair = Pair(local: remotes[remote].source, remote: Int32(remote), isFirst: true)
    return Choice(pair: pair, chance: chance(of: pair), place: .first(queue: queue))
  }

  /// Takes a pair out of the plan, as it is started. `holding`: the alternates of its remote wait for it.
  func take(_ choice: Choice, holding: Bool = false) {
    let pair = choice.pair
    let isHopeless = remotes[Int(pair.remote)].isHopeless
    if locals.hasSuspect && !isHopeless { suspectStarts += 1 }
    if pair.local >= LocalTable.firstAddress { locals[pair.local].isUsed = true }
    guard pair.isFirst else { return takeAlternate(pair) }
    if case .first(let queue) = choice.place { removeHead(ofQueue: queue) }
    countFirst(pair.remote, -1)
    remotes[Int(pair.remote)].isStarted = true
    remotes[Int(pair.remote)].isHeld = holding
    offer(pair.remote)
  }

  /// Puts a pair back that could not be started now. `wasUsed`: whether its source was used before.
  func putBack(_ choice: Choice, wasUsed: Bool) {
    let pair = choice.pair
    if pair.local >= LocalTable.firstAddress { locals[pair.local].isUsed = wasUsed }
    guard pair.isFirst else { return putBackAlternate(pair) }
    remotes[Int(pair.remote)].isStarted = false
    remotes[Int(pair.remote)].isHeld = false
    remotes[Int(pair.remote)].version += 1
    countFirst(pair.remote, 1)
    if case .first(let queue) = choice.place { putBackHead(ofQueue: queue) }
  }

  private func countFirst(_ remote: Int32, _ change: Int) {
    firstsLeft += change
    if remotes[Int(remote)].isTranslation { translatedLeft += change }
    if remotes[Int(remote)].isHopeless { hopelessLeft += change }
    if remotes[Int(remote)].hasChosenSource { chosenSourcesLeft += change }
    if hasGroups && isPrepared { countInGroup(remote, change) }
  }

  /// The next pair where every attempt is silent, taken; `nil` when every pair was started.
  public func next() -> Pair? {
    guard let choice = choose(heldToo: true) else { return nil }
    take(choice)
    return choice.pair
  }

  /// Whether a pair that was not started is known.
  public var hasPairsLeft: Bool {
    if firstsLeft > 0 { return true }
    if locals.addresses.isEmpty { return false }
    prepare()
    return alternatesLeft > 0
  }

  /// Whether all that is left are pairs of remotes that have refused or were rejected.
  var onlyRefusedLeft: Bool {
    firstsLeft == 0 && alternatesLeft > 0 && refusedAlternatesLeft == alternatesLeft
  }

  /// How many remotes were not tried, those without a route left out.
  var untriedCount: Int { firstsLeft - hopelessLeft }

  /// How many alternate pairs are left to try; those of all refused remotes, which start together, count as one.
  var alternatesToPace: Int {
    alternatesLeft - refusedAlternatesLeft + (refusedAlternatesLeft > 0 ? 1 : 0)
  }

  /// How many pairs were not started, as far as they are known.
  var pairsLeft: Int { firstsLeft + alternatesLeft }

  /// How many alternate pairs were not started, as far as they are known, and how many of them are of refused
  /// remotes.
  var alternatesLeft: Int { tables?.alternates.leftCount ?? 0 }
  private var refusedAlternatesLeft: Int { tables?.alternates.refusedLeftCount ?? 0 }

  // MARK: what a pair is

  public func remote(of pair: Pair) -> Endpoint { remotes[Int(pair.remote)].endpoint }

  /// The index of the pair's entry in the caller's list.
  public func entry(of pair: Pair) -> Int { Int(remotes[Int(pair.remote)].entry) }

  /// The local address of a pair; `nil`: the route's choice, or none at all (`isImpossible`).
  public func local(of pair: Pair) -> Endpoint? {
    let local = locals[pair.local]
    return local.address.map { Endpoint($0.address, port: local.port) }
  }

  /// Whether the socket is bound to the local address. The route's own source is not bound: the route chooses
  /// it anyway.
  public func bindsLocal(_ pair: Pair) -> Bool {
    if case .these = options.locals { return true }
    return pair.local >= LocalTable.firstAddress
      && pair.local != remotes[Int(pair.remote)].routesOwn
  }

  /// Whether the caller named local addresses and none of them can reach the remote.
  public func isImpossible(_ pair: Pair) -> Bool { pair.local == LocalTable.noSource }

  /// Whether it is known that the pair cannot be started.
  func isHopeless(_ pair: Pair) -> Bool { remotes[Int(pair.remote)].isHopeless }

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
