// Equal keys are found with a hash table, in linear time. This is the only deduplication in the package.

/// Keys numbered from 0 in the order in which each first came.
package struct DistinctKeys<Key: Hashable & Sendable>: Sendable {
  private var numbers: [Hashed<Key>: Int32] = [:]
  private let secret: HashSecret

  /// - Parameter count: how many keys are expected, to reserve memory for.
  package init(count: Int = 0, secret: HashSecret) {
    self.secret = secret
    numbers.reserveCapacity(count)
  }

  package init(_ keys: [Key], secret: HashSecret) {
    self.init(count: keys.count, secret: secret)
    for key in keys { insert(key) }
  }

  package var count: Int { numbers.count }

  /// The number of a key; `nil`: it has not been inserted.
  package func number(of key: Key) -> Int? {
    numbers[Hashed(key, secret)].map { Int($0) }
  }

  /// Inserts a key unless an equal one is there. Returns its number, and whether it is new.
  @discardableResult
  package mutating func insert(_ key: Key) -> (number: Int, isNew: Bool) {
    let hashed = Hashed(key, secret)
    if let known = numbers[hashed] { return (Int(known), false) }
    let number = numbers.count
    numbers[hashed] = Int32(number)
    return (number, true)
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
    keys = DistinctKeys(count: count, secret: secret)
    firsts.reserveCapacity(count)
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
