import ConnectByListSimulation
import ConnectByListCore

/// How long the core takes, on a virtual clock: a race's steps, and plans of many literals. Prints a name
/// and a number a line; the best of several rounds, as everything else on the machine only adds.
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

  /// Literals without an order, of both families, none twice.
  static func list(_ count: Int) -> AddressList {
    var list = AddressList()
    for index in 0..<UInt32(count) {
      // An odd factor: no two numbers below 2^24 become the same.
      let bits = index &* 0x9e37_79b1 & 0xff_ffff
      let address =
        index % 2 == 0
        ? IPAddress(v4: 0x0a00_0000 | bits)
        : IPAddress(high: 0x2001_0db8_0000_0000, low: UInt64(bits))
      list.append(.endpoint(Endpoint(address, port: 443)))
    }
    return list
  }

  /// A race in which everything is silent, from its first wait to its end: what one step costs, with
  /// the facts that are taken in meanwhile, the next attempts, the waits and the closing.
  static func stepNanoseconds(remotes: Int) -> Double {
    var options = ConnectOptions()
    options.timeout = .seconds(60)
    options.inFlight = remotes
    var now = Instant(nanoseconds: 0)
    guard let plan = list(remotes).plan(options, links: [], at: now) else { return .nan }
    var race = Race(plan: plan, at: now)
    var steps = 0
    let clock = ContinuousClock()
    var began = clock.now
    while true {
      let step = race.nextStep(at: now)
      steps += 1
      switch step {
      case .needsPathInformation: race.update(facts(for: remotes))
      case .wait(let until):
        // The first attempt is out: what came before is planning.
        if now == race.began {
          steps = 0
          began = clock.now
        }
        now = until
      case .start, .abandon, .validate: break
      case .finish: return nanoseconds(began.duration(to: clock.now)) / Double(steps)
      }
    }
  }

  /// From the list to the first pair, with what the kernel would say of routes.
  static func planMilliseconds(literals: Int) -> Double {
    let list = list(literals)
    let facts = facts(for: literals)
    let clock = ContinuousClock()
    let elapsed = clock.measure {
      var plan = list.plan(ConnectOptions(), links: [], at: Instant(nanoseconds: 0))
      plan?.update(facts)
      precondition(plan?.next() != nil)
    }
    return nanoseconds(elapsed) / 1e6
  }

  static func facts(for count: Int) -> PathInformation {
    let v4 = IPAddress(v4: 0x0a00_0001)
    let v6 = IPAddress(high: 0x2001_0db8_0000_0000, low: 1)
    let remotes = (0..<count).map { index in
      var facts = RemotePathInformation()
      facts.route = .source(index % 2 == 0 ? v4 : v6)
      return facts
    }
    return PathInformation(
      locals: [LocalAddress(v4, prefixLength: 8), LocalAddress(v6, prefixLength: 64)],
      remotes: remotes)
  }

  static func nanoseconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) * 1e9 + Double(duration.components.attoseconds) / 1e9
  }
}
