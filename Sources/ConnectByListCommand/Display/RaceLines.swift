import ConnectByList
import ConnectByListCore

extension LiveLines {
  /// A line an attempt of a race that runs, in the order of starts: the pair, since when, what became of
  /// it. Names that are still looked up stand above.
  static func lines(
    of operation: Operation, at now: Instant, marks: Marks
  ) -> [Line] {
    let race = operation.race
    var lines: [Line] = []
    for name in operation.names where name.ended == nil {
      var text = TextBuffer()
      text.append(marks.waiting)
      text.append(" looking up ")
      text.append(escaped: name.name.host)
      lines.append(Line(text: text, color: .faint))
    }
    for attempt in race.attempts {
      var text = TextBuffer()
      let color: Color
      switch attempt.outcome {
      case .connected:
        text.append(marks.connected)
        color = .good
      case .pending:
        text.append(marks.waiting)
        color = .none
      case .superseded, .cancelled, .notStarted:
        text.append(marks.waiting)
        color = .faint
      case .refused, .unreachable, .timedOut, .reset, .failed, .rejected:
        text.append(marks.failed)
        color = .bad
      }
      text.append(" ")
      text.append(seconds: attempt.started - race.began)
      text.append(" s ")
      if let local = attempt.local ?? race.plan.local(of: attempt.pair) {
        text.append(local.address, scopes: SystemScopes())
        text.append(" ")
        text.append(marks.arrow)
        text.append(" ")
      }
      text.append(remoteOf: attempt.pair, in: race.plan, scopes: SystemScopes())
      text.append(" ")
      text.append(attempt.outcome == .pending ? "connecting" : attempt.outcome.word)
      text.append(", ")
      text.append(milliseconds: (attempt.ended ?? now) - attempt.started)
      text.append(" ms")
      lines.append(Line(text: text, color: color))
    }
    return lines
  }
}
