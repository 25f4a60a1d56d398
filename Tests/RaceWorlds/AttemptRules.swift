import ConnectByListSimulation
import ConnectByListCore

// What may become of an attempt: its start, and the lines that end it.

extension RaceChecker {
  /// When the kernel stops waiting for an answer: 127 s after the first of seven SYNs.
  private static let kernelLimit = TimeSpan.seconds(127)
  private static let resendsMax = 6

  // MARK: starts

  /// A `start`, or the `failed` of an attempt that fails in the call that starts it.
  mutating func readStart(_ attempt: Int, _ line: RaceRecord.Line) {
    let time = line.time
    guard states[attempt] == .notSeen else {
      return complain(.startedTwice, "attempt \(attempt) has been started")
    }
    let pair = record.pairs[attempt]
    guard let remote = world.remotes[..<known].firstIndex(where: { $0.endpoint == pair.remote }),
      pairsOfRemote[remote].contains(pair)
    else {
      states[attempt] = .ended
      return complain(.unknownPair, "this pair is not one of the world's")
    }
    let isHedge = startedPairs.contains(pair) && hedgeDue != nil && open[0].pair == pair
    if startedPairs.contains(pair) && !isHedge {
      complain(.startedTwice, "this pair has been started")
    }
    checkInstant(of: line)
    if open.count >= options.inFlight { complain(.cap, "\(open.count) are open") }
    checkPace(isHedge: isHedge, at: time)
    checkPlace(of: pair, remote)

    let isFirst = pair == pairsOfRemote[remote][0]
    let behaviour = world.behaviour(pair, of: world.remotes[remote], isFirst: isFirst)
    startedPairs.insert(pair)
    isTried[remote] = true
    isHedged = isHedged || isHedge
    if case .failsAtOnce(let errno) = behaviour {
      if line.kind != .failed || line.errno != errno {
        complain(.world, "it fails in the call that starts it")
      }
      return end(attempt, with: line.errno, at: time)
    }
    if line.kind == .failed { complain(.world, "it does not fail in the call that starts it") }
    states[attempt] = .open
    isNothingAsynchronous = false
    append(attempt, pair, behaviour, at: time)
    wasFull = wasFull || open.count >= options.inFlight
    paceAfterStart(of: world.remotes[remote], at: time)
  }

  /// Starts come last at their instant, and none at the deadline's or the cancel's. A timeout of
  /// nothing has one round all the same.
  private mutating func checkInstant(of line: RaceRecord.Line) {
    let time = line.time
    if let deadline, time >= deadline, deadline > .zero || hasAnswers {
      complain(.order, "a start at the deadline")
    }
    if let cancel, time >= cancel { complain(.order, "a start when the caller has cancelled") }
    for other in open where other.started < time && other.connectedAt == nil {
      if other.completion.time <= time || expiry(of: other) <= time {
        complain(.order, "attempt \(other.attempt) ends at this instant, and before a start")
      }
    }
    for other in open where other.connectedAt != nil {
      complain(.order, "attempt \(other.attempt) is connected: nothing starts any more")
    }
  }

  private mutating func checkPlace(of pair: RaceRecord.Pair, _ remote: Int) {
    if !isTried[remote] {
      if pair != pairsOfRemote[remote][0] {
        complain(.unknownPair, "its remote was not tried from the route's source before")
      }
      if options.order == .given, !options.interleaves, let listed = world.remotes[remote].listed {
        if listed < listedLast { complain(.listOrder, "its remote is listed before another's") }
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

  /// SYNs arrive, 1, 3, 7, … s after the first; a pair's first N vanish, whichever attempt sent
  /// them.
  mutating func takeSyns(until time: TimeSpan) {
    while true {
      var first: Int?
      for place in open.indices {
        guard let syn = open[place].nextSyn, syn <= time else { continue }
        if let other = first, open[other].nextSyn! <= syn { continue }
        first = place
      }
      guard let place = first, let syn = open[place].nextSyn,
        case .loses(_, let after) = open[place].behaviour
      else { return }
      open[place].nextSyn = nil
      let left = synsToLose[open[place].pair] ?? 0
      if left == 0 {
        open[place].completion = (.connected, nil, syn + after)
      } else {
        synsToLose[open[place].pair] = left - 1
        if open[place].resends < Self.resendsMax {
          open[place].nextSyn = syn + .seconds(1 << Int64(open[place].resends))
          open[place].resends += 1
        }
      }
    }
  }

  // MARK: ends

  /// A timeout of nothing starts what can be started, before anything can come of it.
  mutating func checkFirstRound() {
    guard deadline == .zero, !hasAnswers, let due = due(allowed: next.1), due <= .zero else {
      return
    }
    complain(.late, "a timeout of nothing starts what can be started")
  }

  /// The attempt is over, and not because of us.
  private mutating func end(_ attempt: Int, with errno: Errno?, at time: TimeSpan) {
    states[attempt] = .ended
    open.removeAll { $0.attempt == attempt }
    lastFailure = errno
    hasFailed = true
    paceAfterFailure(at: time)
  }

  mutating func readCompletion(_ place: Int, _ line: RaceRecord.Line) {
    checkFirstRound()
    hasAnswers = true
    let expected = open[place].completion
    if expected.kind != line.kind || expected.time != line.time || expected.errno != line.errno
      || open[place].connectedAt != nil
    {
      complain(.world, "the world has another end for it, or another time")
    }
    if line.kind == .connected {
      open[place].connectedAt = line.time
    } else {
      end(open[place].attempt, with: line.errno, at: line.time)
    }
  }

  mutating func readTimedOut(_ place: Int, _ line: RaceRecord.Line) {
    checkFirstRound()
    hasAnswers = true
    let attempt = open[place]
    let isWorlds = attempt.completion.time == line.time && attempt.completion.kind == .timedOut
    if !isWorlds {
      if attempt.connectedAt != nil || attempt.completion.time <= line.time {
        complain(.order, "its answer comes at this instant, and before any timeout")
      } else if expiry(of: attempt) != line.time && deadline != line.time {
        complain(.world, "nothing times out now")
      }
    }
    end(attempt.attempt, with: .timedOut, at: line.time)
  }

  mutating func readRejected(_ place: Int, _ line: RaceRecord.Line) {
    if case .rejects = open[place].behaviour {
      if open[place].connectedAt != line.time { complain(.world, "rejected and not connected") }
    } else {
      complain(.world, "nobody rejects it")
    }
    end(open[place].attempt, with: .connectionAborted, at: line.time)
  }

  /// Given up by the cap where a start follows; otherwise the race is over.
  mutating func readAbandon(_ place: Int, _ line: RaceRecord.Line) {
    let attempt = open[place]
    if attempt.connectedAt == nil && attempt.completion.time <= line.time {
      complain(.order, "its answer comes at this instant, and before its end")
    }
    let following = index + 1 < record.lines.count ? record.lines[index + 1] : nil
    if let following, following.time == line.time,
      following.kind == .start || isSynchronous(following)
    {
      let isAllowed =
        deadline != nil && open.count >= options.inFlight && pairsLeft > 0
        && next.0 <= line.time && attempt.connectedAt == nil
        && attempt.started + Self.minimumAbandonAge <= line.time
      if !isAllowed { complain(.givenUp, "it need not, or may not, be given up") }
    } else if let last = record.lines.last,
      last.kind != .won && last.kind != .cancelled || last.time != line.time
    {
      complain(.givenUp, "the race is not over, and nothing takes its place")
    }
    states[attempt.attempt] = .ended
    open.remove(at: place)
  }

  private func isSynchronous(_ line: RaceRecord.Line) -> Bool {
    guard line.kind == .failed, let attempt = line.attempt else { return false }
    return states.indices.contains(attempt) && states[attempt] == .notSeen
  }
}
