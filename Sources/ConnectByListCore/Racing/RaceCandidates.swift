extension Race {
  /// Whether another attempt is in flight or connected, a pair is left to start, or a name to be looked up.
  public func hasOthers(than candidate: AttemptID?) -> Bool {
    attempts.indices.contains { $0 != candidate?.index && attempts[$0].outcome == .pending }
      || plan.hasPairsLeft || !areNamesSettled
  }
}
