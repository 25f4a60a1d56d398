// The attempts in flight, connected candidates included, in the order of their starts: a linked list through
// `attempts`, so that an attempt leaves it in constant time.

extension Race {
  /// The first attempt in flight.
  var firstInFlight: AttemptID? { flights.first }

  /// The attempt in flight that was started next after this one.
  func inFlight(after id: AttemptID) -> AttemptID? { attempts[id.index].nextInFlight }

  /// Appends the newest attempt.
  func putInFlight(_ id: AttemptID) {
    attempts[id.index].previousInFlight = flights.last
    if let last = flights.last {
      attempts[last.index].nextInFlight = id
    } else {
      flights.first = id
    }
    flights.last = id
    flights.count += 1
  }

  /// Removes an attempt, if it is in flight.
  func removeFromFlight(_ id: AttemptID) {
    let previous = attempts[id.index].previousInFlight
    let next = attempts[id.index].nextInFlight
    guard previous != nil || flights.first == id else { return }
    if let previous { attempts[previous.index].nextInFlight = next } else { flights.first = next }
    if let next {
      attempts[next.index].previousInFlight = previous
    } else {
      flights.last = previous
    }
    attempts[id.index].previousInFlight = nil
    attempts[id.index].nextInFlight = nil
    flights.count -= 1
  }
}

/// The ends of the list of attempts in flight.
struct AttemptsInFlight: Sendable {
  var first: AttemptID?
  var last: AttemptID?
  var count = 0
}
