/// One pair in the report of a race.
public struct ReportRow: Sendable {
  public let pair: Plan.Pair
  /// From 1; a second socket to the same pair has the same.
  public let rank: Int
  /// Its chance when it came to be the next, if every attempt before it was silent.
  public let chance: Double
  /// `nil`: it was not started.
  public let attempt: AttemptID?
}

extension Race {
  /// Every pair that the plan had come to, started or not, in the order of ranks.
  ///
  /// Pairs that were never generated, because nothing was asked before it was needed, are absent. Costs as
  /// much as planning did, so it is made only when the report is read.
  public func rows() -> [ReportRow] {
    var rows: [ReportRow] = []
    let byPair = attempts.indices.sorted {
      let (a, b) = (attempts[$0].pair, attempts[$1].pair)
      return a == b ? $0 < $1 : a < b
    }
    forEachRanked { pair, rank, chance in
      var index = byPair.partitioningIndex { !(attempts[$0].pair < pair) }
      var isStarted = false
      while index < byPair.count, attempts[byPair[index]].pair == pair {
        let id = AttemptID(Int32(byPair[index]))
        rows.append(ReportRow(pair: pair, rank: rank, chance: chance, attempt: id))
        isStarted = true
        index += 1
      }
      if !isStarted {
        rows.append(ReportRow(pair: pair, rank: rank, chance: chance, attempt: nil))
      }
      return true
    }
    return rows
  }

  /// The attempt that failed last: its code is the race's where all have failed.
  ///
  /// An attempt that was pending at the deadline did not fail; one that failed in the wake-up of the deadline
  /// did.
  public var lastFailure: AttemptID? {
    var last: AttemptID?
    for (index, attempt) in attempts.enumerated() {
      guard attempt.errno != nil, let ended = attempt.ended,
        ended < deadline || attempt.outcome != .timedOut
      else { continue }
      if let other = last, attempts[other.index].ended! > ended { continue }
      last = AttemptID(Int32(index))
    }
    return last
  }
}

extension Plan.Pair {
  /// By remote, then by local address, then first pairs first.
  static func < (a: Plan.Pair, b: Plan.Pair) -> Bool {
    if a.remote != b.remote { return a.remote < b.remote }
    return a.local != b.local ? a.local < b.local : a.isFirst && !b.isFirst
  }
}
