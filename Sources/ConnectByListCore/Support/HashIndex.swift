/// Numbers found by the keyed hashes of their keys: the only hash table of the package, so that every table whose
/// keys come from input has the secret.
///
/// It knows no keys: the caller compares them. Open addressing with linear probing. It is not a `Dictionary`,
/// which adds 8 KB of machine code to the module (x86-64, Swift 6.3).
package struct HashIndex: Sendable {
  private struct Slot: Sendable {
    var hash: Int
    /// Below 0: the slot is free.
    var number: Int32
  }

  /// A power of two of them, or none. At least a quarter of them is free.
  private var slots: [Slot] = []
  private var count = 0

  package init() {}

  /// The number with this hash whose key is the wanted one.
  package func number(hash: Int, where isWanted: (Int) -> Bool) -> Int? {
    guard count > 0 else { return nil }
    var place = home(hash)
    while slots[place].number >= 0 {
      if slots[place].hash == hash && isWanted(Int(slots[place].number)) {
        return Int(slots[place].number)
      }
      place = next(place)
    }
    return nil
  }

  /// Inserts a number that is not in the index.
  package mutating func insert(_ number: Int, hash: Int) {
    if 4 * (count + 1) > 3 * slots.count { grow() }
    fillSlot(hash, Int32(number))
    count += 1
  }

  /// Removes a number that is in the index under this hash.
  package mutating func remove(_ number: Int, hash: Int) {
    var place = home(hash)
    while slots[place].number != Int32(number) { place = next(place) }
    slots[place].number = -1
    count -= 1
    // Whatever was put behind it for want of its own place moves up.
    place = next(place)
    while slots[place].number >= 0 {
      let slot = slots[place]
      slots[place].number = -1
      fillSlot(slot.hash, slot.number)
      place = next(place)
    }
  }

  private func home(_ hash: Int) -> Int { hash & (slots.count - 1) }

  private func next(_ place: Int) -> Int { (place + 1) & (slots.count - 1) }

  private mutating func fillSlot(_ hash: Int, _ number: Int32) {
    var place = home(hash)
    while slots[place].number >= 0 { place = next(place) }
    slots[place] = Slot(hash: hash, number: number)
  }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: Slot(hash: 0, number: -1), count: max(16, 2 * old.count))
    for slot in old where slot.number >= 0 { fillSlot(slot.hash, slot.number) }
  }
}
