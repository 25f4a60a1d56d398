/// The remotes whose first pair was not started, in one queue for each source.
struct FirstPairQueues: Sendable {
  /// A part of `remotes`: from its head to its end.
  struct Queue: Sendable {
    var head: Int
    var end: Int
    /// The group of an SRV entry that its remotes are of; -1: none.
    let group: Int
  }

  /// A queue by its head, when the entry was made. The smaller goes first.
  struct Entry: Comparable, Sendable {
    let rank: UInt64
    let orderIndex: Int32
    let queue: Int32

    static func < (a: Entry, b: Entry) -> Bool {
      a.rank != b.rank ? a.rank > b.rank : a.orderIndex < b.orderIndex
    }
  }

  /// Indices of remotes, one queue after the other.
  var remotes: [Int32] = []
  var queues: [Queue] = []
  /// The queues by their heads; an entry may be out of date, as in `AlternateSources`.
  var order = Heap<Entry>()

  /// The first remote of a queue that is not empty.
  func head(ofQueue queue: Int) -> Int { Int(remotes[queues[queue].head]) }
}

extension Plan {
  /// Sorts what was not started and makes the rows of alternate sources. `choose` does it when it has to.
  func prepare() {
    guard !isPrepared else { return }
    isPrepared = true
    _ = neededTables()
    hopelessLeft = 0
    for remote in remotes where !remote.isStarted && remote.isHopeless { hopelessLeft += 1 }
    orderRemotes()
    if hasGroups { fillGroups() }
    fillQueues()
    fillAlternates()
  }

  private func fillGroups() {
    tables!.groups = ServiceGroups(
      remotes.filter { $0.target.group > 0 }.map { (entry: $0.entry, group: $0.target.group) })
    for remote in remotes where !remote.isStarted && !remote.isHopeless {
      guard !remote.isTranslation, let group = group(of: remote) else { continue }
      _ = tables!.groups.count(group, 1)
    }
  }

  private func group(of remote: Remote) -> Int? {
    if remote.isTranslation { return ServiceGroups.translated }
    return tables!.groups.index(entry: remote.entry, group: remote.target.group)
  }

  /// Once a group has no first pairs left the next one's may start.
  func countInGroup(_ remote: Int32, _ change: Int) {
    let remote = remotes[Int(remote)]
    guard !remote.isTranslation, options.order == .likely else { return }
    var mayHaveOpened = firstsLeft == translatedLeft
    if !remote.isHopeless, let group = group(of: remote), tables!.groups.count(group, change) {
      mayHaveOpened = true
    }
    guard mayHaveOpened else { return }
    for queue in tables!.queues.queues.indices where tables!.queues.queues[queue].group >= 0 {
      if let entry = entry(ofQueue: queue) { tables!.queues.order.insert(entry) }
    }
  }

  private func fillQueues() {
    tables!.queues = FirstPairQueues()
    guard firstsLeft > 0 else { return }
    var left = [Int32](repeating: -1, count: remotes.count)
    for index in remotes.indices where !remotes[index].isStarted {
      left[Int(remotes[index].orderIndex)] = Int32(index)
    }
    left.removeAll { $0 < 0 }
    // With `given` and `random` there is one queue, because its order is fixed; chances do not change it.
    let hasQueueForEachSource = options.order == .likely
    if hasQueueForEachSource {
      // The sort is stable, and those that stand in order already cost one comparison.
      let keys = remotes.map { remote -> (source: Int32, group: Int, rank: UInt64) in
        let group = hasGroups ? group(of: remote) ?? -1 : -1
        return remote.isHopeless
          ? (-1, group, 0) : (remote.source, group, Chance.rank(remote.chance))
      }
      left = left.stablySorted { a, b in
        let (a, b) = (keys[Int(a)], keys[Int(b)])
        if a.source != b.source { return a.source < b.source }
        return a.group != b.group ? a.group < b.group : a.rank > b.rank
      }
    }
    tables!.queues.remotes = left
    var previousSource: Int32?
    var previousGroup = -1
    for (position, remote) in left.enumerated() {
      let source = remotes[Int(remote)].isHopeless ? -1 : remotes[Int(remote)].source
      let group =
        hasGroups && hasQueueForEachSource ? group(of: remotes[Int(remote)]) ?? -1 : -1
      if previousSource == nil
        || hasQueueForEachSource && (source != previousSource || group != previousGroup)
      {
        tables!.queues.queues.append(
          FirstPairQueues.Queue(head: position, end: position, group: group))
      }
      tables!.queues.queues[tables!.queues.queues.count - 1].end = position + 1
      previousSource = source
      previousGroup = group
    }
    for queue in tables!.queues.queues.indices {
      if let entry = entry(ofQueue: queue) { tables!.queues.order.insert(entry) }
    }
  }

  private func entry(ofQueue queue: Int) -> FirstPairQueues.Entry? {
    guard let chance = headChance(ofQueue: queue) else { return nil }
    return FirstPairQueues.Entry(
      rank: Chance.rank(chance),
      orderIndex: remotes[tables!.queues.head(ofQueue: queue)].orderIndex,
      queue: Int32(queue))
  }

  /// The index of the queue whose head is the likeliest; of equals the one whose head comes first in the
  /// order. `nil` when all are empty.
  func bestQueue() -> Int? {
    if tables!.queues.queues.count <= Self.comparedMax { return bestOfFewQueues() }
    while let top = tables!.queues.order.first {
      guard let now = entry(ofQueue: Int(top.queue)) else {
        tables!.queues.order.removeFirst()
        continue
      }
      if now == top { return Int(top.queue) }
      tables!.queues.order.replaceFirst(now)
    }
    return nil
  }

  /// So few queues are compared one by one.
  private static var comparedMax: Int { 16 }

  private func bestOfFewQueues() -> Int? {
    var most = 0.0
    for queue in tables!.queues.queues.indices { most = max(most, headChance(ofQueue: queue) ?? 0) }
    var best: (queue: Int, orderIndex: Int32)?
    for queue in tables!.queues.queues.indices {
      guard let chance = headChance(ofQueue: queue), !Chance.isLikelier(most, than: chance) else {
        continue
      }
      let orderIndex = remotes[tables!.queues.head(ofQueue: queue)].orderIndex
      if let best, best.orderIndex < orderIndex { continue }
      best = (queue, orderIndex)
    }
    return best?.queue
  }

  /// `nil`: the queue is empty, or an earlier group of its SRV entry is to be tried first.
  private func headChance(ofQueue queue: Int) -> Double? {
    let group = tables!.queues.queues[queue].group
    guard tables!.queues.queues[queue].head < tables!.queues.queues[queue].end else { return nil }
    if group == ServiceGroups.translated {
      if firstsLeft > translatedLeft { return nil }
    } else if group >= 0 && !tables!.groups.mayStart(group) {
      return nil
    }
    let remote = remotes[tables!.queues.head(ofQueue: queue)]
    guard options.order == .likely, !remote.isHopeless else { return 0 }
    return locals.chance(remote.source) * Chance.routesChoice * remote.chance
  }

  func removeHead(ofQueue queue: Int) { tables!.queues.queues[queue].head += 1 }

  func putBackHead(ofQueue queue: Int) {
    tables!.queues.queues[queue].head -= 1
    if let entry = entry(ofQueue: queue) { tables!.queues.order.insert(entry) }
  }

  /// L of a source has risen: the entry of its queue is too low.
  func raiseQueue(ofSource source: Int32) {
    guard isPrepared, options.order == .likely else { return }
    for queue in tables!.queues.queues.indices {
      guard let entry = entry(ofQueue: queue),
        remotes[tables!.queues.head(ofQueue: queue)].source == source
      else { continue }
      tables!.queues.order.insert(entry)
    }
  }
}
