import ConnectByListCore

/// How a name of the list was resolved.
public struct NameResult: Sendable {
  /// The answer to one question about the name.
  public struct Answer: Sendable {
    /// The family that was asked for; `nil`: SRV records.
    public let family: Family?
    public let started: Instant
    /// When the answer came; `nil`: none came before the race ended.
    public internal(set) var ended: Instant?
    /// How many addresses, or SRV records, the answer had.
    public internal(set) var count = 0
    /// Why there are none.
    public internal(set) var failure: NameFailure?
  }

  public let name: HostName
  /// IPv6 first.
  public internal(set) var answers: [Answer] = []
  /// The number of the name whose SRV records named this one as a target; `nil`: it is an entry of the list.
  public internal(set) var targetOf: NameID?

  /// Whether it was looked up for the prefix of a NAT64.
  public internal(set) var isPrefix = false

  init(name: HostName) { self.name = name }

  /// When the last answer came; `nil`: one is missing.
  public var ended: Instant? {
    var last: Instant?
    for answer in answers {
      guard let ended = answer.ended else { return nil }
      last = max(last ?? ended, ended)
    }
    return last
  }

  public var addressCount: Int { answers.reduce(0) { $0 + $1.count } }

  /// Why there is no address; `nil` where there is one, or an answer is missing.
  public var failure: NameFailure? {
    var failure: NameFailure?
    for answer in answers {
      guard answer.ended != nil, let one = answer.failure else { return nil }
      if one.errno.tellsMore(than: failure?.errno) { failure = one }
    }
    return failure
  }

  public var errno: Errno? { failure?.errno }
}
