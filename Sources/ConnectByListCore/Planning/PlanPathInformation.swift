// When a plan needs path information, and what it does with it.

extension Plan {
  /// Whether the order of the first pairs depends on path information that the plan does not have.
  ///
  /// It does not where there is a single remote or the caller gives the order. Nor does it where all remotes
  /// have one address, because routes and metrics would be the same for all of them, or where all are
  /// loopback addresses: the source of each is of its own family and scope, RFC 6724 looks at no more than
  /// that, and a round trip inside this machine tells nothing. Unix addresses do not count.
  public var needsPathInformationForOrder: Bool {
    guard unknownCount > 0 else { return false }
    if namesSeveralLocals { return true }
    guard options.order == .likely else { return false }
    var first: IPAddress?
    for index in remotes.indices where !remotes[index].pathInformation.isHere {
      let address = remotes[index].endpoint.address
      if let first, first != address, !first.isLoopback || !address.isLoopback { return true }
      first = address
    }
    return false
  }

  /// Whether `next()` might have more pairs with path information.
  public var needsPathInformation: Bool {
    guard hasIP, !hasLocals || unknownCount > 0, case .all = options.locals else { return false }
    if firstsLeft == 0 { return true }
    return alternates.startsSinceLast >= 3 && locals.hasSuspect
  }

  /// Whether path information might change the pace, and the race has pairs to pace.
  var lacksEvidence: Bool {
    unknownCount > 0 && (remotes.count > 1 || options.allowsAlternateSources)
  }

  /// Which of several named addresses is the route's own decides each remote's first pair.
  private var namesSeveralLocals: Bool {
    if case .these(let chosen) = options.locals { return chosen.count > 1 }
    return false
  }

  /// Whether the remote at this index has no path information yet.
  public func isUnknown(_ index: Int) -> Bool { !remotes[index].hasPathInformation }

  public func endpoint(at index: Int) -> Endpoint { remotes[index].endpoint }

  /// Takes in path information: of every remote, in the order of `endpoint(at:)`. May be called before the
  /// first start or between two, and again after candidates were added. Remotes that have path information
  /// keep theirs.
  public func update(_ pathInformation: PathInformation) {
    assert(pathInformation.remotes.count == remotes.count)
    if hasIP {
      if !hasLocals { addLocals(pathInformation.locals) }
      hasLocals = true
    }
    unknownCount = 0
    for index in remotes.indices where !remotes[index].hasPathInformation {
      remotes[index].hasPathInformation = true
      // What the list has seen itself counts before what the kernel says.
      let seen = remotes[index].pathInformation
      remotes[index].pathInformation = pathInformation.remotes[index]
      if let history = seen.history { remotes[index].pathInformation.history = history }
      if let roundTrip = seen.roundTrip { remotes[index].pathInformation.roundTrip = roundTrip }
      if !states[index].isStarted { states[index].chance = remotes[index].pathInformation.chance }
      if case .these = options.locals { continue }
      chooseRoutesSource(index, known: pathInformation.locals)
    }
    if case .these = options.locals { chooseSourcesAmongLocals() }
    isPrepared = false
  }

  /// What the list remembers of a remote. Call before the first start.
  func note(_ evidence: RemotePathInformation.Evidence, ofRemoteAt index: Int) {
    remotes[index].pathInformation.history = evidence.history
    remotes[index].pathInformation.roundTrip = evidence.roundTrip
    states[index].chance = remotes[index].pathInformation.chance
  }

  private func addLocals(_ known: [LocalAddress]) {
    switch options.locals {
    case .all:
      // Two interfaces may have the same address: that is one source.
      for local in known where locals.index(of: local.address) == nil { locals.append(local) }
    case .these:
      for index in locals.addresses {
        // The caller gave the address; the kernel knows its prefix and flags.
        let named = locals[index]
        if let found = known.first(where: { $0.address == named.address!.address }) {
          locals[index] = LocalTable.Entry(address: found, port: named.port)
        }
      }
    case .routeOnly: break
    }
  }

  private func chooseRoutesSource(_ index: Int, known: [LocalAddress]) {
    let remote = remotes[index]
    switch remote.pathInformation.route {
    case .unknown: break
    case .refused:
      // The remote keeps the route's choice, which its family does not have.
      let local = LocalTable.routesChoice(remote.endpoint.family)
      locals[local].chance = Chance.afterDefiniteFailure
    case .source(let address): remotes[index].source = localIndex(of: address, known: known)
    }
  }

  /// The source of each remote is the route's own where that was named, else the first named address that
  /// can reach the remote.
  func chooseSourcesAmongLocals() {
    for index in remotes.indices
    where !states[index].isStarted && !remotes[index].pathInformation.isHere {
      let remote = remotes[index]
      let compatible = locals.addresses.filter {
        locals.address($0).canReach(remote.endpoint.address)
      }
      let routesOwn = compatible.first {
        remote.pathInformation.route == .source(locals.address($0).address)
      }
      remotes[index].source = routesOwn ?? compatible.first ?? LocalTable.noSource
    }
  }

  /// The route may take an address that the interfaces do not list.
  private func localIndex(of address: IPAddress, known: [LocalAddress]) -> Int32 {
    if let index = locals.index(of: address) { return index }
    let bits: UInt8 = address.family == .inet ? 32 : 128
    return locals.append(
      known.first { $0.address == address } ?? LocalAddress(address, prefixLength: bits))
  }
}
