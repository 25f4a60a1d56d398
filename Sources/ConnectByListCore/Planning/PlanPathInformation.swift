// What is known of the ways to the remotes, and when it is worth asking.

extension Plan {
  /// Whether the order of the first pairs depends on facts that were not asked for yet.
  ///
  /// Not with a single remote, nor where the caller gives the order; nor where every remote has the
  /// same address, of which routes and metrics would say the same, or all are loopback's: the source
  /// of each is of its own kind and scope, which is all that RFC 6724 looks at there, and a round trip
  /// inside this machine tells nothing. Unix addresses do not count.
  public var needsPathInformationForOrder: Bool {
    guard unknownCount > 0 else { return false }
    if wantsRouteAmongLocals { return true }
    guard options.order == .likely else { return false }
    var first: IPAddress?
    for remote in remotes where !remote.facts.isHere {
      let address = remote.endpoint.address
      if let first, first != address, !first.isLoopback || !address.isLoopback { return true }
      first = address
    }
    return false
  }

  /// Whether `next()` would have more to give if it had the facts.
  public var needsPathInformation: Bool {
    guard hasIP, !hasLocals || unknownCount > 0, case .all = options.locals else { return false }
    if firstsLeft == 0 { return true }
    return startsSinceAlternate >= 3 && locals.contains { $0.isSuspect }
  }

  /// Something could be found out that would pace the race, and there is a race to pace.
  var lacksEvidence: Bool {
    unknownCount > 0 && (remotes.count > 1 || options.allowsAlternateSources)
  }

  /// Several locals were named: which is the route's own is worth asking.
  private var wantsRouteAmongLocals: Bool {
    if case .these(let chosen) = options.locals { return chosen.count > 1 }
    return false
  }

  /// Whether nothing was found out yet about the remote at this index.
  public func isUnknown(_ index: Int) -> Bool { !remotes[index].hasPathInformation }

  public func endpoint(at index: Int) -> Endpoint { remotes[index].endpoint }

  /// Takes in what was found out, of every remote in the order of `endpoint(at:)`. May come before
  /// the first start or between two, and again after candidates joined; of a remote that is known
  /// already nothing changes.
  public mutating func update(_ facts: PathInformation) {
    assert(facts.remotes.count == remotes.count)
    if hasIP {
      if !hasLocals { takeLocals(facts.locals) }
      hasLocals = true
    }
    unknownCount = 0
    for index in remotes.indices where !remotes[index].hasPathInformation {
      remotes[index].hasPathInformation = true
      // What the list saw itself stands beside what the kernel knows, and before it.
      let seen = remotes[index].facts
      remotes[index].facts = facts.remotes[index]
      if let history = seen.history { remotes[index].facts.history = history }
      if let roundTrip = seen.roundTrip { remotes[index].facts.roundTrip = roundTrip }
      if !states[index].isStarted { states[index].chance = remotes[index].facts.chance }
      if case .these = options.locals { continue }
      chooseRoutesSource(index, known: facts.locals)
    }
    if case .these = options.locals { chooseSourcesAmongLocals() }
    isPrepared = false
  }

  /// What the list remembers of a remote; before the first start.
  mutating func note(_ evidence: RemotePathInformation.Evidence, ofRemoteAt index: Int) {
    remotes[index].facts.history = evidence.history
    remotes[index].facts.roundTrip = evidence.roundTrip
    states[index].chance = remotes[index].facts.chance
  }

  private mutating func takeLocals(_ known: [LocalAddress]) {
    switch options.locals {
    case .all:
      // Two interfaces may have the same address; a pair of it is one pair all the same.
      for local in known where !locals.contains(where: { $0.address?.address == local.address }) {
        locals.append(Local(address: local, port: 0))
      }
    case .these:
      for index in Plan.firstAddress..<locals.count {
        // The caller gave the address; the kernel knows its prefix and flags.
        let wanted = locals[index].address!.address
        if let found = known.first(where: { $0.address == wanted }) {
          locals[index] = Local(address: found, port: locals[index].port)
        }
      }
    case .routeOnly: break
    }
  }

  private mutating func chooseRoutesSource(_ index: Int, known: [LocalAddress]) {
    let remote = remotes[index]
    switch remote.facts.route {
    case .unknown: break
    case .refused:
      // It keeps "the route's choice", and there is none to be had in its family.
      locals[Int(Plan.routesChoice(remote.endpoint.family))].chance = Chance.afterDefiniteFailure
    case .source(let address):
      remotes[index].source = localIndex(of: address, known: known)
    }
  }

  /// The first named address that is compatible; the route's own where that is named.
  mutating func chooseSourcesAmongLocals() {
    for index in remotes.indices where !states[index].isStarted && !remotes[index].facts.isHere {
      let remote = remotes[index]
      var source = Plan.noLocal
      for local in Plan.firstAddress..<locals.count {
        let address = locals[local].address!
        guard address.canReach(remote.endpoint.address) else { continue }
        if source == Plan.noLocal { source = Int32(local) }
        if case .source(address.address) = remote.facts.route {
          source = Int32(local)
          break
        }
      }
      remotes[index].source = source
    }
  }

  /// An address that the route takes and the interfaces do not list is an address all the same.
  private mutating func localIndex(of address: IPAddress, known: [LocalAddress]) -> Int32 {
    for index in Plan.firstAddress..<locals.count where locals[index].address!.address == address {
      return Int32(index)
    }
    let local =
      known.first { $0.address == address }
      ?? LocalAddress(address, prefixLength: address.family == .inet ? 32 : 128)
    locals.append(Local(address: local, port: 0))
    return Int32(locals.count - 1)
  }

  /// A pair was started from "the route's choice", and its address is known now: what its attempt
  /// says is held against the address.
  mutating func applyFailureToSource(of pair: Pair, wasSilent: Bool, _ errno: Errno?) {
    let local = Int(pair.local)
    locals[local].isUsed = true
    if wasSilent { locals[local].silentCount += 1 }
    switch errno {
    case .addressNotAvailable, .networkUnreachable: locals[local].chance = Chance.afterDefiniteFailure
    case .connectionRefused: break
    case nil where !wasSilent: break
    default:
      locals[local].chance =
        Chance.afterSilence(
          local: locals[local].chance, combination: Chance.routesChoice,
          remote: remotes[Int(pair.remote)].facts.chance
        ).local
    }
  }
}
