/// Values by a source address and a key (an endpoint, a destination), in time that does not depend on how many
/// there are; those of one key are linked.
struct PairTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Pair: Hashable, Sendable {
    let source: IPAddress
    let key: Int32
  }

  /// Which pairs there are. It does not change, so that copies of the table share it.
  private final class Index: Sendable {
    let keys: DistinctKeys<Key>
    let pairs: DistinctKeys<Pair>
    /// For each key its newest pair; for each pair the one of the same key before it. -1: none.
    let newest: [Int32]
    let previous: [Int32]

    init(
      _ keys: DistinctKeys<Key>, _ pairs: DistinctKeys<Pair>, newest: [Int32], previous: [Int32]
    ) {
      self.keys = keys
      self.pairs = pairs
      self.newest = newest
      self.previous = previous
    }

    // Here the tables are not copied for a call: 50 instructions each.

    func number(of key: Key) -> Int? { keys.number(of: key) }

    func numbers(of source: IPAddress, _ key: Key) -> (key: Int?, pair: Int?) {
      guard let number = keys.number(of: key) else { return (nil, nil) }
      return (number, pairs.number(of: Pair(source: source, key: Int32(number))))
    }
  }

  /// `nil`: there are no pairs.
  private var index: Index?
  /// The value of each pair, in the order in which the pairs came.
  var values: [Value] = []
  let secret: HashSecret

  init(secret: HashSecret) { self.secret = secret }

  var isEmpty: Bool { values.isEmpty }
  var indices: Range<Int> { values.indices }
  func key(at position: Int) -> Key { index!.keys.keys[Int(index!.pairs.keys[position].key)] }
  func source(at position: Int) -> IPAddress { index!.pairs.keys[position].source }

  /// The number of a key, from 0 in the order in which the keys came.
  func number(of key: Key) -> Int? { index?.number(of: key) }

  func index(_ source: IPAddress, _ key: Key) -> Int? { numbers(of: source, key).pair }

  /// The number of a key, and the index of its pair with a source, as far as there are these.
  func numbers(of source: IPAddress, _ key: Key) -> (key: Int?, pair: Int?) {
    index?.numbers(of: source, key) ?? (nil, nil)
  }

  func value(_ source: IPAddress, _ key: Key) -> Value? {
    index(source, key).map { values[$0] }
  }

  /// Calls `body` with the index of each pair of a key.
  func forEach(of key: Key, _ body: (Int) -> Void) {
    guard let index, let number = index.number(of: key) else { return }
    var pair = index.newest[number]
    while pair >= 0 {
      body(Int(pair))
      pair = index.previous[Int(pair)]
    }
  }

  /// The index of a pair, which is appended with `initial` where it is new.
  mutating func insert(_ source: IPAddress, _ key: Key, _ initial: Value) -> Int {
    if let known = index(source, key) { return known }
    var keys = index?.keys ?? DistinctKeys(secret: secret)
    var pairs = index?.pairs ?? DistinctKeys(secret: secret)
    var newest = index?.newest ?? []
    var previous = index?.previous ?? []
    // Unless a copy of the table shares them, the arrays are not copied below.
    index = nil
    let number = keys.insert(key).number
    if number == newest.count { newest.append(-1) }
    let position = pairs.insert(Pair(source: source, key: Int32(number))).number
    values.append(initial)
    previous.append(newest[number])
    newest[number] = Int32(position)
    index = Index(keys, pairs, newest: newest, previous: previous)
    return position
  }
}
