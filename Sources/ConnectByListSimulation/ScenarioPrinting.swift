import ConnectByListCore

extension Scenario {
  /// The scenario as text, which `init(parsing:)` reads back. With it a generated scenario can be read
  /// and kept as a file.
  public var text: [UInt8] {
    var text = ScenarioText(scopes: scopes)
    for local in locals { text.append(local) }
    var listed: Set<Int> = []
    for entry in list {
      switch entry {
      case .remote(let index):
        listed.insert(index)
        text.append("remote ", destinations[index])
      case .name(let index): text.append(names[index].isService ? "srv " : "name ", names[index])
      }
    }
    for index in destinations.indices where !listed.contains(index) {
      text.append("world ", destinations[index])
    }
    for host in hosts { text.append("host ", host) }
    if let translation { text.append(translation: translation) }
    for pair in pairs { text.append(pair) }
    for line in metrics { text.append(line) }
    for line in seen { text.append(line) }
    for address in failedNeighbours { text.append(neighbour: address) }
    if let descriptorCount {
      text.line("descriptors ") { $0.append(decimal: descriptorCount) }
    }
    text.append(options)
    if let cancel { text.line("cancel ") { $0.append(duration: cancel) } }
    return text.buffer.bytes
  }
}

/// Builds the text of a scenario, one statement a line.
struct ScenarioText {
  var buffer = TextBuffer(capacity: 1024)
  let scopes: ScenarioScopes

  init(scopes: ScenarioScopes) { self.scopes = scopes }

  mutating func line(_ statement: StaticString, _ rest: (inout TextBuffer) -> Void) {
    buffer.append(statement)
    rest(&buffer)
    buffer.append("\n")
  }

  mutating func append(_ local: LocalAddress) {
    line("local ") { [scopes] in
      $0.append(local.address, scopes: scopes)
      $0.append("/")
      $0.append(decimal: UInt64(local.prefixLength))
      if local.flags.contains(.deprecated) { $0.append(" deprecated") }
      if local.flags.contains(.temporary) { $0.append(" temporary") }
      if local.flags.contains(.home) { $0.append(" home") }
      if local.flags.contains(.tentative) { $0.append(" tentative") }
      if local.flags.contains(.broadcast) { $0.append(" broadcast") }
    }
  }

  mutating func append(_ statement: StaticString, _ destination: Scenario.Destination) {
    line(statement) { [scopes] in
      if destination.endpoint.port == 0 {
        $0.append(destination.endpoint.address, scopes: scopes)
      } else {
        $0.append(destination.endpoint, scopes: scopes)
      }
      if let source = destination.source {
        $0.append(" from ")
        $0.append(source, scopes: scopes)
      }
      if destination.isNative { $0.append(" native") }
      $0.append(" ")
      $0.append(destination.behaviour)
    }
  }

  mutating func append(_ pair: Scenario.PairBehaviour) {
    line("pair ") { [scopes] in
      if let local = pair.local { $0.append(local, scopes: scopes) } else { $0.append("-") }
      $0.append(" ")
      $0.append(pair.remote, scopes: scopes)
      $0.append(" ")
      $0.append(pair.behaviour)
    }
  }

  mutating func append(_ metrics: Scenario.Metrics) {
    line("rtt ") { [scopes] in
      $0.append(metrics.source, scopes: scopes)
      $0.append(" ")
      $0.append(metrics.destination, scopes: scopes)
      $0.append(" ")
      $0.append(duration: metrics.roundTrip.smoothed)
      $0.append(" var ")
      $0.append(duration: metrics.roundTrip.variance)
    }
  }

  mutating func append(_ seen: Scenario.Seen) {
    line("seen ") { [scopes] in
      $0.append(seen.source, scopes: scopes)
      $0.append(" ")
      $0.append(seen.endpoint, scopes: scopes)
      switch seen.outcome {
      case .connected(let roundTrip):
        $0.append(" connected ")
        if let roundTrip {
          $0.append(duration: roundTrip)
          $0.append(" ")
        }
      case .refused: $0.append(" refused ")
      case .failed: $0.append(" failed ")
      }
      $0.append(duration: seen.age)
      $0.append(" ago")
    }
  }

  mutating func append(neighbour address: IPAddress) {
    line("neighbour ") { [scopes] in
      $0.append(address, scopes: scopes)
      $0.append(" failed")
    }
  }
}

extension TextBuffer {
  /// In the largest unit that gives a whole number: `250ms`, `20us`, `3s`.
  mutating func append(duration span: TimeSpan) {
    let (unit, name): (Int64, StaticString) =
      span.nanoseconds % 1_000_000_000 == 0
      ? (1_000_000_000, "s")
      : span.nanoseconds % 1_000_000 == 0
        ? (1_000_000, "ms") : span.nanoseconds % 1_000 == 0 ? (1_000, "us") : (1, "ns")
    append(decimal: Int(span.nanoseconds / unit))
    append(name)
  }

  fileprivate mutating func append(_ behaviour: Scenario.Behaviour) {
    switch behaviour {
    case .answers(let after): append("answers ", after)
    case .silent: append("silent")
    case .rejects(let after): append("rejects ", after)
    case .loses(let count, let answers):
      append("lost ")
      append(decimal: count)
      append(" answers ", answers)
    case .noRoute: append("noroute")
    case .failsAtOnce(let errno):
      append("fails ")
      append(errno)
    case .fails(.connectionRefused, let after): append("refuses ", after)
    case .fails(.hostUnreachable, let after): append("unreachable ", after)
    case .fails(.connectionReset, let after): append("resets ", after)
    case .fails(let errno, let after):
      append("fails ")
      append(errno)
      append(" ", after)
    }
  }

  private mutating func append(_ words: StaticString, _ span: TimeSpan) {
    append(words)
    append(duration: span)
  }
}
