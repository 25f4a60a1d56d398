extension RandomAccessCollection where Index == Int {
  /// The first index whose element satisfies the predicate, by binary search: O(log n).
  ///
  /// The elements that satisfy it must all come after those that do not. `endIndex` where none does.
  package func partitioningIndex(where belongsInSecondPart: (Element) -> Bool) -> Int {
    var low = startIndex
    var high = endIndex
    while low < high {
      let middle = low + (high - low) / 2
      if belongsInSecondPart(self[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
