// One sort for all that is sorted, and one table for what is looked up by its endpoint.

/// The numbers 0 ..< `count` in the order that `precedes` says; those of which neither precedes the
/// other stay as they are. O(n log n), O(n) where they are in order already.
///
/// The library's `sort` would be there once for each type that is sorted, 4 KB each time; of this
/// one there is one. A merge sort from below.
@inline(never)
public func sortedIndices(_ count: Int, by precedes: (_ a: Int, _ b: Int) -> Bool) -> [Int] {
  var order = Array(0..<count)
  if count < 2 { return order }
  var merged = order
  var width = 1
  while width < count {
    var start = 0
    while start < count {
      let middle = min(start + width, count)
      let end = min(middle + width, count)
      let isInOrder = middle == end || !precedes(order[middle], order[middle - 1])
      var left = start
      var right = middle
      for place in start..<end {
        if left < middle && (isInOrder || right == end || !precedes(order[right], order[left])) {
          merged[place] = order[left]
          left += 1
        } else {
          merged[place] = order[right]
          right += 1
        }
      }
      start = end
    }
    swap(&order, &merged)
    width *= 2
  }
  return order
}

/// Endpoints, each once, and the place of each: what a dictionary would be for, without a kilobyte
/// of code for each type of its values. They stand in arrays beside, at the same places.
///
/// Up to `scannedMax` endpoints are looked through; beyond, their hashes are kept, in a table that
/// is at most half full. The hash has no secret, as the core has no random numbers: who chooses the
/// endpoints can choose such as share their slots, and makes what a list remembers of them slow to
/// look up. Only what was tried is in it.
struct EndpointTable: Sendable {
  private(set) var endpoints: [Endpoint] = []
  /// Places, -1 where there is none; a power of two, or none at all.
  private var slots: [Int32] = []

  private static let scannedMax = 8

  /// Where an endpoint stands.
  @inline(never)
  func place(of endpoint: Endpoint) -> Int? {
    if slots.isEmpty {
      for place in endpoints.indices where endpoints[place] == endpoint { return place }
      return nil
    }
    let place = slots[slot(of: endpoint)]
    return place < 0 ? nil : Int(place)
  }

  /// Puts an endpoint at the end, unless it is there already; then false.
  @inline(never)
  mutating func insert(_ endpoint: Endpoint) -> Bool {
    if place(of: endpoint) != nil { return false }
    endpoints.append(endpoint)
    if !slots.isEmpty && 2 * endpoints.count <= slots.count {
      slots[slot(of: endpoint)] = Int32(endpoints.count - 1)
    } else if endpoints.count > Self.scannedMax {
      slots = Array(repeating: -1, count: max(4 * Self.scannedMax, 2 * slots.count))
      for place in endpoints.indices { slots[slot(of: endpoints[place])] = Int32(place) }
    }
    return true
  }

  /// The slot of an endpoint, or the free one that it would get.
  @inline(never)
  private func slot(of endpoint: Endpoint) -> Int {
    let mask = slots.count - 1
    var slot = endpoint.scatter & mask
    while slots[slot] >= 0 && endpoints[Int(slots[slot])] != endpoint { slot = (slot + 1) & mask }
    return slot
  }
}

extension Endpoint {
  /// Some order.
  func precedes(_ other: Endpoint) -> Bool {
    let (a, b) = (address, other.address)
    if a.high != b.high { return a.high < b.high }
    if a.low != b.low { return a.low < b.low }
    if a.scope != b.scope { return a.scope < b.scope }
    if a.family != b.family { return a.family.rawValue < b.family.rawValue }
    return port < other.port
  }

  /// A number that is another for almost any two endpoints, also in its lowest bits.
  fileprivate var scatter: Int {
    // The odd constants are SplitMix64's.
    var bits = address.high &* 0xbf58_476d_1ce4_e5b9 ^ address.low
    bits = (bits ^ bits >> 30) &* 0x94d0_49bb_1331_11eb
    bits ^= UInt64(address.scope) << 32 ^ UInt64(port) << 8 ^ UInt64(address.family.rawValue)
    bits = (bits ^ bits >> 27) &* 0x9e37_79b9_7f4a_7c15
    return Int(truncatingIfNeeded: bits >> 32)
  }
}
