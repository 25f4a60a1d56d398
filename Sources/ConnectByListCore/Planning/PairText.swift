extension TextBuffer {
  /// The remote of a pair; a Unix address is written with its path.
  public mutating func append(remoteOf pair: Plan.Pair, in plan: Plan, scopes: some ScopeNames) {
    let remote = plan.remote(of: pair)
    if remote.family == .unix {
      append(unixPath: plan.unixPaths[remote])
    } else {
      append(remote, scopes: scopes)
    }
  }
}
