import ConnectByListCore
import ConnectByListSimulation

/// Makes random worlds. The same seed gives the same world on every machine.
///
/// Worlds drawn uniformly from the grammar are rarely difficult. So each world has a profile, the shares of
/// remotes that answer, are silent or fail, and most times come from a short list, so that completions,
/// delays, cancels and deadlines often fall on the same instant, where their order matters.
public struct WorldGenerator {
  /// What most remotes of a world do.
  enum Profile: CaseIterable {
    case healthy, silent, failing, synchronous, mixed
  }

  var random: SplitMix64
  var scenario = Scenario()
  var profile = Profile.mixed
  /// The addresses from which this world's remotes are drawn. They are few, so that duplicates and remotes
  /// that differ in the port alone occur.
  var targets: [IPAddress] = []
  /// Whether IPv4 remotes may have routes.
  var hasInetRoutes = true

  init(seed: UInt64) { random = SplitMix64(seed: seed) }

  /// The world of this seed.
  public static func world(seed: UInt64) -> Scenario {
    var generator = WorldGenerator(seed: seed)
    generator.profile = generator.pick(Profile.allCases)
    generator.makeLocals()
    generator.makeRemotes()
    generator.makeNames()
    generator.makePairs()
    generator.makeEvidence()
    generator.makeOptions()
    generator.requireSomethingToConnectTo()
    return generator.scenario
  }

  // MARK: numbers

  mutating func chance(_ percent: Int) -> Bool { random.below(100) < percent }

  mutating func pick<T>(_ values: [T]) -> T { values[random.below(values.count)] }

  mutating func between(_ least: Int, _ most: Int) -> Int { least + random.below(most - least + 1) }

  /// A time that often equals others in the same world.
  mutating func span() -> TimeSpan {
    if chance(6) { return TimeSpan(nanoseconds: Int64(random.below(400_000_000))) }
    return .milliseconds(
      pick([0, 5, 10, 20, 20, 30, 40, 50, 75, 100, 150, 150, 200, 250, 300, 500, 1000, 1500]))
  }

  mutating func spanAboveZero() -> TimeSpan { max(span(), .milliseconds(5)) }

  // MARK: addresses

  private static let interfaces: [[UInt8]] = [[UInt8]("eth0".utf8), [UInt8]("eth1".utf8)]
  static let linkLocalHigh: UInt64 = 0xfe80_0000_0000_0000

  /// One of the machine's addresses.
  private mutating func local(_ family: Family) -> IPAddress {
    let number = random.below(6) + 5
    let kind = random.below(100)
    switch family {
    case .inet:
      if kind < 6 { return IPAddress(v4: 0x7f00_0001) }
      if kind < 12 { return IPAddress(v4: 0xa9fe_0000 + UInt32(number)) }
      return IPAddress(v4: 0x0a00_0000 + UInt32(number))
    case .inet6:
      if kind < 6 { return IPAddress(high: 0, low: 1) }
      if kind < 24 {
        let scope = scenario.scopes.add(pick(Self.interfaces))
        return IPAddress(high: Self.linkLocalHigh, low: UInt64(number), scope: scope)
      }
      return IPAddress(high: 0x2001_0db8_0000_0000 + UInt64(random.below(2)), low: UInt64(number))
    case .unix: preconditionFailure("a scenario has no Unix addresses")
    }
  }

  mutating func makeLocals() {
    for interface in Self.interfaces { scenario.scopes.add(interface) }
    let families: [Family] = pick([
      [.inet], [.inet], [.inet6], [.inet, .inet6], [.inet, .inet6], [],
    ])
    for family in families {
      for _ in 0..<pick([1, 1, 1, 2, 2, 3, 3, 4]) {
        let address = local(family)
        if scenario.locals.contains(where: { $0.address == address }) { continue }
        var flags: LocalAddress.Flags = []
        if chance(10) { flags.insert(.deprecated) }
        if chance(6) { flags.insert(.temporary) }
        if chance(4) { flags.insert(.home) }
        if chance(5) { flags.insert(.tentative) }
        if chance(25) { flags.insert(.broadcast) }
        let prefix: UInt8 = family == .inet ? pick([8, 24, 24, 32]) : pick([0, 48, 64, 128])
        scenario.locals.append(
          LocalAddress(address, prefixLength: prefix, flags: flags, interface: address.scope))
      }
    }
  }

  private mutating func target() -> IPAddress {
    let number = random.below(200) + 1
    switch random.below(100) {
    case ..<30: return IPAddress(v4: 0xc000_0200 + UInt32(number))
    // In a LAN of the first addresses, or one of them itself.
    case ..<40: return IPAddress(v4: 0x0a00_0000 + UInt32(chance(25) ? number % 12 : number))
    case ..<45: return IPAddress(v4: 0x7f00_0001)
    case ..<48: return IPAddress(v4: 0xa9fe_0100 + UInt32(number))
    case ..<88:
      return IPAddress(high: 0x2001_0db8_0000_0000 + UInt64(random.below(3)), low: UInt64(number))
    case ..<91: return IPAddress(high: 0, low: 1)
    case ..<93: return IPAddress(high: 0, low: 0xffff_c000_0200 + UInt64(number))
    default:
      let scope = pick([0, 1, 2] as [UInt32])
      return IPAddress(high: Self.linkLocalHigh, low: 0x100 + UInt64(number), scope: scope)
    }
  }

  // MARK: remotes

  mutating func makeRemotes() {
    let count: Int
    switch random.below(1_000) {
    case ..<60: count = 0
    case ..<250: count = 1
    case ..<900: count = between(2, 7)
    case ..<996: count = between(8, 20)
    default: count = between(60, 90)
    }
    for _ in 0..<max(1, count * 3 / 4) { targets.append(target()) }
    for _ in 0..<count { scenario.append(destination(Endpoint(pick(targets), port: port()))) }
    // A `world` line: it describes addresses of names; a `remote` line of the same address overrides it.
    if chance(20) { scenario.describe(destination(Endpoint(pick(targets), port: pick([0, 80])))) }
  }

  mutating func port() -> UInt16 { pick([80, 80, 80, 443]) }

  mutating func destination(_ endpoint: Endpoint) -> Scenario.Destination {
    if endpoint.unmapped.family == .inet && !hasInetRoutes {
      return Scenario.Destination(endpoint, .noRoute)
    }
    return Scenario.Destination(
      endpoint, from: source(of: endpoint.unmapped), isNative: chance(10), behaviour())
  }

  private mutating func source(of endpoint: Endpoint) -> IPAddress? {
    let ours = scenario.locals.filter { $0.address.family == endpoint.family }
    if !ours.isEmpty && chance(65) { return pick(ours).address }
    return chance(15) ? local(endpoint.family) : nil
  }

  mutating func behaviour() -> Scenario.Behaviour {
    // Percentages that answer, are silent, and fail in the call that starts them. The rest fail later.
    let (answering, silent, synchronous): (Int, Int, Int)
    switch profile {
    case .healthy: (answering, silent, synchronous) = (80, 10, 4)
    case .silent: (answering, silent, synchronous) = (10, 80, 4)
    case .failing: (answering, silent, synchronous) = (8, 12, 10)
    case .synchronous: (answering, silent, synchronous) = (15, 15, 60)
    case .mixed: (answering, silent, synchronous) = (25, 30, 15)
    }
    var number = random.below(100) - answering
    if number < 0 {
      switch random.below(10) {
      case 0: return .rejects(after: span())
      case 1: return .loses(count: between(1, 8), answers: span())
      default: return .answers(after: span())
      }
    }
    number -= silent
    if number < 0 { return .silent }
    number -= synchronous
    if number < 0 {
      return pick([
        .noRoute, .noRoute, .failsAtOnce(.hostUnreachable), .failsAtOnce(.addressNotAvailable),
        .failsAtOnce(.accessDenied), .failsAtOnce(.connectionRefused),
      ])
    }
    let errno = pick([
      Errno.connectionRefused, .connectionRefused, .hostUnreachable, .connectionReset, .timedOut,
      .networkUnreachable, .cancelled, .accessDenied,
    ])
    return .fails(errno, after: span())
  }

  mutating func makePairs() {
    // Whether a remote without a route is tried at all depends on what was asked.
    let remotes = scenario.destinations.filter { $0.behaviour != .noRoute && $0.endpoint.port != 0 }
      .map { $0.endpoint }
    guard !remotes.isEmpty, chance(40) else { return }
    for _ in 0..<between(1, 5) {
      let remote = pick(remotes)
      let locals = scenario.locals.filter { $0.address.family == remote.family }
      let local = locals.isEmpty || chance(10) ? nil : pick(locals).address
      scenario.pairs.append(Scenario.PairBehaviour(local: local, remote: remote, behaviour()))
    }
  }
}
