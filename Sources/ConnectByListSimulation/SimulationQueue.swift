import ConnectByListCore

/// What is still to happen in a simulated world, the next first.
struct SimulationQueue: Sendable {
  enum Happening: Equatable, Sendable {
    case connected
    case failed(Errno)
    /// A SYN arrives that may be one of those that vanish.
    case syn
    /// The answer to a lookup.
    case answer
  }

  struct Event: Comparable, Sendable {
    let time: Instant
    let happening: Happening
    /// An attempt's number, or a lookup's index.
    let subject: Int32

    /// At one instant the names' answers come first, then attempts in the order of their starts.
    static func < (a: Event, b: Event) -> Bool {
      if a.time != b.time { return a.time < b.time }
      let isAnswer = (a.happening == .answer, b.happening == .answer)
      return isAnswer.0 != isAnswer.1 ? isAnswer.0 : a.subject < b.subject
    }
  }

  private var events = Heap<Event>()

  var next: Event? { events.first }

  mutating func insert(_ happening: Happening, of subject: Int32, at time: Instant) {
    events.insert(Event(time: time, happening: happening, subject: subject))
  }

  /// Removes the next event; there must be one.
  mutating func removeNext() { events.removeFirst() }
}
