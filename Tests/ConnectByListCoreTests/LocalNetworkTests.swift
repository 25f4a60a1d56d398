import ConnectByListCore
import ConnectByListSimulation
import Testing

/// How long dead addresses of a LAN and of this machine cost: the base delays of section 4 of the contract.
@Suite struct LocalNetworkTests {
  /// A LAN with so many dead addresses ahead of one that answers within 1 ms.
  private func connect(dead: Int, _ lines: [String]) throws -> TimeSpan {
    var text = ["local 10.0.0.5/24 broadcast"] + lines
    for number in 0..<dead { text.append("remote 10.0.0.\(100 + number):80 silent") }
    text.append("remote 10.0.0.50:80 answers 1ms")
    let transcript = Simulation(
      try Scenario(parsing: Array(text.joined(separator: "\n").utf8))
    ).run()
    guard case .won = transcript.result else { throw EntryError(.empty) }
    return transcript.elapsed
  }

  /// Metrics of the address that answers, and of four more.
  private let metrics = (50..<55).map { "rtt 10.0.0.5 10.0.0.\($0) 1ms var 250us" }

  @Test(arguments: 1...20)
  func `without evidence a dead address costs 30 ms, two 45, and each more 10`(dead: Int) throws {
    let most = dead == 1 ? 30 : 45 + 10 * (dead - 2)
    #expect(try connect(dead: dead, ["option order given"]) <= .milliseconds(Int64(most) + 1))
  }

  @Test(arguments: 1...20)
  func `with the metrics of five live addresses a dead one costs 10 ms`(dead: Int) throws {
    let elapsed = try connect(dead: dead, ["option order given"] + metrics)
    #expect(elapsed <= .milliseconds(Int64(10 * dead) + 1))
  }

  @Test(arguments: [1, 5, 20])
  func `with metrics the likeliest is the one that lives`(dead: Int) throws {
    #expect(try connect(dead: dead, metrics) == .milliseconds(1))
  }

  @Test func `twenty dead addresses on loopback cost at most 0.3 s`() throws {
    var text = "local 127.0.0.1/8\noption order given\n"
    for number in 0..<20 { text += "remote 127.0.0.\(10 + number):80 silent\n" }
    text += "remote 127.0.0.9:80 answers 1ms\n"
    let transcript = Simulation(try Scenario(parsing: Array(text.utf8))).run()
    #expect(transcript.elapsed <= .milliseconds(300))
  }

  @Test func `a report keeps what was tried and the first hundred that were not`() throws {
    var text = "local 10.0.0.5/8\noption order given\noption timeout 1s\n"
    for number in 0..<2_000 {
      text += "remote 20.0.\(number / 250).\(number % 250 + 1):80 silent\n"
    }
    text += "option in_flight 16\n"
    let race = Simulation(try Scenario(parsing: Array(text.utf8))).run().race
    let rows = race.rows()
    let tried = race.attempts.count
    #expect(tried > 10 && tried < 1_000)
    #expect(rows.filter { $0.attempt != nil }.count == tried)
    #expect(rows.count == tried + Race.notStartedMax)
    #expect(race.notStartedCount == 2_000 - tried)
    #expect(race.plan.remoteCount == rows.count)
    #expect(rows.map(\.rank) == rows.map(\.rank).sorted())
    for row in rows {
      #expect(race.plan.entry(of: row.pair) + 1 == row.rank, "the order is the list's")
      #expect(!race.plan.reasons(for: row.pair).isEmpty)
    }
  }

  @Test func `the report of a large list counts 1,000 ranks`() throws {
    // Three remotes are silent from each source, so that alternate sources come early. The order of 16,000 silent
    // pairs has some of them at its end.
    var text = "option timeout 1s\n"
    for number in 1...8 { text += "local 10.0.0.\(number)/8\n" }
    for number in 0..<2_000 {
      text += "remote 20.0.\(number / 250).\(number % 250 + 1):80 silent\n"
    }
    let race = Simulation(try Scenario(parsing: Array(text.utf8))).run().race
    let rows = race.rows()
    let tried = rows.filter { $0.attempt != nil }
    #expect(tried.count == race.attempts.count)
    #expect(Set(tried.map(\.attempt!.index)).count == tried.count)
    let beyond = tried.filter { $0.rank > Race.countedRanksMax }
    #expect(!beyond.isEmpty)
    #expect(beyond.map(\.rank) == (1...beyond.count).map { Race.countedRanksMax + $0 })
    #expect(beyond.map(\.attempt!.index) == beyond.map(\.attempt!.index).sorted())
    #expect(rows.map(\.rank) == rows.map(\.rank).sorted())
  }
}
