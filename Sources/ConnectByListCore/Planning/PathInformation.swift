/// What the kernel knows about the path to one remote.
///
/// All of it is optional. Where nothing was asked, or the kernel gave no answer, the plan uses its priors.
public struct RemotePathInformation: Sendable, Equatable {
  /// The result of the route lookup.
  public enum Route: Sendable, Equatable {
    /// Not looked up, or without a result.
    case unknown
    /// The source address that the route selects.
    case source(IPAddress)
    /// No route: `connect` would fail with this error at once.
    case refused(Errno)
    /// No address of this machine can be the source of a connection to it.
    case noSource
  }

  /// The smoothed round trip and its mean deviation, as TCP has them (RFC 6298).
  public struct RoundTrip: Sendable, Equatable {
    public var smoothed: TimeSpan
    public var variance: TimeSpan

    public init(smoothed: TimeSpan, variance: TimeSpan) {
      self.smoothed = smoothed
      self.variance = variance
    }
  }

  public var route: Route = .unknown
  /// Reached without a tunnel (RFC 6724 rule 7).
  public var isNative = false
  /// The next hop does not answer address resolution.
  public var neighbourFailed = false
  /// The next hop is another machine than the remote.
  public var needsGateway = false
  /// It is one of this machine's own addresses.
  public var isThisMachine = false
  /// It is a Unix address.
  public var isHere = false

  public init() {}
}

/// The round trip that the kernel remembers of connections between two addresses.
public struct PathMetrics: Sendable, Equatable {
  public var source: IPAddress
  public var destination: IPAddress
  public var roundTrip: RemotePathInformation.RoundTrip

  public init(
    source: IPAddress, destination: IPAddress, _ roundTrip: RemotePathInformation.RoundTrip
  ) {
    self.source = source
    self.destination = destination
    self.roundTrip = roundTrip
  }
}

/// What was read from the kernel before or during a connect.
public struct PathInformation: Sendable {
  /// The addresses of this machine.
  public var locals: [LocalAddress]
  /// Of each remote of the plan, in the plan's order.
  public var remotes: [RemotePathInformation]
  /// All that the kernel knows, also of destinations that are not in the plan.
  public var metrics: [PathMetrics]

  public init(
    locals: [LocalAddress], remotes: [RemotePathInformation], metrics: [PathMetrics] = []
  ) {
    self.locals = locals
    self.remotes = remotes
    self.metrics = metrics
  }
}
