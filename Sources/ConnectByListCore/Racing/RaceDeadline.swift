extension Race {
  /// The driver met the deadline while it read path information: the race ends with its next step, and nothing
  /// more is started, also where nothing has been.
  public func meetDeadline() { hadFirstRound = true }
}
