import ConnectByListCore
import ConnectByListSimulation

// What is asked for before a start, and the call that starts an attempt.

extension ReferenceRace {
  // MARK: information

  /// Section 3 point 5: "otherwise after `minimum_delay` of silence". Once it was asked for, remotes
  /// that join are asked about when they join.
  mutating func askAfterSilence() {
    if plan.isAsked { return }
    if pending.contains(where: { attempts[$0].start + options.minimumDelay <= now }) { ask() }
  }

  /// "Before the first start where the order is `likely` and the remotes have two or more addresses
  /// that are not all loopback, or where several local addresses were named." And where the list has
  /// seen a remote that is not tried: which source its route takes is not known otherwise.
  mutating func askBeforeStart() {
    if plan.isAsked { return }
    if plan.started.isEmpty {
      let addresses = Set(plan.remotes.map { $0.endpoint.address })
      let isWorthIt = addresses.count > 1 && addresses.contains { !$0.isLoopback }
      if options.order == .likely && isWorthIt || plan.isNamed && plan.locals.count > 1 {
        return ask()
      }
    }
    if !plan.isNamed, plan.untried.contains(where: { evidence.hasSeen(plan.remotes[$0].endpoint) })
    {
      ask()
    }
  }

  mutating func ask() {
    plan.ask()
    plan.update()
    // "It counts for the running delay."
    if let newest = attempts.indices.last, attempts[newest].isPending {
      let base = baseDelay(attempts[newest].pair)
      attempts[newest].base = base
      let delay = pacedDelay(base, inFlight: attempts[newest].inFlight)
      pace.delay = delay
      if !attempts[newest].isSilent { attempts[newest].silentAt = attempts[newest].start + delay }
    }
    planChanged()
  }

  // MARK: starts

  /// Starts the pair, or finds that it fails in the call. `false`: there is no descriptor, and that
  /// is not the pair's failure.
  mutating func start(_ pair: ReferencePlan.Pair) -> Bool {
    let route = plan.remotes[pair.remote].route
    let remote = plan.remotes[pair.remote].endpoint
    var behaviour: Scenario.Behaviour
    if plan.isKnownImpossible(pair.remote) && !route.hasNoRoute {
      behaviour = .failsAtOnce(.addressNotAvailable)
    } else {
      behaviour = world.behaviour(
        pair.local?.address, remote, route, isBound: plan.isBound(pair))
    }
    if let most = world.scenario.descriptorCount, pending.count >= most {
      behaviour = .failsAtOnce(.tooManyOpen)
    }
    if case .failsAtOnce(let errno) = behaviour {
      if isShortage(errno) && !pending.isEmpty { return false }
      recordFailure(pair, errno)
      return true
    }
    plan.take(pair)
    plan.noteStarted(pair)
    line("start", pair)
    append(pair, behaviour)
    return true
  }

  /// A failure in the call, or one that is known beforehand.
  mutating func recordFailure(_ pair: ReferencePlan.Pair, _ errno: Errno) {
    let isKnown = plan.isKnownImpossible(pair.remote)
    plan.take(pair)
    if !isKnown { plan.noteFailed(pair, errno, inCall: true, wasSilent: false) }
    lastFailure = errno
    line("failed", pair, errno)
  }

  mutating func append(_ pair: ReferencePlan.Pair, _ behaviour: Scenario.Behaviour) {
    var end: (at: TimeSpan, errno: Errno?) = (now + Scenario.kernelLimit, .timedOut)
    switch behaviour {
    case .answers(let after), .rejects(let after): end = (now + after, nil)
    case .fails(let errno, let after): end = (now + after, errno)
    case .silent, .loses, .failsAtOnce: break
    }
    let inFlight = pending.count + 1
    let base = baseDelay(pair)
    let delay = pacedDelay(base, inFlight: inFlight)
    attempts.append(
      Attempt(
        pair: pair, start: now, inFlight: inFlight, behaviour: behaviour, base: base,
        silentAt: now + delay, end: end))
    noteStart(delay)
  }

  func isShortage(_ errno: Errno) -> Bool {
    errno == .tooManyOpen || errno == Errno(23) || errno == Errno(105) || errno == Errno(12)
  }

  func endpoint(_ pair: ReferencePlan.Pair) -> Endpoint { plan.remotes[pair.remote].endpoint }
}
