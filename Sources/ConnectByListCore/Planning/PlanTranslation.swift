// NAT64: the contract's section 3 point 7.

extension Plan {
  /// Whether the prefix of a NAT64 is worth asking for: there are IPv4 remotes, none of them has a route, and this
  /// machine has a global IPv6 address to connect from.
  var needsTranslation: Bool {
    guard hasGlobalInet6, options.family == nil, unknownCount == 0 else { return false }
    var hasInet = false
    for remote in remotes where remote.endpoint.family == .inet {
      guard case .refused = remote.pathInformation.route else { return false }
      hasInet = true
    }
    return hasInet
  }

  /// Adds a translated remote for each IPv4 remote that has no route and none yet.
  func translate(by prefix: TranslationPrefix) {
    neededTables().prefix = prefix
    var translated: [Candidate] = []
    for index in remotes.indices where remotes[index].endpoint.family == .inet {
      guard case .refused = remotes[index].pathInformation.route, !remotes[index].isTranslated,
        prefix.translates(remotes[index].endpoint.address)
      else { continue }
      remotes[index].isTranslated = true
      let endpoint = Endpoint(
        prefix.translating(remotes[index].endpoint.address), port: remotes[index].endpoint.port)
      translated.append(Candidate(endpoint, entry: remotes[index].entry))
    }
    addTranslations(translated)
  }

  /// The IPv4 endpoint that a NAT64 translates a pair's remote to; `nil`: none does.
  public func translatedEndpoint(of pair: Pair) -> Endpoint? {
    let remote = remotes[Int(pair.remote)]
    guard let prefix, remote.isTranslation else { return nil }
    return Endpoint(prefix.original(of: remote.endpoint.address), port: remote.endpoint.port)
  }

  /// Whether path information has a global IPv6 address that may be a source.
  func noteGlobalInet6(_ descriptions: [LocalAddress]) {
    for local in descriptions where local.address.family == .inet6 {
      let address = local.address
      if address.isLoopback || address.isLinkLocal || local.flags.contains(.tentative) { continue }
      // Unique local addresses (RFC 4193) are not global.
      if address.high >> 57 == 0xfc >> 1 { continue }
      if isNamed && locals.index(of: address) == nil { continue }
      hasGlobalInet6 = true
    }
  }
}
