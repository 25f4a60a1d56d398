import ConnectByListCore
import ConnectByListSimulation

/// What must hold for every race, read off its transcript without racing again.
///
/// The reference race says what a transcript must be; these are promises that do not depend on how
/// either race is written.
struct RaceProperties {
  enum Rule: String, Sendable {
    case text = "every line is one of a transcript"
    case structure = "every attempt starts once and ends once, and time does not go back"
    case oneEnd = "the last line, and no other, is the end"
    case bound = "nothing happens after the deadline or the cancel"
    case cap = "never more attempts in flight than in_flight, or than there are descriptors"
    case twice = "a pair is started once, unless hedged"
    case expired = "no attempt outlives attempt_timeout"
    case winner = "the winner is connected at its instant, and all others are ended"
    case code = "the lost code is the last failure's, or ETIMEDOUT at the deadline"
    case answerable = "without any bound a pair that answers is not lost"
  }

  private let scenario: Scenario
  private let lines: [TranscriptLine]
  private var broken: [Rule] = []

  /// The rules that the transcript breaks, each once.
  static func broken(by text: [UInt8], in scenario: Scenario) -> [Rule] {
    guard let lines = TranscriptLine.lines(of: text) else { return [.text] }
    return broken(by: lines, in: scenario)
  }

  static func broken(by lines: [TranscriptLine], in scenario: Scenario) -> [Rule] {
    var properties = RaceProperties(scenario: scenario, lines: lines)
    properties.checkAttempts()
    properties.checkBounds()
    properties.checkEnd()
    return properties.broken
  }

  private init(scenario: Scenario, lines: [TranscriptLine]) {
    self.scenario = scenario
    self.lines = lines
  }

  private mutating func require(_ isTrue: Bool, _ rule: Rule) {
    if !isTrue && !broken.contains(rule) { broken.append(rule) }
  }

  private static func microseconds(_ span: TimeSpan) -> Int { Int(span.nanoseconds / 1_000) }

  // MARK: attempts

  private mutating func checkAttempts() {
    struct Open {
      let pair: String
      let start: Int
      var connectedAt: Int?
    }
    var open: [Open] = []
    var starts: [String: Int] = [:]
    var time = 0
    let most = min(scenario.options.inFlight, scenario.descriptorCount ?? .max)
    for (index, line) in lines.enumerated() {
      require(line.time >= time, .structure)
      time = line.time
      require(line.kind.isEnd == (index == lines.count - 1), .oneEnd)
      guard let pair = line.pair else { continue }
      // The oldest attempt of the pair that the line can be about: a second socket may be in flight.
      let isOfConnected = line.kind == .rejected || line.kind == .won
      let place =
        open.firstIndex { $0.pair == pair && ($0.connectedAt != nil) == isOfConnected }
        ?? open.firstIndex { $0.pair == pair }
      switch line.kind {
      case .start:
        open.append(Open(pair: pair, start: line.time))
        starts[pair, default: 0] += 1
        require(open.count <= most, .cap)
      case .connected:
        require(place.map { open[$0].connectedAt == nil } ?? false, .structure)
        if let place { open[place].connectedAt = line.time }
      case .failed where place == nil: starts[pair, default: 0] += 1
      case .refused, .unreachable, .reset, .timedout, .failed, .rejected, .abandon, .won:
        guard let place else {
          require(false, .structure)
          break
        }
        if line.kind == .won || line.kind == .rejected {
          require(open[place].connectedAt == line.time, .winner)
        }
        if let timeout = scenario.options.attemptTimeout {
          // Both ends of the span are cut to a microsecond.
          require(
            line.time - open[place].start <= Self.microseconds(timeout) + 1, .expired)
        }
        open.remove(at: place)
        if line.kind == .won { require(open.isEmpty, .winner) }
      case .resolved, .unresolved, .lost, .cancelled: break
      }
    }
    require(open.isEmpty, .structure)
    if scenario.options.retry == nil {
      let most = scenario.options.hedge == nil ? 1 : 2
      require(starts.values.allSatisfy { $0 <= most }, .twice)
      require(starts.values.filter { $0 > 1 }.count <= 1, .twice)
    }
  }

  private mutating func checkBounds() {
    for bound in [scenario.options.timeout, scenario.cancel] {
      guard let bound, let last = lines.last else { continue }
      require(last.time <= Self.microseconds(bound), .bound)
    }
    if lines.last?.kind == .cancelled {
      require(scenario.cancel.map { Self.microseconds($0) } == lines.last?.time, .bound)
    }
  }

  // MARK: the end

  private mutating func checkEnd() {
    guard let end = lines.last, end.kind == .lost else { return }
    let isAtDeadline = scenario.options.timeout.map { Self.microseconds($0) } == end.time
    // That there is no NAT64 is no failure.
    let isFailure = { (line: TranscriptLine) in
      line.kind.isFailure || line.kind == .unresolved && line.name != "ipv4only.arpa"
    }
    if let last = lines.last(where: isFailure) {
      require(isAtDeadline && end.detail == "ETIMEDOUT" || end.detail == code(of: last), .code)
    } else {
      require(isAtDeadline && end.detail == "ETIMEDOUT", .code)
    }
    let isBounded =
      scenario.options.timeout != nil || scenario.options.attemptTimeout != nil
      || scenario.cancel != nil || scenario.descriptorCount != nil
    if isBounded { return }
    for line in lines where line.kind == .start || line.kind == .failed {
      require(line.kind != .start || !answers(line), .answerable)
    }
    for remote in scenario.candidates() {
      let isTried = lines.contains {
        $0.pair.map { $0.hasSuffix(" " + text(remote.endpoint)) } ?? false
      }
      require(isTried, .answerable)
    }
  }

  /// The code of a failure that has a word of its own.
  private func code(of line: TranscriptLine) -> String? {
    switch line.kind {
    case .refused: "ECONNREFUSED"
    case .reset: "ECONNRESET"
    case .rejected: "ECONNABORTED"
    case .timedout: "ETIMEDOUT"
    // EHOSTUNREACH and ENETUNREACH share a word.
    case .unreachable:
      lines.last?.detail == "ENETUNREACH" ? "ENETUNREACH" : "EHOSTUNREACH"
    default: line.detail
    }
  }

  /// Whether its remote's line says that it is answered, and no `pair` line is about it.
  private func answers(_ line: TranscriptLine) -> Bool {
    guard let pair = line.pair, let remote = pair.split(separator: " ").last else { return false }
    if scenario.pairs.contains(where: { text($0.remote) == remote }) { return false }
    for case .remote(let index) in scenario.list
    where text(scenario.destinations[index].endpoint) == remote {
      if case .answers = scenario.destinations[index].behaviour { return true }
      return false
    }
    return false
  }

  private func text(_ endpoint: Endpoint) -> String {
    var text = TextBuffer()
    text.append(endpoint, scopes: scenario.scopes)
    return String(decoding: text.bytes, as: UTF8.self)
  }
}
