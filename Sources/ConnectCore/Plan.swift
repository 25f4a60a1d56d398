/// Which pair is tried next.
///
/// The obvious plan is a sorted array of all pairs. It has two faults. It costs locals × remotes before
/// the first SYN, although most connects need one pair. And it is wrong after the first silence: then the
/// other pairs of the same source and the same remote are less likely than they were, and an order that
/// was fixed at the start cannot know. So the plan is a machine that answers `next()`, told of what
/// happened in between:
///
/// - *First pairs*, one a remote: from the source that its route takes. Sorted once, in one queue for
///   each source: within a queue nothing that happens to other remotes changes the order, so the next
///   first pair is the likeliest of the queues' heads.
/// - *Other pairs*: every other compatible local address, once the remote's first pair was started. One
///   heap for each local address. A remote's chance only ever falls during a race, so a heap's stale
///   entries stand too high, never too low, and are put right when they surface.
///
/// Planning n remotes costs n log n once and log n a pair, and no memory for pairs that are never reached.
/// `Plan` is a value: a copy of it, told that all stays silent, gives the ranks.
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
    var facts = RemoteFacts()
    /// Whether anything was found out about it: a remote that joined late is asked for again.
    var hasFacts = false
    var chance = Chance.remotePrior
    /// The local index of the first pair.
    var source: Int32 = 0
    /// Position in the order of section 3 point 3, from 0.
    var place: Int32 = 0
    /// The rule that put it after the one before it.
    var rule: OrderingRule = .unchanged
    var isStarted = false
  }

  /// Indices of the two locals that stand for "the route's choice", and of the one that stands for "there
  /// is none": the caller named local addresses, and none of them is compatible.
  static func routesChoice(_ family: Family) -> Int32 { family == .inet ? 0 : 1 }
  static let noLocal: Int32 = 2
  /// The addresses follow.
  static let firstAddress = 3

  let options: ConnectOptions
  private(set) var locals: [Local]
  private(set) var remotes: [Remote]
  private var queues: [Queue] = []
  private var heaps: [RemoteHeap] = []
  private var isPrepared = false
  private var startsSinceOther = 0
  /// The other pairs that were started: the heaps are made anew when candidates or facts come.
  private var startedOthers: Set<Pair> = []
  /// Whether the local addresses are known: before that only the routes' own choice can be tried.
  public private(set) var hasLocals = false
  /// How many remotes nothing was found out about.
  private var unknownCount = 0
  /// How many remotes have not been tried from their route's source.
  public private(set) var firstsLeft: Int

  /// A plan over candidates in the caller's order, of which nothing is known yet.
  public init(_ candidates: [Candidate], options: ConnectOptions) {
    self.options = options
    locals = [
      Local(address: nil, port: 0), Local(address: nil, port: 0), Local(address: nil, port: 0),
    ]
    locals[Int(Plan.noLocal)].chance = Chance.blamed
    if case .these(let chosen) = options.locals {
      for endpoint in chosen {
        let bits: UInt8 = endpoint.family == .inet ? 32 : 128
        locals.append(
          Local(
            address: LocalAddress(endpoint.address, prefixLength: bits), port: endpoint.port))
      }
    }
    remotes = []
    firstsLeft = 0
    append(candidates, merging: false)
  }

  /// Candidates join, before the first start or later: the answers to a name. One whose endpoint is
  /// there already is merged with it.
  public mutating func add(_ candidates: [Candidate]) { append(candidates, merging: true) }

  /// The literals of a list are merged already; a resolver may say the same address twice.
  private mutating func append(_ candidates: [Candidate], merging merges: Bool) {
    remotes.reserveCapacity(remotes.count + candidates.count)
    for candidate in candidates {
      if merges && remotes.contains(where: { $0.endpoint == candidate.endpoint }) { continue }
      var remote = Remote(endpoint: candidate.endpoint, entry: candidate.entry)
      remote.place = Int32(remotes.count)
      remote.source = Plan.routesChoice(candidate.endpoint.family)
      remotes.append(remote)
      firstsLeft += 1
      unknownCount += 1
    }
    if case .these = options.locals { chooseSourcesAmongLocals() }
    isPrepared = false
  }

  // MARK: facts

  /// Whether the order of the first pairs depends on facts that were not asked for yet.
  ///
  /// Not with a single remote, nor where the caller gives the order; nor where every remote has the same
  /// address, or all are IPv4 loopback addresses, of which the routes and metrics would say the same.
  public var needsFactsForOrder: Bool {
    guard unknownCount > 0 else { return false }
    if wantsRouteAmongLocals { return true }
    guard options.order == .likely else { return false }
    let first = remotes[0].endpoint.address
    return !remotes.allSatisfy {
      $0.endpoint.address == first
        || $0.endpoint.family == .inet && $0.endpoint.address.isLoopback && first.isLoopback
          && first.family == .inet
    }
  }

  /// Whether `next()` would have more to give if it had the facts.
  public var wantsFacts: Bool {
    guard !hasLocals || unknownCount > 0, case .all = options.locals else { return false }
    if firstsLeft == 0 { return true }
    return startsSinceOther >= 3 && locals.contains { $0.isSuspect }
  }

  /// Several locals were named: which is the route's own is worth asking.
  private var wantsRouteAmongLocals: Bool {
    if case .these(let chosen) = options.locals { return chosen.count > 1 }
    return false
  }

  /// Whether nothing was found out yet about the remote at this index.
  public func isUnknown(_ index: Int) -> Bool { !remotes[index].hasFacts }

  public func endpoint(at index: Int) -> Endpoint { remotes[index].endpoint }

  /// Takes in what was found out, of every remote in the order of `endpoint(at:)`. May come before the
  /// first start or between two, and again after candidates joined; of a remote that is known already
  /// nothing changes.
  public mutating func supply(_ facts: Facts) {
    assert(facts.remotes.count == remotes.count)
    if !hasLocals { takeLocals(facts.locals) }
    hasLocals = true
    unknownCount = 0
    for index in remotes.indices where !remotes[index].hasFacts {
      remotes[index].hasFacts = true
      remotes[index].facts = facts.remotes[index]
      if !remotes[index].isStarted { remotes[index].chance = facts.remotes[index].chance }
      if case .these = options.locals { continue }
      chooseRoutesSource(index, known: facts.locals)
    }
    if case .these = options.locals { chooseSourcesAmongLocals() }
    isPrepared = false
  }

  private mutating func takeLocals(_ known: [LocalAddress]) {
    switch options.locals {
    case .all:
      for local in known { locals.append(Local(address: local, port: 0)) }
    case .these:
      for index in Plan.firstAddress..<locals.count {
        // The caller gave the address; the kernel knows its prefix and flags.
        let wanted = locals[index].address!.address
        if let found = known.first(where: { $0.address == wanted }) {
          locals[index] = Local(address: found, port: locals[index].port)
        }
      }
    case .routeOnly: break
    }
  }

  private mutating func chooseRoutesSource(_ index: Int, known: [LocalAddress]) {
    let remote = remotes[index]
    switch remote.facts.route {
    case .unknown: break
    case .refused:
      // It keeps "the route's choice", and there is none to be had in its family.
      locals[Int(Plan.routesChoice(remote.endpoint.family))].chance = Chance.blamed
    case .source(let address):
      let source = localIndex(of: address, known: known)
      if remote.isStarted { inheritBlame(from: remote.source, to: source) }
      remotes[index].source = source
    }
  }

  /// The first named address that is compatible; the route's own where that is named.
  private mutating func chooseSourcesAmongLocals() {
    for index in remotes.indices where !remotes[index].isStarted {
      let remote = remotes[index]
      var source = Plan.noLocal
      for local in Plan.firstAddress..<locals.count {
        let address = locals[local].address!
        guard address.canReach(remote.endpoint.address) else { continue }
        if source == Plan.noLocal { source = Int32(local) }
        if case .source(address.address) = remote.facts.route {
          source = Int32(local)
          break
        }
      }
      remotes[index].source = source
    }
  }

  /// An address that the route takes and the interfaces do not list is an address all the same.
  private mutating func localIndex(of address: IPAddress, known: [LocalAddress]) -> Int32 {
    for index in Plan.firstAddress..<locals.count where locals[index].address!.address == address {
      return Int32(index)
    }
    let local =
      known.first { $0.address == address }
      ?? LocalAddress(address, prefixLength: address.family == .inet ? 32 : 128)
    locals.append(Local(address: local, port: 0))
    return Int32(locals.count - 1)
  }

  /// What was held against "the route's choice" before the route was known is held against its address.
  private mutating func inheritBlame(from unknown: Int32, to known: Int32) {
    guard unknown < Plan.firstAddress, known >= Plan.firstAddress else { return }
    locals[Int(known)].chance = locals[Int(unknown)].chance
    locals[Int(known)].silentCount = locals[Int(unknown)].silentCount
    locals[Int(known)].isUsed = true
  }

  // MARK: the next pair

  /// The pair to start now, the likeliest of those that may come; `nil` when every pair was started.
  public mutating func next() -> Pair? {
    prepare()
    let queue = bestQueue()
    if let queue {
      // Three remotes silent from one source: the suspicion is on the source. Every fourth start asks it.
      if startsSinceOther >= 3, let other = bestOther(avoidingSuspects: true) {
        return startOther(other)
      }
      let remote = queues[queue].take()
      firstsLeft -= 1
      startsSinceOther += 1
      remotes[Int(remote)].isStarted = true
      let source = remotes[Int(remote)].source
      locals[Int(source)].isUsed = true
      offerOthers(of: remote)
      return Pair(local: source, remote: remote, isFirst: true)
    }
    if let other = bestOther(avoidingSuspects: false) { return startOther(other) }
    return nil
  }

  /// Whether a pair is left, without taking it.
  public mutating func hasNext() -> Bool {
    if firstsLeft > 0 { return true }
    prepare()
    return bestOther(avoidingSuspects: false) != nil
  }

  /// Whether only this remote is left: no other remote has a pair to come.
  public mutating func isExhausted() -> Bool { !hasNext() && !wantsFacts }

  // MARK: what happened

  /// An attempt stayed silent past its delay, or failed in a way that blames nobody in particular.
  public mutating func noteSilence(of pair: Pair) {
    locals[Int(pair.local)].silentCount += 1
    noteUnexplained(pair)
  }

  /// An attempt ended with `errno`. `wasSilent`: its silence was noted before, and is not counted twice.
  public mutating func noteFailure(of pair: Pair, _ errno: Errno, wasSilent: Bool) {
    switch errno {
    case .connectionRefused: remotes[Int(pair.remote)].chance = Chance.blamed
    case .addressNotAvailable, .networkUnreachable:
      locals[Int(pair.local)].chance = Chance.blamed
    default:
      if !wasSilent { noteUnexplained(pair) }
    }
  }

  private mutating func noteUnexplained(_ pair: Pair) {
    let after = Chance.afterSilence(
      local: locals[Int(pair.local)].chance, combination: combination(pair),
      remote: remotes[Int(pair.remote)].chance)
    locals[Int(pair.local)].chance = after.local
    remotes[Int(pair.remote)].chance = after.remote
  }

  /// L·F·R as it stands now.
  public func chance(of pair: Pair) -> Double {
    locals[Int(pair.local)].chance * combination(pair) * remotes[Int(pair.remote)].chance
  }

  private func combination(_ pair: Pair) -> Double {
    pair.isFirst ? Chance.routesChoice : Chance.otherLocal
  }

  // MARK: what a pair is

  public func remote(of pair: Pair) -> Endpoint { remotes[Int(pair.remote)].endpoint }

  /// Where the pair connects from; `nil`: the route's choice (or none at all, see `isImpossible`).
  public func local(of pair: Pair) -> Endpoint? {
    let local = locals[Int(pair.local)]
    guard let address = local.address else { return nil }
    return Endpoint(address.address, port: local.port)
  }

  /// Whether the socket is bound to the local address. A first pair from the route's own source is not:
  /// the route chooses it anyway.
  public func bindsLocal(_ pair: Pair) -> Bool {
    if case .these = options.locals { return true }
    return !pair.isFirst
  }

  /// None of the addresses that the caller named can be used for this remote.
  public func isImpossible(_ pair: Pair) -> Bool { pair.local == Plan.noLocal }

  /// What is known of the round trip to this pair's remote.
  public func roundTrip(of pair: Pair) -> RemoteFacts.RoundTrip? {
    remotes[Int(pair.remote)].facts.roundTrip
  }

  /// Whether a connection needs the caller's verdict.
  public var validates: Bool { options.validates }

  public var remoteCount: Int { remotes.count }

  /// The same pair after facts came: "the route's choice" may have become an address.
  func updated(_ pair: Pair) -> Pair {
    guard pair.isFirst, pair.local < Plan.firstAddress else { return pair }
    return Pair(local: remotes[Int(pair.remote)].source, remote: pair.remote, isFirst: true)
  }

  // MARK: queues

  private struct Queue: Sendable {
    let source: Int32
    var remotes: [Int32] = []
    var head = 0

    mutating func take() -> Int32 {
      head += 1
      return remotes[head - 1]
    }
  }

  private mutating func prepare() {
    guard !isPrepared else { return }
    isPrepared = true
    placeRemotes()
    // With a given or random order there is one queue: its order is the caller's, not chance's.
    let isOneQueue = options.order != .likely
    queues = []
    var queueOfLocal = [Int](repeating: -1, count: isOneQueue ? 1 : locals.count)
    for index in remotes.indices where !remotes[index].isStarted {
      let source = isOneQueue ? 0 : remotes[index].source
      if queueOfLocal[Int(source)] < 0 {
        queueOfLocal[Int(source)] = queues.count
        queues.append(Queue(source: source))
      }
      queues[queueOfLocal[Int(source)]].remotes.append(Int32(index))
    }
    for index in queues.indices {
      let table = remotes
      queues[index].remotes.sort { a, b in
        let a = table[Int(a)]
        let b = table[Int(b)]
        if !isOneQueue && a.chance != b.chance { return a.chance > b.chance }
        return a.place < b.place
      }
    }
    heaps = Array(repeating: RemoteHeap(), count: locals.count)
    for index in remotes.indices where remotes[index].isStarted { offerOthers(of: Int32(index)) }
  }

  /// The queue whose head is the likeliest; of equals the one whose head comes first in order.
  private func bestQueue() -> Int? {
    var best: Int?
    var bestChance = 0.0
    var bestPlace: Int32 = 0
    for (index, queue) in queues.enumerated() where queue.head < queue.remotes.count {
      let remote = remotes[Int(queue.remotes[queue.head])]
      let chance = locals[Int(remote.source)].chance * remote.chance
      if best == nil || chance > bestChance || chance == bestChance && remote.place < bestPlace {
        best = index
        bestChance = chance
        bestPlace = remote.place
      }
    }
    return best
  }

  // MARK: other pairs

  private mutating func offerOthers(of remote: Int32) {
    guard options.allowsOtherLocals else { return }
    let target = remotes[Int(remote)]
    for index in Plan.firstAddress..<locals.count where index != Int(target.source) {
      guard locals[index].address!.canReach(target.endpoint.address) else { continue }
      let pair = Pair(local: Int32(index), remote: remote, isFirst: false)
      if startedOthers.contains(pair) { continue }
      heaps[index].insert(
        RemoteHeap.Entry(chance: target.chance, place: target.place, remote: remote))
    }
  }

  /// The local whose best remaining pair is the likeliest; equals by order, then a fresh local.
  private mutating func bestOther(avoidingSuspects: Bool) -> Int32? {
    guard startsSinceOther >= 3 || firstsLeft == 0 else { return nil }
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
      let chance = locals[index].chance * Chance.otherLocal * entry.chance
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
      let now = remotes[Int(top.remote)].chance
      if top.chance == now { return top }
      heaps[index].correctTop(chance: now)
    }
    return nil
  }

  private mutating func startOther(_ local: Int32) -> Pair {
    let remote = heaps[Int(local)].top!.remote
    heaps[Int(local)].removeTop()
    startsSinceOther = 0
    locals[Int(local)].isUsed = true
    let pair = Pair(local: local, remote: remote, isFirst: false)
    startedOthers.insert(pair)
    return pair
  }

  // MARK: order

  /// Section 3 point 3: where each remote stands among the others.
  private mutating func placeRemotes() {
    guard remotes.count > 1 else { return }
    // The caller's order: that of the entries, and of the answers within one.
    var order = Array(remotes.indices)
    order.sort { (remotes[$0].entry, $0) < (remotes[$1].entry, $1) }
    switch options.order {
    case .given: break
    case .random:
      var random = SplitMix64(seed: options.seed)
      for index in stride(from: order.count - 1, to: 0, by: -1) {
        order.swapAt(index, random.below(index + 1))
      }
    case .likely:
      let given = order
      let sorted = Ordering.sorted(given.map { candidate(remotes[$0]) })
      for (place, entry) in sorted.enumerated() {
        order[place] = given[entry.index]
        remotes[order[place]].rule = entry.rule
      }
    }
    if options.interleaves {
      order = Ordering.interleaved(order.map { remotes[$0].endpoint.family }).map { order[$0] }
    }
    for (place, index) in order.enumerated() { remotes[index].place = Int32(place) }
  }

  private func candidate(_ remote: Remote) -> OrderingCandidate {
    let source = locals[Int(remote.source)].address
    var isUsable = remote.source != Plan.noLocal
    if case .refused = remote.facts.route { isUsable = false }
    return OrderingCandidate(
      remote.endpoint.address, source: source?.address, isUsable: isUsable,
      sourcePrefixLength: source?.prefixLength ?? 0, sourceFlags: source?.flags ?? [],
      isNative: remote.facts.isNative, roundTrip: remote.facts.roundTrip?.smoothed)
  }
}

extension ConnectOptions {
  /// Whether a remote may be tried from more than its first source.
  var allowsOtherLocals: Bool {
    if case .routeOnly = locals { return false }
    return true
  }
}
