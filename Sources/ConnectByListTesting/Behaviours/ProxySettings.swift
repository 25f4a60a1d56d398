import ConnectByListCore

/// The network that a proxy imitates.
public struct ProxySettings: Equatable, Sendable {
  /// How much later each byte arrives, in each direction.
  public var latency: TimeSpan = .zero
  /// The most that is added to the latency, evenly distributed and drawn anew for each chunk that is read.
  /// The order of the bytes stays.
  public var jitter: TimeSpan = .zero
  /// Bytes a second, in each direction; `nil`: as fast as possible.
  public var rate: Int?
  /// The most bytes that are passed on at a time. There is a millisecond between two slices, so that the
  /// receiver reads them separately.
  public var slice: Int?
  /// Resets a connection when this number of bytes has been passed on to the client.
  public var cutAfter: Int?
  /// Passes nothing more on to the client after this number of bytes; the connection stays.
  public var hangAfter: Int?
  /// The share of new connections that are reset at once, 0 to 1.
  public var drop = 0.0
  /// Determines jitter and drops: with the same seed the same connections are dropped.
  public var seed: UInt64 = 1
  /// Which targets the proxy may connect to.
  public var policy = EgressPolicy.unrestricted

  public init() {}
}
