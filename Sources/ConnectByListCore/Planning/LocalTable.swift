/// The local ends of a plan's pairs, by index, with what the race has learned of each.
///
/// The first four entries are not addresses. Three stand for "not bound, the route chooses the source", one
/// a family. The fourth stands for "there is no source": the caller named local addresses, and none can reach
/// the remote. The addresses follow. The chance of the first four never changes: what happened to an attempt
/// whose source is not known counts once it is.
///
/// Nothing is allocated before an entry is written: a connect to one literal that answers never writes one.
struct LocalTable: Sendable {
  struct Entry: Sendable {
    /// `nil`: not an address.
    let address: LocalAddress?
    /// The port to connect from; 0: the kernel's choice.
    let port: UInt16
    /// L of the contract's section 3, as it is now.
    var chance = Chance.localPrior
    /// How many remotes were silent from here.
    var silentCount: Int32 = 0
    /// Whether an attempt from here was started or has failed.
    var isUsed = false

    /// Three silent remotes make the source a suspect (section 3 point 4).
    var isSuspect: Bool { address != nil && silentCount >= 3 }
  }

  static func routesChoice(_ family: Family) -> Int32 {
    switch family {
    case .inet: 0
    case .inet6: 1
    case .unix: 2
    }
  }
  static let noSource: Int32 = 3
  static let firstAddress: Int32 = 4

  private var entries: [Entry] = []
  /// Of each distinct address the first entry that has it.
  private var firstEntries: AddressIndex?
  private(set) var hasSuspect = false

  /// Copies of the table share it: it is replaced as a whole.
  private final class AddressIndex: Sendable {
    let distinct: DistinctKeys<IPAddress>
    let entries: [Int32]

    init(_ distinct: DistinctKeys<IPAddress>, _ entries: [Int32]) {
      self.distinct = distinct
      self.entries = entries
    }
  }

  /// The indices of the addresses.
  var addresses: Range<Int32> {
    Self.firstAddress..<max(Self.firstAddress, Int32(entries.count))
  }

  subscript(index: Int32) -> Entry {
    get { entries.isEmpty ? Self.initialEntry(index) : entries[Int(index)] }
    _modify {
      makeEntries()
      yield &entries[Int(index)]
      if entries[Int(index)].isSuspect { hasSuspect = true }
    }
  }

  /// The address of an entry that is one.
  func address(_ index: Int32) -> LocalAddress { entries[Int(index)].address! }

  func chance(_ index: Int32) -> Double {
    entries.isEmpty ? Self.initialEntry(index).chance : entries[Int(index)].chance
  }

  /// The same without a copy of the entry.
  func isUsed(_ index: Int32) -> Bool { entries.isEmpty ? false : entries[Int(index)].isUsed }
  func isSuspect(_ index: Int32) -> Bool {
    entries.isEmpty ? false : entries[Int(index)].isSuspect
  }

  /// The first entry with this address.
  func index(of address: IPAddress) -> Int32? {
    guard let firstEntries else { return nil }
    return firstEntries.distinct.number(of: address).map { firstEntries.entries[$0] }
  }

  /// Adds an address and returns its index.
  @discardableResult
  mutating func append(
    _ address: LocalAddress, port: UInt16 = 0, secret: HashSecret
  ) -> Int32 {
    makeEntries()
    entries.append(Entry(address: address, port: port))
    let index = Int32(entries.count - 1)
    var distinct = firstEntries?.distinct ?? DistinctKeys(secret: secret)
    var firsts = firstEntries?.entries ?? []
    // Unless a copy of the table shares them, the arrays are not copied below.
    firstEntries = nil
    if distinct.insert(address.address).isNew { firsts.append(index) }
    firstEntries = AddressIndex(distinct, firsts)
    return index
  }

  /// What the kernel knows of a named address: its prefix and flags.
  mutating func describe(_ index: Int32, _ known: LocalAddress) {
    let entry = entries[Int(index)]
    var described = Entry(address: known, port: entry.port)
    described.chance = entry.chance
    described.silentCount = entry.silentCount
    described.isUsed = entry.isUsed
    entries[Int(index)] = described
  }

  /// Forgets what the race has learned of the addresses.
  mutating func resetChances() {
    for index in entries.indices.dropFirst(Int(Self.firstAddress)) {
      entries[index].chance = Chance.localPrior
      entries[index].silentCount = 0
    }
    hasSuspect = false
  }

  private mutating func makeEntries() {
    guard entries.isEmpty else { return }
    entries = (0..<Self.firstAddress).map { Self.initialEntry($0) }
  }

  private static func initialEntry(_ index: Int32) -> Entry {
    var entry = Entry(address: nil, port: 0)
    if index == routesChoice(.unix) { entry.chance = Chance.localOfUnix }
    return entry
  }
}

/// The local addresses in classes: those of one class reach the same remotes (`LocalAddress.canReach`). It does
/// not change.
final class LocalClasses: @unchecked Sendable {
  private struct Class: Hashable, Sendable {
    let family: Family
    let isLoopback: Bool
    let isLinkLocal: Bool
    let scope: UInt32

    init(_ address: IPAddress) {
      family = address.family
      isLoopback = address.isLoopback
      isLinkLocal = address.isLinkLocal
      scope = address.scope
    }
  }

  private var classes: DistinctKeys<Class>
  /// The locals of each class, in their order.
  private var members: [[Int32]] = []

  init(_ locals: LocalTable, secret: HashSecret) {
    classes = DistinctKeys(secret: secret)
    for index in locals.addresses {
      let local = locals.address(index)
      if local.flags.contains(.tentative) { continue }
      let (number, isNew) = classes.insert(Class(local.address))
      if isNew { members.append([]) }
      members[number].append(index)
    }
  }

  /// The locals that can reach a remote.
  func locals(reaching remote: IPAddress) -> [Int32] {
    classes.number(of: Class(remote)).map { members[$0] } ?? []
  }
}
