/// An endpoint with the place of the entry that it came from: what a plan is made of.
public struct Candidate: Hashable, Sendable {
  public let endpoint: Endpoint
  /// Index of its entry in the list. Several candidates of one name, or of one unscoped link-local
  /// address, share it and keep their order.
  public let entry: Int32

  public init(_ endpoint: Endpoint, entry: Int32) {
    self.endpoint = endpoint
    self.entry = entry
  }
}
