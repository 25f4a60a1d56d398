/// A race over one remote that its first attempt won: what the race would have been told.
///
/// Most connects are to one literal, and are over with the first answer. Nothing in them is decided:
/// there is one remote, it starts at once, and it wins. What makes a race cost more than its system
/// calls, tables of pairs and of local addresses, is for when that is not so. A race is a machine
/// without a clock, so it can be run later as it would have been: when somebody looks at the report.
public final class SoleRace: Sendable {
  public let remote: Endpoint
  /// Where the kernel let it connect from.
  public let local: Endpoint?
  public let began: Instant
  public let ended: Instant
  private let options: ConnectOptions
  /// What the list knew of the remote before.
  private let evidence: RemotePathInformation.Evidence?

  public init(
    _ remote: Endpoint, local: Endpoint?, options: ConnectOptions, in list: borrowing AddressList,
    began: Instant, ended: Instant
  ) {
    self.remote = remote
    self.local = local
    self.began = began
    self.ended = ended
    self.options = options
    evidence = list.history.isEmpty ? nil : list.history[remote]?.evidence(at: began)
  }

  /// The race, at its end.
  public func race() -> Race {
    var plan = Plan([Candidate(remote, entry: 0)], options: options)
    if let evidence { plan.note(evidence, ofRemoteAt: 0) }
    var race = Race(plan: plan, at: began)
    guard case .start(let id) = race.nextStep(at: began) else {
      preconditionFailure("a race over one remote does not begin with it")
    }
    race.note(id, local: local, resentCount: 0)
    race.handle(.connected(id), at: ended)
    _ = race.nextStep(at: ended)
    return race
  }
}

extension AddressList {
  /// The only remote of a connect with these options, where the first attempt can be begun without
  /// planning: a single IP literal, from wherever its route goes. `nil`: a race decides.
  public func soleRemote(_ options: ConnectOptions) -> Endpoint? {
    guard count == 1, case .endpoint(let literal) = self[0], literal.family != .unix,
      options.hedge == nil, !options.mptcp, !options.validates
    else { return nil }
    if case .these = options.locals { return nil }
    let remote = literal.unmapped
    if let family = options.family, family != remote.family { return nil }
    // One candidate on each link.
    if remote.address.needsScope && remote.address.scope == 0 { return nil }
    return remote
  }

  /// Remembers it as the race itself would be.
  public mutating func take(_ sole: SoleRace) {
    history.noteConnected(sole.remote, after: sole.ended - sole.began)
  }
}
