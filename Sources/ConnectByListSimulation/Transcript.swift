import ConnectByListCore

/// How a simulated race went: the race at its end, and its event log as text.
public struct Transcript: Sendable {
  public let result: RaceResult
  /// Virtual time from the call to the end.
  public let elapsed: TimeSpan
  /// The race at its end.
  public let race: Race
  /// The rounds before it (`retry`).
  public let rounds: [Race]
  let world: ScenarioWorld

  public var scenario: Scenario { world.scenario }

  /// The event log of all rounds.
  public var events: [RaceEvent] { rounds.flatMap { $0.events } + race.events }

  /// A line an event, each with its newline: section 8 of the contract.
  public var text: [UInt8] {
    var text = TextBuffer(capacity: 48 * events.count)
    for race in rounds + [race] {
      for event in race.events {
        append(event, of: race, to: &text)
        text.append(byte: UInt8(ascii: "\n"))
      }
    }
    return text.bytes
  }

  /// The events' lines, without newlines.
  public var lines: [[UInt8]] {
    (rounds + [race]).flatMap { race in
      race.events.map {
        var text = TextBuffer()
        append($0, of: race, to: &text)
        return text.bytes
      }
    }
  }

  /// A line an event, with tabs between its fields: nanoseconds since the call, word, number of the attempt
  /// (from 1 in each round), local address, remote address, name, count, code. A field that an event has not is
  /// empty.
  public var table: [UInt8] {
    var text = TextBuffer(capacity: 64 * events.count)
    for race in rounds + [race] {
      for event in race.events { appendRow(event, of: race, to: &text) }
    }
    return text.bytes
  }

  private func appendRow(_ event: RaceEvent, of race: Race, to text: inout TextBuffer) {
    text.append(decimal: UInt64((event.time - race.began).nanoseconds))
    text.append("\t")
    text.append(event.kind.word)
    text.append("\t")
    if let attempt = event.attempt {
      text.append(decimal: attempt.index + 1)
      text.append("\t")
      text.append(race.attempts[attempt.index].pair, of: race.plan, in: world, separator: "\t")
    } else {
      text.append("\t\t")
    }
    text.append("\t")
    if let name = event.name {
      text.append(escaped: scenario.host(of: name, in: race), limit: 253)
    }
    text.append("\t")
    if let count = event.count { text.append(decimal: count) }
    text.append("\t")
    if let errno = event.errno { text.append(errno) }
    text.append("\n")
  }

  private func append(_ event: RaceEvent, of race: Race, to text: inout TextBuffer) {
    text.append(milliseconds: event.time - race.began)
    text.append(byte: UInt8(ascii: " "))
    text.append(event.kind.word)
    if let attempt = event.attempt {
      text.append(byte: UInt8(ascii: " "))
      text.append(race.attempts[attempt.index].pair, of: race.plan, in: world)
    }
    if let name = event.name {
      text.append(byte: UInt8(ascii: " "))
      text.append(escaped: scenario.host(of: name, in: race), limit: 253)
    }
    if let count = event.count {
      text.append(byte: UInt8(ascii: " "))
      text.append(decimal: count)
    }
    if event.kind.showsErrno, let errno = event.errno {
      text.append(byte: UInt8(ascii: " "))
      text.append(errno)
    }
  }
}

extension TextBuffer {
  /// `10.0.0.5 192.0.2.1:80`. The source is what `getsockname` would say, also where the plan leaves it to the
  /// route; `-` where there is none.
  mutating func append(
    _ pair: Plan.Pair, of plan: Plan, in world: ScenarioWorld, separator: StaticString = " "
  ) {
    let remote = plan.remote(of: pair)
    let place = world.place(of: remote)
    let local = place.hasNoRoute ? nil : plan.local(of: pair)
    let source: IPAddress? =
      plan.isImpossible(pair) ? nil : local?.address ?? place.source
    if let local, local.port != 0 {
      append(local, scopes: world.scenario.scopes)
    } else if let source {
      append(source, scopes: world.scenario.scopes)
    } else {
      append(byte: UInt8(ascii: "-"))
    }
    append(separator)
    append(remote, scopes: world.scenario.scopes)
  }
}
