import ConnectByListCore
import ConnectByListSimulation
import Testing

@testable import ConnectByListRaceWorlds

/// The promises about SRV records and NAT64, on transcripts that keep them and on some that do not.
@Suite struct ServiceWorldsTests {
  private func broken(_ scenario: String, _ transcript: String) throws -> ServiceProperties.Rule? {
    let scenario = try Scenario(parsing: Array(scenario.utf8))
    return ServiceProperties.broken(by: Array(transcript.utf8), in: scenario)
  }

  private let services = """
    local 10.0.0.5/24
    srv _x._tcp.test after 10ms 1 0 1001 203.0.113.1 2 0 1002 203.0.113.2 2 0 1003 h.test
    host h.test ipv4 after 5ms 203.0.113.3
    """

  @Test func `a target of a later priority that starts too early is found`() throws {
    let good = """
      10.000 resolved _x._tcp.test 3
      10.000 start 10.0.0.5 203.0.113.1:1001
      160.000 start 10.0.0.5 203.0.113.2:1002

      """
    #expect(try broken(services, good) == nil)
    let wrong = """
      10.000 resolved _x._tcp.test 3
      10.000 start 10.0.0.5 203.0.113.2:1002
      160.000 start 10.0.0.5 203.0.113.1:1001

      """
    #expect(try broken(services, wrong) == .group)
  }

  @Test func `a translated remote that starts too early is found`() throws {
    let scenario = """
      local 2001:db8::5/64
      remote 192.0.2.1:80 noroute
      remote [2001:db8::9]:80 silent
      nat64 after 10ms 64:ff9b::c000:aa
      """
    let good = """
      0.000 start 2001:db8::5 [2001:db8::9]:80
      10.000 resolved ipv4only.arpa 1
      150.000 start 2001:db8::5 [64:ff9b::c000:201]:80

      """
    #expect(try broken(scenario, good) == nil)
    let early = """
      0.000 start 2001:db8::5 [64:ff9b::c000:201]:80
      10.000 resolved ipv4only.arpa 1

      """
    #expect(try broken(scenario, early) == .prefix)
    let first = """
      10.000 resolved ipv4only.arpa 1
      10.000 start 2001:db8::5 [64:ff9b::c000:201]:80
      150.000 start 2001:db8::5 [2001:db8::9]:80

      """
    #expect(try broken(scenario, first) == .translation)
  }

  @Test func `races in random worlds with services keep the promises, and have cases of both`() {
    var translatedCount = 0
    var targetCount = 0
    for seed in UInt64(1)...500 {
      let scenario = WorldGenerator.serviceWorld(seed: seed)
      let transcript = Worlds.race(scenario)
      #expect(ServiceProperties.broken(by: transcript, in: scenario) == nil)
      #expect(RaceProperties.broken(by: transcript, in: scenario).isEmpty)
      let lines = TranscriptLine.lines(of: transcript) ?? []
      let started = lines.filter { $0.kind == .start }.compactMap { $0.pair }
      if started.contains(where: { $0.contains("[64:ff9b::") }) { translatedCount += 1 }
      if started.contains(where: { $0.contains("203.0.113.") || $0.contains("2001:db8:bb::") }) {
        targetCount += 1
      }
    }
    #expect(translatedCount > 20)
    #expect(targetCount > 100)
  }
}
