import ConnectByListSimulation
import ConnectByListCore

// How a race may end, and what its report says of it.

extension RaceChecker {
  // MARK: won

  mutating func readWon(_ place: Int, _ line: RaceRecord.Line) {
    let winner = open[place]
    if winner.connectedAt != line.time { complain(.winner, "the winner is not connected now") }
    if case .rejects = winner.behaviour { complain(.winner, "the winner is one to be rejected") }
    checkRank(of: winner, at: line.time)
    states[winner.attempt] = .ended
    open.remove(at: place)
    requireNoneOpen(line)
  }

  /// Of several completions of one instant the lowest rank wins. The report tells the ranks; and
  /// while nothing has failed and nobody joined, the ranks are the order of the starts, whatever it
  /// says.
  private mutating func checkRank(of winner: Open, at time: TimeSpan) {
    let rivals = record.lines.filter { $0.kind == .connected && $0.time == time }
      .compactMap { $0.attempt }
      .filter { attempt in
        attempt != winner.attempt
          && !record.lines.contains { $0.kind == .rejected && $0.attempt == attempt }
      }
    for rival in rivals {
      if let ours = rank(of: winner.attempt), let theirs = rank(of: rival), theirs < ours {
        complain(.winner, "attempt \(rival) has rank \(theirs), the winner \(ours)")
      }
      if !hasFailed && record.scenario.names.isEmpty && place(of: rival) < place(of: winner.attempt)
      {
        complain(.winner, "attempt \(rival) was the likelier one")
      }
    }
  }

  /// Its pair's place among the starts: a second socket stands where the first one does.
  private func place(of attempt: Int) -> Int {
    record.pairs.firstIndex(of: record.pairs[attempt]) ?? attempt
  }

  private func rank(of attempt: Int) -> Int? {
    record.rows.first { $0.attempt == attempt }?.rank
  }

  mutating func requireNoneOpen(_ line: RaceRecord.Line) {
    for attempt in open { complain(.structure, "attempt \(attempt.attempt) is still open") }
  }

  // MARK: lost

  mutating func readLost(_ line: RaceRecord.Line) {
    requireNoneOpen(line)
    checkFirstRound()
    let isAllTried = pairsLeft == 0 && world.settledAt <= line.time
    // A timeout of nothing ends where it begins: what fails in its one round was not the deadline.
    let isDeadline =
      deadline == line.time && (line.time > .zero || !isNothingAsynchronous || !isAllTried)
    if isDeadline {
      if line.errno != .timedOut { complain(.code, "the deadline's code is ETIMEDOUT") }
    } else {
      if !isAllTried { complain(.lostTooSoon, "\(pairsLeft) pairs are left, or names") }
      if line.errno != lastFailure { complain(.code, "another failure was the last") }
    }
    checkNoneWouldAnswer()
  }

  /// The promise itself, told without any replay: a lost race had no pair that must have answered.
  private mutating func checkNoneWouldAnswer() {
    for (remote, pairs) in zip(world.remotes, pairsOfRemote) {
      for (place, pair) in pairs.enumerated() {
        let behaviour = world.behaviour(pair, of: remote, isFirst: place == 0)
        guard let needs = answerTime(behaviour), needs <= options.attemptTimeout ?? .forever
        else { continue }
        guard let deadline else {
          complain(.answerable, "\(pair.remote) answers, and there is no deadline")
          continue
        }
        guard let start = latestStart(pair, of: remote, isFirst: place == 0),
          start < deadline || start == .zero
        else { continue }
        if start + needs <= deadline {
          complain(.answerable, "started at \(start.milliseconds) it would have answered")
        }
      }
    }
  }

  /// From its start to its answer; `nil`: it has none, or none in time for the kernel.
  private func answerTime(_ behaviour: Scenario.Behaviour) -> TimeSpan? {
    switch behaviour {
    case .answers(let after): return after
    case .loses(let count, let after):
      return count <= 6 ? .seconds(1 << Int64(count) - 1) + after : nil
    case .silent, .rejects, .fails, .failsAtOnce: return nil
    }
  }

  /// When the pace must have started this pair at the latest under a deadline; `nil`: there is no
  /// such time, for it goes one by one, the cap was reached, or the pair is not its remote's first.
  private func latestStart(
    _ pair: RaceRecord.Pair, of remote: KnownWorld.Remote, isFirst: Bool
  ) -> TimeSpan? {
    guard let deadline, !wasFull else { return nil }
    let reserve = min(TimeSpan.milliseconds(250), deadline / 2)
    switch options.pace {
    case .sequential: return nil
    case .parallel:
      return isFirst ? remote.knownAt : max(remote.knownAt, world.knownAt(local: pair.local))
    case .steady, .accelerating: return isFirst ? max(remote.knownAt, deadline - reserve) : nil
    }
  }

  // MARK: the report

  mutating func checkReport() {
    guard let end = record.lines.last else { return }
    var seen = Array(repeating: false, count: record.pairs.count)
    var starts = Array(repeating: TimeSpan?.none, count: record.pairs.count)
    var ends = Array(repeating: RaceRecord.Line?.none, count: record.pairs.count)
    for line in record.lines {
      guard let attempt = line.attempt, seen.indices.contains(attempt) else { continue }
      if starts[attempt] == nil { starts[attempt] = line.time }
      if line.kind != .start && line.kind != .connected { ends[attempt] = line }
    }
    var rank = 0
    var notStarted = 0
    for row in record.rows {
      if row.rank < rank || row.rank > rank + 1 { complain(.report, "the ranks do not count up") }
      rank = row.rank
      guard let attempt = row.attempt, seen.indices.contains(attempt) else {
        notStarted += 1
        continue
      }
      if seen[attempt] { complain(.report, "attempt \(attempt) is there twice") }
      seen[attempt] = true
      guard let line = ends[attempt] else { continue }
      if row.started != starts[attempt] || row.ended != line.time {
        complain(.report, "attempt \(attempt) has other times than its lines")
      }
      let expected = outcome(line, end: end)
      if row.outcome != expected.0 || row.errno != expected.1 {
        complain(.report, "attempt \(attempt) has another outcome than its line")
      }
    }
    for (attempt, isThere) in seen.enumerated() where !isThere {
      complain(.report, "attempt \(attempt) is missing")
    }
    if notStarted > max(pairsLeft, 0) {
      complain(.report, "it has \(notStarted) pairs not started, the world at most \(pairsLeft)")
    }
    if !record.pathInformationWhenAsked && record.scenario.names.isEmpty && notStarted != pairsLeft
    {
      complain(.report, "it has \(notStarted) pairs not started, the world \(pairsLeft)")
    }
  }

  /// The outcome that goes with an attempt's last line.
  private func outcome(_ line: RaceRecord.Line, end: RaceRecord.Line) -> (Outcome, Errno?) {
    switch line.kind {
    case .won: return (.connected, nil)
    case .rejected: return (.rejected, .connectionAborted)
    case .timedOut: return (.timedOut, .timedOut)
    case .abandon:
      // Given up by the cap before, or in time for the cancel.
      return (end.kind == .cancelled && line.time == end.time ? .cancelled : .superseded, nil)
    case .refused, .unreachable, .reset, .failed:
      switch line.errno {
      case Errno.connectionRefused: return (.refused, line.errno)
      case Errno.hostUnreachable, Errno.networkUnreachable: return (.unreachable, line.errno)
      case Errno.connectionReset: return (.reset, line.errno)
      case Errno.timedOut: return (.timedOut, line.errno)
      case Errno.cancelled: return (.cancelled, line.errno)
      default: return (.failed, line.errno)
      }
    case .start, .connected, .resolved, .unresolved, .lost, .cancelled: return (.pending, nil)
    }
  }
}
