/// What happened in a race, in order. The first three events, and most races have no more (start, connected, won),
/// need no memory of their own: an array of them takes 300 instructions and 50 bytes more.
struct EventLog: Sendable {
  private(set) var count = 0
  private var first: RaceEvent?
  private var second: RaceEvent?
  private var third: RaceEvent?
  private var others: [RaceEvent] = []

  subscript(index: Int) -> RaceEvent {
    get {
      switch index {
      case 0: first!
      case 1: second!
      case 2: third!
      default: others[index - 3]
      }
    }
    set {
      switch index {
      case 0: first = newValue
      case 1: second = newValue
      case 2: third = newValue
      default: others[index - 3] = newValue
      }
    }
  }

  mutating func append(_ event: RaceEvent) {
    count += 1
    if count > 3 { others.append(event) } else { self[count - 1] = event }
  }

  mutating func removeLast() {
    if count > 3 { others.removeLast() }
    count -= 1
  }
}

extension Race {
  /// All that happened, in order. A driver that passes events on reads what was added since its last look,
  /// after it has performed a step: an attempt that fails in the call that starts it turns its `start` into
  /// its `failed`.
  public var events: [RaceEvent] { (0..<log.count).map { log[$0] } }

  /// The same without an array.
  public var eventCount: Int { log.count }
  public func event(at index: Int) -> RaceEvent { log[index] }

  /// When the race finished: the instant of its last event. Of a race that has finished.
  public var ended: Instant { log[log.count - 1].time }
}
