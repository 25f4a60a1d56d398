/// A target of an SRV entry.
struct ServiceTarget: Equatable, Sendable {
  /// Its place among the targets of the entry.
  struct Place: Hashable, Sendable {
    /// From 1, in rising order of the records' priorities; 0: the candidate does not come from an SRV entry.
    let group: Int32
    /// From 0, over all groups.
    let order: Int32

    static let none = Place(group: 0, order: 0)
  }

  let place: Place
  let port: UInt16
  let host: [UInt8]
}

extension [ServiceRecord] {
  /// The targets in the order in which RFC 2782 tries them: by priority, and within one priority drawn by weight.
  ///
  /// Records without a port or target are left out; so is `.`, with which a domain says that it does not have the
  /// service.
  func targets(seed: UInt64) -> [ServiceTarget] {
    var random = SplitMix64(seed: seed)
    var left = indices.filter { self[$0].port != 0 && !self[$0].isRoot }.sorted { a, b in
      if self[a].priority != self[b].priority { return self[a].priority < self[b].priority }
      // RFC 2782: those of weight 0 stand first, which leaves them a small chance.
      let isZero = (self[a].weight == 0, self[b].weight == 0)
      return isZero.0 != isZero.1 ? isZero.0 : a < b
    }
    var targets: [ServiceTarget] = []
    var group: Int32 = 0
    var priority: UInt16?
    while let first = left.first {
      if self[first].priority != priority {
        priority = self[first].priority
        group += 1
      }
      let end = left.firstIndex { self[$0].priority != priority } ?? left.count
      let sum = left[..<end].reduce(0) { $0 + Int(self[$1].weight) }
      var drawn = random.below(sum + 1)
      let place = left[..<end].firstIndex {
        drawn -= Int(self[$0].weight)
        return drawn <= 0
      }
      let record = self[left.remove(at: place ?? 0)]
      targets.append(
        ServiceTarget(
          place: ServiceTarget.Place(group: group, order: Int32(targets.count)), port: record.port,
          host: record.target))
    }
    return targets
  }
}

extension [ServiceRecord] {
  /// The same as entries. A target that no host can have is left out.
  package func targetHosts(seed: UInt64) -> [Entry] {
    targets(seed: seed).compactMap { target -> Entry? in
      guard
        let text = try? EndpointText.parseHost(
          target.host, port: .number(target.port), scopes: NumericScopes())
      else { return nil }
      return Entry(text)
    }
  }
}

extension Plan {
  /// Adds the targets of an SRV entry. `resolve`: the addresses of a name.
  package func add(
    _ records: [ServiceRecord], entry: Int, seed: UInt64,
    resolve: (_ host: [UInt8], _ port: UInt16) -> [Endpoint]
  ) {
    for target in records.targets(seed: seed) {
      guard
        let text = try? EndpointText.parseHost(
          target.host, port: .number(target.port), scopes: NumericScopes())
      else { continue }
      let endpoints: [Endpoint]
      switch text {
      case .endpoint(let endpoint): endpoints = [endpoint.unmapped]
      case .name(let host, _): endpoints = resolve(host, target.port)
      }
      add(endpoints.map { Candidate($0, entry: Int32(entry), target: target.place) })
    }
  }
}

extension ServiceRecord {
  /// Its target is the root of the DNS: the service is not available.
  package var isRoot: Bool { target.isEmpty || target.count == 1 && target[0] == UInt8(ascii: ".") }
}

/// The groups of targets of a list's SRV entries: no first pair of a group starts while an earlier group of its
/// entry has one that may be tried.
struct ServiceGroups: Sendable {
  private struct Group: Sendable {
    let entry: Int32
    let number: Int32
    /// How many first pairs it has left, those without a route left out.
    var left: Int32 = 0
  }

  /// In place of an index: the remotes under a NAT64's prefix, which come after all first pairs.
  static let translated = Int.max

  /// By entry, then by number.
  private var groups: [Group] = []

  /// - Parameter places: the entry and the group of each remote that comes from an SRV entry.
  init(_ places: [(entry: Int32, group: Int32)] = []) {
    for place in places.stablySorted(<)
    where groups.last?.entry != place.entry || groups.last?.number != place.group {
      groups.append(Group(entry: place.entry, number: place.group))
    }
  }

  var isEmpty: Bool { groups.isEmpty }

  func index(entry: Int32, group: Int32) -> Int? {
    guard group > 0 else { return nil }
    let index = groups.partitioningIndex { ($0.entry, $0.number) >= (entry, group) }
    guard index < groups.count, groups[index].entry == entry, groups[index].number == group else {
      return nil
    }
    return index
  }

  /// Returns whether the group has become empty.
  mutating func count(_ index: Int, _ change: Int) -> Bool {
    groups[index].left += Int32(change)
    return groups[index].left == 0
  }

  /// Whether no earlier group of the entry has first pairs left.
  func mayStart(_ index: Int) -> Bool {
    var earlier = index - 1
    while earlier >= 0, groups[earlier].entry == groups[index].entry {
      if groups[earlier].left > 0 { return false }
      earlier -= 1
    }
    return true
  }
}
