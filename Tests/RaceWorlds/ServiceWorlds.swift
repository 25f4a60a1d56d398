import ConnectByListCore
import ConnectByListSimulation

// Random worlds with SRV records and a NAT64. The reference race knows neither, so a race in them is held to the
// promises alone: those of every race, and those of `ServiceProperties`.

extension WorldGenerator {
  /// The world of this seed with services; in half of them no IPv4 remote has a route, and there is a NAT64.
  public static func serviceWorld(seed: UInt64) -> Scenario {
    var generator = WorldGenerator(seed: seed)
    generator.profile = generator.pick(Profile.allCases)
    generator.hasInetRoutes = generator.chance(50)
    generator.makeLocals()
    if !generator.hasInetRoutes && generator.chance(90) { generator.addGlobalInet6() }
    generator.makeRemotes()
    generator.makeNames()
    for number in 0..<generator.between(1, 2) { generator.makeService(number) }
    if !generator.hasInetRoutes || generator.chance(20) { generator.makeTranslation() }
    generator.makePairs()
    generator.makeEvidence()
    generator.makeOptions()
    generator.requireSomethingToConnectTo()
    return generator.scenario
  }

  private mutating func addGlobalInet6() {
    let address = IPAddress(high: 0x2001_0db8_0000_0000, low: 0x77)
    scenario.locals.append(LocalAddress(address, prefixLength: 64))
  }

  /// An SRV entry. Each target has a port of its own, so that an attempt tells which target it is of.
  private mutating func makeService(_ number: Int) {
    let name = [UInt8]("_s\(number)._tcp.test".utf8)
    if chance(10) {
      let answer = Scenario.Name.Answer(
        nil, after: span(), [], errno: pick([.nameNotKnown, Errno(-3), Errno(-5)]))
      return scenario.append(Scenario.Name(host: name, port: 0, [answer], isService: true))
    }
    let priorities = [UInt16(0), 1, 10].prefix(between(1, 3))
    var records: [ServiceRecord] = []
    for target in 0..<between(1, 6) {
      let port = UInt16(1_000 * (number + 1) + target)
      let family: Family = chance(60) ? .inet6 : .inet
      let text: [UInt8]
      if chance(50) {
        let address = targetAddress(family, 100 * number + target)
        scenario.describe(destination(Endpoint(address, port: port)))
        var buffer = TextBuffer()
        buffer.append(address, scopes: scenario.scopes)
        text = buffer.bytes
      } else {
        text = [UInt8]("host\(number)-\(target).test".utf8)
        makeHost(text, 100 * number + target, port)
      }
      records.append(
        ServiceRecord(
          priority: pick(Array(priorities)), weight: UInt16(pick([0, 0, 1, 10, 100])), port: port,
          target: text))
    }
    scenario.append(
      Scenario.Name(
        host: name, port: 0, [Scenario.Name.Answer(after: span(), records: records)],
        isService: true))
  }

  private mutating func makeHost(_ host: [UInt8], _ number: Int, _ port: UInt16) {
    var answers: [Scenario.Name.Answer] = []
    for family in pick([[Family.inet6, .inet], [.inet, .inet6], [.inet6], [.inet]]) {
      if chance(15) {
        answers.append(
          Scenario.Name.Answer(family, after: span(), [], errno: pick([.nameNotKnown, Errno(-5)])))
        continue
      }
      let address = targetAddress(family, number)
      if chance(90) { scenario.describe(destination(Endpoint(address, port: port))) }
      answers.append(Scenario.Name.Answer(family, after: span(), [address]))
    }
    scenario.hosts.append(Scenario.Name(host: host, port: 0, answers))
  }

  private func targetAddress(_ family: Family, _ number: Int) -> IPAddress {
    family == .inet
      ? IPAddress(v4: 0xcb00_7100 + UInt32(number % 200))
      : IPAddress(high: 0x2001_0db8_00bb_0000, low: UInt64(number))
  }

  private mutating func makeTranslation() {
    if chance(15) {
      scenario.translation = Scenario.Name.Answer(
        .inet6, after: span(), [], errno: pick([.nameNotKnown, Errno(-5)]))
      return
    }
    let known = IPAddress(high: ServiceProperties.prefixHigh, low: 0xc000_00aa)
    scenario.translation = Scenario.Name.Answer(.inet6, after: span(), [known])
    let wasInetRoutes = hasInetRoutes
    hasInetRoutes = true
    for remote in scenario.destinations where remote.endpoint.family == .inet && chance(80) {
      let low = remote.endpoint.address.low & 0xffff_ffff
      let address = IPAddress(high: ServiceProperties.prefixHigh, low: low)
      scenario.describe(destination(Endpoint(address, port: remote.endpoint.port)))
    }
    hasInetRoutes = wasInetRoutes
  }
}
