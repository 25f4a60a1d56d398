/// The addresses of a caller in its own order, and how they did in earlier connects.
///
/// A list and its copies may be used by any number of threads; a copy does not see what the original learns
/// later.
public struct AddressList: Sendable {
  /// The maximum number of entries.
  public static let countMax = EntryList.countMax

  private var list: EntryList
  /// How the list's endpoints did in earlier connects.
  public var history: ConnectHistory

  /// - Parameters:
  ///   - defaultPort: the port of entries without one of their own; `nil`: such entries are malformed.
  ///   - hashSecret: for the hash tables over the list's entries. A program that takes entries from input should
  ///     pass the secret of the process, `HashSecret.ofThisProcess`. An ordinary build does not depend on
  ///     it: there the seed of `Hasher` is random as well.
  public init(defaultPort: UInt16? = nil, hashSecret: HashSecret = .fixed) {
    list = EntryList(defaultPort: defaultPort, hashSecret: hashSecret)
    history = ConnectHistory(hashSecret: hashSecret)
  }

  public var count: Int { list.count }
  public subscript(index: Int) -> Entry { list[index] }
  public var isFull: Bool { list.isFull }
  public var defaultPort: UInt16? { list.defaultPort }
  /// The paths of its Unix entries.
  public var unixPaths: UnixPaths { list.unixPaths }
  /// The host names, each with the index of its entry.
  public var names: [(name: HostName, entry: Int32)] { list.names }
  /// Whether an entry has to be resolved.
  public var hasNames: Bool { list.hasNames }
  /// Whether a literal is a link-local IPv6 address without a scope; see `candidates(family:links:)`.
  public var hasUnscopedLinkLocal: Bool { list.hasUnscopedLinkLocal }

  /// Appends an entry; the list must not be full. A Unix endpoint must come from this list.
  public mutating func append(_ entry: Entry) { list.append(entry) }

  /// Appends a Unix stream address; the list must not be full.
  ///
  /// - Parameter path: of a socket in the file system, 1 … 107 bytes; or `@` and an abstract name of 1 …
  ///   107 bytes. (A relative path that begins with `@` is written `./@…`.)
  /// - Throws: `.unixEmpty`, `.unixTooLong`, `.unixNUL`; the list is unchanged.
  public mutating func append(unixPath path: [UInt8]) throws(EntryError) {
    try list.append(unixPath: path)
  }

  /// Removes an entry, and the history of its endpoint unless another entry has it too.
  @discardableResult
  public mutating func remove(at index: Int) -> Entry {
    let entry = list.remove(at: index)
    if case .endpoint(let endpoint) = entry, history[endpoint] != nil,
      !list.contains(endpoint.unmapped)
    {
      history.forget(endpoint)
    }
    return entry
  }

  public mutating func removeAll() {
    list.removeAll()
    history.forget()
  }

  /// A plan over the literals, with the list's history of them. Makes no system call. `links`: as in
  /// `candidates(family:links:)`. `nil`: the list has neither a literal of the wanted family nor a name.
  public func plan(_ options: ConnectOptions, links: [UInt32], at now: Instant) -> Plan? {
    let single = singleCandidate(family: options.family)
    let candidates = single == nil ? candidates(family: options.family, links: links) : []
    guard single != nil || !candidates.isEmpty || hasNames else { return nil }
    let plan = Plan(
      candidates, options: options, unixPaths: unixPaths, history: history, at: now,
      hashSecret: list.hashSecret)
    if let single { plan.append(single, history) }
    return plan
  }

  /// The candidate of a list of one literal, for which no array is made.
  private func singleCandidate(family: Family?) -> Candidate? {
    guard count == 1, case .endpoint(let literal) = list[0], !literal.address.lacksScope else {
      return nil
    }
    let endpoint = literal.unmapped
    return family == nil || endpoint.family == family ? Candidate(endpoint, entry: 0) : nil
  }

  /// The literals as candidates. A v4-mapped address counts as its IPv4 address. Duplicates are merged into
  /// the first of them. An unscoped link-local address gives one candidate for each of `links`: the indices
  /// of the interfaces that have such an address.
  ///
  /// O(n). Other families than `family`, where one is given, are left out.
  public func candidates(family: Family?, links: [UInt32]) -> [Candidate] {
    var candidates: [Candidate] = []
    candidates.reserveCapacity(count)
    for index in 0..<count {
      guard case .endpoint(let literal) = list[index] else { continue }
      let endpoint = literal.unmapped
      if let family, endpoint.family != family { continue }
      candidates.append(endpoint, entry: index, links: links)
    }
    return candidates.merged(list.hashSecret)
  }
}
