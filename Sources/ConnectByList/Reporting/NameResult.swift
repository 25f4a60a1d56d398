import ConnectByListCore

/// What became of a name of the list.
public struct NameResult: Sendable {
  public let name: HostName
  /// When the answer came; `nil`: it did not.
  public internal(set) var ended: Instant?
  public internal(set) var addressCount = 0
  /// Why there is no address; `nil` where there is one, or no answer yet.
  public internal(set) var errno: Errno?
}
