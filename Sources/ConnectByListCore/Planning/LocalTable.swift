/// The local ends of a plan's pairs, by index, with what the race has learned of each.
///
/// The first four entries are not addresses. Three stand for "not bound, the route chooses the source", one
/// a family, because a route without a source says nothing of the other family. The fourth stands for "there
/// is no source": the caller named local addresses, and none can reach the remote. The addresses follow.
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
    var isUsed = false

    /// Three silent remotes make the source a suspect (section 3 point 4).
    var isSuspect: Bool { silentCount >= 3 }
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

  /// The indices of the addresses.
  var addresses: Range<Int32> {
    Self.firstAddress..<max(Self.firstAddress, Int32(entries.count))
  }

  var hasSuspect: Bool { entries.contains { $0.isSuspect } }

  subscript(index: Int32) -> Entry {
    get { entries.isEmpty ? Self.initialEntry(index) : entries[Int(index)] }
    _modify {
      makeEntries()
      yield &entries[Int(index)]
    }
  }

  /// The address of an entry that is one.
  func address(_ index: Int32) -> LocalAddress { entries[Int(index)].address! }

  func index(of address: IPAddress) -> Int32? {
    addresses.first { entries[Int($0)].address!.address == address }
  }

  /// Adds an address and returns its index.
  @discardableResult
  mutating func append(_ address: LocalAddress, port: UInt16 = 0) -> Int32 {
    makeEntries()
    entries.append(Entry(address: address, port: port))
    return Int32(entries.count - 1)
  }

  private mutating func makeEntries() {
    guard entries.isEmpty else { return }
    entries = (0..<Self.firstAddress).map { Self.initialEntry($0) }
  }

  private static func initialEntry(_ index: Int32) -> Entry {
    var entry = Entry(address: nil, port: 0)
    if index == routesChoice(.unix) { entry.chance = Chance.localOfUnix }
    if index == noSource { entry.chance = Chance.afterDefiniteFailure }
    return entry
  }
}
