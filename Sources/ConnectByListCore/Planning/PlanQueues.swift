/// The remotes whose first pair was not started, in one queue for each source.
struct FirstPairQueues: Sendable {
  /// A part of `remotes`: from its head to its end.
  struct Queue: Sendable {
    var head: Int
    var end: Int
  }

  /// Indices of remotes, one queue after the other.
  var remotes: [Int32] = []
  var queues: [Queue] = []

  /// The first remote of a queue that is not empty.
  func head(of queue: Queue) -> Int { Int(remotes[queue.head]) }

  mutating func removeHead(ofQueue index: Int) -> Int32 {
    defer { queues[index].head += 1 }
    return remotes[queues[index].head]
  }
}

extension Plan {
  /// Sorts what was not started and makes the heaps of alternate sources. `next` does it when it has to.
  func prepare() {
    guard !isPrepared else { return }
    isPrepared = true
    orderRemotes()
    fillQueues()
    fillAlternates()
  }

  private func fillQueues() {
    // With `given` and `random` there is one queue, because its order is fixed; chances do not change it.
    let hasQueueForEachSource = options.order == .likely
    let left = states.indices.filter { !states[$0].isStarted }
    let order = left.sorted { a, b in
      if hasQueueForEachSource {
        if remotes[a].source != remotes[b].source { return remotes[a].source < remotes[b].source }
        if states[a].chance != states[b].chance { return states[a].chance > states[b].chance }
      }
      return remotes[a].orderIndex < remotes[b].orderIndex
    }
    queues = FirstPairQueues()
    queues.remotes = order.map { Int32($0) }
    var previousSource: Int32?
    for (position, remote) in queues.remotes.enumerated() {
      let source = remotes[Int(remote)].source
      if previousSource == nil || hasQueueForEachSource && source != previousSource {
        queues.queues.append(FirstPairQueues.Queue(head: position, end: position))
      }
      queues.queues[queues.queues.count - 1].end = position + 1
      previousSource = source
    }
  }

  /// The index of the queue whose head is the likeliest; of equals the one whose head comes first in the
  /// order. `nil` when all are empty.
  func bestQueue() -> Int? {
    var best: (queue: Int, chance: Double, orderIndex: Int32)?
    for (index, queue) in queues.queues.enumerated() where queue.head < queue.end {
      let head = queues.head(of: queue)
      let orderIndex = remotes[head].orderIndex
      let chance = locals[remotes[head].source].chance * states[head].chance
      if let best, chance < best.chance || chance == best.chance && orderIndex > best.orderIndex {
        continue
      }
      best = (index, chance, orderIndex)
    }
    return best?.queue
  }
}
