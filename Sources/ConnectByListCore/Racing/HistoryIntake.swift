// What a list remembers of a race over it.

extension ConnectHistory {
  /// Takes in how a race's attempts ended.
  ///
  /// An attempt that another's success, the cap or a cancel ended says nothing of its endpoint. Neither does a
  /// shortage of descriptors, memory or local addresses, which is this process's. Once `countMax` endpoints
  /// are known no new ones are taken in.
  public mutating func take(_ race: Race, countMax: Int = .max) {
    for attempt in race.attempts {
      guard let ended = attempt.ended else { continue }
      let remote = race.plan.remote(of: attempt.pair)
      switch attempt.outcome {
      case .connected:
        noteConnected(remote, after: ended - attempt.started, countMax: countMax)
      case .refused, .unreachable, .timedOut, .reset, .failed, .rejected:
        switch attempt.errno {
        case .tooManyOpen, .tooManyOpenInSystem, .outOfMemory, .noBufferSpace,
          .addressNotAvailable, nil:
          break
        case let errno?: noteFailed(remote, errno, at: ended, countMax: countMax)
        }
      case .superseded, .cancelled, .notStarted, .pending: break
      }
    }
  }
}

extension AddressList {
  /// Remembers how a race over this list went. At most 4,096 endpoints that names resolved to are remembered
  /// beside the list's own, because a name may have other addresses each time.
  public mutating func take(_ race: Race) {
    history.take(race, countMax: count + 4096)
  }
}
