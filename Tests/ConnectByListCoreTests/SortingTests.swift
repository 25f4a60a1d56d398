import Testing

@testable import ConnectByListCore

@Suite struct SortingTests {
  @Test func `indices are sorted stably`() {
    var random = SplitMix64(seed: 1)
    for count in Array(0...40) + [1000, 1023, 1024, 1025] {
      for kinds in [1, 2, 5, 1000] {
        let values = (0..<count).map { _ in random.below(kinds) }
        let wanted = (0..<count).sorted { (values[$0], $0) < (values[$1], $1) }
        #expect(sortedIndices(count) { values[$0] < values[$1] } == wanted)
      }
    }
  }

  @Test func `sorting a sorted array costs one comparison for each value`() {
    var comparisons = 0
    let order = sortedIndices(10_000) {
      comparisons += 1
      return $0 < $1
    }
    #expect(order == Array(0..<10_000))
    #expect(comparisons < 10_000)
  }

  @Test func `a table of endpoints behaves as a dictionary`() {
    var random = SplitMix64(seed: 2)
    for count in [0, 1, 8, 9, 16, 17, 500, 5000] {
      var table = EndpointTable()
      var places: [Endpoint: Int] = [:]
      for _ in 0..<count {
        let bits = UInt32(random.below(max(1, count / 2)))
        let address =
          bits % 2 == 0
          ? IPAddress(v4: 0x0a00_0000 + bits) : IPAddress(high: 0xfe80 << 48, low: 1, scope: bits)
        let endpoint = Endpoint(address, port: UInt16(random.below(2) + 80))
        #expect(table.place(of: endpoint) == places[endpoint])
        #expect(table.insert(endpoint) == (places[endpoint] == nil))
        places[endpoint] = places[endpoint] ?? places.count
      }
      #expect(table.endpoints.count == places.count)
      for (endpoint, place) in places { #expect(table.place(of: endpoint) == place) }
    }
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
    // The report has a copy of the race, and the race has an `Attempt` for each attempt in flight.
    #expect(MemoryLayout<Race>.size <= 320)
    #expect(MemoryLayout<Attempt>.stride <= 192)
  }
}
