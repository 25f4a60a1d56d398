/// A binary heap: the element that `<` puts first is on top. `insert` and `removeFirst` are O(log n).
package struct Heap<Element: Comparable & Sendable>: Sendable {
  /// The only element: most heaps never have a second one, and that one needs no memory of its own.
  private var only: Element?
  /// Empty while there is only one.
  private var elements: [Element] = []

  package init() {}

  package var first: Element? { only ?? elements.first }

  package mutating func insert(_ element: Element) {
    if let other = only {
      only = nil
      elements = [other]
    } else if elements.isEmpty {
      only = element
      return
    }
    elements.append(element)
    var child = elements.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard elements[child] < elements[parent] else { return }
      elements.swapAt(child, parent)
      child = parent
    }
  }

  /// Removes the first element. The heap must not be empty.
  package mutating func removeFirst() {
    if only != nil {
      only = nil
      return
    }
    elements.swapAt(0, elements.count - 1)
    elements.removeLast()
    sinkFirst()
  }

  /// Replaces the first element by one that may belong further down. The heap must not be empty.
  package mutating func replaceFirst(_ element: Element) {
    if only != nil {
      only = element
      return
    }
    elements[0] = element
    sinkFirst()
  }

  /// Calls `body` with the elements near the first: those for which `isNear` holds, and for all above which it
  /// holds.
  package func forEachNearFirst(where isNear: (Element) -> Bool, _ body: (Element) -> Void) {
    var indices = [1, 2]
    while let index = indices.popLast() {
      guard index < elements.count, isNear(elements[index]) else { continue }
      body(elements[index])
      indices.append(2 * index + 1)
      indices.append(2 * index + 2)
    }
  }

  /// Moves the first element down to its place: each smaller child on its way moves up by one.
  private mutating func sinkFirst() {
    guard let element = elements.first else { return }
    var place = 0
    while true {
      var child = 2 * place + 1
      guard child < elements.count else { break }
      if child + 1 < elements.count && elements[child + 1] < elements[child] { child += 1 }
      guard elements[child] < element else { break }
      elements[place] = elements[child]
      place = child
    }
    elements[place] = element
  }
}
