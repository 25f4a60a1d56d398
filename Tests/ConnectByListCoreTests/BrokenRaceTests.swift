import ConnectByListCore
import Testing

@testable import ConnectByListRaceWorlds

/// The checker's own test: real races, each broken in one place, must each be complained about.
@Suite struct BrokenRaceTests {
  typealias Line = RaceRecord.Line

  /// Races of random worlds that nothing is wrong with.
  private static let races: [RaceRecord] = (UInt64(1)...400).map { seed in
    let (world, pathInformationWhenAsked) = WorldGenerator.world(seed: seed)
    return RaceRecord(
      Worlds.race(world, pathInformationWhenAsked: pathInformationWhenAsked), pathInformationWhenAsked: pathInformationWhenAsked)
  }

  /// Breaks every race that can be broken so, and expects this violation among those about each.
  func expect(
    _ rule: Violation.Rule, atLeast least: Int = 10, where breaks: (inout RaceRecord) -> Bool,
    _ location: SourceLocation = #_sourceLocation
  ) {
    var count = 0
    for race in Self.races {
      var broken = race
      guard breaks(&broken) else { continue }
      count += 1
      let violations = RaceChecker.violations(in: broken)
      guard !violations.contains(where: { $0.rule == rule }) else { continue }
      Issue.record(
        """
        no violation that \(rule.rawValue), but \(violations)
        \(String(decoding: broken.scenario.text, as: UTF8.self))
        """, sourceLocation: location)
      return
    }
    #expect(count >= least, sourceLocation: location)
  }

  // MARK: starts and ends

  @Test func `an attempt without an end is noticed`() {
    expect(.structure) { race in
      race.lines.removeLast { $0.attempt != nil && $0.kind != .start && $0.kind != .connected }
    }
  }

  @Test func `an attempt that ends twice is noticed`() {
    expect(.structure) { race in
      race.lines.repeatFirst { $0.kind == .refused || $0.kind == .timedOut || $0.kind == .abandon }
    }
  }

  @Test func `an attempt that starts twice is noticed`() {
    expect(.startedTwice) { race in race.lines.repeatFirst { $0.kind == .start } }
  }

  @Test func `a pair that starts twice is noticed`() {
    expect(.startedTwice) { race in
      guard race.scenario.options.hedge == nil,
        let index = race.lines.firstIndex(where: { $0.kind == .start })
      else { return false }
      race.lines.insert(
        Line(.start, race.pairs.count, at: race.lines[index].time), at: index + 1)
      race.pairs.append(race.pairs[race.lines[index].attempt!])
      return true
    }
  }

  @Test func `a pair of another world is noticed`() {
    expect(.unknownPair) { race in
      guard !race.pairs.isEmpty else { return false }
      race.pairs[0].remote = Endpoint(IPAddress(v4: 0x0102_0304), port: 1)
      return true
    }
  }

  @Test func `a race without an end is noticed`() {
    expect(.oneEnd) { race in race.lines.removeLast { $0.kind.isEnd } }
  }

  @Test func `a race with two ends is noticed`() {
    expect(.oneEnd) { race in race.lines.repeatFirst { $0.kind.isEnd } }
  }

  @Test func `a start after the end is noticed`() {
    expect(.oneEnd) { race in
      race.lines.append(Line(.start, race.pairs.count, at: race.lines.last!.time))
      race.pairs.append(race.pairs.first ?? .init(local: nil, remote: Endpoint(.anyV4, port: 1)))
      return true
    }
  }

  @Test func `time that goes back is noticed`() {
    expect(.structure) { race in
      guard race.lines.count > 1, race.lines.last!.time > .zero else { return false }
      race.lines[race.lines.count - 1].time = TimeSpan(nanoseconds: -1)
      return true
    }
  }

  // MARK: the pace

  @Test func `a start a nanosecond early is noticed`() {
    expect(.early) { race in
      guard race.scenario.names.isEmpty else { return false }
      for index in race.lines.indices.dropFirst()
      where race.lines[index].kind == .start && race.lines[index - 1].time < race.lines[index].time
      {
        race.lines[index].time.nanoseconds -= 1
        return true
      }
      return false
    }
  }

  @Test func `a start a nanosecond late is noticed`() {
    expect(.late) { race in race.delayFirst { $0.kind == .start } }
  }

  @Test func `a start that is left out is noticed`() {
    expect(.late) { race in
      // Of a race at its deadline, the last attempt and all that became of it.
      guard race.scenario.options.timeout == race.lines.last!.time, race.lines.last!.kind == .lost,
        let last = race.lines.last(where: { $0.kind == .start }), last.attempt! > 0
      else { return false }
      race.lines.removeAll { $0.attempt == last.attempt }
      return true
    }
  }

  @Test func `more attempts than the cap allows are noticed`() {
    expect(.cap) { race in
      var open: Set<Int> = []
      var most = 0
      for line in race.lines {
        guard let attempt = line.attempt, line.kind != .connected else { continue }
        if line.kind == .start { open.insert(attempt) } else { open.remove(attempt) }
        most = max(most, open.count)
      }
      race.scenario.options.inFlight = most - 1
      return most > 1
    }
  }

  @Test func `an attempt given up for no reason is noticed`() {
    expect(.givenUp) { race in
      guard
        let index = race.lines.indices.dropFirst().first(where: {
          race.lines[$0].kind == .start && race.lines[$0 - 1].kind == .start
        })
      else { return false }
      let time = race.lines[index].time
      race.lines.insert(Line(.abandon, race.lines[index - 1].attempt, at: time), at: index)
      return true
    }
  }

  @Test func `an attempt given up before it is ripe is noticed`() {
    expect(.givenUp, atLeast: 1) { race in
      // What was ripe is not, once it started later.
      for (index, line) in race.lines.enumerated().dropLast()
      where line.kind == .abandon && race.lines[index + 1].kind == .start {
        let start = race.lines.firstIndex { $0.kind == .start && $0.attempt == line.attempt }!
        race.lines[start].time.nanoseconds += 1
        return true
      }
      return false
    }
  }

  // MARK: the instant

  @Test func `an event after the deadline is noticed`() {
    expect(.deadline) { race in
      guard race.scenario.options.timeout == race.lines.last!.time else { return false }
      race.lines[race.lines.count - 1].time.nanoseconds += 1
      return true
    }
  }

  @Test func `a cancel that nobody asked for is noticed`() {
    expect(.deadline) { race in
      race.scenario.cancel = nil
      return race.lines.last!.kind == .cancelled
    }
  }

  @Test func `a race that outlives its cancel is noticed`() {
    expect(.deadline) { race in
      race.scenario.cancel = race.lines.last!.time - TimeSpan(nanoseconds: 1)
      return race.lines.last!.time > .zero
    }
  }

  @Test func `a start before a completion of its instant is noticed`() {
    expect(.order) { race in
      for index in race.lines.indices.dropLast() {
        let (line, following) = (race.lines[index], race.lines[index + 1])
        if [.refused, .unreachable, .reset].contains(line.kind), following.kind == .start,
          line.time == following.time, !race.startsLine(index, line.attempt)
        {
          race.lines.swapAt(index, index + 1)
          return true
        }
      }
      return false
    }
  }
}

extension [RaceRecord.Line] {
  mutating func removeLast(where matches: (Element) -> Bool) -> Bool {
    guard let index = lastIndex(where: matches) else { return false }
    remove(at: index)
    return true
  }

  mutating func repeatFirst(where matches: (Element) -> Bool) -> Bool {
    guard let index = firstIndex(where: matches) else { return false }
    insert(self[index], at: index)
    return true
  }
}

extension RaceRecord {
  /// Moves a line a nanosecond on, where no other line is in the way.
  mutating func delayFirst(where matches: (Line) -> Bool) -> Bool {
    for index in lines.indices.dropLast()
    where matches(lines[index]) && lines[index].time < lines[index + 1].time {
      lines[index].time.nanoseconds += 1
      return true
    }
    return false
  }

  /// Whether the attempt started at the very instant of this line.
  func startsLine(_ index: Int, _ attempt: Int?) -> Bool {
    lines.contains {
      $0.kind == .start && $0.attempt == attempt && $0.time == lines[index].time
    }
  }
}
