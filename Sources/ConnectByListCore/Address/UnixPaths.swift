/// The paths of Unix stream addresses, each once: an endpoint is a plain value and has only the place
/// of its path in here.
///
/// A path stands as scripts write it: `/run/x.sock`, or `@name` for an abstract one. A place is used
/// again when its path is not in use any more, under another number: an endpoint that is older than
/// that (a race that still runs may have one) has no path any more, and never another's.
public struct UnixPaths: Sendable {
  /// The longest path in bytes, and the longest abstract name without its `@`: sun_path of
  /// unix(7) has 108, and one of them is the NUL behind the path, or before the name.
  public static let lengthMax = 107

  private struct Slot: Sendable {
    var path: [UInt8]
    /// How many entries have it; 0: the slot is free.
    var useCount = 0
    var generation: UInt32
  }

  private var slots: [Slot] = []
  private var free: [Int] = []
  /// The slots in use in the order of their paths, so that one is found by halving. A dictionary
  /// would be faster beyond some 10,000 paths, and is 4 KB of code.
  private var sorted: [Int32] = []
  private var generation: UInt32 = 0

  public init() {}

  /// The path of an endpoint; empty where it has none here.
  public subscript(endpoint: Endpoint) -> [UInt8] {
    slot(of: endpoint).map { slots[$0].path } ?? []
  }

  /// The endpoint of a path, which one more entry has from here on.
  mutating func take(_ path: [UInt8]) throws(EntryError) -> Endpoint {
    try Self.check(path)
    let position = position(of: path)
    let isThere = position < sorted.count && slots[Int(sorted[position])].path == path
    let slot = isThere ? Int(sorted[position]) : add(path)
    if !isThere {
      // `insert(_:at:)`, without its half kilobyte of code.
      sorted.append(Int32(slot))
      for place in stride(from: sorted.count - 1, to: position, by: -1) {
        sorted[place] = sorted[place - 1]
      }
      sorted[position] = Int32(slot)
    }
    slots[slot].useCount += 1
    return Endpoint(
      IPAddress(unix: UInt64(slots[slot].generation) << 32 | UInt64(slot)), port: 0)
  }

  /// One more entry has this endpoint, which must be one of here.
  mutating func take(_ endpoint: Endpoint) {
    guard let slot = slot(of: endpoint) else { preconditionFailure("another list's Unix path") }
    slots[slot].useCount += 1
  }

  /// An entry is gone that had this endpoint.
  mutating func giveBack(_ endpoint: Endpoint) {
    guard let slot = slot(of: endpoint) else { return }
    slots[slot].useCount -= 1
    guard slots[slot].useCount == 0 else { return }
    sorted.remove(at: position(of: slots[slot].path))
    slots[slot].path = []
    free.append(slot)
    generation &+= 1
  }

  mutating func removeAll() {
    slots = []
    free = []
    sorted = []
    generation &+= 1
  }

  /// Throws `.unixEmpty`, `.unixTooLong`, `.unixNUL` for what no socket can be bound to.
  public static func check(_ path: [UInt8]) throws(EntryError) {
    let isAbstract = path.first == UInt8(ascii: "@")
    if path.count == (isAbstract ? 1 : 0) { throw EntryError(.unixEmpty) }
    if path.contains(0) { throw EntryError(.unixNUL) }
    if path.count > (isAbstract ? lengthMax + 1 : lengthMax) { throw EntryError(.unixTooLong) }
  }

  private mutating func add(_ path: [UInt8]) -> Int {
    let new = Slot(path: path, generation: generation)
    let slot: Int
    if let unused = free.popLast() {
      slot = unused
      slots[slot] = new
    } else {
      slot = slots.count
      slots.append(new)
    }
    return slot
  }

  /// Where in `sorted` a path stands, or would.
  private func position(of path: [UInt8]) -> Int {
    var low = 0
    var high = sorted.count
    while low < high {
      let middle = (low + high) / 2
      if slots[Int(sorted[middle])].path.lexicographicallyPrecedes(path) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }

  private func slot(of endpoint: Endpoint) -> Int? {
    let place = endpoint.address.low
    let slot = Int(place & 0xffff_ffff)
    guard endpoint.family == .unix, slot < slots.count, slots[slot].useCount > 0,
      slots[slot].generation == UInt32(truncatingIfNeeded: place >> 32)
    else { return nil }
    return slot
  }
}

extension Endpoint {
  /// A Unix address whose path stands in no table: an unnamed one, or one that only the kernel was
  /// asked for.
  public static let unixElsewhere = Endpoint(IPAddress(unix: .max), port: 0)
}

extension TextBuffer {
  /// A Unix address: `unix:/run/x.sock`, `unix:@name`, `unix:` for an unnamed one. Control bytes
  /// are escaped as `\x1b`.
  public mutating func append(unixPath path: [UInt8]) {
    append("unix:")
    append(escaped: path, limit: UnixPaths.lengthMax + 1)
  }
}
