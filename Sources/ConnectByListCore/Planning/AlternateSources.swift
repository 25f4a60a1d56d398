/// The pairs from alternate sources that may be started: for each local address a heap of remotes.
struct AlternateSources: Sendable {
  /// A remote that may be tried from the heap's local address. The smaller goes first.
  struct Entry: Comparable, Sendable {
    /// R of the remote when the entry was made; the remote's own may have fallen since.
    var chance: Double
    let orderIndex: Int32
    let remote: Int32

    static func < (a: Entry, b: Entry) -> Bool {
      a.chance != b.chance ? a.chance > b.chance : a.orderIndex < b.orderIndex
    }
  }

  /// By local address, from `LocalTable.firstAddress`. Empty where the plan knows no local address.
  fileprivate var heaps: [Heap<Entry>] = []
  /// What was started, in the order of starts: the heaps are made anew when candidates or path information
  /// come, and must not offer it again.
  fileprivate var started: [Plan.Pair] = []
  /// How many first pairs were started since the last pair from an alternate source.
  var startsSinceLast = 0

  fileprivate static func heapIndex(_ local: Int32) -> Int { Int(local - LocalTable.firstAddress) }
}

extension Plan {
  /// Makes the heaps: for every remote whose first pair was started, all alternate sources that were not.
  func fillAlternates() {
    alternates.heaps = Array(repeating: Heap(), count: locals.addresses.count)
    guard !alternates.heaps.isEmpty else { return }
    let pairs = alternates.started
    var started = pairs.indices.sorted { pairs[$0] < pairs[$1] }.map { pairs[$0] }[...]
    for remote in remotes.indices where states[remote].isStarted {
      let ofRemote = started.prefix { $0.remote == remote }
      offerAlternates(of: Int32(remote), except: ofRemote)
      started = started.dropFirst(ofRemote.count)
    }
  }

  /// Offers the alternate sources of a remote. `started`: those of its pairs that were started already.
  func offerAlternates(of remote: Int32, except started: ArraySlice<Pair> = []) {
    guard options.allowsAlternateSources else { return }
    let target = remotes[Int(remote)]
    // Before the route's own source is known an alternate cannot be told from it.
    if case .all = options.locals, !target.hasPathInformation { return }
    for local in locals.addresses
    where local != target.source && locals.address(local).canReach(target.endpoint.address)
      && !started.contains(where: { $0.local == local })
    {
      alternates.heaps[AlternateSources.heapIndex(local)].insert(
        AlternateSources.Entry(
          chance: states[Int(remote)].chance, orderIndex: target.orderIndex, remote: remote))
    }
  }

  /// The local address whose likeliest remaining pair is the likeliest of all; of equals the first in the
  /// order of remotes, then one that was not used yet.
  ///
  /// While first pairs are left an alternate source may start only as every fourth start.
  /// `avoidingSuspects`: only if a source is suspect, and then from one that is not.
  func bestAlternate(avoidingSuspects: Bool) -> Int32? {
    guard alternates.startsSinceLast >= 3 || firstsLeft == 0 else { return nil }
    if avoidingSuspects && !locals.hasSuspect { return nil }
    var best: (local: Int32, chance: Double, orderIndex: Int32)?
    for heap in alternates.heaps.indices {
      let local = LocalTable.firstAddress + Int32(heap)
      if avoidingSuspects && locals[local].isSuspect { continue }
      guard let top = correctedTop(ofHeap: heap) else { continue }
      let chance = locals[local].chance * Chance.alternateSource * top.chance
      if let best {
        if chance < best.chance { continue }
        if chance == best.chance {
          let isFresher = !locals[local].isUsed && locals[best.local].isUsed
          guard top.orderIndex < best.orderIndex || top.orderIndex == best.orderIndex && isFresher
          else { continue }
        }
      }
      best = (local, chance, top.orderIndex)
    }
    return best?.local
  }

  private func correctedTop(ofHeap heap: Int) -> AlternateSources.Entry? {
    while var top = alternates.heaps[heap].first {
      let chance = states[Int(top.remote)].chance
      if top.chance == chance { return top }
      top.chance = chance
      alternates.heaps[heap].replaceFirst(top)
    }
    return nil
  }

  /// Starts the likeliest remaining pair of a local address that has one.
  func startAlternate(from local: Int32) -> Pair {
    let heap = AlternateSources.heapIndex(local)
    let remote = alternates.heaps[heap].first!.remote
    alternates.heaps[heap].removeFirst()
    alternates.startsSinceLast = 0
    locals[local].isUsed = true
    let pair = Pair(local: local, remote: remote, isFirst: false)
    alternates.started.append(pair)
    return pair
  }
}

extension Plan.Pair {
  /// By remote, then by local address, then first pairs first.
  static func < (a: Plan.Pair, b: Plan.Pair) -> Bool {
    if a.remote != b.remote { return a.remote < b.remote }
    return a.local != b.local ? a.local < b.local : a.isFirst && !b.isFirst
  }
}

extension ConnectOptions {
  /// Whether a remote may be tried from more than its first source.
  var allowsAlternateSources: Bool {
    if case .routeOnly = locals { return false }
    return true
  }
}
