#if hasFeature(Embedded)
  // What the standard library would put into each of its callers, some eighty bytes each, as functions:
  // one for each type of element. They have the library's names, and shadow it.

  extension Array {
    @inline(never)
    package mutating func append(_ element: __owned Element) { appended(element, to: &self) }

    @inline(never)
    package mutating func reserveCapacity(_ capacity: Int) { reserved(capacity, in: &self) }
  }

  // These reach what the library has: the requirements of the protocol are not shadowed.

  @inline(__always)
  private func appended<C: RangeReplaceableCollection>(
    _ element: C.Element, to collection: inout C
  ) {
    collection.append(element)
  }

  @inline(__always)
  private func reserved<C: RangeReplaceableCollection>(_ capacity: Int, in collection: inout C) {
    collection.reserveCapacity(capacity)
  }
#endif
