/// Which pair is tried next.
///
/// The obvious plan is a sorted array of all pairs. It has two faults. It costs locals × remotes
/// before the first SYN, although most connects need one pair. And it is wrong after the first
/// silence: then the other pairs of the same source and the same remote are less likely than they
/// were, and an order that was fixed at the start cannot know. So the plan is a machine that
/// answers `next()`, told of what happened in between:
///
/// - *First pairs*, one a remote: from the source that its route takes. Sorted once, in one queue
///   for each source: within a queue nothing that happens to other remotes changes the order, so
///   the next first pair is the likeliest of the queues' heads.
/// - *Other pairs*: every other compatible local address, once the remote's first pair was started.
///   One heap for each local address. A remote's chance only ever falls during a race, so a heap's
///   stale entries stand too high, never too low, and are put right when they surface.
///
/// Planning n remotes costs n log n once and log n a pair, and no memory for pairs that are never
/// reached. `Plan` is a value: a copy of it, told that all stays silent, gives the ranks.
public struct Plan: Sendable {
  /// A local address (or the route's choice) and a remote, as indices into the plan's tables.
  public struct Pair: Hashable, Sendable {
    public let local: Int32
    public let remote: Int32
    /// From the route's own source.
    public let isFirst: Bool
  }

  struct Local: Sendable {
    /// `nil`: not bound, the route chooses.
    let address: LocalAddress?
    /// The port to connect from; 0: the kernel's choice.
    let port: UInt16
    var chance = Chance.localPrior
    /// How many remotes stayed silent from here: three make the address itself a suspect.
    var silentCount: Int32 = 0
    var isUsed = false

    var isSuspect: Bool { silentCount >= 3 }
  }

  struct Remote: Sendable {
    let endpoint: Endpoint
    /// Index of its entry in the caller's list.
    let entry: Int32
    var facts = RemotePathInformation()
    /// Whether anything was found out about it: a remote that joined late is asked for again.
    var hasPathInformation = false
    /// The local index of the first pair.
    var source: Int32 = 0
    /// Position in the order of section 3 point 3, from 0.
    var place: Int32 = 0
    /// The rule that put it after the one before it.
    var rule: OrderingRule = .unchanged
    /// The remote that stands before it; -1: none.
    var before: Int32 = -1
    /// It stands there because families take turns.
    var isByTurns = false
  }

  /// Indices of the locals that stand for "the route's choice", one a family (a Unix address has no
  /// route and is never bound), and of the one that stands for "there is none": the caller named
  /// local addresses, and none of them is compatible.
  static func routesChoice(_ family: Family) -> Int32 {
    switch family {
    case .inet: 0
    case .inet6: 1
    case .unix: 2
    }
  }
  static let noLocal: Int32 = 3
  /// The addresses follow.
  static let firstAddress = 4

  /// What the caller asked for. Beside the plan, which is copied: it has the size of all the rest.
  final class Request: Sendable {
    let options: ConnectOptions
    /// The list's, as they were when the plan was made.
    let unixPaths: UnixPaths
    let hashSecret: HashSecret

    init(_ options: ConnectOptions, _ unixPaths: UnixPaths, _ hashSecret: HashSecret) {
      self.options = options
      self.unixPaths = unixPaths
      self.hashSecret = hashSecret
    }
  }

  /// What a race changes of a remote. Beside the table of them: a plan and the copy that the ranks
  /// are told from share the rest.
  struct RemoteState: Sendable {
    /// R as it is now.
    var chance: Double
    /// Whether its first pair was started.
    var isStarted = false
  }

  let request: Request
  /// The endpoints of `remotes`, for finding duplicates; `nil`: no candidate has joined since the plan was
  /// made.
  private var endpoints: DistinctKeys<Endpoint>?
  var locals: [Local]
  var remotes: [Remote]
  var states: [RemoteState] = []
  private var queues: [Queue] = []
  /// The remotes of all queues, one queue after the other.
  private var queued: [Int32] = []
  private var heaps: [RemoteHeap] = []
  var isPrepared = false
  var startsSinceAlternate = 0
  /// The other pairs that were started: the heaps are made anew when candidates or facts come.
  private var startedAlternates: [Pair] = []
  /// Whether the local addresses are known: before that only the routes' own choice can be tried.
  public internal(set) var hasLocals = false
  /// How many remotes nothing was found out about. Of Unix addresses there is nothing to find out.
  var unknownCount = 0
  /// Whether there is any remote that local addresses matter for.
  var hasIP = false
  /// How many remotes have not been tried from their route's source.
  public internal(set) var firstsLeft: Int

  /// A plan over candidates in the caller's order, of which nothing is known yet.
  ///
  /// `unixPaths`: those of the list, where Unix addresses are among them.
  public init(
    _ candidates: [Candidate], options: ConnectOptions, unixPaths: UnixPaths = UnixPaths(),
    hashSecret: HashSecret = .fixed
  ) {
    request = Request(options, unixPaths, hashSecret)
    locals = Array(repeating: Local(address: nil, port: 0), count: Plan.firstAddress)
    locals[Int(Plan.routesChoice(.unix))].chance = Chance.localOfUnix
    locals[Int(Plan.noLocal)].chance = Chance.afterDefiniteFailure
    if case .these(let chosen) = options.locals {
      for (index, endpoint) in chosen.enumerated() where !chosen[..<index].contains(endpoint) {
        let bits: UInt8 = endpoint.family == .inet ? 32 : 128
        locals.append(
          Local(
            address: LocalAddress(endpoint.address, prefixLength: bits), port: endpoint.port))
      }
    }
    remotes = []
    firstsLeft = 0
    append(candidates)
  }

  /// Candidates join, before the first start or later: the answers to a name. One whose endpoint is
  /// there already is merged with it.
  public mutating func add(_ candidates: [Candidate]) {
    var endpoints = endpoints ?? DistinctKeys(remotes.map { $0.endpoint }, secret: request.hashSecret)
    append(candidates.filter { endpoints.insert($0.endpoint).isNew })
    self.endpoints = endpoints
  }

  private mutating func append(_ candidates: [Candidate]) {
    remotes.reserveCapacity(remotes.count + candidates.count)
    for candidate in candidates {
      var remote = Remote(endpoint: candidate.endpoint, entry: candidate.entry)
      remote.place = Int32(remotes.count)
      remote.source = Plan.routesChoice(candidate.endpoint.family)
      if candidate.endpoint.family == .unix {
        remote.facts.isHere = true
        remote.hasPathInformation = true
      } else {
        hasIP = true
        unknownCount += 1
      }
      remotes.append(remote)
      states.append(RemoteState(chance: remote.facts.chance))
      firstsLeft += 1
    }
    if case .these = options.locals { chooseSourcesAmongLocals() }
    isPrepared = false
  }

  // MARK: the next pair

  /// The pair to start now, the likeliest of those that may come; `nil` when every pair was
  /// started.
  public mutating func next() -> Pair? {
    prepare()
    let queue = bestQueue()
    if let queue {
      // Three remotes silent from one source: the suspicion is on the source. Every fourth start
      // asks it.
      if startsSinceAlternate >= 3, let other = bestAlternate(avoidingSuspects: true) {
        return startAlternate(other)
      }
      let remote = queued[Int(queues[queue].head)]
      queues[queue].head += 1
      firstsLeft -= 1
      startsSinceAlternate += 1
      states[Int(remote)].isStarted = true
      let source = remotes[Int(remote)].source
      locals[Int(source)].isUsed = true
      var none: ArraySlice<Pair> = []
      offerAlternates(of: remote, without: &none)
      return Pair(local: source, remote: remote, isFirst: true)
    }
    if let other = bestAlternate(avoidingSuspects: false) { return startAlternate(other) }
    return nil
  }

  /// Whether a pair is left, without taking it.
  public mutating func hasNext() -> Bool {
    if firstsLeft > 0 { return true }
    prepare()
    return bestAlternate(avoidingSuspects: false) != nil
  }

  /// Whether only this remote is left: no other remote has a pair to come.
  public mutating func isExhausted() -> Bool { !hasNext() && !needsPathInformation }

  // MARK: what happened

  /// An attempt stayed silent past its delay, or failed in a way that blames nobody in particular.
  public mutating func noteSilence(of pair: Pair) {
    locals[Int(pair.local)].silentCount += 1
    noteUnexplained(pair)
  }

  /// An attempt ended with `errno`. `wasSilent`: its silence was noted before, and is not counted
  /// twice.
  public mutating func noteFailure(of pair: Pair, _ errno: Errno, wasSilent: Bool) {
    switch errno {
    case .connectionRefused: states[Int(pair.remote)].chance = Chance.afterDefiniteFailure
    // There is nobody between us and it who could be at fault.
    case _ where remotes[Int(pair.remote)].facts.isHere:
      states[Int(pair.remote)].chance = Chance.afterDefiniteFailure
    case .addressNotAvailable, .networkUnreachable:
      locals[Int(pair.local)].chance = Chance.afterDefiniteFailure
    default:
      if !wasSilent { noteUnexplained(pair) }
    }
  }

  private mutating func noteUnexplained(_ pair: Pair) {
    let after = Chance.afterSilence(
      local: locals[Int(pair.local)].chance, combination: combination(pair),
      remote: states[Int(pair.remote)].chance)
    locals[Int(pair.local)].chance = after.local
    states[Int(pair.remote)].chance = after.remote
  }

  /// L·F·R as it stands now.
  public func chance(of pair: Pair) -> Double {
    locals[Int(pair.local)].chance * combination(pair) * states[Int(pair.remote)].chance
  }

  private func combination(_ pair: Pair) -> Double {
    pair.isFirst ? Chance.routesChoice : Chance.alternateSource
  }

  // MARK: what a pair is

  public func remote(of pair: Pair) -> Endpoint { remotes[Int(pair.remote)].endpoint }

  /// Where the pair connects from; `nil`: the route's choice (or none at all, see `isImpossible`).
  public func local(of pair: Pair) -> Endpoint? {
    let local = locals[Int(pair.local)]
    guard let address = local.address else { return nil }
    return Endpoint(address.address, port: local.port)
  }

  /// Whether the socket is bound to the local address. A first pair from the route's own source is
  /// not: the route chooses it anyway.
  public func bindsLocal(_ pair: Pair) -> Bool {
    if case .these = options.locals { return true }
    return !pair.isFirst
  }

  /// None of the addresses that the caller named can be used for this remote.
  public func isImpossible(_ pair: Pair) -> Bool { pair.local == Plan.noLocal }

  /// What is known of the round trip to this pair's remote.
  public func roundTrip(of pair: Pair) -> RemotePathInformation.RoundTrip? {
    remotes[Int(pair.remote)].facts.roundTrip
  }

  var options: ConnectOptions { request.options }

  public var unixPaths: UnixPaths { request.unixPaths }

  public var wantsMultipath: Bool { options.mptcp }

  /// Whether a connection needs the caller's verdict.
  public var validates: Bool { options.validates }

  public var remoteCount: Int { remotes.count }

  /// The same pair after facts came: "the route's choice" may have become an address.
  func updated(_ pair: Pair) -> Pair {
    guard pair.isFirst, pair.local < Plan.firstAddress else { return pair }
    return Pair(local: remotes[Int(pair.remote)].source, remote: pair.remote, isFirst: true)
  }

  // MARK: queues

  /// The first pairs from one source that are not started, as places in `queued`.
  private struct Queue: Sendable {
    var head: Int32
    var end: Int32
  }

  /// Sorts what has not been started. Done by itself when the next pair is asked for.
  mutating func prepare() {
    guard !isPrepared else { return }
    isPrepared = true
    placeRemotes()
    queued = []
    queued.reserveCapacity(firstsLeft)
    for index in states.indices where !states[index].isStarted { queued.append(Int32(index)) }
    // With a given or random order there is one queue: its order is the caller's, not chance's.
    let isOneQueue = options.order != .likely
    if queued.count > 1 {
      let order = queued.indices.sorted { a, b in
        let (a, b) = (Int(queued[a]), Int(queued[b]))
        if !isOneQueue {
          if remotes[a].source != remotes[b].source { return remotes[a].source < remotes[b].source }
          if states[a].chance != states[b].chance {
            return states[a].chance > states[b].chance
          }
        }
        return remotes[a].place < remotes[b].place
      }
      let unsorted = queued
      for place in order.indices { queued[place] = unsorted[order[place]] }
    }
    queues = []
    for place in queued.indices {
      if place > 0
        && (isOneQueue
          || remotes[Int(queued[place])].source == remotes[Int(queued[place - 1])].source)
      {
        queues[queues.count - 1].end += 1
      } else {
        queues.append(Queue(head: Int32(place), end: Int32(place + 1)))
      }
    }
    heaps = []
    guard locals.count > Plan.firstAddress else { return }
    heaps = Array(repeating: RemoteHeap(), count: locals.count)
    // By remote and local, as the loops here go through them.
    let others = startedAlternates.sorted { a, b in
      a.remote != b.remote ? a.remote < b.remote : a.local < b.local
    }
    var tried = others[...]
    for index in remotes.indices where states[index].isStarted {
      offerAlternates(of: Int32(index), without: &tried)
    }
  }

  /// The queue whose head is the likeliest; of equals the one whose head comes first in order.
  private func bestQueue() -> Int? {
    var best: Int?
    var bestChance = 0.0
    var bestPlace: Int32 = 0
    for (index, queue) in queues.enumerated() where queue.head < queue.end {
      let first = Int(queued[Int(queue.head)])
      let place = remotes[first].place
      let chance = locals[Int(remotes[first].source)].chance * states[first].chance
      if best == nil || chance > bestChance || chance == bestChance && place < bestPlace {
        best = index
        bestChance = chance
        bestPlace = place
      }
    }
    return best
  }

  // MARK: other pairs

  /// `tried`: what was started from here on, by remote and local; what this remote has of it is
  /// taken.
  private mutating func offerAlternates(of remote: Int32, without tried: inout ArraySlice<Pair>) {
    guard locals.count > Plan.firstAddress, options.allowsAlternateSources else { return }
    let target = remotes[Int(remote)]
    // While the route's own choice is not known, another address cannot be told from it.
    if case .all = options.locals, !target.hasPathInformation { return }
    for index in Plan.firstAddress..<locals.count where index != Int(target.source) {
      guard locals[index].address!.canReach(target.endpoint.address) else { continue }
      while let pair = tried.first,
        pair.remote < remote || pair.remote == remote && pair.local < index
      {
        tried.removeFirst()
      }
      if let pair = tried.first, pair.remote == remote && pair.local == index { continue }
      heaps[index].insert(
        RemoteHeap.Entry(chance: states[Int(remote)].chance, place: target.place, remote: remote)
      )
    }
  }

  /// The local whose best remaining pair is the likeliest; equals by order, then a fresh local.
  @inline(never)
  private mutating func bestAlternate(avoidingSuspects: Bool) -> Int32? {
    guard startsSinceAlternate >= 3 || firstsLeft == 0 else { return nil }
    if avoidingSuspects {
      var someSuspect = false
      for local in locals where local.isSuspect { someSuspect = true }
      guard someSuspect else { return nil }
    }
    var best: Int32?
    var bestChance = 0.0
    var bestPlace: Int32 = 0
    for index in Plan.firstAddress..<max(heaps.count, Plan.firstAddress) {
      if avoidingSuspects && locals[index].isSuspect { continue }
      guard let entry = freshTop(ofHeap: index) else { continue }
      let chance = locals[index].chance * Chance.alternateSource * entry.chance
      let isBetter: Bool
      if let best, chance == bestChance {
        isBetter =
          entry.place < bestPlace
          || entry.place == bestPlace && !locals[index].isUsed && locals[Int(best)].isUsed
      } else {
        isBetter = best == nil || chance > bestChance
      }
      if isBetter {
        best = Int32(index)
        bestChance = chance
        bestPlace = entry.place
      }
    }
    return best
  }

  private mutating func freshTop(ofHeap index: Int) -> RemoteHeap.Entry? {
    while let top = heaps[index].top {
      let now = states[Int(top.remote)].chance
      if top.chance == now { return top }
      heaps[index].correctTop(chance: now)
    }
    return nil
  }

  private mutating func startAlternate(_ local: Int32) -> Pair {
    let remote = heaps[Int(local)].top!.remote
    heaps[Int(local)].removeTop()
    startsSinceAlternate = 0
    locals[Int(local)].isUsed = true
    let pair = Pair(local: local, remote: remote, isFirst: false)
    startedAlternates.append(pair)
    return pair
  }
}

extension ConnectOptions {
  /// Whether a remote may be tried from more than its first source.
  var allowsAlternateSources: Bool {
    if case .routeOnly = locals { return false }
    return true
  }
}
