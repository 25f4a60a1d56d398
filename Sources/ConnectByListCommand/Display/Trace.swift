import ConnectByList
import ConnectByListCore
import Synchronization

/// `--trace`: writes every event of every connect of this process to standard error, a line each.
///
/// A line is what the transcript of a simulation has (section 8 of the contract), after the number of the
/// connect: `trace: 1 0.000 start 10.0.0.5 192.0.2.1:80`. Numbers count from 1 in the order of first events.
enum Trace {
  private static let count = Atomic<Int>(0)

  /// Traces the connects that begin from now on.
  static func begin() { OperationObserver.current = { write(newEventsOf: $0) } }

  /// Writes what was added to the event log since the last call, on the thread that drives the connect.
  private static func write(newEventsOf operation: Operation) {
    let race = operation.race
    let first = operation.observedEventCount
    guard first < race.eventCount else { return }
    if operation.observedNumber == 0 {
      operation.observedNumber = count.wrappingAdd(1, ordering: .relaxed).newValue
    }
    var text = TextBuffer(capacity: 80 * (race.eventCount - first))
    for index in first..<race.eventCount {
      text.append("trace: ")
      text.append(decimal: operation.observedNumber)
      text.append(" ")
      append(race.event(at: index), of: operation, to: &text)
      text.append("\n")
    }
    Output.error.write(text)
    operation.observedEventCount = race.eventCount
  }

  private static func append(
    _ event: RaceEvent, of operation: Operation, to line: inout TextBuffer
  ) {
    let race = operation.race
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
      line.append(escaped: operation.names[Int(id.number)].name.host, limit: 253)
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
