import ConnectByListCore

/// Which elements of a list are the same, so that each is asked for once.
///
/// By sorting, which takes n log n comparisons for every list. The elements may come from outside: a
/// hash table without a secret could be given addresses that all share one bucket.
struct Distinct {
  /// For each distinct element the index of its first occurrence.
  private(set) var firsts: [Int] = []
  /// For each element the position in `firsts` of the element that it equals.
  private(set) var positions: [Int]

  /// - Parameters:
  ///   - count: of the elements.
  ///   - precedes: a strict weak order of the elements, by their indices. Elements of which neither
  ///     precedes the other are the same.
  init(_ count: Int, by precedes: (Int, Int) -> Bool) {
    positions = Array(repeating: 0, count: count)
    // The index decides between equal elements, so that the first occurrence comes first.
    let order = (0..<count).sorted { precedes($0, $1) || !precedes($1, $0) && $0 < $1 }
    for index in order {
      if firsts.isEmpty || precedes(firsts[firsts.count - 1], index) { firsts.append(index) }
      positions[index] = firsts.count - 1
    }
  }
}

extension IPAddress {
  /// A total order; which one does not matter, as it only serves to find equal addresses.
  func precedes(_ other: IPAddress) -> Bool {
    (high, low, scope, family.rawValue)
      < (other.high, other.low, other.scope, other.family.rawValue)
  }
}

extension [UInt32] {
  /// The distinct numbers in ascending order.
  var sortedAndUnique: [UInt32] {
    sorted().reduce(into: []) { unique, number in
      if unique.last != number { unique.append(number) }
    }
  }
}
