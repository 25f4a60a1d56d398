/// What is known of the way to one remote, from the kernel and from earlier connects of the same
/// list.
///
/// All of it is optional: where nothing was asked or nothing was answered, the plan makes do with
/// less.
public struct RemotePathInformation: Sendable, Equatable {
  /// What the routing table says.
  public enum Route: Sendable, Equatable {
    /// Not asked.
    case unknown
    /// The source address that the route takes.
    case source(IPAddress)
    /// No way there: what `connect` would say at once.
    case refused(Errno)
  }

  /// Smoothed round-trip time and its mean deviation, as TCP keeps them (RFC 6298).
  public struct RoundTrip: Sendable, Equatable {
    public var smoothed: TimeSpan
    public var variance: TimeSpan

    public init(smoothed: TimeSpan, variance: TimeSpan) {
      self.smoothed = smoothed
      self.variance = variance
    }
  }

  /// How the last connect of the same list to this endpoint ended.
  public enum History: Sendable, Equatable {
    case connected
    case failed(age: TimeSpan)
  }

  /// What a list itself has seen of an endpoint.
  public typealias Evidence = (history: History, roundTrip: RoundTrip?)

  public var route: Route = .unknown
  /// RFC 6724 rule 7: reached without a tunnel.
  public var isNative = false
  /// Metrics the kernel keeps of finished connections, or the list's own.
  public var roundTrip: RoundTrip?
  /// The next hop does not answer address resolution.
  public var neighbourFailed = false
  public var history: History?
  /// A Unix address.
  public var isHere = false

  public init() {}

  /// R: section 3 point 5 of the contract. What this list saw itself says more than what the kernel
  /// remembers, and a neighbour that fails now more than a connection that once was.
  @inline(never)
  var chance: Double {
    if neighbourFailed { return Chance.remoteNeighbourFailed }
    switch history {
    case .connected: return Chance.remoteSeenWorking
    case .failed(let age): return Chance.remoteAfterFailure(age: age)
    case nil:
      if isHere { return Chance.remoteHere }
      return roundTrip == nil ? Chance.remotePrior : Chance.remoteSeenWorking
    }
  }
}

/// Everything that was found out before or during a connect: this machine's addresses, and what is
/// known of each remote, in the order in which the remotes stand in the list.
public struct PathInformation: Sendable {
  public var locals: [LocalAddress]
  public var remotes: [RemotePathInformation]

  public init(locals: [LocalAddress], remotes: [RemotePathInformation]) {
    self.locals = locals
    self.remotes = remotes
  }
}
