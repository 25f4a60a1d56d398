import ConnectByListCore
import Synchronization

/// Passes the events of every connect of this process on as text, as they happen.
///
/// A line is what the transcript of a simulation has (section 8 of the contract), after the number of the
/// connect: `1 0.000 start 10.0.0.5 192.0.2.1:80`. Numbers count from 1 in the order of first events.
public enum Tracing {
  /// Called with each line, which has no newline, on the thread that drives the connect. `nil`: no tracing.
  ///
  /// For the program that has this library in it. It is set before the first connect begins; there is no
  /// lock.
  nonisolated(unsafe) public static var sink: ((borrowing TextBuffer) -> Void)?

  private static let count = Atomic<Int>(0)

  /// The number of the next connect.
  static func nextNumber() -> Int {
    count.wrappingAdd(1, ordering: .relaxed).newValue
  }
}

extension Operation {
  /// Passes on what was added to the event log since the last call.
  func trace(to sink: (borrowing TextBuffer) -> Void) {
    let events = race.events
    guard tracedCount < events.count else { return }
    if tracedCount == 0 { traceNumber = Tracing.nextNumber() }
    for event in events[tracedCount...] {
      var line = TextBuffer(capacity: 80)
      line.append(decimal: traceNumber)
      line.append(" ")
      append(event, to: &line)
      sink(line)
    }
    tracedCount = events.count
  }

  private func append(_ event: RaceEvent, to line: inout TextBuffer) {
    line.append(milliseconds: event.time - race.began)
    line.append(" ")
    line.append(event.kind.word)
    if let id = event.attempt {
      let attempt = race.attempts[id.index]
      line.append(" ")
      if let local = attempt.local ?? race.plan.local(of: attempt.pair) {
        line.append(local.address, scopes: SystemScopes())
      } else {
        line.append("-")
      }
      line.append(" ")
      line.append(remoteOf: attempt.pair, in: race.plan, scopes: SystemScopes())
    }
    if let id = event.name {
      line.append(" ")
      line.append(escaped: names[Int(id.number)].name.host, limit: 253)
    }
    if let count = event.count {
      line.append(" ")
      line.append(decimal: count)
    }
    if event.kind.showsErrno, let errno = event.errno {
      line.append(" ")
      line.append(errno)
    }
  }
}
