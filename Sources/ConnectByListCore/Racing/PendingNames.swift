/// The number of a name in a race: its index among the list's names.
public struct NameID: Hashable, Sendable {
  public let number: Int32
  public init(_ number: Int32) { self.number = number }
}

/// The names of a race whose answers have not all come, and the addresses that wait for another answer.
///
/// RFC 8305 section 3: when the IPv4 addresses of a name come first, they are held for a moment, so that a
/// slower AAAA answer does not cost IPv6 its place. Literals and other names are not held with them.
public struct PendingNames: Sendable {
  /// RFC 8305 section 8, "Resolution Delay".
  static let resolutionDelay: TimeSpan = .milliseconds(50)

  public struct Name: Sendable {
    /// Index of its entry in the list.
    let entry: Int32
    var awaits: (inet: Bool, inet6: Bool)
    var held: [Candidate] = []
    var heldUntil: Instant = .distantFuture
    var hasAddress = false

    /// `family`: only its addresses are asked for; `nil`: both families'.
    public init(entry: Int32, family: Family?) {
      self.entry = entry
      awaits = (family != .inet6, family != .inet)
    }
  }

  private var names: [Name]
  /// How many answers are still to come, and which names' addresses are held, the earliest first.
  private var awaitedCount = 0
  private var held: [Int] = []

  init(_ names: [Name]) {
    self.names = names
    for name in names { awaitedCount += (name.awaits.inet ? 1 : 0) + (name.awaits.inet6 ? 1 : 0) }
  }

  /// Every answer has come, and no addresses are held.
  var isSettled: Bool { awaitedCount == 0 && held.isEmpty }

  /// When the first held addresses join the race at the latest.
  var nextRelease: Instant { held.first.map { names[$0].heldUntil } ?? .distantFuture }

  /// Every answer has come, and none had an address.
  func hasNoAddress(_ id: NameID) -> Bool {
    let name = names[Int(id.number)]
    return !name.hasAddress && !name.awaits.inet && !name.awaits.inet6
  }

  /// Takes an answer in and returns the candidates that may join the race now.
  ///
  /// `family`: the answer is about this family only; `nil`: about both.
  mutating func answer(
    _ id: NameID, _ family: Family?, _ endpoints: [Endpoint], at now: Instant
  ) -> [Candidate] {
    let index = Int(id.number)
    if family != .inet6, names[index].awaits.inet {
      names[index].awaits.inet = false
      awaitedCount -= 1
    }
    if family != .inet, names[index].awaits.inet6 {
      names[index].awaits.inet6 = false
      awaitedCount -= 1
    }
    if !endpoints.isEmpty { names[index].hasAddress = true }
    let entry = names[index].entry
    let candidates = endpoints.map { Candidate($0.unmapped, entry: entry) }
    if family == .inet && names[index].awaits.inet6 && !candidates.isEmpty {
      names[index].held = candidates
      names[index].heldUntil = now + Self.resolutionDelay
      // All are held equally long, so the end is the place; of one instant the names' order counts.
      let place = held.partitioningIndex {
        (names[$0].heldUntil, $0) > (names[index].heldUntil, index)
      }
      held.insert(index, at: place)
      return []
    }
    return candidates + takeHeld(index)
  }

  /// The candidates whose delay is over.
  mutating func release(at now: Instant) -> [Candidate] {
    guard nextRelease <= now else { return [] }
    var released: [Candidate] = []
    while let index = held.first, names[index].heldUntil <= now { released += takeHeld(index) }
    return released
  }

  private mutating func takeHeld(_ index: Int) -> [Candidate] {
    let addresses = names[index].held
    guard !addresses.isEmpty else { return [] }
    names[index].held = []
    names[index].heldUntil = .distantFuture
    held.removeAll { $0 == index }
    return addresses
  }
}

extension AddressList {
  /// The list's names, for a race that waits for them.
  public func names(_ options: ConnectOptions) -> [PendingNames.Name] {
    names.map { PendingNames.Name(entry: $0.entry, family: options.family) }
  }
}
