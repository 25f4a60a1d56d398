// What is known of a pair, and from which source a remote is tried first: the contract's section 3 point 5.

extension Plan {
  /// What the list has seen of a pair; `nil`: nothing.
  func history(of pair: Pair) -> EndpointHistory? {
    history(from: pair.local, to: Int(pair.remote))
  }

  private func history(from local: Int32, to remote: Int) -> EndpointHistory? {
    guard local >= LocalTable.firstAddress else {
      return remotes[remote].isHopeless ? nil : remotes[remote].ofRoutesChoice
    }
    guard !history.isEmpty else { return nil }
    let endpoint = remotes[remote].endpoint
    let source = locals.address(local).address
    if let known = history.history(from: source, to: endpoint) { return known }
    // A source that was not known was the route's own.
    guard local == remotes[remote].routesOwn else { return nil }
    return history.history(from: endpoint.unknownSource, to: endpoint)
  }

  /// The kernel's metrics of a pair.
  func kernelRoundTrip(from local: Int32, to remote: Int) -> RemotePathInformation.RoundTrip? {
    guard let tables, !tables.metrics.isEmpty, let source = locals[local].address else {
      return nil
    }
    return tables.metrics.value(source.address, remotes[remote].endpoint.address)
  }

  /// What is known of the round trip of a pair. What the list has seen itself counts before what the kernel says.
  public func roundTrip(of pair: Pair) -> RemotePathInformation.RoundTrip? {
    history(of: pair)?.measured ?? kernelRoundTrip(from: pair.local, to: Int(pair.remote))
  }

  /// Gives a remote that was not tried its first source, and its chance.
  func chooseFirstSource(_ index: Int) {
    remotes[index].source = firstSource(index)
    let chance = initialChance(index)
    remotes[index].chance = chance
    remotes[index].initialChance = chance
  }

  /// R, from what is known of the first pair. A neighbour that does not answer now weighs more than the list's
  /// history, and that more than the kernel's metrics.
  private func initialChance(_ index: Int) -> Double {
    let remote = remotes[index]
    if remote.pathInformation.neighbourFailed { return Chance.remoteNeighbourFailed }
    if let known = history(from: remote.source, to: index) {
      guard let failure = known.failure else { return Chance.remoteSeenWorking }
      return Chance.remoteAfterFailure(age: began - failure.at)
    }
    if remote.pathInformation.isHere { return Chance.remoteHere }
    return kernelRoundTrip(from: remote.source, to: index) == nil
      ? Chance.remotePrior : Chance.remoteSeenWorking
  }

  private func firstSource(_ index: Int) -> Int32 {
    let remote = remotes[index]
    let own = remote.routesOwn
    if remote.pathInformation.isHere { return own }
    if case .refused = remote.pathInformation.route {
      return LocalTable.routesChoice(remote.endpoint.family)
    }
    let hasOwn = own >= LocalTable.firstAddress
    if hasLocals || isNamed {
      if let remembered = history.remembered(remote.endpoint),
        !remembered.history.hasFailedUnrefused
      {
        if remembered.source == remote.endpoint.unknownSource && hasOwn { return own }
        if let local = usableSource(remembered.source, for: index) { return local }
      }
      if hasOwn && kernelRoundTrip(from: own, to: index) != nil { return own }
      if let fastest = fastestSource(index) { return fastest }
    }
    if hasOwn { return own }
    guard isNamed || remote.pathInformation.route == .noSource else { return own }
    let compatible = locals.addresses.first {
      options.allowsAlternateSources && locals.address($0).canReach(remote.endpoint.address)
    }
    return compatible ?? (isNamed ? LocalTable.noSource : own)
  }

  /// The caller named local addresses.
  var isNamed: Bool {
    if case .these = options.locals { return true }
    return false
  }

  /// The local index of an address that exists, that the caller allows, and from which the remote can be reached.
  private func usableSource(_ address: IPAddress, for index: Int) -> Int32? {
    guard let local = locals.index(of: address) else { return nil }
    if local == remotes[index].routesOwn { return local }
    guard options.allowsAlternateSources,
      locals.address(local).canReach(remotes[index].endpoint.address)
    else { return nil }
    return local
  }

  /// The usable source with the shortest smoothed round trip whose last attempt did not fail.
  private func fastestSource(_ index: Int) -> Int32? {
    let endpoint = remotes[index].endpoint
    var fastest: (local: Int32, roundTrip: TimeSpan)?
    func consider(_ source: IPAddress, _ roundTrip: TimeSpan) {
      guard let local = usableSource(source, for: index) else { return }
      if let fastest {
        if roundTrip > fastest.roundTrip { return }
        if roundTrip == fastest.roundTrip && local >= fastest.local { return }
      }
      fastest = (local, roundTrip)
    }
    if !history.isEmpty {
      history.pairs.forEach(of: endpoint) { pair in
        guard let known = history.pairs.values[pair], let roundTrip = known.roundTrip,
          !known.hasFailedUnrefused
        else { return }
        consider(history.pairs.source(at: pair), roundTrip)
      }
    }
    guard let metrics = tables?.metrics else { return fastest?.local }
    metrics.forEach(of: endpoint.address) { pair in
      let source = metrics.source(at: pair)
      if let known = history.history(from: source, to: endpoint) {
        // The list's own round trip was considered.
        if known.roundTrip != nil || known.hasFailedUnrefused { return }
      }
      consider(source, metrics.values[pair].smoothed)
    }
    return fastest?.local
  }
}

extension Endpoint {
  /// Stands for a source that was not known, in the list's history.
  var unknownSource: IPAddress { family == .inet ? .anyV4 : .anyV6 }
}
