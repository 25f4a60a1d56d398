/// What a name being resolved is called by: its index among the names of the race.
public struct NameID: Hashable, Sendable {
  public let number: Int32
  public init(_ number: Int32) { self.number = number }
}

/// The names of a race whose addresses are still to come, and the addresses that came too early.
///
/// RFC 8305 section 3: when the IPv4 addresses of a name are there first, they wait a moment for
/// the IPv6 ones, so that a slower AAAA answer does not cost the family its turn. Literals and
/// other names do not wait with them.
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

    /// `family`: only its addresses are asked for; `nil`: both.
    public init(entry: Int32, family: Family?) {
      self.entry = entry
      awaits = (family != .inet6, family != .inet)
    }
  }

  private var names: [Name]

  init(_ names: [Name]) { self.names = names }

  /// Nothing is to come any more.
  var isSettled: Bool {
    for name in names where name.awaits.inet || name.awaits.inet6 || !name.held.isEmpty {
      return false
    }
    return true
  }

  /// When addresses that are held go in, at the latest.
  var nextRelease: Instant {
    var next = Instant.distantFuture
    for name in names { next = min(next, name.heldUntil) }
    return next
  }

  /// Every answer came, and none had an address.
  func hasNoAddress(_ id: NameID) -> Bool {
    let name = names[Int(id.number)]
    return !name.hasAddress && !name.awaits.inet && !name.awaits.inet6
  }

  /// Takes an answer in; returns the candidates that may join the race now.
  mutating func answer(
    _ id: NameID, _ family: Family?, _ endpoints: [Endpoint], at now: Instant
  ) -> [Candidate] {
    let index = Int(id.number)
    if family != .inet6 { names[index].awaits.inet = false }
    if family != .inet { names[index].awaits.inet6 = false }
    if !endpoints.isEmpty { names[index].hasAddress = true }
    let entry = names[index].entry
    let candidates = endpoints.map { Candidate($0.unmapped, entry: entry) }
    if family == .inet && names[index].awaits.inet6 && !candidates.isEmpty {
      names[index].held = candidates
      names[index].heldUntil = now + Self.resolutionDelay
      return []
    }
    return candidates + take(index)
  }

  /// The candidates whose wait is over.
  mutating func release(at now: Instant) -> [Candidate] {
    guard nextRelease <= now else { return [] }
    var released: [Candidate] = []
    for index in names.indices where names[index].heldUntil <= now { released += take(index) }
    return released
  }

  private mutating func take(_ index: Int) -> [Candidate] {
    let held = names[index].held
    names[index].held = []
    names[index].heldUntil = .distantFuture
    return held
  }
}
