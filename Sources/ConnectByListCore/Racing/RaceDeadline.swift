extension Race {
  /// The driver met the deadline while it read path information before the first start: the race ends with its
  /// next step, and nothing is started.
  public func meetDeadline() { hadFirstRound = true }
}
