import ConnectByListCore
import ConnectByListSimulation

/// Section 3 of the contract: the remotes and their pairs, what is known of them, and which comes
/// next. It knows no time.
struct ReferencePlan {
  /// `local` `nil`: no route, or no source at all.
  struct Pair: Hashable {
    let remote: Int
    let local: Endpoint?
  }

  struct Remote {
    let endpoint: Endpoint
    let entry: Int
    let route: ReferenceWorld.Route
    /// R of point 4.
    var chance = 0.0
    /// The pair of its first start, failures in the call included.
    var firstPair: Pair?
    /// Its host has answered with a refusal, or the caller's check has rejected it.
    var isRefused = false
    /// Its place in the order of point 3.
    var position = 0
  }

  /// What the race has learned about a source.
  struct Source {
    /// L of point 4.
    var chance = 0.98
    var isFresh = true
    var silentRemotes: Set<Int> = []
    /// "A source is *suspect* once three distinct remotes were silent from it."
    var isSuspect: Bool { silentRemotes.count >= 3 }
  }

  let world: ReferenceWorld
  let evidence: ReferenceEvidence
  /// Whether path information has been asked for: routes, sources, metrics, neighbours.
  private(set) var isAsked = false
  /// In the order in which they became known.
  private(set) var remotes: [Remote] = []
  /// The local addresses to connect from, in their order.
  private(set) var locals: [Endpoint] = []
  private var sources: [Endpoint?: Source] = [:]
  /// Pairs that were started or failed in the call, each once, in that order.
  private(set) var started: [Pair] = []
  private var isStarted: Set<Pair> = []
  /// Started, pending, and not counted as silent; a second socket's pair is there twice.
  private var unanswered: [Pair] = []
  /// Starts since the first at which a source was suspect.
  private var startsSinceSuspect = 0

  var options: ConnectOptions { world.scenario.options }

  init(_ world: ReferenceWorld, _ evidence: ReferenceEvidence) {
    self.world = world
    self.evidence = evidence
    if case .these(let named) = options.locals {
      for endpoint in named where !locals.contains(endpoint) { locals.append(endpoint) }
    }
  }

  // MARK: remotes and information

  /// "Duplicates are merged (the first place is kept)."
  mutating func add(_ endpoints: [Endpoint], entry: Int) {
    for endpoint in endpoints where !remotes.contains(where: { $0.endpoint == endpoint }) {
      remotes.append(
        Remote(endpoint: endpoint, entry: entry, route: world.route(to: endpoint)))
    }
  }

  mutating func ask() { isAsked = true }

  /// After remotes joined or information arrived: what follows from it for all that has not started.
  mutating func update() {
    if isAsked, case .all = options.locals {
      locals = []
      for local in world.scenario.locals { take(local.address) }
      for remote in remotes { if let source = remote.route.source { take(source) } }
    }
    for index in remotes.indices where remotes[index].firstPair == nil {
      // Where nothing was asked it is not known that a remote has no route.
      let source =
        isAsked
        ? firstPair(of: index).local?.address : sourceAsFarAsKnown(of: index)?.address
      remotes[index].chance = evidence.remoteChance(
        remotes[index].endpoint, from: source, isAsked: isAsked)
    }
    placeRemotes()
  }

  private mutating func take(_ address: IPAddress) {
    let local = Endpoint(address, port: 0)
    if !locals.contains(local) { locals.append(local) }
  }

  private mutating func placeRemotes() {
    // The caller's order: that of the entries, and of the answers within one.
    var given = Array(remotes.indices)
    sortStably(&given) { remotes[$0].entry < remotes[$1].entry }
    let candidates = given.map { candidate($0) }
    for (position, place) in ReferenceOrder.order(candidates, options).enumerated() {
      remotes[given[place]].position = position
    }
  }

  private func candidate(_ index: Int) -> ReferenceOrder.Candidate {
    let remote = remotes[index]
    // Where nothing was asked it is not known that a remote has no route, nor where others lead from.
    let source =
      isAsked
      ? firstPair(of: index).local?.address
      : isNamed ? (remote.firstPair?.local ?? sourceAsFarAsKnown(of: index))?.address : nil
    return ReferenceOrder.Candidate(
      destination: remote.endpoint.address,
      source: source.map { isAsked ? world.local($0) : LocalAddress($0, prefixLength: 0) },
      isUsable: !isKnownImpossible(index) && (!isAsked || source != nil),
      isNative: isAsked && remote.route.isNative,
      roundTrip: source.flatMap {
        evidence.roundTrip($0, remote.endpoint, isAsked: isAsked)?.smoothed
      })
  }

  // MARK: pairs

  /// Whether the caller named the local addresses.
  var isNamed: Bool {
    if case .these = options.locals { return true }
    return false
  }

  /// "A remote without a route is one pair, local `-`"; so is one that no named address can reach.
  func isKnownImpossible(_ index: Int) -> Bool {
    if isAsked && remotes[index].route.hasNoRoute { return true }
    return isNamed && namedSources(of: index).isEmpty
  }

  private func namedSources(of index: Int) -> [Endpoint] {
    locals.filter {
      let local = isAsked ? world.local($0.address) : LocalAddress($0.address, prefixLength: 0)
      return ReferenceWorld.isCompatible(local, remotes[index].endpoint.address)
    }
  }

  /// The route's own source, among those that the caller allows.
  private func ownSource(of index: Int) -> Endpoint? {
    guard let source = remotes[index].route.source else { return nil }
    if !isNamed { return Endpoint(source, port: 0) }
    return isAsked ? namedSources(of: index).first { $0.address == source } : nil
  }

  /// All sources of a remote, in the order of the locals. "Compatible: same family; …".
  private func possibleSources(of index: Int) -> [Endpoint] {
    if isNamed { return namedSources(of: index) }
    let own = ownSource(of: index)
    if case .routeOnly = options.locals { return own.map { [$0] } ?? [] }
    if !isAsked { return own.map { [$0] } ?? [] }
    return locals.filter {
      $0 == own
        || ReferenceWorld.isCompatible(world.local($0.address), remotes[index].endpoint.address)
    }
  }

  /// A remote's first pair: the one that was started, or that of its first source.
  func firstPair(of index: Int) -> Pair {
    if let first = remotes[index].firstPair { return first }
    return Pair(remote: index, local: firstSource(of: index))
  }

  /// Point 5: "A remote's **first source** is: the remembered one, until its pair's newest entry is a
  /// failure other than a refusal; else the route's own, if it has metrics; else the compatible
  /// source with the lowest srtt (ties by the locals' order) whose last attempt in this list did not
  /// fail; else the route's own."
  private func firstSource(of index: Int) -> Endpoint? {
    remotes[index].route.hasNoRoute ? nil : sourceAsFarAsKnown(of: index)
  }

  private func sourceAsFarAsKnown(of index: Int) -> Endpoint? {
    if isKnownImpossible(index) { return nil }
    let remote = remotes[index].endpoint
    let possible = possibleSources(of: index)
    let own = ownSource(of: index)
    if evidence.isEmpty { return own ?? possible.first }
    func hasFailed(_ source: Endpoint) -> Bool {
      evidence.newest(source.address, remote)?.outcome == .failed
    }
    if let address = evidence.rememberedSource(of: remote),
      let remembered = possible.first(where: { $0.address == address }), !hasFailed(remembered)
    {
      return remembered
    }
    if isAsked, let own, evidence.metrics(own.address, remote.address) != nil { return own }
    var best: (source: Endpoint, smoothed: TimeSpan)?
    for source in possible where !hasFailed(source) {
      guard let trip = evidence.roundTrip(source.address, remote, isAsked: isAsked) else {
        continue
      }
      if let best, best.smoothed <= trip.smoothed { continue }
      best = (source, trip.smoothed)
    }
    return best?.source ?? own ?? possible.first
  }

  /// "The other compatible local addresses give further pairs (*alternate sources*)." They are not
  /// known before path information is, unless the caller named them.
  func alternates(of index: Int) -> [Pair] {
    if remotes[index].route.hasNoRoute || isKnownImpossible(index) { return [] }
    if !isAsked && !isNamed { return [] }
    let first = firstPair(of: index).local
    return possibleSources(of: index).filter { $0 != first }.map {
      Pair(remote: index, local: $0)
    }
  }

  /// Whether an attempt's socket is bound: not one that leaves the source to the route.
  func isBound(_ pair: Pair) -> Bool {
    isNamed || pair.local != ownSource(of: pair.remote)
  }

  var untried: [Int] { remotes.indices.filter { remotes[$0].firstPair == nil } }

  /// Alternates not yet started, of tried and untried remotes.
  var alternatesLeft: [Pair] {
    remotes.indices.flatMap { alternates(of: $0) }.filter { !isStarted.contains($0) }
  }

  var hasPairsLeft: Bool { !untried.isEmpty || !alternatesLeft.isEmpty }

  /// "Every other pair has been started": only alternates of refused remotes are left.
  var hasOnlyRefusedLeft: Bool {
    let left = alternatesLeft
    return untried.isEmpty && !left.isEmpty && left.allSatisfy { remotes[$0.remote].isRefused }
  }

  // MARK: chance

  /// "Chance of a pair = L·F·R: F = 1 for the remote's first source and 0.5 for another."
  func chance(_ pair: Pair) -> Double {
    if isKnownImpossible(pair.remote) { return 0 }
    let isFirst = pair == firstPair(of: pair.remote)
    // Before anything is asked it is not known which source the route takes.
    let isSourceKnown = isAsked || isNamed || isStarted.contains(pair)
    // Where nothing was asked it is not known that a remote has no route.
    let source =
      isAsked || !isNamed ? pair.local : pair.local ?? sourceAsFarAsKnown(of: pair.remote)
    let local = isSourceKnown ? sources[source, default: Source()].chance : 0.98
    return local * (isFirst ? 1 : 0.5) * remotes[pair.remote].chance
  }

  /// "Chances that differ by less than one part in 10⁹ are equal."
  static func isLikelier(_ a: Double, than b: Double) -> Bool { a - b >= max(a, b) * 1e-9 && a > b }

  /// "Bayes' rule on both: L' = L(1−FR)/(1−LFR), R' = R(1−FL)/(1−LFR)."
  private mutating func discount(_ pair: Pair) {
    let f = pair == firstPair(of: pair.remote) ? 1 : 0.5
    let l = sources[pair.local, default: Source()].chance
    let r = remotes[pair.remote].chance
    // Pairs without a source share none: their L stays.
    // A change of less than one part in a million is none: the order would hang on rounding.
    func changed(_ old: Double, _ new: Double) -> Double { old - new < old * 1e-6 ? old : new }
    if pair.local != nil {
      sources[pair.local, default: Source()].chance = changed(
        l, l * (1 - f * r) / (1 - l * f * r))
    }
    remotes[pair.remote].chance = changed(r, r * (1 - f * l) / (1 - l * f * r))
  }

  func isSuspect(_ local: Endpoint?) -> Bool { sources[local]?.isSuspect ?? false }

  private var hasSuspect: Bool { sources.values.contains { $0.isSuspect } }

  // MARK: which comes next

  /// The next pair of those that may come; `nil`: none may.
  ///
  /// - Parameter mayCome: whether an alternate is not held.
  func next(_ mayCome: (Pair) -> Bool) -> Pair? {
    let untried = untried
    var alternates = alternatesLeft.filter { remotes[$0.remote].firstPair != nil && mayCome($0) }
    if untried.isEmpty { return likeliest(alternates) }
    // "The first start at which one is [suspect], and every fourth after it, goes to the likeliest
    // allowed alternate pair of a source that is not suspect, where there is one."
    if hasSuspect && startsSinceSuspect % 4 == 0 {
      alternates.removeAll { isSuspect($0.local) }
      if let alternate = likeliest(alternates) { return alternate }
    }
    let first = untried.map { firstPair(of: $0) }
    if options.order == .likely { return likeliest(first) }
    // "With `given` and `random` first pairs go in that order whatever their chances."
    return first.min { remotes[$0.remote].position < remotes[$1.remote].position }
  }

  /// "Ties go by the order of point 3, then to a fresh local."
  private func likeliest(_ pairs: [Pair]) -> Pair? {
    guard let most = pairs.map({ chance($0) }).max() else { return nil }
    let equal = pairs.filter { !Self.isLikelier(most, than: chance($0)) }
    return equal.min { a, b in
      let (aPosition, bPosition) = (remotes[a.remote].position, remotes[b.remote].position)
      if aPosition != bPosition { return aPosition < bPosition }
      let (aFresh, bFresh) = (isFresh(a), isFresh(b))
      if aFresh != bFresh { return aFresh }
      return place(a.local) < place(b.local)
    }
  }

  private func isFresh(_ pair: Pair) -> Bool { sources[pair.local]?.isFresh ?? true }

  private func place(_ local: Endpoint?) -> Int {
    local.flatMap { locals.firstIndex(of: $0) } ?? locals.count
  }

  // MARK: what happens to pairs

  /// The pair is taken: it starts, or fails in the call.
  mutating func take(_ pair: Pair) {
    if isStarted.insert(pair).inserted { started.append(pair) }
    if remotes[pair.remote].firstPair == nil { remotes[pair.remote].firstPair = pair }
    sources[pair.local, default: Source()].isFresh = false
  }

  /// "Failures in the call that starts are no starts."
  mutating func noteStarted(_ pair: Pair) {
    // Before anything was asked it is not known from which source an attempt was.
    if hasSuspect && (isAsked || isNamed) { startsSinceSuspect += 1 }
    unanswered.append(pair)
  }

  /// "Silence past its delay, once an attempt", or its `attempt_timeout`.
  mutating func noteSilent(_ pair: Pair) {
    guard let place = unanswered.firstIndex(of: pair) else { return }
    unanswered.remove(at: place)
    discount(pair)
    // A pair without a source says nothing of any.
    if pair.local != nil {
      sources[pair.local, default: Source()].silentRemotes.insert(pair.remote)
    }
  }

  /// It was given up, or it has ended after its silence was counted.
  mutating func noteEnded(_ pair: Pair, wasSilent: Bool) {
    if !wasSilent, let place = unanswered.firstIndex(of: pair) { unanswered.remove(at: place) }
  }

  /// "Refused or rejected: R = 0.01. EADDRNOTAVAIL and ENETUNREACH in the call that starts the
  /// attempt: that source's L = 0.01; later they are unexplained." All else is unexplained.
  mutating func noteFailed(_ pair: Pair, _ errno: Errno, inCall: Bool, wasSilent: Bool) {
    noteEnded(pair, wasSilent: wasSilent)
    if errno == .connectionRefused {
      noteRejected(pair)
    } else if inCall && (errno == .addressNotAvailable || errno == .networkUnreachable) {
      if pair.local != nil { sources[pair.local, default: Source()].chance = 0.01 }
    } else if !wasSilent {
      discount(pair)
    }
  }

  mutating func noteRejected(_ pair: Pair) {
    remotes[pair.remote].chance = 0.01
    remotes[pair.remote].isRefused = true
  }

  // MARK: ranks

  /// "`rank` counts from 1, in the order of starts if every attempt stayed silent, politeness,
  /// compression and the cap left out."
  func ranks() -> [Pair: Int] {
    var plan = self
    while plan.hasPairsLeft {
      // With `parallel` all start in one instant, before any is silent.
      if options.pace != .parallel {
        for pair in plan.unanswered { plan.noteSilent(pair) }
      }
      let isBurst = options.pace != .sequential && plan.hasOnlyRefusedLeft
      repeat {
        guard let pair = plan.next({ _ in true }) else { break }
        let isImpossible = plan.isKnownImpossible(pair.remote)
        plan.take(pair)
        if !isImpossible { plan.noteStarted(pair) }
      } while isBurst && plan.hasPairsLeft
    }
    var ranks: [Pair: Int] = [:]
    for (place, pair) in plan.started.enumerated() { ranks[pair] = place + 1 }
    return ranks
  }
}
