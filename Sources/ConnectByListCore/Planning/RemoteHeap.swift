/// The remotes that one local address may still be tried with, the likeliest on top.
struct RemoteHeap: Sendable {
  struct Entry: Sendable {
    var chance: Double
    let place: Int32
    let remote: Int32

    func precedes(_ other: Entry) -> Bool {
      chance != other.chance ? chance > other.chance : place < other.place
    }
  }

  private(set) var entries: [Entry] = []

  var top: Entry? { entries.first }

  mutating func insert(_ entry: Entry) {
    entries.append(entry)
    var child = entries.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard entries[child].precedes(entries[parent]) else { return }
      entries.swapAt(child, parent)
      child = parent
    }
  }

  mutating func removeTop() {
    entries.swapAt(0, entries.count - 1)
    entries.removeLast()
    sink()
  }

  /// The top's chance has fallen.
  mutating func correctTop(chance: Double) {
    entries[0].chance = chance
    sink()
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var first = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < entries.count && entries[child].precedes(entries[first]) {
        first = child
      }
      if first == parent { return }
      entries.swapAt(first, parent)
      parent = first
    }
  }
}
