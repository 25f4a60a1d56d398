// Equal keys are found with a hash table, in linear time. This is the only deduplication in the package.

/// Keys numbered from 0 in the order in which each first came.
package struct DistinctKeys<Key: Hashable & Sendable>: Sendable {
  package private(set) var keys: [Key] = []
  /// Empty up to `scannedMax` keys.
  private var index = HashIndex()
  private let secret: HashSecret

  /// So few keys are compared one by one, which takes less time than hashing.
  private static var scannedMax: Int { 8 }

  package init(secret: HashSecret) { self.secret = secret }

  package init(_ keys: [Key], secret: HashSecret) {
    self.init(secret: secret)
    for key in keys { insert(key) }
  }

  package var count: Int { keys.count }

  /// The number of a key; `nil`: it has not been inserted.
  package func number(of key: Key) -> Int? {
    if keys.count <= Self.scannedMax { return keys.firstIndex(of: key) }
    return index.number(hash: secret.hash(key)) { keys[$0] == key }
  }

  /// Inserts a key unless an equal one is there. Returns its number, and whether it is new.
  @discardableResult
  package mutating func insert(_ key: Key) -> (number: Int, isNew: Bool) {
    if let known = number(of: key) { return (known, false) }
    keys.append(key)
    if keys.count == Self.scannedMax + 1 {
      for (number, key) in keys.enumerated() { index.insert(number, hash: secret.hash(key)) }
    } else if keys.count > Self.scannedMax {
      index.insert(keys.count - 1, hash: secret.hash(key))
    }
    return (keys.count - 1, true)
  }
}

/// Which elements of a list have equal keys.
package struct Distinct<Key: Hashable & Sendable>: Sendable {
  /// For each distinct key the index of the first element that has it, in rising order.
  package private(set) var firsts: [Int] = []
  /// For each element the position in `firsts` of the element with an equal key.
  package private(set) var positions: [Int] = []
  private var keys: DistinctKeys<Key>

  /// - Parameters:
  ///   - count: of the elements.
  ///   - key: the key of the element at an index; called once an element.
  package init(_ count: Int, secret: HashSecret, key: (Int) -> Key) {
    keys = DistinctKeys(secret: secret)
    positions.reserveCapacity(count)
    for index in 0..<count {
      let (number, isNew) = keys.insert(key(index))
      if isNew { firsts.append(index) }
      positions.append(number)
    }
  }

  /// The position in `firsts` of the element with this key; `nil`: no element has it.
  package func position(of key: Key) -> Int? { keys.number(of: key) }
}
