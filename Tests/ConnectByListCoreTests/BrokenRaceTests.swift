import ConnectByListCore
import ConnectByListSimulation
import Testing

@testable import ConnectByListRaceWorlds

/// Transcripts of random worlds that were changed so that they break a promise: the check must notice it.
@Suite struct BrokenRaceTests {
  typealias Line = TranscriptLine

  /// A race that can be changed.
  struct Race {
    var scenario: Scenario
    var lines: [Line]
  }

  static let races: [Race] = (UInt64(1)...800).map {
    let scenario = WorldGenerator.world(seed: $0)
    let lines = Line.lines(of: ReferenceRace.transcript(of: scenario))
    return Race(scenario: scenario, lines: lines!)
  }

  /// Changes the races of many worlds. Each changed one must break the rule, and unless the change cannot be
  /// made in it, some must be changed.
  ///
  /// - Parameter change: `false` if the race has nothing to change.
  private func expect(
    _ rule: RaceProperties.Rule, atLeast least: Int = 10, change: (inout Race) -> Bool,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    var changed = 0
    for original in Self.races {
      var race = original
      guard change(&race) else { continue }
      changed += 1
      guard RaceProperties.broken(by: race.lines, in: race.scenario).contains(rule) else {
        let world = String(decoding: race.scenario.text, as: UTF8.self)
        Issue.record("not noticed in \(world)", sourceLocation: sourceLocation)
        return
      }
    }
    #expect(changed >= least, "hardly any race was changed", sourceLocation: sourceLocation)
  }

  @Test(arguments: ["", "1.0 start a b", "-1.000 won a b", "1.000 begin a b", "1.000 lost", "x"])
  func `what is no line of a transcript is none`(text: String) {
    #expect(Line(text[...]) == nil)
    #expect(RaceProperties.broken(by: Array("0.000 \(text)\n".utf8), in: Scenario()) == [.text])
  }

  @Test func `an attempt that never ends is noticed`() throws {
    try expect(.structure) { race in
      guard
        let index = race.lines.lastIndex(where: {
          $0.kind == .abandon || $0.kind == .timedout || $0.kind == .refused
        })
      else { return false }
      race.lines.remove(at: index)
      return true
    }
  }

  @Test func `an end of an attempt that was not started is noticed`() throws {
    try expect(.structure) { race in
      // Without its start, a failure with a code is one in the call.
      guard let index = race.lines.firstIndex(where: { $0.kind == .start }) else { return false }
      let start = race.lines.remove(at: index)
      let others = race.lines.filter { $0.pair == start.pair }
      return others.first?.kind != .failed && !others.contains { $0.kind == .start }
    }
  }

  @Test func `time that goes back is noticed`() throws {
    try expect(.structure) { race in
      guard let last = race.lines.indices.dropFirst().last, race.lines[last].time > 0 else {
        return false
      }
      race.lines[last].time = race.lines[last - 1].time - 1
      return race.lines[last].time >= 0
    }
  }

  @Test func `a race without an end, and one with two, are noticed`() throws {
    try expect(.oneEnd) { race in
      race.lines.removeLast()
      return !race.lines.isEmpty
    }
    try expect(.oneEnd) { race in
      race.lines.append(race.lines.last!)
      return true
    }
  }

  @Test func `an event after the deadline or the cancel is noticed`() throws {
    try expect(.bound) { race in
      race.lines[race.lines.count - 1].time += 1
      let end = race.lines.last!.time - 1
      return race.scenario.options.timeout.map { $0.nanoseconds / 1_000 == end } ?? false
    }
    try expect(.bound) { race in
      race.scenario.cancel = nil
      return race.lines.last!.kind == .cancelled
    }
  }

  @Test func `more attempts than in_flight or descriptors are noticed`() throws {
    func most(_ lines: [Line]) -> Int {
      var open = 0
      var most = 0
      var started: [String: Int] = [:]
      for line in lines {
        guard let pair = line.pair, line.kind != .connected else { continue }
        if line.kind == .start {
          open += 1
          started[pair, default: 0] += 1
        } else if started[pair, default: 0] > 0 {
          open -= 1
          started[pair, default: 0] -= 1
        }
        most = max(most, open)
      }
      return most
    }
    try expect(.cap) { race in
      let most = most(race.lines)
      race.scenario.options.inFlight = most - 1
      return most > 1
    }
    try expect(.cap) { race in
      let most = most(race.lines)
      race.scenario.descriptorCount = most - 1
      return most > 1
    }
  }

  @Test func `a pair that is started twice is noticed`() throws {
    try expect(.twice) { race in
      race.scenario.options.hedge = nil
      race.scenario.options.retry = nil
      guard let first = race.lines.first(where: { $0.kind == .start }) else { return false }
      var again = first
      again.kind = .failed
      again.detail = "EACCES"
      race.lines.insert(first, at: 0)
      race.lines.insert(again, at: 1)
      race.lines[0].time = 0
      race.lines[1].time = 0
      return true
    }
  }

  @Test func `an attempt that outlives attempt_timeout is noticed`() throws {
    try expect(.expired) { race in
      guard let timeout = race.scenario.options.attemptTimeout,
        race.lines.contains(where: { line in
          line.kind == .timedout
            && race.lines.contains {
              $0.kind == .start && $0.pair == line.pair
                && line.time - $0.time == timeout.nanoseconds / 1_000
            }
        }), timeout > .milliseconds(1)
      else { return false }
      race.scenario.options.attemptTimeout = timeout - .milliseconds(1)
      return true
    }
  }

  @Test func `a winner that is not connected is noticed`() throws {
    try expect(.winner) { race in
      guard let end = race.lines.last, end.kind == .won else { return false }
      race.lines.removeAll { $0.kind == .connected && $0.pair == end.pair }
      return true
    }
  }

  @Test func `a winner that leaves another open is noticed`() throws {
    try expect(.winner) { race in
      guard race.lines.last?.kind == .won,
        let index = race.lines.lastIndex(where: { $0.kind == .abandon }),
        index == race.lines.count - 2
      else { return false }
      race.lines.remove(at: index)
      return true
    }
  }

  @Test func `another code than the last failure's is noticed`() throws {
    try expect(.code) { race in
      guard race.lines.last?.kind == .lost else { return false }
      race.lines[race.lines.count - 1].detail = "EPROTO"
      return true
    }
  }

  @Test func `a lost race with a pair that answers is noticed`() throws {
    try expect(.answerable, atLeast: 3) { race in
      race.scenario.options.timeout = nil
      race.scenario.options.attemptTimeout = nil
      race.scenario.cancel = nil
      race.scenario.descriptorCount = nil
      race.scenario.pairs = []
      guard let end = race.lines.last, end.kind == .won else { return false }
      let answers = race.scenario.destinations.contains {
        if case .answers = $0.behaviour {
          var text = TextBuffer()
          text.append($0.endpoint, scopes: race.scenario.scopes)
          return end.pair!.hasSuffix(" " + String(decoding: text.bytes, as: UTF8.self))
        }
        return false
      }
      let endpoints = race.scenario.destinations.map { $0.endpoint }
      guard answers, Set(endpoints).count == endpoints.count, race.scenario.names.isEmpty else {
        return false
      }
      race.lines[race.lines.count - 1].kind = .lost
      race.lines[race.lines.count - 1].pair = nil
      return true
    }
  }
}
