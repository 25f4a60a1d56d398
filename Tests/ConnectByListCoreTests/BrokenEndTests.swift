@testable import ConnectByListCore
@testable import ConnectByListSimulation
import Testing

@testable import ConnectByListRaceWorlds

// Races with a wrong answer, a wrong end or a wrong report.

extension BrokenRaceTests {
  // MARK: the world

  @Test func `an end that differs from the world's is found`() {
    expect(.world) { race in
      guard let index = race.lines.firstIndex(where: { $0.kind == .refused }) else { return false }
      race.lines[index].kind = .reset
      return true
    }
  }

  @Test func `an end at another time than the world's is found`() {
    expect(.world) { race in race.delayFirst { $0.kind == .refused || $0.kind == .connected } }
  }

  @Test func `a missing answer is found`() {
    expect(.world) { race in
      guard let deadline = race.scenario.options.timeout, race.lines.last!.kind == .won,
        deadline > race.lines.last!.time
      else { return false }
      let winner = race.lines.last!.attempt!
      race.lines.removeAll { $0.attempt == winner && $0.kind != .start || $0.kind == .abandon }
      race.lines.append(Line(.timedOut, winner, at: deadline))
      race.lines.append(Line(.lost, errno: .timedOut, at: deadline))
      return true
    }
  }

  @Test func `a missing answer of a name is found`() {
    expect(.names) { race in race.lines.removeLast { $0.kind == .resolved } }
  }

  @Test func `a wrong count of a name's addresses is found`() {
    expect(.names) { race in
      guard let index = race.lines.firstIndex(where: { $0.kind == .resolved }) else { return false }
      race.lines[index].count! += 1
      return true
    }
  }

  // MARK: the end

  @Test func `a winner with a higher rank than another completion is found`() {
    expect(.winner, atLeast: 2) { race in
      guard race.lines.last!.kind == .won else { return false }
      let winner = race.lines.last!.attempt!
      let rejected = race.lines.filter { $0.kind == .rejected }.map { $0.attempt }
      guard
        let loser = race.lines.last(where: {
          $0.kind == .connected && $0.attempt != winner && !rejected.contains($0.attempt)
        })?.attempt,
        let abandon = race.lines.firstIndex(where: { $0.kind == .abandon && $0.attempt == loser })
      else { return false }
      race.lines[abandon].attempt = winner
      race.lines[race.lines.count - 1].attempt = loser
      return true
    }
  }

  @Test func `a code that is not the last failure's is found`() {
    expect(.code) { race in
      race.lines[race.lines.count - 1].errno = .brokenPipe
      return race.lines.last!.kind == .lost
    }
  }

  @Test func `a race that is lost while pairs are left is found`() {
    expect(.lostTooSoon) { race in
      guard race.lines.last!.kind == .lost, race.lines.last!.time != race.scenario.options.timeout,
        race.scenario.options.hedge == nil, let last = race.pairs.indices.last
      else { return false }
      race.lines.removeAll { $0.attempt == last }
      return true
    }
  }

  @Test func `a race that is lost although a remote answers in time is found`() throws {
    let text = "remote 192.0.2.1:80 silent\nremote 192.0.2.2:80 answers 250ms\noption timeout 1s"
    let scenario = try Scenario(parsing: [UInt8](text.utf8))
    var race = RaceRecord(
      Worlds.race(scenario, pathInformationWhenAsked: false), pathInformationWhenAsked: false)
    #expect(RaceChecker.violations(in: race).isEmpty)
    race.lines = [
      Line(.start, 0, at: .zero), Line(.timedOut, 0, at: .seconds(1)),
      Line(.lost, errno: .timedOut, at: .seconds(1)),
    ]
    let rules = RaceChecker.violations(in: race).map(\.rule)
    #expect(rules.contains(.answerable) && rules.contains(.late))
  }

  @Test func `an order that is not as given is found`() throws {
    let text = "remote 192.0.2.1:80 silent\nremote 192.0.2.2:80 silent\noption order given"
    let scenario = try Scenario(parsing: [UInt8](text.utf8))
    var race = RaceRecord(
      Worlds.race(scenario, pathInformationWhenAsked: false), pathInformationWhenAsked: false)
    race.pairs.swapAt(0, 1)
    #expect(RaceChecker.violations(in: race).map(\.rule).contains(.listOrder))
  }

  // MARK: the report

  @Test func `an attempt that is missing in the report is found`() {
    expect(.report) { race in
      guard let index = race.rows.firstIndex(where: { $0.attempt != nil }) else { return false }
      race.rows.remove(at: index)
      return true
    }
  }

  @Test func `an outcome that differs from the attempt's last line is found`() {
    expect(.report) { race in
      guard let index = race.rows.firstIndex(where: { $0.outcome == .timedOut }) else {
        return false
      }
      race.rows[index].outcome = .superseded
      return true
    }
  }

  @Test func `a second race with another transcript is found`() throws {
    let scenarios = try ["silent", "refuses 1ms"].map {
      try Scenario(parsing: [UInt8]("remote 192.0.2.1:80 \($0)".utf8))
    }
    let transcript = Worlds.race(scenarios[0], pathInformationWhenAsked: false)
    func rule(again scenario: Scenario) -> Violation.Rule? {
      Worlds.counterexample(of: transcript, pathInformationWhenAsked: false, again: [scenario])?
        .violation.rule
    }
    #expect(rule(again: scenarios[0]) == nil)
    #expect(rule(again: scenarios[1]) == .repeatable)
  }
}
