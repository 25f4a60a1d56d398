/// Numbers found by the keyed hashes of their keys: the only hash table of the package, so that every table whose
/// keys come from input has the secret.
///
/// It knows no keys: numbers with one hash are linked, and the caller compares keys.
package struct HashIndex: Sendable {
  /// For each hash the number that was inserted last.
  private var newest: [Int: Int32] = [:]
  /// For each number the one with the same hash that was inserted before it; -1: none.
  private var previous: [Int32] = []

  package init() {}

  package mutating func reserveCapacity(_ count: Int) {
    newest.reserveCapacity(count)
    previous.reserveCapacity(count)
  }

  /// The number with this hash whose key is the wanted one.
  package func number(hash: Int, where isWanted: (Int) -> Bool) -> Int? {
    var number = newest[hash] ?? -1
    while number >= 0 {
      if isWanted(Int(number)) { return Int(number) }
      number = previous[Int(number)]
    }
    return nil
  }

  /// Inserts a number that is not in the index.
  package mutating func insert(_ number: Int, hash: Int) {
    while previous.count <= number { previous.append(-1) }
    previous[number] = newest[hash] ?? -1
    newest[hash] = Int32(number)
  }

  /// Removes a number that is in the index under this hash.
  package mutating func remove(_ number: Int, hash: Int) {
    let older = previous[number]
    if newest[hash] == Int32(number) {
      newest[hash] = older < 0 ? nil : older
    } else {
      var newer = Int(newest[hash]!)
      while previous[newer] != Int32(number) { newer = Int(previous[newer]) }
      previous[newer] = older
    }
    previous[number] = -1
  }
}
