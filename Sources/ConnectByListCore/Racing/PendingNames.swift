/// The number of a name in a race: its index among the list's names, or above these.
public struct NameID: Hashable, Sendable {
  public let number: Int32
  public init(_ number: Int32) { self.number = number }
}

/// The names of a race whose answers have not all come, and the addresses that wait for another answer.
///
/// RFC 8305 section 3: when the IPv4 addresses of a name come first, they are held for a moment, so that a
/// slower AAAA answer does not cost IPv6 its place. Literals and other names are not held with them.
///
/// It is a class because most races have no names.
public final class PendingNames: @unchecked Sendable {
  /// RFC 8305 section 8, "Resolution Delay".
  static let resolutionDelay: TimeSpan = .milliseconds(50)

  public struct Name: Sendable {
    /// Index of its entry in the list.
    let entry: Int32
    /// Of a target of an SRV entry.
    let target: ServiceTarget.Place
    /// It is looked up for its NAT64 prefix (RFC 7050).
    let isPrefix: Bool
    var awaits: (inet: Bool, inet6: Bool)
    var awaitsRecords = false
    var held: [Candidate] = []
    var heldUntil: Instant = .distantFuture
    var hasAddress = false
    /// Why a family has no address, where an answer said so.
    var errno: Errno?

    /// `family`: only its addresses are asked for; `nil`: both families'.
    public init(entry: Int32, family: Family?) {
      self.init(entry: entry, family: family, target: .none)
    }

    init(entry: Int32, family: Family?, target: ServiceTarget.Place, isPrefix: Bool = false) {
      self.entry = entry
      self.target = target
      self.isPrefix = isPrefix
      awaits = (family != .inet6, family != .inet)
    }

    /// A name whose SRV records are asked for; the addresses of their targets join the race.
    public init(recordsOfEntry entry: Int32) {
      self.init(entry: entry, family: nil)
      awaits = (false, false)
      awaitsRecords = true
    }
  }

  private struct Release: Comparable, Sendable {
    let time: Instant
    let name: Int

    static func < (a: Release, b: Release) -> Bool { (a.time, a.name) < (b.time, b.name) }
  }

  private var names: [Name]
  /// How many answers are still to come, and how many names have addresses that are held.
  private var awaitedCount = 0
  private var heldCount = 0
  /// When held addresses join. An entry is out of date where the name's addresses have joined before.
  private var releases = Heap<Release>()
  /// The names that were not in the list, in the order of their numbers, and how many of them the driver has started
  /// to look up.
  var lookups: [Race.Lookup] = []
  var startedLookupCount = 0

  init(_ names: [Name]) {
    self.names = names
    for name in names { awaitedCount += name.awaitedCount }
  }

  /// The families that are asked for, the first one first. `wanted`: only this one; `nil`: both.
  public static func families(of name: HostName, _ wanted: Family?) -> [Family] {
    if let family = wanted ?? name.onlyFamily { return [family] }
    return [.inet6, .inet]
  }

  /// The index of the name that is this entry of the list.
  func firstIndex(ofEntry entry: Int32) -> Int? { names.firstIndex { $0.entry == entry } }
  /// The index of each name's entry in the list.
  var entries: [Int] { names.map { Int($0.entry) } }

  /// Every answer has come, and no addresses are held.
  var isSettled: Bool { awaitedCount == 0 && heldCount == 0 }

  /// When the first held addresses join the race at the latest.
  var nextRelease: Instant {
    heldCount == 0 ? .distantFuture : releases.first?.time ?? .distantFuture
  }

  func isPrefix(_ id: NameID) -> Bool { names[Int(id.number)].isPrefix }

  /// Why there is no address, once every answer has come; `nil`: there is one, or an answer is missing. That one
  /// family has none says less than any other failure.
  func failure(of id: NameID) -> Errno? {
    let name = names[Int(id.number)]
    return name.hasAddress || name.awaitedCount > 0 ? nil : name.errno
  }

  /// Adds a name that was not in the list, and returns its number.
  func add(_ name: Name) -> NameID {
    names.append(name)
    awaitedCount += name.awaitedCount
    return NameID(Int32(names.count - 1))
  }

  /// Takes an answer in and returns the candidates that may join the race now.
  ///
  /// `family`: the answer is about this family only; `nil`: about both.
  func answer(
    _ id: NameID, _ family: Family?, _ endpoints: [Endpoint], _ errno: Errno? = nil,
    at now: Instant
  ) -> [Candidate] {
    let index = Int(id.number)
    noteAnswer(index, family)
    if let errno, errno.tellsMore(than: names[index].errno) { names[index].errno = errno }
    if !endpoints.isEmpty { names[index].hasAddress = true }
    let (entry, target) = (names[index].entry, names[index].target)
    let candidates = endpoints.map { Candidate($0.unmapped, entry: entry, target: target) }
    if family == .inet && names[index].awaits.inet6 && !candidates.isEmpty {
      names[index].held = candidates
      names[index].heldUntil = now + Self.resolutionDelay
      heldCount += 1
      releases.insert(Release(time: names[index].heldUntil, name: index))
      return []
    }
    return candidates + takeHeld(index)
  }

  /// The targets of a name's SRV records are names of their own, or addresses.
  func noteRecords(_ id: NameID) -> Int32 {
    let index = Int(id.number)
    if names[index].awaitsRecords {
      names[index].awaitsRecords = false
      awaitedCount -= 1
    }
    names[index].hasAddress = true
    return names[index].entry
  }

  private func noteAnswer(_ index: Int, _ family: Family?) {
    let before = names[index].awaitedCount
    if family != .inet6 { names[index].awaits.inet = false }
    if family != .inet { names[index].awaits.inet6 = false }
    if family == nil { names[index].awaitsRecords = false }
    awaitedCount -= before - names[index].awaitedCount
  }

  /// The candidates whose delay is over.
  func release(at now: Instant) -> [Candidate] {
    guard nextRelease <= now else { return [] }
    var released: [Candidate] = []
    while let first = releases.first, first.time <= now {
      releases.removeFirst()
      released += takeHeld(first.name)
    }
    return released
  }

  private func takeHeld(_ index: Int) -> [Candidate] {
    let addresses = names[index].held
    guard !addresses.isEmpty else { return [] }
    names[index].held = []
    names[index].heldUntil = .distantFuture
    heldCount -= 1
    if heldCount == 0 { releases = Heap() }
    return addresses
  }
}

extension PendingNames.Name {
  fileprivate var awaitedCount: Int {
    (awaits.inet ? 1 : 0) + (awaits.inet6 ? 1 : 0) + (awaitsRecords ? 1 : 0)
  }
}

extension AddressList {
  /// The list's names, for a race that waits for them.
  public func names(_ options: ConnectOptions) -> [PendingNames.Name] {
    names.map { name, entry in
      name.port == .records
        ? PendingNames.Name(recordsOfEntry: entry)
        : PendingNames.Name(entry: entry, family: options.family ?? name.onlyFamily)
    }
  }
}

extension Errno {
  /// Whether this failure of a lookup is reported for a name rather than `other`, the failure of another lookup of
  /// the same name. The order of the answers does not matter: EADDRNOTAVAIL (there are addresses, and none of them
  /// can be used here) comes first, EAI_NODATA (no address of one family) last, and of two others the one with the
  /// greater number.
  package func tellsMore(than other: Errno?) -> Bool {
    guard let other else { return true }
    func rank(_ errno: Errno) -> Int {
      errno == .addressNotAvailable ? 2 : errno == .nameWithoutAddress ? 0 : 1
    }
    let (mine, others) = (rank(self), rank(other))
    return mine != others ? mine > others : number > other.number
  }
}
