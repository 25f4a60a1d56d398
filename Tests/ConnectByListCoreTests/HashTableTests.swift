import Testing

@testable import ConnectByListCore

/// Deduplication and what a list remembers: the tables whose keys come from input.
@Suite struct HashTableTests {
  private static let secrets = [
    HashSecret.fixed, HashSecret(low: 1, high: 2),
    HashSecret(low: .max, high: 0x1234_5678_9abc_def0),
  ]

  private static func endpoint(_ bits: UInt32, port: UInt16 = 80) -> Endpoint {
    let address =
      bits % 2 == 0
      ? IPAddress(v4: 0x0a00_0000 + bits) : IPAddress(high: 0xfe80 << 48, low: 1, scope: bits)
    return Endpoint(address, port: port)
  }

  @Test(arguments: secrets)
  func `keys are numbered in the order in which each first came, whatever the secret`(
    secret: HashSecret
  ) {
    var random = SplitMix64(seed: 2)
    for count in [0, 1, 8, 500, 5000] {
      var keys = DistinctKeys<Endpoint>(secret: secret)
      var numbers: [Endpoint: Int] = [:]
      for _ in 0..<count {
        let bits = UInt32(random.below(max(1, count / 2)))
        let endpoint = Self.endpoint(bits, port: UInt16(random.below(2) + 80))
        #expect(keys.number(of: endpoint) == numbers[endpoint])
        let (number, isNew) = keys.insert(endpoint)
        #expect(isNew == (numbers[endpoint] == nil))
        numbers[endpoint] = numbers[endpoint] ?? numbers.count
        #expect(number == numbers[endpoint])
      }
      #expect(keys.count == numbers.count)
    }
  }

  @Test(arguments: secrets)
  func `equal elements of a list share the position of the first`(secret: HashSecret) {
    let list = [3, 1, 3, 2, 1]
    let distinct = Distinct(list.count, secret: secret) { list[$0] }
    #expect(distinct.firsts == [0, 1, 3])
    #expect(distinct.positions == [0, 1, 0, 2, 1])
    #expect((0...4).map { distinct.position(of: $0) } == [nil, 1, 2, 0, nil])
    #expect(Distinct<Int>(0, secret: secret) { $0 }.firsts.isEmpty)
  }

  @Test func `keys that share a bucket under one secret do not under another`() {
    // 64 keys of one bucket of 4,096, found by trying; under another secret they spread.
    let chosen = HashSecret(low: 7, high: 9)
    let keys = (0..<1_000_000).lazy.map { Self.endpoint($0) }.filter { chosen.hash($0) & 4095 == 0 }
      .prefix(64)
    #expect(keys.count == 64)
    let other = HashSecret(low: 8, high: 9)
    #expect(Set(keys.map { other.hash($0) & 4095 }).count > 48)
  }

  @Test func `a look-up among 100,000 keys compares with one of them`() {
    // The keys differ in bits that an unkeyed hash of low bits would ignore.
    let secret = HashSecret(low: 3, high: 4)
    let keys = (0..<100_000).map { Endpoint(IPAddress(high: UInt64($0) << 32, low: 1), port: 80) }
    var index = HashIndex()
    var comparisonCount = 0
    for (number, key) in keys.enumerated() {
      let hash = secret.hash(key)
      let known = index.number(hash: hash) { other in
        comparisonCount += 1
        return keys[other] == key
      }
      #expect(known == nil)
      index.insert(number, hash: hash)
    }
    // Two keys with one hash of 64 bits: once in four billion such tables.
    #expect(comparisonCount <= 1)
    for (number, key) in keys.enumerated() {
      let found = index.number(hash: secret.hash(key)) { other in
        comparisonCount += 1
        return keys[other] == key
      }
      #expect(found == number)
    }
    #expect(comparisonCount <= 100_002)
  }

  @Test func `numbers of one hash are told apart, and any of them can be removed`() {
    for removed in 0..<4 {
      var index = HashIndex()
      for number in 0..<4 { index.insert(number, hash: 7) }
      index.remove(removed, hash: 7)
      for number in 0..<4 {
        #expect(index.number(hash: 7) { $0 == number } == (number == removed ? nil : number))
      }
      index.insert(removed, hash: 7)
      #expect(index.number(hash: 7) { $0 == removed } == removed)
    }
  }

  @Test func `history, the plan and the log of a race do not depend on the secret`() throws {
    let results = try Self.secrets.map { secret in
      // All are refused but one.
      var list = AddressList(hashSecret: secret)
      for bits: UInt32 in 2..<62 { list.append(.endpoint(Self.endpoint(bits * 2))) }
      var logs: [[RaceEvent]] = []
      for _ in 0..<2 {
        let now = Instant(nanoseconds: 0)
        var options = ConnectOptions()
        options.locals = .routeOnly
        let race = Race(plan: try #require(list.plan(options, links: [], at: now)), at: now)
        race.update(
          PathInformation(
            locals: [],
            remotes: [RemotePathInformation](
              repeating: RemotePathInformation(), count: race.plan.remoteCount)), at: now)
        loop: while true {
          switch race.nextStep(at: now) {
          case .start(let id)
          where race.plan.remote(of: race.attempts[id.index].pair) == Self.endpoint(82):
            race.handle(.connected(id), at: now)
          case .start(let id):
            race.handle(.failed(id, .connectionRefused, synchronous: false), at: now)
          case .needsPathInformation, .abandon, .validate, .nextRound, .lookUp: break
          case .wait: throw EntryError(.empty)
          case .finish: break loop
          }
        }
        list.take(race)
        logs.append(race.events)
      }
      let known = (0..<list.count).map { index -> EndpointHistory? in
        guard case .endpoint(let endpoint) = list[index] else { return nil }
        return list.history[endpoint]
      }
      return (logs, known)
    }
    for result in results.dropFirst() {
      #expect(result.0 == results[0].0)
      #expect(result.1 == results[0].1)
    }
    // The second race begins with what worked in the first.
    #expect(results[0].0[1].count < results[0].0[0].count)
    #expect(results[0].1.contains { $0?.hasConnected == true })
  }

  @Test(arguments: secrets)
  func `a list merges duplicates into their first place, whatever the secret`(secret: HashSecret) {
    var list = AddressList(hashSecret: secret)
    for bits: UInt32 in [4, 2, 4, 3, 2] { list.append(.endpoint(Self.endpoint(bits))) }
    let candidates = list.candidates(family: nil, links: [])
    #expect(candidates.map(\.entry) == [0, 1, 3])
  }

  @Test func `forgetting an endpoint removes its history alone`() {
    var history = ConnectHistory()
    let endpoints = (1...40).map { Endpoint(IPAddress(v4: 0x0a00_0000 + $0), port: 80) }
    let list = endpoints.enumerated().map { Candidate($1, entry: Int32($0)) }
    let race = Race(
      plan: Plan(list, options: ConnectOptions()), at: Instant(nanoseconds: 0))
    race.update(
      PathInformation(
        locals: [],
        remotes: [RemotePathInformation](repeating: RemotePathInformation(), count: list.count)),
      at: Instant(nanoseconds: 0))
    var now = Instant(nanoseconds: 0)
    loop: while true {
      switch race.nextStep(at: now) {
      case .start(let id):
        race.handle(.failed(id, .connectionRefused, synchronous: false), at: now)
      case .wait(let until): now = until
      case .needsPathInformation, .abandon, .validate, .nextRound, .lookUp: break
      case .finish: break loop
      }
    }
    history.take(race, countMax: 30)
    let known = endpoints.filter { history[$0] != nil }
    #expect(known.count == 30)
    for endpoint in known.dropLast(3) {
      history.forget(endpoint)
      history.forget(endpoint)
      #expect(history[endpoint] == nil && !history.isEmpty)
    }
    #expect(endpoints.filter { history[$0] != nil } == known.suffix(3))
    // The removed entries make room for others.
    history.take(race, countMax: 30)
    #expect(endpoints.filter { history[$0] != nil }.count == 30)
    #expect(history[known.last!]?.failureCount == 2)
    for endpoint in endpoints { history.forget(endpoint) }
    #expect(history.isEmpty)
  }

  @Test func `an entry of a list has at most 32 bytes, and so has the history of an endpoint`() {
    #expect(MemoryLayout<Entry>.stride <= 32)
    #expect(MemoryLayout<EndpointHistory>.stride <= 32)
    // A race has an `Attempt` for each attempt, and a report has the race.
    #expect(MemoryLayout<Attempt>.stride <= 192)
  }
}
