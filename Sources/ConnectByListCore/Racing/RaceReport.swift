/// One pair in the report of a race, in the order of ranks.
public struct ReportRow: Sendable {
  public let pair: Plan.Pair
  /// From 1; a second socket to the same pair has the same.
  public let rank: Int
  /// Its chance when it came to be the next, every attempt before it being silent.
  public let chance: Double
  /// Index among the race's attempts; `nil`: it was not started.
  public fileprivate(set) var attempt: AttemptID?
}

extension Plan.Pair {
  /// Some order.
  fileprivate func precedes(_ other: Plan.Pair) -> Bool {
    if remote != other.remote { return remote < other.remote }
    return local != other.local ? local < other.local : isFirst && !other.isFirst
  }
}

extension Race {
  /// Every pair that the plan had come to: those that were started and those that were not, by
  /// rank.
  ///
  /// Pairs that were never generated, because nothing was asked before it was needed, are absent.
  /// Costs as much as planning did; made when somebody asks.
  public func rows() -> [ReportRow] {
    var rows: [ReportRow] = []
    let byPair = attempts.indices.sorted { attempts[$0].pair.precedes(attempts[$1].pair) }
    forEachRanked { pair, rank, chance in
      var low = 0
      var high = byPair.count
      while low < high {
        let middle = (low + high) / 2
        if attempts[byPair[middle]].pair.precedes(pair) { low = middle + 1 } else { high = middle }
      }
      var row = ReportRow(pair: pair, rank: rank, chance: chance, attempt: nil)
      repeat {
        if low < byPair.count && attempts[byPair[low]].pair == pair {
          row.attempt = AttemptID(Int32(byPair[low]))
        }
        rows.append(row)
        low += 1
      } while low < byPair.count && attempts[byPair[low]].pair == pair
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
