/// One pair in the report of a race, in the order of ranks.
public struct ReportRow: Sendable {
  public let pair: Plan.Pair
  /// From 1; a second socket to the same pair has the same.
  public let rank: Int
  /// Its chance when it came to be the next, every attempt before it being silent.
  public let chance: Double
  /// Index among the race's attempts; `nil`: it was not started.
  public let attempt: AttemptID?
}

extension Race {
  /// Every pair that the plan had come to: those that were started and those that were not, by
  /// rank.
  ///
  /// Pairs that were never generated, because nothing was asked before it was needed, are absent.
  /// Costs as much as planning did; made when somebody asks.
  public func rows() -> [ReportRow] {
    var rows: [ReportRow] = []
    var attemptsOfPair: [Plan.Pair: [AttemptID]] = [:]
    for (index, attempt) in attempts.enumerated() {
      attemptsOfPair[attempt.pair, default: []].append(AttemptID(Int32(index)))
    }
    forEachRanked { pair, rank, chance in
      let ids = attemptsOfPair[pair] ?? []
      if ids.isEmpty {
        rows.append(ReportRow(pair: pair, rank: rank, chance: chance, attempt: nil))
      }
      for id in ids { rows.append(ReportRow(pair: pair, rank: rank, chance: chance, attempt: id)) }
      return true
    }
    return rows
  }

  /// The attempt that failed last: whose errno is the race's where all have failed. Attempts that
  /// only the end of the race stopped are not among them.
  public var lastFailure: AttemptID? {
    var last: AttemptID?
    for (index, attempt) in attempts.enumerated() {
      // What failed in the very wake-up of the deadline did fail; what was silent until then did
      // not.
      guard attempt.errno != nil, let ended = attempt.ended,
        ended < deadline || attempt.outcome != .timedOut
      else { continue }
      if let other = last, attempts[other].ended! > ended { continue }
      last = AttemptID(Int32(index))
    }
    return last
  }
}
