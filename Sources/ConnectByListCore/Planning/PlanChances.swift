// How the chances of pairs change with what happens to attempts: the contract's section 3 point 4.

extension Plan {
  /// Chance of a pair as it is now: L·F·R.
  public func chance(of pair: Pair) -> Double {
    locals[pair.local].chance * combination(pair) * states[Int(pair.remote)].chance
  }

  /// An attempt stayed silent past its delay.
  public func noteSilence(of pair: Pair) {
    locals[pair.local].silentCount += 1
    applyUnexplainedFailure(to: pair)
  }

  /// An attempt ended with `errno`. `wasSilent`: its silence was noted before, and is not counted twice.
  public func noteFailure(of pair: Pair, _ errno: Errno, wasSilent: Bool) {
    switch errno {
    case .connectionRefused: states[Int(pair.remote)].chance = Chance.afterDefiniteFailure
    // A Unix socket has no network path: a failure is the remote's.
    case _ where remotes[Int(pair.remote)].pathInformation.isHere:
      states[Int(pair.remote)].chance = Chance.afterDefiniteFailure
    case .addressNotAvailable, .networkUnreachable:
      locals[pair.local].chance = Chance.afterDefiniteFailure
    default:
      if !wasSilent { applyUnexplainedFailure(to: pair) }
    }
  }

  /// Path information has made the route's choice an address: what happened to the attempt from there counts
  /// for that address. `errno`: what the attempt failed with, if it did.
  func applyFailureToSource(of pair: Pair, wasSilent: Bool, _ errno: Errno?) {
    locals[pair.local].isUsed = true
    if wasSilent { locals[pair.local].silentCount += 1 }
    switch errno {
    case .addressNotAvailable, .networkUnreachable:
      locals[pair.local].chance = Chance.afterDefiniteFailure
    case .connectionRefused: break
    case nil where !wasSilent: break
    default:
      let after = Chance.afterSilence(
        local: locals[pair.local].chance, combination: Chance.routesChoice,
        remote: remotes[Int(pair.remote)].pathInformation.chance)
      locals[pair.local].chance = after.local
    }
  }

  /// Bayes' rule on both ends: neither is known to be at fault.
  private func applyUnexplainedFailure(to pair: Pair) {
    let after = Chance.afterSilence(
      local: locals[pair.local].chance, combination: combination(pair),
      remote: states[Int(pair.remote)].chance)
    locals[pair.local].chance = after.local
    states[Int(pair.remote)].chance = after.remote
  }

  /// F of section 3.
  private func combination(_ pair: Pair) -> Double {
    pair.isFirst ? Chance.routesChoice : Chance.alternateSource
  }
}
