// What a list gives to a race, and what it takes from a race that is over.

extension AddressList {
  /// The list's names as a race waits for them.
  public func names(_ options: ConnectOptions) -> [PendingNames.Name] {
    names.map { PendingNames.Name(entry: $0.entry, family: options.family) }
  }

  /// Records how the attempts of a race over this list ended. Of the addresses that names resolved to, at
  /// most 4,096 are recorded: a name may have other addresses each time.
  public mutating func take(_ race: Race) {
    history.take(race, countMax: count + 4096)
  }
}

extension ConnectHistory {
  /// Records how the attempts of a race ended. Attempts that ended because another one won, or because of a
  /// cancel, say nothing about their endpoint. Once `countMax` endpoints are known, others are ignored.
  public mutating func take(_ race: Race, countMax: Int = .max) {
    for attempt in race.attempts {
      guard let ended = attempt.ended else { continue }
      let endpoint = race.plan.remote(of: attempt.pair)
      switch attempt.outcome {
      case .connected:
        noteConnected(endpoint, after: ended - attempt.started, countMax: countMax)
      case .refused, .unreachable, .timedOut, .reset, .failed, .rejected:
        // A shortage of descriptors, memory or local ports on this machine is not the endpoint's failure.
        switch attempt.errno {
        case .tooManyOpen, .tooManyOpenInSystem, .outOfMemory, .noBufferSpace, .addressNotAvailable,
          nil:
          continue
        case let errno?: noteFailed(endpoint, errno, at: ended, countMax: countMax)
        }
      case .superseded, .cancelled, .notStarted, .pending: continue
      }
    }
  }
}
