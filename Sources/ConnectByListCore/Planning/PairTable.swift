/// Values by a source address and a key (an endpoint, a destination), in time that does not depend on how many
/// there are; those of one key are linked.
struct PairTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Pair: Hashable, Sendable {
    let source: IPAddress
    let key: Int32
  }

  private var keys: DistinctKeys<Key>
  private var pairs: DistinctKeys<Pair>
  /// The value of each pair, in the order in which the pairs came.
  var values: [Value] = []
  /// For each key its newest pair; for each pair the one of the same key before it. -1: none.
  private var newest: [Int32] = []
  private var previous: [Int32] = []

  init(secret: HashSecret) {
    keys = DistinctKeys(secret: secret)
    pairs = DistinctKeys(secret: secret)
  }

  var isEmpty: Bool { values.isEmpty }
  var indices: Range<Int> { values.indices }
  func key(at index: Int) -> Key { keys.keys[Int(pairs.keys[index].key)] }
  func source(at index: Int) -> IPAddress { pairs.keys[index].source }

  /// The number of a key, from 0 in the order in which the keys came.
  func number(of key: Key) -> Int? { keys.number(of: key) }

  func index(_ source: IPAddress, _ key: Key) -> Int? {
    guard let number = keys.number(of: key) else { return nil }
    return pairs.number(of: Pair(source: source, key: Int32(number)))
  }

  func value(_ source: IPAddress, _ key: Key) -> Value? {
    guard !isEmpty else { return nil }
    return index(source, key).map { values[$0] }
  }

  /// Calls `body` with the index of each pair of a key.
  func forEach(of key: Key, _ body: (Int) -> Void) {
    guard !isEmpty, let number = keys.number(of: key) else { return }
    var pair = newest[number]
    while pair >= 0 {
      body(Int(pair))
      pair = previous[Int(pair)]
    }
  }

  /// The index of a pair, which is appended with `initial` where it is new.
  mutating func insert(_ source: IPAddress, _ key: Key, _ initial: Value) -> Int {
    let number = keys.insert(key).number
    if number == newest.count { newest.append(-1) }
    let (index, isNew) = pairs.insert(Pair(source: source, key: Int32(number)))
    if isNew {
      values.append(initial)
      previous.append(newest[number])
      newest[number] = Int32(index)
    }
    return index
  }
}
