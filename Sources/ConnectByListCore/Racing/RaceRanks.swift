// Ranks: the order in which pairs would be started if every attempt stayed silent. The winner of a wake-up
// and the report go by them.

extension Race {
  /// The most ranks that are counted while the caller waits for them. Each costs time for every local address:
  /// with eight, 1,000 ranks take about 5 ms, and a list of 10,000 remotes has 80,000.
  public static var countedRanksMax: Int { 1_000 }

  /// The plan as it was when candidates or path information last came (or at the first start), how many
  /// attempts had been started by then, and which of them were pending without a silence counted.
  /// `nil` as long as the plan has a single pair.
  final class RankBase {
    let plan: Plan
    let started: Int
    let pending: [Plan.Pair]

    init(_ plan: Plan, started: Int, pending: [Plan.Pair]) {
      self.plan = plan
      self.started = started
      self.pending = pending
    }
  }

  func setRankBase() {
    isRankBaseStale = false
    // Sorted before it is copied, so that the copy shares the sorted tables.
    plan.prepare()
    var pending: [Plan.Pair] = []
    var next = firstInFlight
    while let id = next {
      next = inFlight(after: id)
      if attempts[id.index].isPending && !attempts[id.index].isSilenceNoted {
        pending.append(attempts[id.index].pair)
      }
    }
    rankBase = RankBase(plan.copy(), started: attempts.count, pending: pending)
  }

  /// Of all attempts that are connected now, the one whose pair ranks first.
  func bestConnected() -> AttemptID? {
    guard connectedCount > 1 else { return connected(after: nil) }
    if isRankBaseStale { setRankBase() }
    var connected: [AttemptID] = []
    while let id = self.connected(after: connected.last) { connected.append(id) }
    let ranks = ranks(of: connected.map { attempts[$0.index].pair })
    return connected[ranks.indices.min { ranks[$0] < ranks[$1] }!]
  }

  /// The next attempt in flight whose handshake is done.
  private func connected(after previous: AttemptID?) -> AttemptID? {
    var next = previous.map { inFlight(after: $0) } ?? firstInFlight
    while let id = next, !attempts[id.index].isConnected { next = inFlight(after: id) }
    return next
  }

  /// The rank of each of these pairs, from 1; `Int.max` for one beyond those that are counted.
  private func ranks(of pairs: [Plan.Pair]) -> [Int] {
    var ranks = [Int](repeating: .max, count: pairs.count)
    var missing = pairs.count
    forEachRanked { pair, rank, _ in
      for index in pairs.indices where pairs[index] == pair && ranks[index] == .max {
        ranks[index] = rank
        missing -= 1
      }
      return missing > 0 && rank < Self.countedRanksMax
    }
    return ranks
  }

  /// Calls `body` with the pairs in the order of their ranks, and the chance that each had when it came to be
  /// the next, until `body` returns false.
  func forEachRanked(_ body: (Plan.Pair, _ rank: Int, _ chance: Double) -> Bool) {
    if isRankBaseStale { setRankBase() }
    var rank = 0
    for attempt in attempts.prefix(rankBase?.started ?? attempts.count) where !attempt.isHedge {
      rank += 1
      if !body(attempt.pair, rank, attempt.chance) { return }
    }
    // Without a start the plan has not been ordered; the reasons of its pairs are read from the plan itself.
    if rankBase == nil { plan.prepare() }
    let silent = (rankBase?.plan ?? plan).copy()
    silent.ignoresHolds = true
    if plan.options.pace != .parallel {
      for pair in rankBase?.pending ?? [] { silent.noteSilence(of: pair) }
    }
    // With `parallel` all start in one instant, before any is silent; so do the alternates of refused remotes.
    while true {
      let isBurst = plan.options.pace == .parallel || silent.onlyRefusedLeft
      guard let pair = silent.next() else { return }
      rank += 1
      if !body(pair, rank, silent.chance(of: pair)) { return }
      if !isBurst { silent.noteSilence(of: pair) }
    }
  }
}

extension Plan {
  /// Whether it may have more than one pair.
  var hasSeveralPairs: Bool { remoteCount > 1 || !locals.addresses.isEmpty }
}
