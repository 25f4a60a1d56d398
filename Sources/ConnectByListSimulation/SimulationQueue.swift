import ConnectByListCore

/// What a simulated world still does, the next first.
struct SimulationQueue: Sendable {
  enum Happening: Sendable {
    case connected
    case failed(Errno)
    /// A SYN arrives that may be one of those that vanish.
    case syn
    /// A lookup, by its index.
    case answer
  }

  struct Event: Sendable {
    let time: Instant
    let happening: Happening
    /// Whose: an attempt's number or a lookup's index.
    let subject: Int32
    /// Among events of one instant: names' answers, then attempts in the order of their starts.
    fileprivate let order: Int64

    fileprivate func precedes(_ other: Event) -> Bool {
      time != other.time ? time < other.time : order < other.order
    }
  }

  /// A binary heap.
  private var events: [Event] = []

  var next: Event? { events.first }

  mutating func insert(_ happening: Happening, of subject: Int32, at time: Instant) {
    var order = Int64(subject)
    if case .answer = happening { order -= 1 << 32 }
    let event = Event(time: time, happening: happening, subject: subject, order: order)
    var child = events.count
    events.append(event)
    while child > 0 {
      let parent = (child - 1) / 2
      guard events[child].precedes(events[parent]) else { return }
      events.swapAt(child, parent)
      child = parent
    }
  }

  /// Takes the next one out, which there must be.
  mutating func removeNext() {
    events.swapAt(0, events.count - 1)
    events.removeLast()
    var parent = 0
    while true {
      var first = parent
      for child in 2 * parent + 1..<2 * parent + 3
      where child < events.count && events[child].precedes(events[first]) {
        first = child
      }
      if first == parent { return }
      events.swapAt(first, parent)
      parent = first
    }
  }
}
