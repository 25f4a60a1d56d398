import ConnectByListCore

// The names of the list: lookups are started with the race, and each answer joins it.

extension Operation {
  func startResolving() {
    resolver = Resolver()
    let now = Clock.now()
    for index in names.indices { ask(index, family, at: now) }
    if let error = resolver!.openingError, asksForDescriptors(error) {
      resolver = nil
    } else {
      watchResolver()
    }
  }

  /// Looks up a name that is not in the list.
  func lookUp(_ lookup: Race.Lookup) {
    var name = NameResult(name: lookup.host)
    name.targetOf = lookup.parent
    name.isPrefix = lookup.parent == nil
    names.append(name)
    assert(names.count - 1 == Int(lookup.name.number))
    if resolver == nil { resolver = Resolver() }
    let now = Clock.now()
    ask(names.count - 1, lookup.family, at: now)
    watchResolver()
  }

  /// Asks for the SRV records of a name, or for its addresses, family by family.
  private func ask(_ index: Int, _ family: Family?, at now: Instant) {
    let name = names[index].name
    let id = NameID(Int32(index))
    names[index].answers = []
    func ask(_ wanted: Family?) {
      names[index].answers.append(NameResult.Answer(family: wanted, started: now))
      if !policy.allowsNameLookups {
        take(.failed(NameFailure(.accessDenied)), ofName: id, wanted, at: now)
      } else if family == .unix {
        // A host name has no Unix addresses.
        take(.failed(NameFailure(.familyNotSupported)), ofName: id, wanted, at: now)
      } else {
        resolver!.ask(name, id, wanted)
      }
    }
    if name.port == .records { return ask(nil) }
    for wanted in PendingNames.families(of: name, family) { ask(wanted) }
  }

  /// Takes in what is known without a lookup, and begins to wait for the rest. Where that cannot be waited for it fails
  /// and the rest of the list goes on.
  private func watchResolver() {
    let wasWatched = resolver!.isWatched
    if resolver!.number >= 0 && !wasWatched {
      do throws(Errno) {
        try makeWaitSet()
        try waitSet.add(resolver!.number, WaitSet.resolver)
        resolver!.isWatched = true
      } catch {
        resolver = nil
        // All names are asked for again.
        if !hasBegun && asksForDescriptors(error) { return }
        let now = Clock.now()
        for index in names.indices {
          for answer in names[index].answers where answer.ended == nil {
            take(.failed(NameFailure(error)), ofName: NameID(Int32(index)), answer.family, at: now)
          }
        }
        return
      }
    }
    resolver!.start()
    collectAnswers()
  }

  func collectAnswers() {
    guard resolver != nil else { return }
    let answers = resolver!.collect()
    let now = Clock.now()
    for (asker, answer) in answers { take(answer, ofName: asker.name, asker.family, at: now) }
    // Closes the resolver's descriptor.
    if resolver != nil && resolver!.awaitedCount == 0 { resolver = nil }
  }

  /// `wanted`: the family that was asked for; `nil`: SRV records.
  private func take(
    _ answer: Resolver.Answer, ofName id: NameID, _ wanted: Family?, at now: Instant
  ) {
    let index = Int(id.number)
    guard let place = names[index].answers.firstIndex(where: { $0.family == wanted }) else {
      return
    }
    names[index].answers[place].ended = now
    switch answer {
    case .addresses(let endpoints):
      let candidates = scoped(endpoints)
      // All were link-local without a scope, and there is no link: as for a list of such addresses alone.
      if candidates.isEmpty {
        return take(.failed(NameFailure(.addressNotAvailable)), ofName: id, wanted, at: now)
      }
      names[index].answers[place].count = candidates.count
      race.handle(.resolved(id, family: wanted, candidates), at: now)
    case .services(let records):
      // A domain says with `.` that it does not have the service.
      if records.allSatisfy({ $0.isRoot }) {
        return take(.failed(.serviceNotAvailable), ofName: id, wanted, at: now)
      }
      names[index].answers[place].count = records.count
      // Without a seed each call draws anew, so that the clients of a service spread over its hosts.
      let seed = options.seed != 0 ? options.seed : UInt64(bitPattern: race.began.nanoseconds)
      race.handle(.services(id, records, seed: seed), at: now)
    case .failed(let failure):
      names[index].answers[place].failure = failure
      race.handle(.unresolved(id, family: wanted, failure.errno), at: now)
    }
  }

  /// A link-local address without a scope becomes one endpoint for each link, as in the list.
  private func scoped(_ endpoints: [Endpoint]) -> [Endpoint] {
    var result: [Endpoint] = []
    for endpoint in endpoints {
      if endpoint.address.needsScope && endpoint.address.scope == 0 {
        for link in reader.interfacesOfLinkLocalAddresses() {
          result.append(endpoint.withScope(link))
        }
      } else {
        result.append(endpoint)
      }
    }
    return result
  }
}
