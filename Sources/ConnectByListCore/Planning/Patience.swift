/// Why the race waits as long as it does for a pair: the contract's section 4, the base delay.
public enum DelayReason: UInt8, Sendable {
  /// A round trip of this very pair is known.
  case pair
  /// Round trips of enough other destinations are known.
  case population
  /// The remote is this machine.
  case loopback
  /// The remote is in the same LAN.
  case neighbour
  /// The caller gave the delay.
  case given
  case byDefault

  public var word: StaticString {
    switch self {
    case .pair: "pair"
    case .population: "population"
    case .loopback: "loopback"
    case .neighbour: "neighbour"
    case .given: "given"
    case .byDefault: "default"
    }
  }
}

/// How long an answer may be expected to take, before it is divided by the attempts in flight.
public struct Patience: Equatable, Sendable {
  public var base: TimeSpan
  public var reason: DelayReason
}

extension Plan {
  /// The upper limit of a base that comes from a measured round trip. RFC 8305 section 8, "Maximum Connection
  /// Attempt Delay".
  private static var longestMeasured: TimeSpan { .seconds(2) }
  /// To a host in the same LAN, where nothing is known of round trips: address resolution and a SYN take a few
  /// milliseconds there, and a machine that sleeps answers within 30 ms or after seconds.
  private static var toNeighbour: TimeSpan { .milliseconds(30) }

  /// The base delay of a pair, by what is known now.
  public func patience(of pair: Pair) -> Patience {
    let usual = Patience(
      base: options.attemptDelay ?? ConnectOptions.defaultAttemptDelay,
      reason: options.attemptDelay == nil ? .byDefault : .given)
    if options.pace == .steady { return usual }
    var patience = usual
    if let roundTrip = roundTrip(of: pair) {
      // RFC 6298's retransmission timeout without its minimum of one second: an answer that takes longer is
      // late.
      let measured = roundTrip.smoothed + roundTrip.variance * 4
      patience = Patience(base: min(measured, Self.longestMeasured), reason: .pair)
    } else if options.attemptDelay == nil {
      patience = learned(pair) ?? usual
    }
    patience.base = max(options.minimumDelay, patience.base)
    return patience
  }

  private func learned(_ pair: Pair) -> Patience? {
    let remote = remotes[Int(pair.remote)]
    let address = remote.endpoint.address
    if !history.isEmpty || !(tables?.metrics.isEmpty ?? true), address.family != .unix {
      let population =
        tables?.population
        ?? Population(history, tables?.metrics ?? PairTable(secret: hashSecret), secret: hashSecret)
      tables?.population = population
      if let roundTrip = population.roundTrip(to: address) {
        let base = min(roundTrip, ConnectOptions.defaultAttemptDelay)
        return Patience(base: base, reason: .population)
      }
    }
    if address.isLoopback || remote.pathInformation.isHere || remote.pathInformation.isThisMachine {
      return Patience(base: options.minimumDelay, reason: .loopback)
    }
    if let source = locals[pair.local].address, !remote.pathInformation.needsGateway,
      source.flags.contains(.broadcast), source.prefixContains(address)
    {
      return Patience(base: Self.toNeighbour, reason: .neighbour)
    }
    return nil
  }
}

extension LocalAddress {
  /// Whether a remote is in this address's prefix.
  func prefixContains(_ remote: IPAddress) -> Bool {
    guard address.family == remote.family, address.scope == remote.scope else { return false }
    let length = Int(prefixLength) + (address.family == .inet ? 96 : 0)
    return address.commonPrefixLength(with: remote) >= length
  }
}
