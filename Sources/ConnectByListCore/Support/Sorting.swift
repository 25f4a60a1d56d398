/// The indices 0 to `count` - 1, sorted. Those of which neither comes before the other keep their order.
///
/// All sorting of the package is by it: the standard library's sort is generic, and each type that is sorted
/// would have a copy of its code.
// Otherwise each caller has a copy too, around its comparison (4 KB of machine code, x86-64, Swift 6.3).
@inline(never)
package func sortedIndices(_ count: Int, _ comesBefore: (Int, Int) -> Bool) -> [Int] {
  Array(0..<count).sorted(by: comesBefore)
}

extension Array {
  /// The elements, sorted. Those of which neither comes before the other keep their order.
  package func stablySorted(_ comesBefore: (Element, Element) -> Bool) -> [Element] {
    sortedIndices(count) { comesBefore(self[$0], self[$1]) }.map { self[$0] }
  }
}
