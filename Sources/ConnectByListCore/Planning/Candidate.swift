/// An endpoint and the list entry that it comes from: the input of a plan.
public struct Candidate: Hashable, Sendable {
  public let endpoint: Endpoint
  /// The index of the entry in the list. The addresses of one name share it, as do the candidates of one
  /// unscoped link-local address.
  public let entry: Int32
  /// Where it comes from among the targets of an SRV entry.
  let target: ServiceTarget.Place

  public init(_ endpoint: Endpoint, entry: Int32) {
    self.init(endpoint, entry: entry, target: .none)
  }

  init(_ endpoint: Endpoint, entry: Int32, target: ServiceTarget.Place) {
    self.endpoint = endpoint
    self.entry = entry
    self.target = target
  }
}

extension [Candidate] {
  /// Appends the candidates of one literal: one for each of `links` if the address is link-local IPv6 and
  /// has no scope, else one.
  package mutating func append(_ endpoint: Endpoint, entry: Int, links: [UInt32]) {
    if endpoint.address.lacksScope {
      for link in links { append(Candidate(endpoint.withScope(link), entry: Int32(entry))) }
    } else {
      append(Candidate(endpoint, entry: Int32(entry)))
    }
  }

  /// The candidates without those whose endpoint an earlier one has.
  package func merged(_ secret: HashSecret) -> [Candidate] {
    guard count > 1 else { return self }
    let distinct = Distinct(count, secret: secret) { self[$0].endpoint }
    return distinct.firsts.count == count ? self : distinct.firsts.map { self[$0] }
  }
}
