import ConnectByListCore

// The names of the list: lookups are started with the race, and each answer joins it.

extension Operation {
  /// Where the lookups cannot be started, every name fails and the rest of the list goes on.
  func startResolving() {
    do throws(Errno) {
      guard policy.allowsNameLookups else { throw .accessDenied }
      // A host name has no Unix addresses.
      if family == .unix { throw .familyNotSupported }
      let resolver = try Resolver.start(names.map { $0.name }, family: family)
      try makeWaitSet()
      try waitSet.add(resolver.number, WaitSet.resolver)
      self.resolver = consume resolver
    } catch {
      if asksForDescriptors(error) { return }
      for index in names.indices { take(.failed(error), ofName: index) }
    }
  }

  func collectAnswers() {
    var answers: [(Int, Resolver.Answer)] = []
    resolver?.collect { answers.append(($0, $1)) }
    for (index, answer) in answers { take(answer, ofName: index) }
    // Closes the resolver's descriptor.
    if names.allSatisfy({ $0.ended != nil }) { resolver = nil }
  }

  private func take(_ answer: Resolver.Answer, ofName index: Int) {
    let now = Clock.now()
    let id = NameID(Int32(index))
    names[index].ended = now
    switch answer {
    case .addresses(let endpoints):
      let candidates = scoped(endpoints)
      // All were link-local without a scope, and there is no link: as for a list of such addresses alone.
      if candidates.isEmpty { return take(.failed(.addressNotAvailable), ofName: index) }
      names[index].addressCount = candidates.count
      race.handle(.resolved(id, family: nil, candidates), at: now)
    case .failed(let errno):
      names[index].errno = errno
      race.handle(.unresolved(id, family: nil, errno), at: now)
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
