import Testing

@testable import ConnectByListCore
@testable import ConnectByListSimulation

/// Durations and options in a scenario's text, and the text that a scenario is printed as.
@Suite struct ScenarioTextTests {
  // MARK: durations and options

  @Test(arguments: [
    ("0s", 0), ("1ns", 1), ("20us", 20_000), ("250ms", 250_000_000), ("1.5s", 1_500_000_000),
    ("0.000000001s", 1), ("0.1us", 100), ("1.000ns", 1), ("0.0350ms", 35_000),
    ("2.500000000000s", 2_500_000_000), ("100000000s", 100_000_000_000_000_000),
  ])
  func `a duration is exact to the nanosecond`(text: String, nanoseconds: Int64) throws {
    let scenario = try Scenario(
      parsing: Array("remote 192.0.2.1:80 silent\ncancel \(text)".utf8))
    #expect(scenario.cancel == TimeSpan(nanoseconds: nanoseconds))
  }

  @Test func `a duration option is exact to the nanosecond`() throws {
    // The nearest double of some of these is greater, and a number of seconds is rounded up.
    for nanoseconds in stride(from: Int64(10_000_001), to: 11_000_000, by: 997) {
      let text = "remote 192.0.2.1:80 silent\noption attempt_delay \(nanoseconds)ns"
      let options = try Scenario(parsing: Array(text.utf8)).options
      #expect(options.attemptDelay == TimeSpan(nanoseconds: nanoseconds))
    }
  }

  @Test func `a scenario sets the options that a script can set`() throws {
    let options = try Scenario(
      parsing: Array(
        """
        remote 192.0.2.1:80 silent
        option timeout 2s
        option attempt_timeout 1.5s
        option minimum_delay 20ms
        option pace sequential
        option order random
        option seed 9007199254740992
        option hedge 200ms
        option interleave false
        option in_flight 7
        option family inet
        option local_addresses 10.0.0.5 [2001:db8::5]:4000
        """.utf8)
    ).options
    #expect(options.timeout == .seconds(2))
    #expect(options.attemptTimeout == .milliseconds(1500))
    #expect(options.minimumDelay == .milliseconds(20))
    #expect(options.pace == .sequential)
    #expect(options.order == .random)
    #expect(options.seed == 9_007_199_254_740_992)
    #expect(options.hedge == .milliseconds(200))
    #expect(options.interleave == false)
    #expect(options.inFlight == 7)
    #expect(options.family == .inet)
    guard case .these(let locals) = options.locals else { return #expect(Bool(false)) }
    #expect(locals.map(\.port) == [0, 4000])
  }

  // MARK: printing

  @Test func `a scenario that is printed and parsed is the same`() throws {
    let text = """
      local 10.0.0.5/24
      local 2001:db8::5/64 deprecated temporary home tentative broadcast
      local fe80::5%eth0/64
      remote 192.0.2.1:80 from 10.0.0.5 native answers 30ms
      remote 192.0.2.2:80 silent
      remote 192.0.2.3:80 refuses 12ms
      remote [2001:db8::9]:80 from 2001:db8::5 unreachable 1500ms
      name db.test ipv6 after 20ms 2001:db8::9 2001:db8::a ipv4 after 5ms 192.0.2.1 port 80
      remote [fe80::1%eth0]:80 resets 12us
      remote [fe80::2%7]:80 rejects 1ns
      remote 192.0.2.4:80 lost 2 answers 3s
      remote 192.0.2.5:80 noroute
      remote 192.0.2.6:80 fails EACCES
      remote 192.0.2.7:80 fails EPROTO 5ms
      name gone.test fails after 5ms EAI_NONAME
      name half.test ipv6 after 20ms EAI_NODATA ipv4 after 5ms 192.0.2.1 port 443
      world 2001:db8::9 answers 10ms
      world [2001:db8::a]:80 from 2001:db8::5 native silent
      pair 10.0.0.5 192.0.2.1:80 silent
      pair - 192.0.2.5:80 refuses 1ms
      rtt 10.0.0.5 192.0.2.1 30ms var 2ms
      seen 10.0.0.5 192.0.2.1:80 connected 30ms 10s ago
      seen 10.0.0.5 192.0.2.2:80 connected 1s ago
      seen 10.0.0.6 192.0.2.3:80 failed 20s ago
      seen 10.0.0.5 192.0.2.9:80 refused 20ms ago
      neighbour 192.0.2.2 failed
      descriptors 20
      option timeout 2s
      option attempt_delay 250ms
      option minimum_delay 10001us
      option attempt_timeout 3s
      option hedge 200ms
      option retry 1s
      option pace steady
      option order random
      option seed 42
      option interleave true
      option in_flight 7
      option family inet6
      option local_addresses 10.0.0.5 [2001:db8::5]:4000
      cancel 5s

      """
    let scenario = try Scenario(parsing: Array(text.utf8))
    #expect(String(decoding: scenario.text, as: UTF8.self) == text)
  }

  @Test(arguments: ConnectOption.scenarioTable.map { "\($0.name)" })
  func `an option is written if it differs from its default, and reads back the same`(
    name: String
  ) throws {
    let option = try #require(ConnectOption.named(Array(name.utf8)))
    // With a name the list is not empty, whatever the option `family` is; `retry` needs a cancel.
    let scenario = try Scenario(
      parsing: Array("name db.test fails after 5ms EAI_NONAME\ncancel 5s".utf8))
    #expect(!String(decoding: scenario.text, as: UTF8.self).contains("option"))
    for value in otherValues(of: option) {
      var changed = scenario
      changed.options = try options(with: value, of: option)
      let text = changed.text
      #expect(String(decoding: text, as: UTF8.self).contains("\noption \(name) "))
      let readBack = try Scenario(parsing: text).options
      #expect(fieldTexts(of: readBack) == fieldTexts(of: changed.options))
    }
  }

  @Test func `interfaces are numbered in the order of the text, and a number is an interface name`()
    throws
  {
    let text = """
      local fe80::5%eth7/64
      local fe80::6%1/64
      remote [fe80::1%1]:80 silent
      pair fe80::6%1 [fe80::1%1]:80 silent

      """
    let scenario = try Scenario(parsing: Array(text.utf8))
    #expect(scenario.locals.map(\.interface) == [1, 2])
    #expect(scenario.destinations[0].endpoint.address.scope == 2)
    #expect(String(decoding: scenario.text, as: UTF8.self) == text)
  }
}
