// Names of the race, and those that are not in the list: targets of SRV records, and NAT64's.

extension Race {
  /// A name that the driver is to look up for the race.
  public struct Lookup: Equatable, Sendable {
    public let name: NameID
    public let host: HostName
    /// The name whose records it comes from; `nil`: it is the name that tells NAT64's prefix.
    public let parent: NameID?
    /// The only family that is asked for; `nil`: both.
    public let family: Family?
  }

  /// The targets of SRV records join the race: addresses at once, names once they are looked up.
  func take(_ records: [ServiceRecord], of parent: NameID, seed: UInt64) {
    guard let names else { return }
    let entry = names.noteRecords(parent)
    var literals: [Candidate] = []
    for target in records.targets(seed: seed) {
      do throws(EntryError) {
        switch try EndpointText.parseHost(
          target.host, port: .number(target.port), scopes: NumericScopes())
        {
        case .endpoint(let endpoint):
          literals.append(Candidate(endpoint.unmapped, entry: entry, target: target.place))
        case .name(let host, let port):
          let family = plan.options.family
          let id = names.add(PendingNames.Name(entry: entry, family: family, target: target.place))
          names.lookups.append(
            Lookup(
              name: id, host: HostName(host: host, port: port), parent: parent, family: family))
        }
      } catch {
        // A target that no host can have is left out.
      }
    }
    join(literals)
  }

  /// Asks for the prefix of a NAT64 once the plan needs one: a lookup of `ipv4only.arpa` beside the race (RFC 7050).
  func askForPrefix() {
    guard asksForPrefix, isTranslationStale, !isDecided else { return }
    isTranslationStale = false
    if let prefix = plan.prefix { return translate(by: prefix) }
    guard !hasAskedForPrefix, plan.needsTranslation, plan.options.timeout != .zero else { return }
    hasAskedForPrefix = true
    let names = names ?? PendingNames([])
    self.names = names
    let id = names.add(
      PendingNames.Name(entry: -1, family: .inet6, target: .none, isPrefix: true))
    let host: StaticString = "ipv4only.arpa"
    names.lookups.append(
      Lookup(
        name: id, host: HostName(host: [UInt8](host), port: .number(1)), parent: nil,
        family: .inet6))
  }

  /// The answer tells the prefix: the IPv4 remotes join again under it.
  func takePrefix(_ id: NameID, _ endpoints: [Endpoint], at now: Instant) {
    _ = names?.answer(id, .inet6, [], at: now)
    for endpoint in endpoints {
      guard let prefix = TranslationPrefix(inAnswer: endpoint.address) else { continue }
      return translate(by: prefix)
    }
  }

  private func translate(by prefix: TranslationPrefix) {
    let before = plan.remoteCount
    plan.translate(by: prefix)
    guard plan.remoteCount > before else { return }
    isRankBaseStale = true
    hasJoined = true
  }

  /// The next lookup that the driver has not started.
  func nextLookup() -> Lookup? {
    guard let names, names.startedLookupCount < names.lookups.count, !isDecided else { return nil }
    names.startedLookupCount += 1
    return names.lookups[names.startedLookupCount - 1]
  }

  /// The names that were not in the list, in the order of their numbers.
  public var lookups: [Lookup] { names?.lookups ?? [] }

  /// Whether no name may have another address.
  var areNamesSettled: Bool { names?.isSettled ?? true }

  /// The name of the list whose address a pair's remote is; `nil` for an address that the list has as a literal.
  public func name(of pair: Plan.Pair) -> NameID? {
    names?.firstIndex(ofEntry: Int32(plan.entry(of: pair))).map { NameID(Int32($0)) }
  }
}
