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
        remotes: [RemotePathInformation](repeating: RemotePathInformation(), count: list.count)))
    var now = Instant(nanoseconds: 0)
    loop: while true {
      switch race.nextStep(at: now) {
      case .start(let id):
        race.handle(.failed(id, .connectionRefused, synchronous: false), at: now)
      case .wait(let until): now = until
      case .needsPathInformation, .abandon, .validate: break
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
