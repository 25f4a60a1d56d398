import ConnectByListCore
import ConnectByListSimulation

// The rules for the end of a race and for its report.

extension RaceChecker {
  // MARK: won

  mutating func readWon(_ position: Int, _ line: RaceRecord.Line) {
    let winner = open[position]
    if winner.connectedAt != line.time { note(.winner, "the winner is not connected now") }
    if case .rejects = winner.behaviour { note(.winner, "the caller rejects the winner") }
    checkRank(of: winner, at: line.time)
    states[winner.attempt] = .ended
    open.remove(at: position)
    requireNoneOpen(line)
  }

  /// Of several completions at one instant the lowest rank wins. The report has the ranks. If nothing has
  /// failed and there are no names, the order of the starts must agree with them.
  private mutating func checkRank(of winner: Open, at time: TimeSpan) {
    let rivals = record.lines.filter { $0.kind == .connected && $0.time == time }
      .compactMap { $0.attempt }
      .filter { attempt in
        attempt != winner.attempt
          && !record.lines.contains { $0.kind == .rejected && $0.attempt == attempt }
      }
    for rival in rivals {
      if let ours = rank(of: winner.attempt), let theirs = rank(of: rival), theirs < ours {
        note(.winner, "attempt \(rival) has rank \(theirs), the winner \(ours)")
      }
      if !hasFailed && record.scenario.names.isEmpty
        && startPosition(of: rival) < startPosition(of: winner.attempt)
      {
        note(.winner, "attempt \(rival) was started before the winner")
      }
    }
  }

  /// The position of its pair among the starts. A second attempt of a pair has the position of the first.
  private func startPosition(of attempt: Int) -> Int {
    record.pairs.firstIndex(of: record.pairs[attempt]) ?? attempt
  }

  private func rank(of attempt: Int) -> Int? {
    record.rows.first { $0.attempt == attempt }?.rank
  }

  mutating func requireNoneOpen(_ line: RaceRecord.Line) {
    for attempt in open { note(.structure, "attempt \(attempt.attempt) is still open") }
  }

  // MARK: lost

  mutating func readLost(_ line: RaceRecord.Line) {
    requireNoneOpen(line)
    checkFirstRound()
    let isAllTried = pairsLeft == 0 && world.settledAt <= line.time
    // With a timeout of zero the deadline passes at the start. A race in which all attempts fail in the call
    // that starts them is not lost by the deadline.
    let isDeadline =
      deadline == line.time && (line.time > .zero || !isNothingAsynchronous || !isAllTried)
    if isDeadline {
      if line.errno != .timedOut { note(.code, "the deadline's code is ETIMEDOUT") }
    } else {
      if !isAllTried { note(.lostTooSoon, "\(pairsLeft) pairs are left, or names") }
      if line.errno != lastFailure { note(.code, "another failure was the last") }
    }
    checkNoneWouldAnswer()
  }

  /// The main promise, checked without the lines: a lost race has no pair that would have answered in time.
  private mutating func checkNoneWouldAnswer() {
    for (remote, pairs) in zip(world.remotes, pairsOfRemote) {
      for (index, pair) in pairs.enumerated() {
        let behaviour = world.behaviour(pair, of: remote, isFirst: index == 0)
        guard let needs = answerTime(behaviour), needs <= options.attemptTimeout ?? .forever
        else { continue }
        guard let deadline else {
          note(.answerable, "\(pair.remote) answers, and there is no deadline")
          continue
        }
        guard let start = latestStart(pair, of: remote, isFirst: index == 0),
          start < deadline || start == .zero
        else { continue }
        if start + needs <= deadline {
          note(.answerable, "started at \(start.milliseconds) it would have answered")
        }
      }
    }
  }

  /// The time from its start to its answer; `nil` if it never answers, or after the kernel gives up.
  private func answerTime(_ behaviour: Scenario.Behaviour) -> TimeSpan? {
    switch behaviour {
    case .answers(let after): return after
    case .loses(let count, let after):
      return count <= 6 ? .seconds(1 << Int64(count) - 1) + after : nil
    case .silent, .rejects, .fails, .failsAtOnce: return nil
    }
  }

  /// The latest instant at which the pace starts this pair under a deadline. `nil` if there is none: the pace
  /// is sequential, the cap was reached, or the pair is not its remote's first.
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
      if row.rank < rank || row.rank > rank + 1 { note(.report, "the ranks do not count up") }
      rank = row.rank
      guard let attempt = row.attempt, seen.indices.contains(attempt) else {
        notStarted += 1
        continue
      }
      if seen[attempt] { note(.report, "attempt \(attempt) has two rows") }
      seen[attempt] = true
      guard let line = ends[attempt] else { continue }
      if row.started != starts[attempt] || row.ended != line.time {
        note(.report, "attempt \(attempt) has other times than its lines")
      }
      let expected = outcome(line, end: end)
      if row.outcome != expected.0 || row.errno != expected.1 {
        note(.report, "attempt \(attempt) has another outcome than its line")
      }
    }
    for (attempt, isThere) in seen.enumerated() where !isThere {
      note(.report, "attempt \(attempt) is missing")
    }
    if notStarted > max(pairsLeft, 0) {
      note(.report, "it has \(notStarted) pairs not started, the world at most \(pairsLeft)")
    }
    if !record.pathInformationWhenAsked && record.scenario.names.isEmpty && notStarted != pairsLeft
    {
      note(.report, "it has \(notStarted) pairs not started, the world \(pairsLeft)")
    }
  }

  /// The outcome that an attempt's last line means.
  private func outcome(_ line: RaceRecord.Line, end: RaceRecord.Line) -> (Outcome, Errno?) {
    switch line.kind {
    case .won: return (.connected, nil)
    case .rejected: return (.rejected, .connectionAborted)
    case .timedOut: return (.timedOut, .timedOut)
    case .abandon:
      // Abandoned by the cancel, or earlier: at the cap.
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
