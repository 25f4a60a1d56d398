// Where the remotes stand among each other.

extension Plan {
  /// Section 3 point 3: where each remote stands among the others.
  mutating func placeRemotes() {
    guard remotes.count > 1 else { return }
    // The caller's order: that of the entries, and of the answers within one.
    var order = remotes.indices.sorted { remotes[$0].entry < remotes[$1].entry }
    switch options.order {
    case .given: break
    case .random:
      var random = SplitMix64(seed: options.seed)
      for index in stride(from: order.count - 1, to: 0, by: -1) {
        order.swapAt(index, random.below(index + 1))
      }
    case .likely:
      // Unix addresses first, as given; RFC 6724 has the others.
      var here: [Int] = []
      var given: [Int] = []
      for index in order {
        if remotes[index].facts.isHere { here.append(index) } else { given.append(index) }
      }
      let sorted = Ordering.sorted(count: given.count) { candidate(remotes[given[$0]]) }
      order = here
      for entry in sorted {
        remotes[given[entry.index]].rule =
          order.count == here.count && !here.isEmpty ? .thisMachine : entry.rule
        order.append(given[entry.index])
      }
    }
    note(order, isByTurns: false)
    if options.interleaves {
      var families: [Family] = []
      families.reserveCapacity(order.count)
      for index in order { families.append(remotes[index].endpoint.family) }
      var turns = Ordering.interleaved(families)
      for place in turns.indices { turns[place] = order[turns[place]] }
      note(turns, isByTurns: true)
    }
  }

  /// Where each stands, and behind whom.
  @inline(never)
  private mutating func note(_ order: [Int], isByTurns: Bool) {
    var before: Int32 = -1
    for (place, index) in order.enumerated() {
      remotes[index].place = Int32(place)
      remotes[index].isByTurns = isByTurns && remotes[index].before != before
      remotes[index].before = before
      before = Int32(index)
    }
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
