import ConnectByListCore

/// A script on one connection. Performs no I/O and reads no clock.
///
/// A connection that differs from its script is closed, and `failure` says how it differs. After the last
/// step the endpoint waits for the client to end its stream; bytes that come instead are a difference.
struct ScriptRun {
  /// The most bytes that wait for a step. No more are read until the script takes some.
  static let pendingMax = 1 << 20

  private let steps: [ScriptStep]
  /// The index of the step that is under way.
  private var position = 0
  /// Received bytes that no step has taken.
  private var pending: [UInt8] = []
  private var hasEnded = false
  private var wasReset = false
  /// When the `wait` that is under way ends.
  private var waitEnd: Instant?
  /// What differed from the script.
  private(set) var failure: TextBuffer?

  init(_ steps: [ScriptStep]) { self.steps = steps }

  var takesBytes: Bool { pending.count < Self.pendingMax }

  mutating func receive(_ bytes: [UInt8]) { pending.append(contentsOf: bytes) }

  /// The client has ended its stream, or reset the connection.
  mutating func end(byReset: Bool) {
    hasEnded = true
    wasReset = byReset
  }

  mutating func nextStep(at now: Instant) -> ServerStep {
    if failure != nil { return .close }
    while position < steps.count {
      switch steps[position] {
      case .expect(let text):
        guard let match = accept(ScriptPattern(text).match(pending[...])) else { return blocked() }
        pending.removeFirst(match)
      case .expectLine(let text):
        guard let count = accept(line(text)) else { return blocked() }
        pending.removeFirst(count)
      case .expectAny(let count):
        guard accept(pending.count < count ? .needsMore : .matches(count: count)) != nil else {
          return blocked()
        }
        pending.removeFirst(count)
      case .send(let bytes):
        position += 1
        return .send(bytes)
      case .wait(let span):
        let end = waitEnd ?? now + span
        waitEnd = end
        if now < end { return .wait(until: end) }
        waitEnd = nil
      case .shut:
        position += 1
        return .shut
      case .close:
        position = steps.count
        return .close
      case .reset:
        position = steps.count
        return .reset
      }
      position += 1
    }
    if !pending.isEmpty {
      fail(expected: nil)
      return .close
    }
    return hasEnded ? .close : .wait(until: .distantFuture)
  }

  /// The number of bytes that a step takes; `nil` if it is not done, or has failed.
  private mutating func accept(_ match: ScriptPattern.Match) -> Int? {
    switch match {
    case .matches(let count): return count
    case .needsMore where !hasEnded && takesBytes: return nil
    case .needsMore, .differs:
      fail(expected: steps[position])
      return nil
    }
  }

  private func blocked() -> ServerStep {
    failure == nil ? .wait(until: .distantFuture) : .close
  }

  private func line(_ text: [UInt8]?) -> ScriptPattern.Match {
    guard let end = pending.firstIndex(of: UInt8(ascii: "\n")) else { return .needsMore }
    let hasReturn = end > 0 && pending[end - 1] == UInt8(ascii: "\r")
    if let text, !ScriptPattern(text).matchesAll(pending[..<(hasReturn ? end - 1 : end)]) {
      return .differs
    }
    return .matches(count: end + 1)
  }

  /// `step 2: expected 'PING\x0d\x0a', got 'PONG' and the end of the stream`
  private mutating func fail(expected step: ScriptStep?) {
    var text = TextBuffer()
    if let step {
      text.append("step ")
      text.append(decimal: position + 1)
      text.append(": expected ")
      text.append(step)
    } else {
      text.append("after the last step: expected the end of the stream")
    }
    text.append(", got ")
    if !pending.isEmpty {
      text.append("'")
      text.append(escaped: pending)
      text.append("'")
    }
    if hasEnded {
      text.append(pending.isEmpty ? "" : " and ")
      text.append(wasReset ? "a reset" : "the end of the stream")
    }
    failure = text
  }
}

extension TextBuffer {
  fileprivate mutating func append(_ step: ScriptStep) {
    switch step {
    case .expect(let bytes), .expectLine(let bytes?):
      if case .expectLine = step { append("the line ") }
      append("'")
      append(escaped: bytes)
      append("'")
    case .expectLine(nil): append("a line")
    case .expectAny(let count):
      append(decimal: count)
      append(" bytes")
    case .send, .wait, .close, .shut, .reset: assertionFailure("expects nothing")
    }
  }
}
