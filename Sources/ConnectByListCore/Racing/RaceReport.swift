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
  /// The most rows of pairs that were never started in the report of a finished race; more are only counted.
  public static var notStartedMax: Int { 100 }

  /// The pairs in the order of ranks: all of them before the race has begun (an explanation); of a finished race
  /// those that were tried, and the first `notStartedMax` of those that never started.
  ///
  /// Where the plan was let go (`letGo`), the pairs that rank after `countedRanksMax` follow in the order of their
  /// starts.
  ///
  /// Pairs that were never generated, because nothing was asked before it was needed, are absent. Costs as
  /// much as planning did, so it is made only when the report is read, or when the plan is let go (`letGo`).
  public func rows() -> [ReportRow] {
    keptRows ?? rows(notStartedMax: isFinished ? Self.notStartedMax : .max, ranksMax: .max)
  }

  private func rows(notStartedMax: Int, ranksMax: Int) -> [ReportRow] {
    var rows: [ReportRow] = []
    let byPair = sortedIndices(attempts.count) {
      let (a, b) = (attempts[$0].pair, attempts[$1].pair)
      return a == b ? $0 < $1 : a < b
    }
    var isInRows = [Bool](repeating: false, count: attempts.count)
    var attemptsLeft = attempts.count
    var notStartedLeft = notStartedMax
    var lastRank = 0
    forEachRanked { pair, rank, chance in
      var index = byPair.partitioningIndex { !(attempts[$0].pair < pair) }
      var isStarted = false
      while index < byPair.count, attempts[byPair[index]].pair == pair {
        let id = AttemptID(Int32(byPair[index]))
        rows.append(ReportRow(pair: pair, rank: rank, chance: chance, attempt: id))
        isInRows[id.index] = true
        isStarted = true
        attemptsLeft -= 1
        index += 1
      }
      if !isStarted && notStartedLeft > 0 {
        notStartedLeft -= 1
        rows.append(ReportRow(pair: pair, rank: rank, chance: chance, attempt: nil))
      }
      lastRank = rank
      return (attemptsLeft > 0 || notStartedLeft > 0) && rank < ranksMax
    }
    for index in attempts.indices where !isInRows[index] {
      let attempt = attempts[index]
      lastRank += 1
      rows.append(
        ReportRow(
          pair: attempt.pair, rank: lastRank, chance: attempt.chance,
          attempt: AttemptID(Int32(index))))
    }
    return rows
  }

  /// For each name of the race, by its number, the index of its entry in the list.
  public var nameEntries: [Int] { names.entries }

  /// The base of a pair's delay, and why it is so long: as it held for its attempt, else as it would hold now.
  public func patience(_ row: ReportRow) -> Patience {
    row.attempt.map { attempts[$0.index].patience } ?? plan.patience(of: row.pair)
  }

  /// How many pairs were never started, as far as they are known.
  public var notStartedCount: Int { notStartedKept ?? plan.pairsLeft }

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

  // MARK: what a report keeps

  /// A plan over so few remotes is kept as it is: that costs nothing, and a report of it is small.
  private static var keptMax: Int { 128 }

  /// Lets go of what the report of a finished race does not need: a report and an open socket keep the race for as
  /// long as they live. Where most of the plan was tried there is little to let go.
  func letGo() {
    guard plan.remoteCount > Self.keptMax else {
      plan.dropUnneededEvidence()
      return
    }
    guard attempts.count < plan.remoteCount / 2 else { return }
    let rows = rows(notStartedMax: Self.notStartedMax, ranksMax: Self.countedRanksMax)
    notStartedKept = plan.pairsLeft
    rankBase = nil
    /// By remotes; -1: it is not kept.
    var places = [Int32](repeating: -1, count: plan.remoteCount)
    var kept: [Int32] = []
    for row in rows where places[Int(row.pair.remote)] < 0 {
      places[Int(row.pair.remote)] = Int32(kept.count)
      kept.append(row.pair.remote)
    }
    func moved(_ pair: Plan.Pair) -> Plan.Pair {
      Plan.Pair(local: pair.local, remote: places[Int(pair.remote)], isFirst: pair.isFirst)
    }
    for index in attempts.indices { attempts[index].pair = moved(attempts[index].pair) }
    keptRows = rows.map {
      ReportRow(pair: moved($0.pair), rank: $0.rank, chance: $0.chance, attempt: $0.attempt)
    }
    plan.drop(allBut: kept)
  }
}

extension Plan {
  /// Drops what a report does not need of the list's history and the kernel's metrics, where that is much, or costs
  /// nothing: without a local address each remote has all that is known of its only pair.
  fileprivate func dropUnneededEvidence() {
    if firstsLeft == 0 && locals.addresses.isEmpty {
      history = ConnectHistory(hashSecret: hashSecret)
    } else if history.pairs.indices.count > 64 || (tables?.metrics.indices.count ?? 0) > 64 {
      dropOthersEvidence()
    }
  }

  /// Drops what is known of other remotes than its own.
  fileprivate func dropOthersEvidence() {
    history = history.of(remotes)
    guard let tables else { return }
    tables.metrics = tables.metrics.of(remotes, hashSecret)
    tables.population = nil
  }

  /// Drops all remotes but these, for a report: nothing is left to start.
  fileprivate func drop(allBut kept: [Int32]) {
    remotes = kept.map { remotes[Int($0)] }
    dropOthersEvidence()
    tables?.endpoints = nil
    tables?.groups = ServiceGroups()
    tables?.queues = FirstPairQueues()
    tables?.alternates = AlternateSources()
    hasGroups = false
    isPrepared = true
    firstsLeft = 0
    hopelessLeft = 0
    translatedLeft = 0
    unknownCount = 0
    chosenSourcesLeft = 0
  }
}

extension Plan.Metrics {
  fileprivate func of(_ remotes: [Plan.Remote], _ secret: HashSecret) -> Plan.Metrics {
    var measured = Plan.Metrics(secret: secret)
    for remote in remotes {
      forEach(of: remote.endpoint.address) { index in
        _ = measured.insert(source(at: index), remote.endpoint.address, values[index])
      }
    }
    return measured
  }
}

extension ConnectHistory {
  fileprivate func of(_ remotes: [Plan.Remote]) -> ConnectHistory {
    var seen = ConnectHistory(hashSecret: hashSecret)
    for remote in remotes {
      if let pairs = copies(of: remote.endpoint) { seen.insert(pairs, of: remote.endpoint) }
    }
    return seen
  }
}

extension Plan.Pair {
  /// By remote, then by local address, then first pairs first.
  static func < (a: Plan.Pair, b: Plan.Pair) -> Bool {
    if a.remote != b.remote { return a.remote < b.remote }
    return a.local != b.local ? a.local < b.local : a.isFirst && !b.isFirst
  }
}
