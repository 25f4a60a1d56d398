import ConnectByListCore
import ConnectByListSimulation

// The rules for an attempt: its start, and the lines that end it.

extension RaceChecker {
  /// When the kernel gives up: 127 s after the first of seven SYNs (tcp_syn_retries = 6).
  private static let kernelLimit = TimeSpan.seconds(127)
  private static let resendsMax = 6

  // MARK: starts

  /// A `start`, or the `failed` of an attempt that fails in the call that starts it.
  mutating func readStart(_ attempt: Int, _ line: RaceRecord.Line) {
    let time = line.time
    guard states[attempt] == .notSeen else {
      return note(.startedTwice, "attempt \(attempt) has been started")
    }
    let pair = record.pairs[attempt]
    guard let remote = world.remotes[..<known].firstIndex(where: { $0.endpoint == pair.remote }),
      pairsOfRemote[remote].contains(pair)
    else {
      states[attempt] = .ended
      return note(.unknownPair, "this pair is not one of the world's")
    }
    let isHedge = startedPairs.contains(pair) && hedgeDue != nil && open[0].pair == pair
    if startedPairs.contains(pair) && !isHedge {
      note(.startedTwice, "this pair has been started")
    }
    checkInstant(of: line)
    if open.count >= options.inFlight { note(.cap, "\(open.count) are open") }
    checkPace(isHedge: isHedge, at: time)
    checkPair(of: pair, remote)

    let isFirst = pair == pairsOfRemote[remote][0]
    let behaviour = world.behaviour(pair, of: world.remotes[remote], isFirst: isFirst)
    startedPairs.insert(pair)
    isTried[remote] = true
    isHedged = isHedged || isHedge
    if case .failsAtOnce(let errno) = behaviour {
      if line.kind != .failed || line.errno != errno {
        note(.world, "it fails in the call that starts it")
      }
      return end(attempt, with: line.errno, at: time)
    }
    if line.kind == .failed { note(.world, "it does not fail in the call that starts it") }
    states[attempt] = .open
    isNothingAsynchronous = false
    append(attempt, pair, behaviour, at: time)
    wasFull = wasFull || open.count >= options.inFlight
    paceAfterStart(of: world.remotes[remote], at: time)
  }

  /// Starts come last at their instant, and there are none at the instant of the deadline or the cancel,
  /// except with a timeout of zero, which has one round of starts.
  private mutating func checkInstant(of line: RaceRecord.Line) {
    let time = line.time
    if let deadline, time >= deadline, deadline > .zero || hasAnswers {
      note(.order, "a start at the deadline")
    }
    if let cancel, time >= cancel { note(.order, "a start at or after the cancel") }
    for other in open where other.started < time && other.connectedAt == nil {
      if other.completion.time <= time || expiry(of: other) <= time {
        note(.order, "attempt \(other.attempt) ends at this instant, and before a start")
      }
    }
    for other in open where other.connectedAt != nil {
      note(.order, "attempt \(other.attempt) is connected, and nothing starts after that")
    }
  }

  private mutating func checkPair(of pair: RaceRecord.Pair, _ remote: Int) {
    if !isTried[remote] {
      if pair != pairsOfRemote[remote][0] {
        note(.unknownPair, "its remote was not tried from the route's source before")
      }
      if options.order == .given, !options.interleaves, let listed = world.remotes[remote].listed {
        if listed < listedLast { note(.listOrder, "its remote is listed before another's") }
        listedLast = listed
      }
    }
  }

  private mutating func append(
    _ attempt: Int, _ pair: RaceRecord.Pair, _ behaviour: Scenario.Behaviour, at time: TimeSpan
  ) {
    var attempt = Open(
      attempt: attempt, pair: pair, started: time, behaviour: behaviour,
      completion: (.timedOut, .timedOut, time + Self.kernelLimit))
    switch behaviour {
    case .answers(let after), .rejects(let after):
      attempt.completion = (.connected, nil, time + after)
    case .fails(let errno, let after):
      attempt.completion = (Self.kind(of: errno), errno, time + after)
    case .loses(let count, _):
      if synsToLose[pair] == nil { synsToLose[pair] = count }
      attempt.nextSyn = time
    case .silent, .failsAtOnce: break
    }
    open.append(attempt)
  }

  private static func kind(of errno: Errno) -> RaceEvent.Kind {
    switch errno {
    case .connectionRefused: .refused
    case .hostUnreachable, .networkUnreachable: .unreachable
    case .connectionReset: .reset
    case .timedOut: .timedOut
    default: .failed
    }
  }

  /// Processes the SYNs that arrive until `time`: an attempt sends one at its start and 1, 3, 7, … s later. The
  /// first N of a pair are lost, whichever attempt sent them.
  mutating func takeSyns(until time: TimeSpan) {
    while true {
      var first: Int?
      for position in open.indices {
        guard let syn = open[position].nextSyn, syn <= time else { continue }
        if let other = first, open[other].nextSyn! <= syn { continue }
        first = position
      }
      guard let position = first, let syn = open[position].nextSyn,
        case .loses(_, let after) = open[position].behaviour
      else { return }
      open[position].nextSyn = nil
      let left = synsToLose[open[position].pair] ?? 0
      if left == 0 {
        open[position].completion = (.connected, nil, syn + after)
      } else {
        synsToLose[open[position].pair] = left - 1
        if open[position].resends < Self.resendsMax {
          open[position].nextSyn = syn + .seconds(1 << Int64(open[position].resends))
          open[position].resends += 1
        }
      }
    }
  }

  // MARK: ends

  /// With a timeout of zero all starts come before the first answer.
  mutating func checkFirstRound() {
    guard deadline == .zero, !hasAnswers, let due = due(allowed: next.1), due <= .zero else {
      return
    }
    note(.late, "a timeout of zero starts all that can be started")
  }

  /// The attempt ended by itself: it was not abandoned.
  private mutating func end(_ attempt: Int, with errno: Errno?, at time: TimeSpan) {
    states[attempt] = .ended
    open.removeAll { $0.attempt == attempt }
    lastFailure = errno
    hasFailed = true
    paceAfterFailure(at: time)
  }

  mutating func readCompletion(_ position: Int, _ line: RaceRecord.Line) {
    checkFirstRound()
    hasAnswers = true
    let expected = open[position].completion
    if expected.kind != line.kind || expected.time != line.time || expected.errno != line.errno
      || open[position].connectedAt != nil
    {
      note(.world, "the world ends it in another way, or at another time")
    }
    if line.kind == .connected {
      open[position].connectedAt = line.time
    } else {
      end(open[position].attempt, with: line.errno, at: line.time)
    }
  }

  mutating func readTimedOut(_ position: Int, _ line: RaceRecord.Line) {
    checkFirstRound()
    hasAnswers = true
    let attempt = open[position]
    let isWorlds = attempt.completion.time == line.time && attempt.completion.kind == .timedOut
    if !isWorlds {
      if attempt.connectedAt != nil || attempt.completion.time <= line.time {
        note(.order, "its answer comes at this instant, and before any timeout")
      } else if expiry(of: attempt) != line.time && deadline != line.time {
        note(.world, "nothing times out now")
      }
    }
    end(attempt.attempt, with: .timedOut, at: line.time)
  }

  mutating func readRejected(_ position: Int, _ line: RaceRecord.Line) {
    if case .rejects = open[position].behaviour {
      if open[position].connectedAt != line.time { note(.world, "rejected and not connected") }
    } else {
      note(.world, "the caller does not reject it")
    }
    end(open[position].attempt, with: .connectionAborted, at: line.time)
  }

  /// An abandoned attempt was given up at the cap if a start follows; otherwise the race is over.
  mutating func readAbandon(_ position: Int, _ line: RaceRecord.Line) {
    let attempt = open[position]
    if attempt.connectedAt == nil && attempt.completion.time <= line.time {
      note(.order, "its answer comes at this instant, and before its end")
    }
    let following = index + 1 < record.lines.count ? record.lines[index + 1] : nil
    if let following, following.time == line.time,
      following.kind == .start || isSynchronous(following)
    {
      let isAllowed =
        deadline != nil && open.count >= options.inFlight && pairsLeft > 0
        && next.0 <= line.time && attempt.connectedAt == nil
        && attempt.started + Self.minimumAbandonAge <= line.time
      if !isAllowed { note(.givenUp, "it may not be given up") }
    } else if let last = record.lines.last,
      last.kind != .won && last.kind != .cancelled || last.time != line.time
    {
      note(.givenUp, "the race is not over, and no start follows")
    }
    states[attempt.attempt] = .ended
    open.remove(at: position)
  }

  private func isSynchronous(_ line: RaceRecord.Line) -> Bool {
    guard line.kind == .failed, let attempt = line.attempt else { return false }
    return states.indices.contains(attempt) && states[attempt] == .notSeen
  }
}
