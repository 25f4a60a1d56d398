// The order of the remotes: the contract's section 3 point 3.

extension Plan {
  /// Gives each remote its `orderIndex`, with the reasons that `explain` tells.
  func orderRemotes() {
    guard remotes.count > 1 else { return }
    // The caller's order: that of the entries, and of the answers within one.
    var order = sortedIndices(remotes.count) {
      let (a, b) = (remotes[$0], remotes[$1])
      return (a.entry, a.target.order, $0) < (b.entry, b.target.order, $1)
    }
    switch options.order {
    case .given: break
    case .random:
      var random = SplitMix64(seed: options.seed)
      for index in stride(from: order.count - 1, to: 0, by: -1) {
        order.swapAt(index, random.below(index + 1))
      }
    case .likely: order = orderByRules(order)
    }
    setOrder(order, isInterleaved: false)
    if options.interleaves {
      let turns = Ordering.interleaved(order.map { remotes[$0].endpoint.family })
      order = turns.map { order[$0] }
      setOrder(order, isInterleaved: true)
    }
    if hasGroups {
      regroup(&order)
      setRegrouped(order)
    }
  }

  /// Orders the targets of each SRV entry by group, and within a group as drawn; with `random` as shuffled. They take
  /// the places that the targets of their entry have.
  private func regroup(_ order: inout [Int]) {
    let places = order.indices.filter { remotes[order[$0]].target.group > 0 }
      .sorted { (remotes[order[$0]].entry, $0) < (remotes[order[$1]].entry, $1) }
    let isDrawn = options.order != .random
    let before = order
    let regrouped = places.sorted {
      let (a, b) = (remotes[before[$0]], remotes[before[$1]])
      if a.entry != b.entry { return a.entry < b.entry }
      if a.target.group != b.target.group { return a.target.group < b.target.group }
      if isDrawn && a.target.order != b.target.order { return a.target.order < b.target.order }
      return $0 < $1
    }
    for (place, from) in zip(places, regrouped) { order[place] = before[from] }
    // Translated remotes come after all others.
    guard tables?.prefix != nil else { return }
    order = order.filter { !remotes[$0].isTranslation } + order.filter { remotes[$0].isTranslation }
  }

  private func setRegrouped(_ order: [Int]) {
    var predecessor: Int32 = -1
    for (orderIndex, remote) in order.enumerated() {
      remotes[remote].orderIndex = Int32(orderIndex)
      remotes[remote].isRegrouped =
        remotes[remote].target.group > 0 || remotes[remote].isTranslation
        || remotes[remote].predecessor != predecessor
      remotes[remote].predecessor = predecessor
      predecessor = Int32(remote)
    }
  }

  /// Unix addresses first, as given, then the others by RFC 6724.
  private func orderByRules(_ given: [Int]) -> [Int] {
    let here = given.filter { remotes[$0].pathInformation.isHere }
    let others = given.filter { !remotes[$0].pathInformation.isHere }
    var order = here
    for entry in Ordering.sorted(count: others.count, policyTable, { candidate(others[$0]) }) {
      let isFirstAfterUnix = order.count == here.count && !here.isEmpty
      remotes[others[entry.index]].rule = isFirstAfterUnix ? .thisMachine : entry.rule
      order.append(others[entry.index])
    }
    return order
  }

  private func setOrder(_ order: [Int], isInterleaved: Bool) {
    var predecessor: Int32 = -1
    var predecessorChance = -1.0
    for (orderIndex, remote) in order.enumerated() {
      remotes[remote].orderIndex = Int32(orderIndex)
      remotes[remote].isInterleaved =
        isInterleaved && remotes[remote].predecessor != predecessor
      remotes[remote].predecessor = predecessor
      remotes[remote].predecessorChance = predecessorChance
      predecessor = Int32(remote)
      predecessorChance = remotes[remote].initialChance
    }
  }

  private func candidate(_ index: Int) -> OrderingCandidate {
    let remote = remotes[index]
    // A pair without a route has no source, even if it was tried from one before that was known.
    if remote.isHopeless {
      return OrderingCandidate(
        remote.endpoint.address, isUsable: false, sourcePrefixLength: 0,
        isNative: remote.pathInformation.isNative)
    }
    let source = locals[remote.source].address
    let pair = Pair(local: remote.source, remote: Int32(index), isFirst: true)
    return OrderingCandidate(
      remote.endpoint.address, source: source?.address,
      isUsable: source != nil || remote.pathInformation.route != .noSource,
      sourcePrefixLength: source?.prefixLength ?? 0, sourceFlags: source?.flags ?? [],
      isNative: remote.pathInformation.isNative, roundTrip: roundTrip(of: pair)?.smoothed)
  }
}
