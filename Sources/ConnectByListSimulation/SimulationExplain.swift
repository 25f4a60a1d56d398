// `--explain`: the plan of a scenario, in words.

import ConnectByListCore

extension Simulation {
  /// The plan of a scenario alone, a line a pair: rank, local, remote, chance, reasons.
  ///
  /// The order is that of the starts if every attempt stayed silent, and each chance is that of the moment at
  /// which the pair comes to be the next. Names are in it with all their addresses.
  public static func explain(_ scenario: Scenario) -> [UInt8] {
    let world = ScenarioWorld(scenario)
    let plan = Plan(
      scenario.candidates(), options: scenario.options,
      history: world.history(at: Instant(nanoseconds: 0)))
    for (entry, listed) in scenario.list.enumerated() {
      guard case .name(let index) = listed else { continue }
      let name = scenario.names[index]
      plan.add(name.candidates(entry: entry, family: scenario.options.family))
      for answer in name.answers where !answer.records.isEmpty {
        plan.add(answer.records, entry: entry, seed: scenario.options.seed) { host, port in
          scenario.hosts.filter { $0.host == host }.flatMap { host in
            var host = host
            host.port = port
            return host.candidates(entry: entry, family: scenario.options.family)
              .map { $0.endpoint }
          }
        }
      }
    }
    var pathInformation = PathInformation(
      locals: scenario.locals, remotes: [], metrics: world.metrics)
    for index in 0..<plan.remoteCount {
      let endpoint = plan.endpoint(at: index)
      pathInformation.remotes.append(
        world.pathInformation(of: endpoint, at: world.place(of: endpoint)))
    }
    plan.update(pathInformation)

    var text = TextBuffer()
    var rank = 0
    while let pair = plan.next() {
      rank += 1
      text.append(decimal: rank)
      text.append(" ")
      text.append(pair, of: plan, in: world)
      text.append(" ")
      text.append(chance: plan.chance(of: pair))
      var reasons = plan.reasons(for: pair)
      if let delay = plan.delayReason(for: pair) { reasons.append(delay) }
      for (index, reason) in reasons.enumerated() {
        text.append(index == 0 ? " " : "; ")
        text.append(reason)
      }
      text.append("\n")
      plan.noteSilence(of: pair)
    }
    return text.bytes
  }
}

extension Scenario.Name {
  /// The addresses in the order in which the race would take them: IPv4 waits for IPv6.
  fileprivate func candidates(entry: Int, family: Family?) -> [Candidate] {
    var candidates: [Candidate] = []
    for wanted in [Family.inet6, .inet] where family == nil || family == wanted {
      for answer in answers {
        for address in answer.addresses where address.family == wanted {
          candidates.append(Candidate(Endpoint(address, port: port), entry: Int32(entry)))
        }
      }
    }
    return candidates
  }
}
