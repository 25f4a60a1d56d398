import ConnectByListCore
import Testing

@testable import ConnectByListRaceWorlds

/// Tests of the checker: it must find a violation in each of many races that are changed in one place.
@Suite struct BrokenRaceTests {
  typealias Line = RaceRecord.Line

  /// Races of random worlds, which violate no rule.
  private static let races: [RaceRecord] = (UInt64(1)...400).map { seed in
    let (world, pathInformationWhenAsked) = WorldGenerator.world(seed: seed)
    return RaceRecord(
      Worlds.race(world, pathInformationWhenAsked: pathInformationWhenAsked),
      pathInformationWhenAsked: pathInformationWhenAsked)
  }

  /// Applies `breaks` to every race; it returns false for a race that it cannot change. Expects a violation
  /// of the rule in each changed race, and at least `least` of them.
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
        no violation of '\(rule.rawValue)', but \(violations)
        \(String(decoding: broken.scenario.text, as: UTF8.self))
        """, sourceLocation: location)
      return
    }
    #expect(count >= least, sourceLocation: location)
  }

  // MARK: starts and ends

  @Test func `an attempt without an end is found`() {
    expect(.structure) { race in
      race.lines.removeLast { $0.attempt != nil && $0.kind != .start && $0.kind != .connected }
    }
  }

  @Test func `an attempt that ends twice is found`() {
    expect(.structure) { race in
      race.lines.repeatFirst { $0.kind == .refused || $0.kind == .timedOut || $0.kind == .abandon }
    }
  }

  @Test func `an attempt that starts twice is found`() {
    expect(.startedTwice) { race in race.lines.repeatFirst { $0.kind == .start } }
  }

  @Test func `a pair that starts twice is found`() {
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

  @Test func `a pair that the world does not have is found`() {
    expect(.unknownPair) { race in
      guard !race.pairs.isEmpty else { return false }
      race.pairs[0].remote = Endpoint(IPAddress(v4: 0x0102_0304), port: 1)
      return true
    }
  }

  @Test func `a race without an end is found`() {
    expect(.oneEnd) { race in race.lines.removeLast { $0.kind.isEnd } }
  }

  @Test func `a race with two ends is found`() {
    expect(.oneEnd) { race in race.lines.repeatFirst { $0.kind.isEnd } }
  }

  @Test func `a start after the end is found`() {
    expect(.oneEnd) { race in
      race.lines.append(Line(.start, race.pairs.count, at: race.lines.last!.time))
      race.pairs.append(race.pairs.first ?? .init(local: nil, remote: Endpoint(.anyV4, port: 1)))
      return true
    }
  }

  @Test func `time that goes back is found`() {
    expect(.structure) { race in
      guard race.lines.count > 1, race.lines.last!.time > .zero else { return false }
      race.lines[race.lines.count - 1].time = TimeSpan(nanoseconds: -1)
      return true
    }
  }

  // MARK: the pace

  @Test func `a start that is a nanosecond early is found`() {
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

  @Test func `a start that is a nanosecond late is found`() {
    expect(.late) { race in race.delayFirst { $0.kind == .start } }
  }

  @Test func `a missing start is found`() {
    expect(.late) { race in
      // Removes all lines of the last attempt from a race that is lost at its deadline.
      guard race.scenario.options.timeout == race.lines.last!.time, race.lines.last!.kind == .lost,
        let last = race.lines.last(where: { $0.kind == .start }), last.attempt! > 0
      else { return false }
      race.lines.removeAll { $0.attempt == last.attempt }
      return true
    }
  }

  @Test func `more attempts than the cap allows are found`() {
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

  @Test func `an attempt that is given up below the cap is found`() {
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

  @Test func `an attempt that is given up before it is 500 ms old is found`() {
    expect(.givenUp, atLeast: 1) { race in
      // Starts the attempt one nanosecond later, so that it is too young.
      for (index, line) in race.lines.enumerated().dropLast()
      where line.kind == .abandon && race.lines[index + 1].kind == .start {
        let start = race.lines.firstIndex { $0.kind == .start && $0.attempt == line.attempt }!
        race.lines[start].time.nanoseconds += 1
        return true
      }
      return false
    }
  }

  // MARK: instants

  @Test func `an event after the deadline is found`() {
    expect(.deadline) { race in
      guard race.scenario.options.timeout == race.lines.last!.time else { return false }
      race.lines[race.lines.count - 1].time.nanoseconds += 1
      return true
    }
  }

  @Test func `a cancelled race without a cancel is found`() {
    expect(.deadline) { race in
      race.scenario.cancel = nil
      return race.lines.last!.kind == .cancelled
    }
  }

  @Test func `a race that goes on after its cancel is found`() {
    expect(.deadline) { race in
      race.scenario.cancel = race.lines.last!.time - TimeSpan(nanoseconds: 1)
      return race.lines.last!.time > .zero
    }
  }

  @Test func `a start before a completion at the same instant is found`() {
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
  /// Moves the first matching line that has no other line at the next nanosecond by one nanosecond.
  mutating func delayFirst(where matches: (Line) -> Bool) -> Bool {
    for index in lines.indices.dropLast()
    where matches(lines[index]) && lines[index].time < lines[index + 1].time {
      lines[index].time.nanoseconds += 1
      return true
    }
    return false
  }

  /// Whether the attempt started at the instant of this line.
  func startsLine(_ index: Int, _ attempt: Int?) -> Bool {
    lines.contains {
      $0.kind == .start && $0.attempt == attempt && $0.time == lines[index].time
    }
  }
}
