import Testing

@testable import ConnectByListCore

/// Unix stream addresses in lists and plans. `UnixTests` of the driver connects to them.
@Suite struct UnixAddressTests {
  private let start = Instant(nanoseconds: 0)

  // MARK: the list's table of paths

  @Test func `equal paths are equal endpoints, and different paths are different endpoints`() throws
  {
    let list = try list("unix:/a", "unix:@a", "unix:/a")
    #expect(list.count == 3)
    #expect(list[0] == list[2])
    #expect(list[0] != list[1])
    #expect(paths(list) == ["/a", "@a", "/a"])
    #expect(list.candidates(family: nil, links: []).map(\.entry) == [0, 1])
  }

  @Test func `a path stays in the table while an entry has it`() throws {
    var list = try list("unix:/a", "unix:/a", "unix:/b")
    let a = try endpoint(list[0])
    list.remove(at: 0)
    #expect(paths(list) == ["/a", "/b"])
    list.remove(at: 0)
    #expect(list.unixPaths[a] == [])
    #expect(paths(list) == ["/b"])
  }

  @Test func `an endpoint of a removed path is not equal to a new path's in the same slot`() throws
  {
    var list = try list("unix:/a", "unix:/b")
    let a = try endpoint(list[0])
    let before = list.unixPaths
    list.remove(at: 0)
    try list.append(unixPath: Array("/c".utf8))
    let c = try endpoint(list[1])
    #expect(a != c)
    #expect(a.address.low & 0xffff_ffff == c.address.low & 0xffff_ffff, "the same slot")
    #expect(list.unixPaths[a] == [])
    #expect(paths(list) == ["/b", "/c"])
    // An earlier copy of the table is unchanged: a running race has a copy.
    #expect(text(before[a]) == "/a")
    #expect(before[c] == [])
  }

  @Test func `an emptied list has no paths, and old endpoints do not have its new paths`() throws {
    var list = try list("unix:/a")
    let a = try endpoint(list[0])
    list.removeAll()
    try list.append(unixPath: Array("/b".utf8))
    #expect(list.unixPaths[a] == [])
    #expect(paths(list) == ["/b"])
  }

  @Test func `many paths are added and removed`() throws {
    var list = AddressList()
    for round in 0..<3 {
      for number in 0..<1000 { try list.append(unixPath: Array("/run/\(round)/\(number)".utf8)) }
      #expect(paths(list) == (0..<1000).map { "/run/\(round)/\($0)" })
      let slots = try (0..<1000).map { try endpoint(list[$0]).address.low & 0xffff_ffff }
      #expect(Set(slots) == Set(0..<1000), "removed slots are used again")
      while list.count > 0 { list.remove(at: list.count - 1) }
    }
  }

  @Test func `an entry of the list can be appended again`() throws {
    var list = try list("unix:/a")
    list.append(list[0])
    list.remove(at: 0)
    #expect(paths(list) == ["/a"])
  }

  @Test(arguments: [
    ("", EntryError.Reason.unixEmpty), ("@", .unixEmpty), ("/a\0", .unixNUL), ("@\0", .unixNUL),
    ("/" + String(repeating: "x", count: 107), .unixTooLong),
    ("@" + String(repeating: "x", count: 108), .unixTooLong),
  ])
  func `an invalid path is refused, and the list is unchanged`(
    path: String, reason: EntryError.Reason
  ) throws {
    var list = try list("unix:/a")
    #expect(throws: EntryError(reason)) { try list.append(unixPath: Array(path.utf8)) }
    #expect(paths(list) == ["/a"])
  }

  @Test func `the longest valid paths are accepted`() throws {
    let long = ["/" + String(repeating: "x", count: 106), "@" + String(repeating: "x", count: 107)]
    #expect(paths(try list("unix:" + long[0], "unix:" + long[1])) == long)
  }

  @Test func `forgetting an entry removes its history alone`() throws {
    var list = try list("unix:/a", "unix:/b")
    let race = Race(plan: list.plan(ConnectOptions(), links: [], at: start)!, at: start)
    for _ in 0..<2 {
      guard case .start(let id) = race.nextStep(at: start) else { throw EntryError(.empty) }
      race.handle(.failed(id, Errno(2), synchronous: true), at: start)
    }
    list.history.take(race)
    let (a, b) = (try endpoint(list[0]), try endpoint(list[1]))
    #expect(list.history[a]?.failureCount == 1)
    list.remove(at: 0)
    #expect(list.history[a] == nil)
    #expect(list.history[b]?.failure?.errno == Errno(2))
  }

  // MARK: kind and text

  @Test func `a Unix address is not a special IP address`() throws {
    var list = AddressList()
    for number in 0..<3 { try list.append(unixPath: Array("/\(number)".utf8)) }
    for index in 0..<3 {
      let address = try endpoint(list[index]).address
      #expect(!address.isUnspecified && !address.isLoopback && !address.isMulticast)
      #expect(!address.isBroadcast && !address.isLinkLocal && !address.needsScope)
      #expect(address.mapped == address && address.unmapped == address)
      #expect(address.withScope(3) == address)
    }
    #expect(list.unixPaths[.unixElsewhere] == [])
  }

  @Test func `a Unix address is printed as its path, with control bytes escaped`() throws {
    var text = TextBuffer()
    text.append(unixPath: Array("/run/a b\n\u{1b}".utf8))
    #expect(self.text(text.bytes) == #"unix:/run/a b\x0a\x1b"#)
    var bare = TextBuffer()
    bare.append(.unixElsewhere, scopes: NumericScopes())
    #expect(self.text(bare.bytes) == "unix:")
  }

  // MARK: the plan

  @Test func `Unix addresses go before every IP address, in the given order, without rules`()
    throws
  {
    let list = try list("192.0.2.1:80", "unix:/a", "[2001:db8::1]:80", "unix:@b")
    #expect(
      try plan(list) == """
        1 unix:/a 0.950 on this machine
        2 unix:@b 0.950 on this machine; rule 10: the order is as given
        3 [2001:db8::1]:80 0.784 route's choice; a Unix address, being on this machine, goes first
        4 192.0.2.1:80 0.784 route's choice; rule 6: the higher precedence goes first
        """)
  }

  @Test
  func `a Unix address goes before an IP address that connected, and after it when it has failed`()
    throws
  {
    var list = try list("192.0.2.1:80", "unix:/a")
    var race = Race(plan: list.plan(given(), links: [], at: start)!, at: start)
    #expect(race.nextStep(at: start) == .start(AttemptID(0)))
    race.handle(.connected(AttemptID(0)), at: start)
    while case .finish = race.nextStep(at: start) { break }
    list.history.take(race)
    #expect(
      try plan(list) == """
        1 unix:/a 0.950 on this machine
        2 192.0.2.1:80 0.931 route's choice; connected before; round trip 0 us; \
        a Unix address, being on this machine, goes first
        """)

    race = Race(plan: list.plan(ConnectOptions(), links: [], at: start)!, at: start)
    race.update(nothingKnown(race.plan), at: start)
    #expect(race.nextStep(at: start) == .start(AttemptID(0)))
    race.handle(.failed(AttemptID(0), Errno(2), synchronous: true), at: start)
    list.history.take(race)
    #expect(
      try plan(list) == """
        1 192.0.2.1:80 0.931 route's choice; connected before; round trip 0 us; \
        evidence goes before the rules
        2 unix:/a 0.000 on this machine; failed 0 us ago
        """)
  }

  @Test func `the given order is kept, and families alternate around a Unix address`() throws {
    let list = try list("192.0.2.1:80", "192.0.2.2:80", "unix:/a", "[2001:db8::1]:80")
    #expect(
      try order(list, given()) == ["192.0.2.1:80", "192.0.2.2:80", "unix:/a", "[2001:db8::1]:80"])
    var turns = given()
    turns.interleave = true
    #expect(
      try order(list, turns) == ["192.0.2.1:80", "[2001:db8::1]:80", "unix:/a", "192.0.2.2:80"])
  }

  @Test(arguments: [
    ([Family.unix], [0]), ([.unix, .unix], [0, 1]), ([], []),
    ([.inet, .unix, .inet, .inet6, .unix], [0, 1, 3, 2, 4]),
    ([.unix, .inet6, .inet6, .inet], [0, 1, 3, 2]),
  ])
  func `families alternate, and a Unix address keeps its position`(families: [Family], order: [Int])
  {
    #expect(Ordering.interleaved(families) == order)
  }

  @Test func `local addresses do not apply to a Unix address`() throws {
    var options = ConnectOptions()
    options.locals = .these([Endpoint(IPAddress(v4: 0x0a00_0005), port: 0)])
    let list = try list("unix:/a", "[2001:db8::1]:80")
    #expect(
      try plan(list, options) == """
        1 unix:/a 0.950 on this machine
        2 [2001:db8::1]:80 0.000 none of the given local addresses fits; \
        a Unix address, being on this machine, goes first
        """)
    let plan = list.plan(options, links: [], at: start)!
    let pair = plan.next()!
    #expect(plan.local(of: pair) == nil)
    #expect(!plan.isImpossible(pair))
  }

  @Test func `the option family leaves out the other families`() throws {
    let list = try list("unix:/a", "192.0.2.1:80")
    func only(_ family: Family) throws -> [String] {
      var options = ConnectOptions()
      options.family = family
      return try order(list, options)
    }
    #expect(try only(.unix) == ["unix:/a"])
    #expect(try only(.inet) == ["192.0.2.1:80"])
    var options = ConnectOptions()
    options.family = .inet6
    #expect(list.plan(options, links: [], at: start) == nil)
    let option = try #require(ConnectOption.named(Array("family".utf8)))
    #expect(option.set(.text(Array("unix".utf8)), in: &options))
    #expect(options.family == .unix)
  }

  // MARK: path information

  @Test func `Unix addresses need no path information`() throws {
    for texts in [["unix:/a"], ["unix:/a", "unix:/b"], ["unix:/a", "192.0.2.1:80"]] {
      let plan = try list(texts).plan(ConnectOptions(), links: [], at: start)!
      #expect(!plan.ordersByPathInformation)
      #expect(!plan.isUnknown(0))
    }
    let two = try list("192.0.2.1:80", "unix:/a", "192.0.2.2:80")
    #expect(two.plan(ConnectOptions(), links: [], at: start)!.ordersByPathInformation)
  }

  @Test
  func `a race of Unix addresses alone asks for nothing, and a failure starts the next attempt`()
    throws
  {
    let list = try list("unix:/a", "unix:/b")
    let race = Race(plan: list.plan(ConnectOptions(), links: [], at: start)!, at: start)
    #expect(race.nextStep(at: start) == .start(AttemptID(0)))
    race.handle(.failed(AttemptID(0), Errno(2), synchronous: true), at: start)
    #expect(race.nextStep(at: start) == .start(AttemptID(1)))
    race.handle(.failed(AttemptID(1), .connectionRefused, synchronous: true), at: start)
    #expect(race.nextStep(at: start) == .finish(.lost(.connectionRefused, isDeadline: false)))
    #expect(race.attempts.map(\.outcome) == [.failed, .refused])
  }

  @Test func `the failure of a Unix address does not change another's chance`() throws {
    let plan = try list("unix:/a", "unix:/b").plan(ConnectOptions(), links: [], at: start)!
    let a = plan.next()!
    plan.noteFailure(
      of: a, Errno(2), wasSilent: false, isSynchronous: true, isRejected: false)
    #expect(plan.chance(of: a) == Chance.afterDefiniteFailure)
    #expect(plan.chance(of: plan.next()!) == Chance.remoteHere)
  }

  @Test func `an IP address that joins later gets path information`() throws {
    let plan = try list("unix:/a").plan(ConnectOptions(), links: [], at: start)!
    plan.update(nothingKnown(plan))
    #expect(!plan.hasLocals)
    let remote = Endpoint(IPAddress(v4: 0x0a00_0001), port: 80)
    plan.add([Candidate(remote, entry: 1)])
    let locals = [5, 6].map { LocalAddress(IPAddress(v4: 0x0a00_0000 + $0), prefixLength: 24) }
    var information = PathInformation(
      locals: locals, remotes: [RemotePathInformation(), RemotePathInformation()])
    information.remotes[1].route = .source(locals[0].address)
    plan.update(information)
    var pairs: [Plan.Pair] = []
    while let pair = plan.next() { pairs.append(pair) }
    #expect(pairs.map { plan.local(of: $0)?.address } == [nil] + locals.map(\.address))
  }

  // MARK: helpers

  /// A list of entries from their texts; `unix:` comes before a Unix path.
  private func list(_ texts: String...) throws -> AddressList { try list(texts) }

  private func list(_ texts: [String]) throws -> AddressList {
    var list = AddressList()
    for text in texts {
      if text.hasPrefix("unix:") {
        try list.append(unixPath: Array(text.dropFirst(5).utf8))
        continue
      }
      let entry = try EndpointText.parseEntry(
        Array(text.utf8), defaultPort: nil, scopes: NumericScopes())
      guard case .endpoint(let endpoint) = entry else { throw EntryError(.badCharacter) }
      list.append(.endpoint(endpoint))
    }
    return list
  }

  private func endpoint(_ entry: Entry) throws -> Endpoint {
    guard case .endpoint(let endpoint) = entry else { throw EntryError(.empty) }
    return endpoint
  }

  private func paths(_ list: AddressList) -> [String] {
    (0..<list.count).map {
      guard case .endpoint(let endpoint) = list[$0] else { return "?" }
      return text(list.unixPaths[endpoint])
    }
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  private func given() -> ConnectOptions {
    var options = ConnectOptions()
    options.order = .given
    return options
  }

  private func nothingKnown(_ plan: Plan) -> PathInformation {
    PathInformation(
      locals: [], remotes: Array(repeating: RemotePathInformation(), count: plan.remoteCount))
  }

  private func rows(
    _ list: AddressList, _ options: ConnectOptions
  ) throws -> (Race, [(row: ReportRow, remote: String)]) {
    let plan = try #require(list.plan(options, links: [], at: start))
    let race = Race(plan: plan, at: start)
    race.update(nothingKnown(plan), at: start)
    let rows = race.rows().map { row in
      var text = TextBuffer()
      text.append(remoteOf: row.pair, in: race.plan, scopes: NumericScopes())
      return (row, self.text(text.bytes))
    }
    return (race, rows)
  }

  private func order(_ list: AddressList, _ options: ConnectOptions) throws -> [String] {
    try rows(list, options).1.map { $0.remote }
  }

  /// Rank, remote, chance and reasons, one line for each pair.
  private func plan(_ list: AddressList, _ options: ConnectOptions = ConnectOptions()) throws
    -> String
  {
    let (race, rows) = try rows(list, options)
    return rows.map { row, remote in
      var chance = TextBuffer()
      chance.append(chance: row.chance)
      let reasons = race.plan.reasons(for: row.pair).map(text).joined(separator: "; ")
      return "\(row.rank) \(remote) \(text(chance.bytes)) \(reasons)"
    }.joined(separator: "\n")
  }
}
