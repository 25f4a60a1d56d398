/// One entry of a list.
public enum Entry: Equatable, Sendable {
  case endpoint(Endpoint)
  case name(HostName)

  public init(_ text: EntryText) {
    switch text {
    case .endpoint(let endpoint): self = .endpoint(endpoint)
    case .name(let host, let port): self = .name(HostName(host: host, port: port))
    }
  }
}

/// The entries of an address list, in the caller's order, and the paths of its Unix entries.
public struct EntryList: Sendable {
  /// The maximum number of entries. Every size that comes from input has a bound.
  public static let countMax = 1_000_000

  private var entries: [Entry] = []
  public private(set) var unixPaths: UnixPaths
  /// The port of entries without one of their own; `nil`: such entries are malformed.
  public let defaultPort: UInt16?
  /// For the hash tables over the list's entries.
  package let hashSecret: HashSecret

  public init(defaultPort: UInt16? = nil, hashSecret: HashSecret = .fixed) {
    self.defaultPort = defaultPort
    self.hashSecret = hashSecret
    unixPaths = UnixPaths(hashSecret: hashSecret)
  }

  public var count: Int { entries.count }
  public subscript(index: Int) -> Entry { entries[index] }
  public var isFull: Bool { count >= Self.countMax }

  /// Appends an entry; the list must not be full. A Unix endpoint must come from this list.
  public mutating func append(_ entry: Entry) {
    precondition(!isFull, "an address list holds at most 1,000,000 entries")
    if case .endpoint(let endpoint) = entry, endpoint.family == .unix { unixPaths.retain(endpoint) }
    entries.append(entry)
  }

  /// Appends a Unix stream address; the list must not be full.
  ///
  /// - Parameter path: of a socket in the file system, 1 … 107 bytes; or `@` and an abstract name of 1 …
  ///   107 bytes. (A relative path that begins with `@` is written `./@…`.)
  /// - Throws: `.unixEmpty`, `.unixTooLong`, `.unixNUL`; the list is unchanged.
  public mutating func append(unixPath path: [UInt8]) throws(EntryError) {
    precondition(!isFull, "an address list holds at most 1,000,000 entries")
    entries.append(.endpoint(try unixPaths.insert(path)))
  }

  @discardableResult
  public mutating func remove(at index: Int) -> Entry {
    let entry = entries.remove(at: index)
    if case .endpoint(let endpoint) = entry { unixPaths.release(endpoint) }
    return entry
  }

  public mutating func removeAll() {
    entries.removeAll()
    unixPaths.removeAll()
  }

  /// Whether an entry is this endpoint, or its v4-mapped form. O(n).
  func contains(_ endpoint: Endpoint) -> Bool {
    entries.contains {
      if case .endpoint(let other) = $0 { other.unmapped == endpoint } else { false }
    }
  }

  /// The host names, each with the index of its entry.
  public var names: [(name: HostName, entry: Int32)] {
    var result: [(name: HostName, entry: Int32)] = []
    for (index, entry) in entries.enumerated() {
      if case .name(let name) = entry { result.append((name, Int32(index))) }
    }
    return result
  }

  /// Whether an entry has to be resolved.
  public var hasNames: Bool {
    entries.contains { if case .name = $0 { true } else { false } }
  }

  /// Whether a literal is a link-local IPv6 address without a scope. Its candidates depend on the
  /// interfaces, which the driver has to ask for first.
  public var hasUnscopedLinkLocal: Bool {
    entries.contains {
      if case .endpoint(let endpoint) = $0 { endpoint.address.lacksScope } else { false }
    }
  }
}
