// What a plan does with path information.

extension Plan {
  /// Whether the order of the first pairs depends on path information: with `likely` where two addresses are not
  /// both loopback, or where the caller named several local addresses.
  ///
  /// Where all remotes have one address, routes and metrics would be the same for all of them. Of loopback
  /// addresses RFC 6724 looks at no more than the family and scope. Unix addresses do not count.
  var ordersByPathInformation: Bool {
    guard hasIP else { return false }
    if isNamed && locals.addresses.count > 1 { return true }
    guard options.order == .likely else { return false }
    var first: IPAddress?
    for index in remotes.indices where !remotes[index].pathInformation.isHere {
      let address = remotes[index].endpoint.address
      if let first, first != address, !first.isLoopback || !address.isLoopback { return true }
      first = address
    }
    return false
  }

  /// Whether there may be pairs that are not known before path information is.
  var mayHaveUnknownAlternates: Bool {
    guard hasIP, !hasLocals || unknownCount > 0, case .all = options.locals else { return false }
    return true
  }

  /// Whether the remote at this index has no path information yet.
  public func isUnknown(_ index: Int) -> Bool { !remotes[index].hasPathInformation }

  public func endpoint(at index: Int) -> Endpoint { remotes[index].endpoint }

  /// Takes in path information: of every remote, in the order of `endpoint(at:)`. May be called before the
  /// first start or between two, and again after candidates were added. Remotes that have path information
  /// keep theirs.
  public func update(_ pathInformation: PathInformation) {
    assert(pathInformation.remotes.count == remotes.count)
    var known = DistinctKeys<IPAddress>(secret: hashSecret)
    var descriptions: [LocalAddress] = []
    for local in pathInformation.locals where known.insert(local.address).isNew {
      descriptions.append(local)
    }
    let isFirstTime = hasIP && !hasLocals
    if isFirstTime {
      addLocals(known, descriptions)
      hasLocals = true
    }
    if !pathInformation.metrics.isEmpty {
      neededTables().metrics.take(pathInformation.metrics)
      tables?.population = nil
    }
    noteGlobalInet6(descriptions)
    unknownCount = 0
    for index in remotes.indices where !remotes[index].hasPathInformation {
      remotes[index].hasPathInformation = true
      let isHere = remotes[index].pathInformation.isHere
      remotes[index].pathInformation = pathInformation.remotes[index]
      remotes[index].pathInformation.isHere = isHere
      if known.number(of: remotes[index].endpoint.address) != nil {
        remotes[index].pathInformation.isThisMachine = true
      }
      if let source = routesSource(index, known, descriptions) { remotes[index].routesOwn = source }
    }
    // After the sources of all routes: one remote's may be another's alternate.
    for index in remotes.indices {
      if !remotes[index].isStarted {
        chooseFirstSource(index)
      } else if isFirstTime && remotes[index].source < LocalTable.noSource {
        remotes[index].source = remotes[index].routesOwn
      }
    }
    if isFirstTime {
      replayChances()
      for remote in remotes where remote.isStarted && remote.source >= LocalTable.firstAddress {
        locals[remote.source].isUsed = true
      }
    }
    isPrepared = false
  }

  private func addLocals(_ known: DistinctKeys<IPAddress>, _ descriptions: [LocalAddress]) {
    switch options.locals {
    // Two interfaces may have the same address: that is one source.
    case .all: for local in descriptions { locals.append(local, secret: hashSecret) }
    case .these:
      for index in locals.addresses {
        // The caller gave the address; the kernel knows its prefix and flags.
        let address = locals.address(index).address
        let description = known.number(of: address).map { descriptions[$0] }
        locals.describe(index, description ?? LocalAddress(unlisted: address))
      }
    case .routeOnly: break
    }
  }

  /// The local index of the route's own source; `nil`: it is not known, or the caller did not name it.
  private func routesSource(
    _ index: Int, _ known: DistinctKeys<IPAddress>, _ descriptions: [LocalAddress]
  ) -> Int32? {
    guard case .source(let address) = remotes[index].pathInformation.route else { return nil }
    if let local = locals.index(of: address) {
      let isFitting = locals.address(local).canReach(remotes[index].endpoint.address)
      return isNamed && !isFitting ? nil : local
    }
    if isNamed { return nil }
    // The route may take an address that the interfaces do not list.
    let description = known.number(of: address).map { descriptions[$0] }
    return locals.append(description ?? LocalAddress(unlisted: address), secret: hashSecret)
  }
}

extension PairTable<IPAddress, RemotePathInformation.RoundTrip> {
  fileprivate mutating func take(_ metrics: [PathMetrics]) {
    for known in metrics {
      let index = insert(known.source, known.destination, known.roundTrip)
      values[index] = known.roundTrip
    }
  }
}

extension LocalAddress {
  /// An address that no interface lists: its network is not known, and is taken to be the address alone.
  fileprivate init(unlisted address: IPAddress) {
    self.init(address, prefixLength: address.family == .inet ? 32 : 128)
  }
}
