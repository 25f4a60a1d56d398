/// Values by a source address and a key (an endpoint, a destination), in time that does not depend on how many
/// there are; those of one key are linked.
struct PairTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Pair: Hashable, Sendable {
    let source: IPAddress
    let key: Int32
  }

  /// Which pairs there are. Copies share it until one of them gets a new pair.
  private final class Index: @unchecked Sendable {
    var keys: DistinctKeys<Key>
    var pairs: DistinctKeys<Pair>
    /// For each key its newest pair; for each pair the one of the same key before it. -1: none.
    var newest: [Int32] = []
    var previous: [Int32] = []

    init(_ secret: HashSecret) {
      keys = DistinctKeys(secret: secret)
      pairs = DistinctKeys(secret: secret)
    }

    init(copying other: Index) {
      keys = other.keys
      pairs = other.pairs
      newest = other.newest
      previous = other.previous
    }
  }

  /// `nil`: there are no pairs.
  private var index: Index?
  /// The value of each pair, in the order in which the pairs came.
  var values: [Value] = []
  private let secret: HashSecret

  init(secret: HashSecret) { self.secret = secret }

  var isEmpty: Bool { values.isEmpty }
  var indices: Range<Int> { values.indices }
  func key(at position: Int) -> Key { index!.keys.keys[Int(index!.pairs.keys[position].key)] }
  func source(at position: Int) -> IPAddress { index!.pairs.keys[position].source }

  /// The number of a key, from 0 in the order in which the keys came.
  func number(of key: Key) -> Int? { index?.keys.number(of: key) }

  func index(_ source: IPAddress, _ key: Key) -> Int? {
    guard let index, let number = index.keys.number(of: key) else { return nil }
    return index.pairs.number(of: Pair(source: source, key: Int32(number)))
  }

  func value(_ source: IPAddress, _ key: Key) -> Value? {
    index(source, key).map { values[$0] }
  }

  /// Calls `body` with the index of each pair of a key.
  func forEach(of key: Key, _ body: (Int) -> Void) {
    guard let index, let number = index.keys.number(of: key) else { return }
    var pair = index.newest[number]
    while pair >= 0 {
      body(Int(pair))
      pair = index.previous[Int(pair)]
    }
  }

  /// The index of a pair, which is appended with `initial` where it is new.
  mutating func insert(_ source: IPAddress, _ key: Key, _ initial: Value) -> Int {
    if let known = index(source, key) { return known }
    let index = ownIndex()
    let number = index.keys.insert(key).number
    if number == index.newest.count { index.newest.append(-1) }
    let position = index.pairs.insert(Pair(source: source, key: Int32(number))).number
    values.append(initial)
    index.previous.append(index.newest[number])
    index.newest[number] = Int32(position)
    return position
  }

  /// The index, which no copy of the table shares.
  private mutating func ownIndex() -> Index {
    if isKnownUniquelyReferenced(&index), let index { return index }
    let own = index.map { Index(copying: $0) } ?? Index(secret)
    index = own
    return own
  }
}
