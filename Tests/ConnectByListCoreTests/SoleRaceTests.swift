import Testing

@testable import ConnectByListCore

/// Races that the first attempt won before there was one: told afterwards as if there had been.
@Suite struct SoleRaceTests {
  private let start = Instant(nanoseconds: 7_000_000_000)
  private let own = Endpoint(IPAddress(v4: 0x0a00_0005), port: 40_000)

  private func list(_ texts: String...) throws -> AddressList {
    var list = AddressList()
    for text in texts {
      list.append(
        Entry(
          try EndpointText.parseEntry(
            Array(text.utf8), defaultPort: nil, scopes: NumericScopes())))
    }
    return list
  }

  /// The same with every step taken.
  private func raced(_ list: AddressList, _ options: ConnectOptions, ended: Instant) throws -> Race {
    let plan = try #require(list.plan(options, links: [], at: start))
    var race = Race(plan: plan, at: start)
    let first = AttemptID(0)
    #expect(race.nextStep(at: start) == .start(first))
    guard case .wait = race.nextStep(at: start) else {
      Issue.record("the race does not wait for its only attempt")
      return race
    }
    race.note(first, local: own, resentCount: 0)
    race.handle(.connected(first), at: ended)
    #expect(race.nextStep(at: ended) == .finish(.won(first)))
    return race
  }

  private func expectSame(_ a: Race, _ b: Race) {
    #expect(a.began == b.began && a.deadline == b.deadline)
    #expect(String(describing: a.attempts) == String(describing: b.attempts))
    #expect(String(describing: a.rows()) == String(describing: b.rows()))
    for row in a.rows() {
      #expect(a.plan.remote(of: row.pair) == b.plan.remote(of: row.pair))
      #expect(a.plan.local(of: row.pair) == b.plan.local(of: row.pair))
      #expect(a.plan.reasons(for: row.pair) == b.plan.reasons(for: row.pair))
    }
  }

  @Test(arguments: ["192.0.2.1:80", "[2001:db8::9]:443", "[fe80::1%3]:80", "[::ffff:192.0.2.1]:80"])
  func `it is told as the race would have told it`(text: String) throws {
    var list = try list(text)
    let ended = start + .milliseconds(3)
    var hurried = ConnectOptions()
    hurried.timeout = .seconds(2)
    hurried.attemptTimeout = .seconds(1)
    hurried.pace = .steady
    hurried.order = .given
    hurried.locals = .routeOnly
    for options in [ConnectOptions(), hurried] {
      // Then again, with what the list remembers of the first time.
      for _ in 0..<2 {
        let remote = try #require(list.soleRemote(options))
        let sole = SoleRace(
          remote, local: own, options: options, in: list, began: start, ended: ended)
        let raced = try raced(list, options, ended: ended)
        expectSame(sole.race(), raced)

        var other = list
        other.take(raced)
        list.take(sole)
        #expect(list.history[remote] == other.history[remote])
        #expect(list.history[remote] != nil)
      }
    }
  }

  @Test func `more than one literal, or anything but an IP literal, is planned`() throws {
    let options = ConnectOptions()
    #expect(try list().soleRemote(options) == nil)
    #expect(try list("192.0.2.1:80", "192.0.2.1:80").soleRemote(options) == nil)
    #expect(try list("name.test:80").soleRemote(options) == nil)
    #expect(try list("[fe80::1]:80").soleRemote(options) == nil, "one candidate on each link")
    var unix = AddressList()
    try unix.append(unixPath: Array("/run/x".utf8))
    #expect(unix.soleRemote(options) == nil)
  }

  @Test func `so is what the options want more of than one attempt from the route's source`() throws {
    let list = try list("[::ffff:192.0.2.1]:80")
    func remote(_ change: (inout ConnectOptions) -> Void) -> Endpoint? {
      var options = ConnectOptions()
      change(&options)
      return list.soleRemote(options)
    }
    let known = Endpoint(IPAddress(v4: 0xc000_0201), port: 80)
    #expect(remote { _ in } == known)
    #expect(remote { $0.family = .inet } == known)
    #expect(remote { $0.locals = .routeOnly } == known)
    #expect(remote { $0.family = .inet6 } == nil)
    #expect(remote { $0.locals = .these([own]) } == nil)
    #expect(remote { $0.hedge = .milliseconds(50) } == nil)
    #expect(remote { $0.mptcp = true } == nil)
    #expect(remote { $0.validates = true } == nil)
  }
}
