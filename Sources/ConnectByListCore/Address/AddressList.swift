/// A host name with its port, still to be resolved.
public struct HostName: Equatable, Sendable {
  public let host: [UInt8]
  public let port: PortText

  public init(host: [UInt8], port: PortText) {
    self.host = host
    self.port = port
  }
}

/// What a caller put into a list.
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

/// The addresses that a script wants to be connected to, in its own order.
///
/// A literal costs 32 bytes; names keep their text beside.
public struct AddressList: Sendable {
  /// The most entries a list may hold. Every size that comes from input has a bound.
  public static let countMax = 1_000_000

  public private(set) var entries: [Entry] = []
  /// How its endpoints did in earlier connects.
  public var history = ConnectHistory()
  /// The paths of its Unix entries.
  public private(set) var unixPaths = UnixPaths()
  /// The port of entries that have none of their own.
  public let defaultPort: UInt16?

  public init(defaultPort: UInt16? = nil) { self.defaultPort = defaultPort }

  public var count: Int { entries.count }
  public subscript(index: Int) -> Entry { entries[index] }
  public var isFull: Bool { entries.count >= Self.countMax }

  /// Appends; the list must not be full.
  public mutating func append(_ entry: Entry) {
    precondition(!isFull, "an address list holds at most 1,000,000 entries")
    if case .endpoint(let endpoint) = entry, endpoint.family == .unix { unixPaths.take(endpoint) }
    entries.append(entry)
  }

  /// Appends a Unix stream address; the list must not be full.
  ///
  /// - Parameter path: of a socket in the file system, 1 … 107 bytes; or `@` and an abstract name
  ///   of as many. (A relative path that begins with `@` is written `./@…`.)
  /// - Throws: `.unixEmpty`, `.unixTooLong`, `.unixNUL`; the list is as before.
  public mutating func append(unixPath path: [UInt8]) throws(EntryError) {
    precondition(!isFull, "an address list holds at most 1,000,000 entries")
    entries.append(.endpoint(try unixPaths.take(path)))
  }

  @discardableResult
  public mutating func remove(at index: Int) -> Entry {
    let entry = entries.remove(at: index)
    if case .endpoint(let endpoint) = entry {
      history.forget(endpoint)
      unixPaths.giveBack(endpoint)
    }
    return entry
  }

  public mutating func removeAll() {
    entries.removeAll()
    history.forget()
    unixPaths.removeAll()
  }

  /// A plan for its literals, with what the list remembers. Nothing is asked of the kernel; `links`
  /// as in `candidates(family:links:)`. `nil`: there is nothing to try, neither a literal nor a
  /// name.
  public func plan(_ options: ConnectOptions, links: [UInt32], at now: Instant) -> Plan? {
    let candidates = candidates(family: options.family, links: links)
    guard !candidates.isEmpty || hasNames else { return nil }
    let plan = Plan(candidates, options: options, unixPaths: unixPaths)
    history.inform(plan, at: now)
    return plan
  }
}

extension AddressList {
  /// Whether some literal is a link-local IPv6 address without a scope: then the links must be
  /// known before the candidates are.
  public var hasUnscopedLinkLocal: Bool {
    entries.contains {
      guard case .endpoint(let endpoint) = $0 else { return false }
      return endpoint.address.needsScope && endpoint.address.scope == 0
    }
  }

  /// The literals as candidates: v4-mapped ones as IPv4, duplicates merged into their first place,
  /// an unscoped link-local address once for each of `links` (interface indices that have such an
  /// address).
  ///
  /// O(n log n), O(n) where they are sorted. A family other than `family`, where that is given, is left
  /// out.
  public func candidates(family: Family?, links: [UInt32]) -> [Candidate] {
    var result: [Candidate] = []
    result.reserveCapacity(entries.count)
    func take(_ endpoint: Endpoint, _ entry: Int) {
      if let family, endpoint.family != family { return }
      result.append(Candidate(endpoint, entry: Int32(entry)))
    }
    for (index, entry) in entries.enumerated() {
      guard case .endpoint(let literal) = entry else { continue }
      let endpoint = literal.unmapped
      if endpoint.address.needsScope && endpoint.address.scope == 0 {
        for link in links { take(endpoint.withScope(link), index) }
      } else {
        take(endpoint, index)
      }
    }
    return result.count > 1 ? merged(result) : result
  }

  /// Without those whose endpoint stands before them. By sorting: who writes a list for somebody
  /// else cannot make it slow, as he could with hashes that he knows.
  private func merged(_ candidates: [Candidate]) -> [Candidate] {
    let order = sortedIndices(candidates.count) {
      candidates[$0].endpoint.precedes(candidates[$1].endpoint)
    }
    var isRepeated = [Bool](repeating: false, count: candidates.count)
    var repeatedCount = 0
    for place in 1..<order.count
    where candidates[order[place]].endpoint == candidates[order[place - 1]].endpoint {
      isRepeated[order[place]] = true
      repeatedCount += 1
    }
    if repeatedCount == 0 { return candidates }
    var merged: [Candidate] = []
    merged.reserveCapacity(candidates.count - repeatedCount)
    for index in candidates.indices where !isRepeated[index] { merged.append(candidates[index]) }
    return merged
  }

  /// Whether there is anything to be resolved.
  public var hasNames: Bool {
    entries.contains { if case .name = $0 { true } else { false } }
  }

  /// The names with the places of their entries.
  public var names: [(name: HostName, entry: Int32)] {
    var result: [(name: HostName, entry: Int32)] = []
    for (index, entry) in entries.enumerated() {
      if case .name(let name) = entry { result.append((name, Int32(index))) }
    }
    return result
  }
}
