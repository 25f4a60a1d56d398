// How the chances of pairs change with what happens to attempts: the contract's section 3 point 4.

/// What happened to an attempt that says something of its source and its remote.
enum ChanceEvent: Sendable {
  case silence
  /// A second socket to a pair that was silent: the source is not suspected for it again.
  case repeatedSilence
  /// Failed in a way that does not tell which side is at fault.
  case unexplained
  /// EADDRNOTAVAIL, ENETUNREACH in the call that starts it.
  case sourceMissing
  /// Refused, rejected; a Unix socket's failure.
  case refused
}

extension Plan {
  /// Chance of a pair as it is now: L·F·R.
  public func chance(of pair: Pair) -> Double {
    let remote = remotes[Int(pair.remote)]
    if remote.isHopeless { return 0 }
    let combination = pair.isFirst ? Chance.routesChoice : Chance.alternateSource
    return locals.chance(pair.local) * combination * remote.chance
  }

  /// An attempt stayed silent past its delay. `again`: so did another one of the same pair.
  public func noteSilence(of pair: Pair, again: Bool = false) {
    note(again ? .repeatedSilence : .silence, of: pair)
  }

  /// An attempt ended with `errno`.
  ///
  /// - Parameters:
  ///   - wasSilent: its silence was noted before, and is not counted twice.
  ///   - isSynchronous: it failed in the call that starts it.
  func noteFailure(
    of pair: Pair, _ errno: Errno, wasSilent: Bool, isSynchronous: Bool, isRejected: Bool
  ) {
    let remote = remotes[Int(pair.remote)]
    // A Unix socket has no network path: a failure is the remote's.
    if isRejected || errno == .connectionRefused || remote.pathInformation.isHere {
      note(.refused, of: pair)
    } else if isSynchronous && (errno == .addressNotAvailable || errno == .networkUnreachable) {
      if !remote.isHopeless { note(.sourceMissing, of: pair) }
    } else if !wasSilent {
      note(.unexplained, of: pair)
    }
  }

  private func note(_ event: ChanceEvent, of pair: Pair) {
    if pair.local < LocalTable.firstAddress && !hasLocals && hasIP {
      neededTables().undated.append((pair, event))
    }
    apply(event, to: pair)
  }

  /// Path information has made the route's choice an address: what happened to the attempts so far counts
  /// for their sources, as if these had been known.
  func replayChances() {
    guard let tables, !tables.undated.isEmpty else { return }
    let events = tables.undated
    tables.undated = []
    locals.resetChances()
    for (pair, _) in events {
      remotes[Int(pair.remote)].chance = remotes[Int(pair.remote)].initialChance
    }
    for (pair, event) in events {
      let pair = updated(pair)
      if remotes[Int(pair.remote)].isHopeless { continue }
      apply(event, to: pair)
    }
  }

  private func apply(_ event: ChanceEvent, to pair: Pair) {
    let isAddress = pair.local >= LocalTable.firstAddress
    switch event {
    case .silence:
      if isAddress { locals[pair.local].silentCount += 1 }
      applyBayes(to: pair)
    case .unexplained, .repeatedSilence: applyBayes(to: pair)
    case .sourceMissing:
      guard isAddress else { return }
      let before = locals[pair.local].chance
      locals[pair.local].chance = Chance.afterDefiniteFailure
      if before < Chance.afterDefiniteFailure {
        raiseQueue(ofSource: pair.local)
        raiseAlternates()
      }
    case .refused: noteRefused(pair.remote)
    }
  }

  /// Bayes' rule on both ends: neither is known to be at fault.
  private func applyBayes(to pair: Pair) {
    let after = Chance.afterSilence(
      local: locals.chance(pair.local),
      combination: pair.isFirst ? Chance.routesChoice : Chance.alternateSource,
      remote: remotes[Int(pair.remote)].chance)
    if pair.local >= LocalTable.firstAddress { locals[pair.local].chance = after.local }
    remotes[Int(pair.remote)].chance = after.remote
  }
}
