/// The paths of the Unix stream addresses of a list.
///
/// An endpoint is a plain value of fixed size, so a Unix endpoint holds the number of a slot in this table
/// instead of its path. Equal paths share a slot. A slot whose path is no longer in use is used again with a
/// new generation number: an endpoint of the earlier generation, which a running race may still have, then
/// has no path, and never that of another entry.
///
/// A path is held as scripts write it: `/run/x.sock`, or `@name` for an abstract name.
public struct UnixPaths: Sendable {
  /// The longest path, and the longest abstract name without its `@`, in bytes: sun_path of unix(7) has 108,
  /// and one of them is the NUL after a path or before an abstract name.
  public static let lengthMax = 107

  private struct Slot: Sendable {
    var path: [UInt8]
    /// How many entries have the path; 0: the slot is free.
    var useCount = 0
    var generation: UInt32
  }

  /// Copies share it until one of them changes.
  private final class Table: @unchecked Sendable {
    var slots: [Slot] = []
    var freeSlots: [Int] = []
    var slotsByPath = HashIndex()

    init() {}

    init(copying other: Table) {
      slots = other.slots
      freeSlots = other.freeSlots
      slotsByPath = other.slotsByPath
    }

    func fillSlot(_ new: Slot, _ hash: Int) -> Int {
      let slot = freeSlots.popLast() ?? slots.count
      if slot < slots.count { slots[slot] = new } else { slots.append(new) }
      slotsByPath.insert(slot, hash: hash)
      return slot
    }
  }

  /// `nil`: there are no paths.
  private var table: Table?
  /// The generation of the next slot that is filled.
  private var generation: UInt32 = 0
  private let hashSecret: HashSecret

  public init(hashSecret: HashSecret = .fixed) { self.hashSecret = hashSecret }

  /// The table, which no copy shares.
  private mutating func ownTable() -> Table {
    if isKnownUniquelyReferenced(&table), let table { return table }
    let own = table.map { Table(copying: $0) } ?? Table()
    table = own
    return own
  }

  /// The path of an endpoint; empty: it has none in this table.
  public subscript(endpoint: Endpoint) -> [UInt8] {
    slot(of: endpoint).map { table!.slots[$0].path } ?? []
  }

  /// Returns the endpoint of a path, and counts one more entry that has it.
  mutating func insert(_ path: [UInt8]) throws(EntryError) -> Endpoint {
    try Self.check(path)
    let table = ownTable()
    let hash = hashSecret.hash(path)
    let known = table.slotsByPath.number(hash: hash) { table.slots[$0].path == path }
    let slot = known ?? table.fillSlot(Slot(path: path, generation: generation), hash)
    table.slots[slot].useCount += 1
    return Endpoint(
      IPAddress(unixSlot: UInt64(table.slots[slot].generation) << 32 | UInt64(slot)), port: 0)
  }

  /// Counts one more entry that has this endpoint, which must be of this table.
  mutating func retain(_ endpoint: Endpoint) {
    guard let slot = slot(of: endpoint) else { preconditionFailure("another list's Unix path") }
    ownTable().slots[slot].useCount += 1
  }

  /// Counts one entry less that has this endpoint. The last one frees the slot.
  mutating func release(_ endpoint: Endpoint) {
    guard let slot = slot(of: endpoint) else { return }
    let table = ownTable()
    table.slots[slot].useCount -= 1
    guard table.slots[slot].useCount == 0 else { return }
    table.slotsByPath.remove(slot, hash: hashSecret.hash(table.slots[slot].path))
    table.slots[slot].path = []
    table.freeSlots.append(slot)
    generation &+= 1
  }

  mutating func removeAll() {
    table = nil
    generation &+= 1
  }

  /// Throws `.unixEmpty`, `.unixTooLong`, `.unixNUL` for a path that no socket can be bound to.
  public static func check(_ path: [UInt8]) throws(EntryError) {
    let isAbstract = path.first == UInt8(ascii: "@")
    if path.count == (isAbstract ? 1 : 0) { throw EntryError(.unixEmpty) }
    if path.contains(0) { throw EntryError(.unixNUL) }
    if path.count > (isAbstract ? lengthMax + 1 : lengthMax) { throw EntryError(.unixTooLong) }
  }

  private func slot(of endpoint: Endpoint) -> Int? {
    let number = endpoint.address.low
    let slot = Int(number & 0xffff_ffff)
    guard endpoint.family == .unix, let table, slot < table.slots.count,
      table.slots[slot].useCount > 0,
      table.slots[slot].generation == UInt32(truncatingIfNeeded: number >> 32)
    else { return nil }
    return slot
  }
}

extension Endpoint {
  /// A Unix address without a path in any table: of an unnamed socket, or one that was read from the kernel.
  public static let unixElsewhere = Endpoint(IPAddress(unixSlot: .max), port: 0)
}

extension TextBuffer {
  /// A Unix address: `unix:/run/x.sock`, `unix:@name`, `unix:` for an unnamed one. Control bytes are escaped
  /// as `\x1b`.
  public mutating func append(unixPath path: [UInt8]) {
    append("unix:")
    append(escaped: path, limit: UnixPaths.lengthMax + 1)
  }
}
