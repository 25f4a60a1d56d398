extension Race {
  /// The name of the list whose address a pair's remote is; `nil` for an address that the list has as a literal.
  public func name(of pair: Plan.Pair) -> NameID? {
    names.firstIndex(ofEntry: Int32(plan.entry(of: pair))).map { NameID(Int32($0)) }
  }
}
