import ConnectByListCore
import Testing

@testable import ConnectByListRaceWorlds
@testable import ConnectByListSimulation

/// Random worlds. The race in each is compared with the reference race, which knows the contract and not the
/// library's race.
///
/// More of them: `swift run -c release ConnectByListCheckWorlds 1000000`.
@Suite struct RaceWorldsTests {
  @Test(arguments: 0..<8)
  func `a race in a random world is as the contract has it`(part: UInt64) {
    for seed in part * 500..<(part + 1) * 500 {
      if let counterexample = Worlds.counterexample(seed: seed) {
        let smallest = Worlds.shrunk(counterexample)
        Issue.record(
          """
          seed \(seed): \(smallest.defect)
          \(String(decoding: smallest.scenario, as: UTF8.self))
          \(String(decoding: smallest.expected, as: UTF8.self))
          \(String(decoding: smallest.transcript, as: UTF8.self))
          """)
        return
      }
    }
  }

  @Test func `a seed gives one world`() {
    for seed in UInt64(1)...200 {
      #expect(WorldGenerator.world(seed: seed).text == WorldGenerator.world(seed: seed).text)
    }
  }

  @Test func `the worlds have every kind of event, statement, option and coincidence`() throws {
    var missing: Set<String> = [
      "start", "connected", "refused", "unreachable", "reset", "rejected", "timedout", "failed",
      "abandon", "resolved", "unresolved", "won", "lost", "cancelled", "hedged", "given up", "tie",
      "two starts", "alternate", "local", "remote", "world", "pair", "name", "rtt", "seen",
      "neighbour", "descriptors", "cancel", "broadcast", "tentative", "deprecated", "native",
    ]
    // Multipath TCP does nothing in a race.
    for option in ConnectOption.scenarioTable where !"\(option.name)".hasPrefix("mptcp") {
      missing.insert("option \(option.name)")
    }
    for seed in UInt64(1)...3_000 where !missing.isEmpty {
      let world = WorldGenerator.world(seed: seed)
      for line in String(decoding: world.text, as: UTF8.self).split(separator: "\n") {
        let words = line.split(separator: " ").map(String.init)
        missing.subtract(words[0] == "option" ? ["option " + words[1]] : Set(words))
      }
      let lines = try #require(TranscriptLine.lines(of: ReferenceRace.transcript(of: world)))
      missing.subtract(lines.map { $0.kind.rawValue })
      for (line, following) in zip(lines, lines.dropFirst()) {
        if line.kind == .abandon && following.kind == .start { missing.remove("given up") }
        if line.kind == .connected && following.kind == .connected { missing.remove("tie") }
        if line.kind == .start && following.kind == .start && line.time == following.time {
          missing.remove("two starts")
        }
      }
      let pairs = lines.filter { $0.kind == .start }.compactMap { $0.pair }
      if Set(pairs).count < pairs.count { missing.remove("hedged") }
      let remotes = Set(pairs).map { $0.split(separator: " ")[1] }
      if Set(remotes).count < remotes.count { missing.remove("alternate") }
    }
    #expect(missing.isEmpty)
  }
}
