import ConnectByListCore
import ConnectByListSimulation

/// What must hold for SRV entries and a NAT64, read off a transcript (section 3 points 6 and 7 of the contract).
struct ServiceProperties {
  enum Rule: String, Sendable {
    case group = "a target starts before one of an earlier priority of its entry that was known"
    case translation = "a translated remote starts before a native one that was known"
    case prefix = "a translated remote starts before its prefix is known"
  }

  /// The first 64 bits of 64:ff9b::/96.
  static let prefixHigh: UInt64 = 0x0064_ff9b_0000_0000
  private static let prefixName = "ipv4only.arpa"
  private static let resolutionDelay_us = 50_000

  /// An endpoint of the list, of a name or of a target.
  private struct Remote {
    let text: String
    /// The index of the line after which it is known; `nil`: it never was.
    let knownAfter: Int?
    /// Not before this instant: IPv4 addresses may be held.
    let notBefore: Int
    /// 0: of no SRV entry.
    let entry: Int
    let priority: UInt16
  }

  private let scenario: Scenario
  private let lines: [TranscriptLine]

  /// The first rule that the transcript breaks; `nil`: none.
  static func broken(by text: [UInt8], in scenario: Scenario) -> Rule? {
    guard let lines = TranscriptLine.lines(of: text), scenario.options.retry == nil else {
      return nil
    }
    let properties = ServiceProperties(scenario: scenario, lines: lines)
    return properties.brokenGroup() ?? properties.brokenTranslation()
  }

  // MARK: what is known when

  /// The line after which every address of a name is known, and the instant before which some may be held.
  private func known(_ name: Scenario.Name) -> (after: Int?, notBefore: Int) {
    let host = String(decoding: name.host, as: UTF8.self)
    let wanted = scenario.options.family
    let answers = name.answers.filter {
      !$0.addresses.isEmpty && (wanted == nil || $0.family == nil || $0.family == wanted)
    }
    let places = lines.indices.filter { lines[$0].kind == .resolved && lines[$0].name == host }
    guard !answers.isEmpty, places.count >= answers.count else { return (nil, 0) }
    let last = places[answers.count - 1]
    return (last, lines[last].time + Self.resolutionDelay_us)
  }

  private func remotes() -> [Remote] {
    var remotes: [Remote] = []
    for (entry, listed) in scenario.list.enumerated() {
      switch listed {
      case .remote(let index):
        let endpoint = scenario.destinations[index].endpoint
        remotes.append(
          Remote(text: text(endpoint), knownAfter: -1, notBefore: 0, entry: 0, priority: 0))
      case .name(let index):
        let name = scenario.names[index]
        if name.isService {
          remotes += targets(of: name, entry: entry + 1)
        } else {
          remotes += addresses(of: name, port: name.port, entry: 0, priority: 0)
        }
      }
    }
    return remotes
  }

  private func targets(of name: Scenario.Name, entry: Int) -> [Remote] {
    let host = String(decoding: name.host, as: UTF8.self)
    let answered = lines.firstIndex { $0.kind == .resolved && $0.name == host }
    var remotes: [Remote] = []
    for record in name.answers.flatMap({ $0.records }) {
      if let target = scenario.hosts.first(where: { $0.host == record.target }) {
        remotes += addresses(
          of: target, port: record.port, entry: entry, priority: record.priority)
      } else {
        let address = String(decoding: record.target, as: UTF8.self)
        let text =
          address.contains(":") ? "[\(address)]:\(record.port)" : "\(address):\(record.port)"
        remotes.append(
          Remote(
            text: text, knownAfter: answered, notBefore: 0, entry: entry,
            priority: record.priority))
      }
    }
    return remotes
  }

  private func addresses(
    of name: Scenario.Name, port: UInt16, entry: Int, priority: UInt16
  ) -> [Remote] {
    let (after, notBefore) = known(name)
    return name.answers.flatMap { $0.addresses }.map {
      Remote(
        text: text(Endpoint($0, port: port)), knownAfter: after, notBefore: notBefore, entry: entry,
        priority: priority)
    }
  }

  private func text(_ endpoint: Endpoint) -> String {
    var text = TextBuffer()
    text.append(endpoint.unmapped, scopes: scenario.scopes)
    return String(decoding: text.bytes, as: UTF8.self)
  }

  // MARK: the rules

  /// For each remote the line of its first pair: its start, or its failure in the call that starts it.
  private func firstLines() -> [String: (place: Int, isStart: Bool)] {
    var first: [String: (place: Int, isStart: Bool)] = [:]
    for (place, line) in lines.enumerated() where line.kind == .start || line.kind == .failed {
      guard let remote = line.pair?.split(separator: " ").last.map(String.init) else { continue }
      if first[remote] == nil { first[remote] = (place, line.kind == .start) }
    }
    return first
  }

  /// Whether a remote was known when the line was written, and its first pair started after it. One that has no
  /// route is recorded at its turn, which may be any.
  private func isLate(
    _ remote: Remote, after place: Int, _ first: [String: (place: Int, isStart: Bool)]
  ) -> Bool {
    guard let own = first[remote.text], own.isStart, own.place > place,
      let known = remote.knownAfter,
      known < place, lines[place].time > remote.notBefore
    else { return false }
    return true
  }

  private func brokenGroup() -> Rule? {
    let first = firstLines()
    let targets = remotes().filter { $0.entry > 0 }
    // An endpoint that is known twice has its place from where it was known first.
    let texts = remotes().map { $0.text }
    let unique = targets.filter { target in texts.filter { $0 == target.text }.count == 1 }
    for target in unique {
      guard let (place, isStart) = first[target.text], isStart else { continue }
      for other in unique where other.entry == target.entry && other.priority < target.priority {
        if isLate(other, after: place, first) { return .group }
      }
    }
    return nil
  }

  private func brokenTranslation() -> Rule? {
    let first = firstLines()
    let answered = lines.firstIndex { $0.kind == .resolved && $0.name == Self.prefixName }
    for (text, own) in first where text.hasPrefix("[64:ff9b::") && own.isStart {
      guard let answered, answered < own.place else { return .prefix }
      for remote in remotes() where isLate(remote, after: own.place, first) { return .translation }
    }
    return nil
  }
}
