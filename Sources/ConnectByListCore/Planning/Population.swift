/// The round trips of all destinations of which one is known: how long answers take here, for a remote of which
/// nothing is known. One value for each destination address. It does not change.
final class Population: @unchecked Sendable {
  /// An address's network: /24 of IPv4, /48 of IPv6.
  private struct Network: Hashable, Sendable {
    let family: Family
    let bits: UInt64

    init(_ address: IPAddress) {
      family = address.family
      bits = address.family == .inet ? UInt64(address.v4Bits >> 8) : address.high >> 16
    }
  }

  private struct Pair: Hashable, Sendable {
    let source: IPAddress
    let destination: IPAddress
  }

  /// In rising order, by family and by the number of the network.
  private var inet: [TimeSpan] = []
  private var inet6: [TimeSpan] = []
  private var networks: DistinctKeys<Network>
  private var ofNetworks: [[TimeSpan]] = []

  /// The fewest round trips that make a population.
  private static let countMin = 5

  init(
    _ history: ConnectHistory, _ metrics: PairTable<IPAddress, RemotePathInformation.RoundTrip>,
    secret: HashSecret
  ) {
    networks = DistinctKeys(secret: secret)
    var pairs = DistinctKeys<Pair>(secret: secret)
    var ofPairs: [TimeSpan] = []
    for index in history.pairs.indices {
      let address = history.pairs.key(at: index).address
      guard let span = history.pairs.values[index]?.roundTrip, address.family != .unix else {
        continue
      }
      let pair = Pair(source: history.pairs.source(at: index), destination: address)
      let (number, isNew) = pairs.insert(pair)
      if isNew { ofPairs.append(span) } else { ofPairs[number] = min(ofPairs[number], span) }
    }
    // The list's own counts before the kernel's.
    for index in metrics.indices {
      let pair = Pair(source: metrics.source(at: index), destination: metrics.key(at: index))
      if pairs.insert(pair).isNew { ofPairs.append(metrics.values[index].smoothed) }
    }
    addDestinations(pairs.keys, ofPairs, secret: secret)
  }

  private func addDestinations(
    _ pairs: [Pair], _ ofPairs: [TimeSpan], secret: HashSecret
  ) {
    var destinations = DistinctKeys<IPAddress>(secret: secret)
    var shortest: [TimeSpan] = []
    for (pair, span) in zip(pairs, ofPairs) {
      let (number, isNew) = destinations.insert(pair.destination)
      if isNew { shortest.append(span) } else { shortest[number] = min(shortest[number], span) }
    }
    for (address, span) in zip(destinations.keys, shortest) {
      if address.family == .inet { inet.append(span) } else { inet6.append(span) }
      let (network, isNew) = networks.insert(Network(address))
      if isNew { ofNetworks.append([]) }
      ofNetworks[network].append(span)
    }
    inet = inet.stablySorted(<)
    inet6 = inet6.stablySorted(<)
    for network in ofNetworks.indices { ofNetworks[network] = ofNetworks[network].stablySorted(<) }
  }

  /// Nine of ten destinations in the remote's network answer within this time, or of those of its family;
  /// `nil`: too few are known.
  func roundTrip(to remote: IPAddress) -> TimeSpan? {
    let near = networks.number(of: Network(remote)).map { ofNetworks[$0] } ?? []
    let values = near.count >= Self.countMin ? near : remote.family == .inet ? inet : inet6
    guard values.count >= Self.countMin else { return nil }
    return values[values.count * 9 / 10 - 1]
  }
}
