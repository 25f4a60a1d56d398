import ConnectByListCore
import ConnectByListSimulation

// What becomes of attempts and names, and how a race and a round end.

extension ReferenceRace {
  // MARK: completions

  mutating func takeAnswers() {
    while answersTaken < world.answers.count {
      let answer = world.answers[answersTaken]
      guard began + answer.at <= now else { break }
      answersTaken += 1
      guard let result = answer.line else { continue }
      line {
        let host = $0.world.scenario.names[answer.name].host
        switch result {
        case .resolved(let count):
          $0.text.append("resolved ")
          $0.text.append(escaped: host, limit: 253)
          $0.text.append(" ")
          $0.text.append(decimal: count)
        case .unresolved(let errno):
          $0.text.append("unresolved ")
          $0.text.append(escaped: host, limit: 253)
          $0.text.append(" ")
          $0.text.append(errno)
        }
      }
      if case .unresolved(let errno) = result { lastFailure = errno }
    }
    let before = plan.remotes.count
    while joinsTaken < world.joins.count, began + world.joins[joinsTaken].at <= now {
      plan.add(world.joins[joinsTaken].endpoints, entry: world.joins[joinsTaken].entry)
      joinsTaken += 1
    }
    if plan.remotes.count > before { planChanged() }
  }

  /// Remotes joined, or information arrived.
  mutating func planChanged() {
    plan.update()
    ranked = plan
    tightenBound()
  }

  /// SYNs arrive, and are lost or will be answered; then what ends now does.
  mutating func takeCompletions() {
    takeSyns()
    for place in pending where attempts[place].end.at <= now {
      let (pair, errno) = (attempts[place].pair, attempts[place].end.errno)
      guard let errno else {
        attempts[place].isConnected = true
        line("connected", pair)
        continue
      }
      fail(place, errno, word(of: errno))
      pace.failures += 1
    }
  }

  mutating func fail(_ place: Int, _ errno: Errno, _ word: StaticString) {
    attempts[place].isPending = false
    lastFailure = errno
    plan.noteFailed(
      attempts[place].pair, errno, inCall: false, wasSilent: attempts[place].isSilent)
    line(word, attempts[place].pair, word.description == "failed" ? errno : nil)
    pace.shortage = nil
  }

  func word(of errno: Errno) -> StaticString {
    switch errno {
    case .connectionRefused: "refused"
    case .hostUnreachable, .networkUnreachable: "unreachable"
    case .connectionReset: "reset"
    case .timedOut: "timedout"
    default: "failed"
    }
  }

  /// When its next SYN arrives, of an attempt whose SYNs are lost.
  func nextSyn(_ attempt: Attempt) -> TimeSpan? {
    guard attempt.isPending, case .loses = attempt.behaviour,
      attempt.end.at == attempt.start + Scenario.kernelLimit,
      attempt.synCount <= Scenario.resends.count
    else { return nil }
    if attempt.synCount == 0 { return attempt.start }
    return attempt.start + Scenario.resends[attempt.synCount - 1]
  }

  mutating func takeSyns() {
    for place in pending {
      while let syn = nextSyn(attempts[place]), syn <= now,
        case .loses(let count, let after) = attempts[place].behaviour
      {
        attempts[place].synCount += 1
        let path = ReferencePath(
          local: attempts[place].pair.local, remote: endpoint(attempts[place].pair))
        if synsLost[path, default: 0] < count {
          synsLost[path, default: 0] += 1
        } else {
          attempts[place].end = (syn + after, nil)
        }
      }
    }
  }

  // MARK: ends

  /// "All completions of one wake-up are collected before one is chosen: of those the lowest rank
  /// wins." One that the check rejects is a failure, and the next is checked.
  mutating func decide() -> Bool {
    var connected = pending.filter { attempts[$0].isConnected }
    if connected.isEmpty { return false }
    if connected.count > 1 {
      let ranks = ranked.ranks()
      sortStably(&connected) { ranks[attempts[$0].pair]! < ranks[attempts[$1].pair]! }
    }
    for place in connected {
      let pair = attempts[place].pair
      if case .rejects = attempts[place].behaviour {
        attempts[place].isPending = false
        lastFailure = .connectionAborted
        plan.noteEnded(pair, wasSilent: attempts[place].isSilent)
        plan.noteRejected(pair)
        pace.shortage = nil
        pace.failures += 1
        line("rejected", pair)
        continue
      }
      attempts[place].isPending = false
      endPending("abandon")
      line("won", pair)
      isOver = true
      return true
    }
    return false
  }

  mutating func endPending(_ word: StaticString) {
    for place in pending {
      attempts[place].isPending = false
      line(word, attempts[place].pair)
    }
  }

  mutating func endAll(_ word: StaticString, _ end: StaticString) {
    endPending(word)
    finish(end)
  }

  mutating func finish(_ end: StaticString) {
    line { $0.text.append(end) }
    isOver = true
  }

  mutating func lose(_ errno: Errno) {
    line {
      $0.text.append("lost ")
      $0.text.append(errno)
    }
    isOver = true
  }

  mutating func endAtDeadline() {
    endPending("timedout")
    lose(.timedOut)
  }

  var isSettled: Bool {
    answersTaken == world.answers.count && joinsTaken == world.joins.count
  }

  var isAllFailed: Bool { isSettled && pending.isEmpty && !plan.hasPairsLeft }

  /// "When every pair has failed before the deadline, the list is tried again, `retry` after the
  /// round began (at once where that has passed)."
  mutating func endRound() {
    guard let retry = options.retry, deadline.map({ now < $0 }) ?? true else {
      return lose(lastFailure)
    }
    nextRound = max(now, began + retry)
  }

  mutating func takeTimeouts() {
    guard let timeout = options.attemptTimeout else { return }
    for place in pending where attempts[place].start + timeout <= now {
      // "An `attempt_timeout`, which is silence."
      if !attempts[place].isSilent { plan.noteSilent(attempts[place].pair) }
      attempts[place].isPending = false
      lastFailure = .timedOut
      pace.shortage = nil
      pace.timeouts += 1
      line("timedout", attempts[place].pair)
    }
  }
}
