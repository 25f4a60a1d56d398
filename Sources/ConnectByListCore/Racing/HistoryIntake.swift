// What a list remembers of a race over it.

extension ConnectHistory {
  /// Takes in how a race's attempts ended, each for its pair.
  ///
  /// An attempt that another's success, the cap or a cancel ended says nothing of its pair; nor does one that was
  /// pending at the deadline, unless it had been silent past its delay. Neither does a shortage of
  /// descriptors, memory or local ports, which is this process's, nor a pair that was known to have no route.
  /// Once `countMax` endpoints are known no new ones are taken in.
  public mutating func take(_ race: Race, countMax: Int = .max) {
    let plan = race.plan
    for attempt in race.attempts {
      guard let ended = attempt.ended, !plan.isHopeless(attempt.pair) else { continue }
      let remote = plan.remote(of: attempt.pair)
      let source = attempt.local?.address ?? plan.local(of: attempt.pair)?.address
      let isRoutesChoice = !plan.bindsLocal(attempt.pair)
      switch attempt.outcome {
      case .connected:
        // A handshake whose SYN was sent again gives no round trip: the answer may be to any of them (Karn).
        let roundTrip = attempt.resentCount == 0 ? ended - attempt.started : nil
        noteConnected(
          from: source ?? remote.unknownSource, isRoutesChoice: isRoutesChoice, to: remote,
          after: roundTrip, countMax: countMax)
      case .refused, .unreachable, .timedOut, .reset, .failed, .rejected:
        guard let errno = attempt.errno, !errno.isShortage, errno != .addressNotAvailable,
          attempt.isFailure(at: race.deadline, plan.options.pace)
        else { continue }
        noteFailed(
          from: source ?? remote.unknownSource, isRoutesChoice: isRoutesChoice, to: remote, errno,
          at: ended, countMax: countMax)
      case .superseded, .cancelled, .notStarted, .pending: break
      }
    }
  }
}

extension Attempt {
  /// False where the deadline ended it before its delay had passed.
  fileprivate func isFailure(at deadline: Instant, _ pace: ConnectOptions.Pace) -> Bool {
    guard outcome == .timedOut, ended == deadline else { return true }
    // Where silence starts nothing, its base is how long an answer was expected to take.
    let delay = pace == .sequential ? started + patience.base : silentAt
    return isSilenceNoted || delay < deadline
  }
}

extension AddressList {
  /// Remembers how a race over this list went. At most 4,096 endpoints that names resolved to are remembered
  /// beside the list's own, because a name may have other addresses each time.
  public mutating func take(_ race: Race) {
    history.take(race, countMax: count + 4096)
  }
}
