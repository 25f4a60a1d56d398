import ConnectByListCore

/// Times the core: the steps of a race on a virtual clock, and plans for many literals. Prints a name and
/// a number on each line: the least of several rounds, since other load on the machine only adds time.
@main struct ConnectByListMeasureCore {
  static func main() {
    print("step_ns", best(of: 200) { stepNanoseconds(remotes: 100) })
    let small = best(of: 9) { planMilliseconds(literals: 10_000) }
    let large = best(of: 9) { planMilliseconds(literals: 20_000) }
    print("plan_10000_ms", small)
    print("plan_growth", large / small)
  }

  static func best(of rounds: Int, _ measure: () -> Double) -> Double {
    (0..<rounds).reduce(.infinity) { best, _ in min(best, measure()) }
  }

  /// Distinct literals of both families, in no order.
  static func list(_ count: Int) -> AddressList {
    var list = AddressList()
    for index in 0..<UInt32(count) {
      // Multiplying by an odd number keeps numbers below 2^24 distinct modulo 2^24.
      let bits = index &* 0x9e37_79b1 & 0xff_ffff
      let address =
        index % 2 == 0
        ? IPAddress(v4: 0x0a00_0000 | bits)
        : IPAddress(high: 0x2001_0db8_0000_0000, low: UInt64(bits))
      list.append(.endpoint(Endpoint(address, port: 443)))
    }
    return list
  }

  /// The mean time of a step in a race of silent remotes, from its first wait to its end. The steps
  /// include the update with path information, starts, waits, and abandoned attempts.
  static func stepNanoseconds(remotes: Int) -> Double {
    var options = ConnectOptions()
    options.timeout = .seconds(60)
    options.inFlight = remotes
    var now = Instant(nanoseconds: 0)
    guard let plan = list(remotes).plan(options, links: [], at: now) else { return .nan }
    let race = Race(plan: plan, at: now)
    var steps = 0
    let clock = ContinuousClock()
    var began = clock.now
    while true {
      let step = race.nextStep(at: now)
      steps += 1
      switch step {
      case .needsPathInformation: race.update(pathInformation(for: remotes), at: now)
      case .wait(let until):
        // The first wait follows the first start. What came before is planning.
        if now == race.began {
          steps = 0
          began = clock.now
        }
        now = until
      case .start, .abandon, .validate, .nextRound, .lookUp: break
      case .finish: return nanoseconds(began.duration(to: clock.now)) / Double(steps)
      }
    }
  }

  /// The time from the list to the first pair, with a route for every remote.
  static func planMilliseconds(literals: Int) -> Double {
    let list = list(literals)
    let information = pathInformation(for: literals)
    let clock = ContinuousClock()
    let elapsed = clock.measure {
      let plan = list.plan(ConnectOptions(), links: [], at: Instant(nanoseconds: 0))
      plan?.update(information)
      precondition(plan?.next() != nil)
    }
    return nanoseconds(elapsed) / 1e6
  }

  static func pathInformation(for count: Int) -> PathInformation {
    let v4 = IPAddress(v4: 0x0a00_0001)
    let v6 = IPAddress(high: 0x2001_0db8_0000_0000, low: 1)
    let remotes = (0..<count).map { index in
      var remote = RemotePathInformation()
      remote.route = .source(index % 2 == 0 ? v4 : v6)
      return remote
    }
    return PathInformation(
      locals: [LocalAddress(v4, prefixLength: 8), LocalAddress(v6, prefixLength: 64)],
      remotes: remotes)
  }

  static func nanoseconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) * 1e9 + Double(duration.components.attoseconds) / 1e9
  }
}
