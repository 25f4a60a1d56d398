import ConnectByListCore

/// How a name of the list was resolved.
public struct NameResult: Sendable {
  public let name: HostName
  /// When the answer came; `nil`: none came before the race ended.
  public internal(set) var ended: Instant?
  public internal(set) var addressCount = 0
  /// Why there is no address; `nil` where there is one, or no answer came.
  public internal(set) var errno: Errno?
}
