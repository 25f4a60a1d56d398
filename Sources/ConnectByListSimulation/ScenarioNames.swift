import ConnectByListCore

// The lines of names: `name`, `host`, `srv` and `nat64`.

extension Scenario {
  /// Reads what follows `name` or `host`.
  func name(_ line: inout ScenarioLine) throws(ScenarioError) -> Name {
    let host = try line.takeHost(scopes)
    var answers: [Name.Answer] = []
    var port: UInt16?
    while let word = line.takeWord() {
      if word.equals("port") {
        port = UInt16(try line.takeCount("a port", most: 65535))
      } else if word.equals("fails") {
        try line.takeKeyword("after")
        let after = try line.takeDuration()
        answers.append(Name.Answer(nil, after: after, [], errno: try line.takeCode()))
      } else if word.equals("ipv6") {
        answers.append(try line.takeAnswer(.inet6, scopes))
      } else if word.equals("ipv4") {
        answers.append(try line.takeAnswer(.inet, scopes))
      } else {
        throw line.unknown("word", word, among: ["ipv6", "ipv4", "fails", "port"])
      }
    }
    guard let first = answers.first else {
      throw line.error("the name has no answer: ipv6 after …, ipv4 after … or fails after …")
    }
    if answers.count > 2
      || answers.count == 2
        && (first.family == nil || answers[1].family == nil || first.family == answers[1].family)
    {
      throw line.error("the name has two answers of one family")
    }
    return Name(host: host, port: port ?? 0, answers)
  }

  /// Reads what follows `srv`: an answer of records, or a failure.
  func service(_ line: inout ScenarioLine) throws(ScenarioError) -> Name {
    let host = try line.takeHost(scopes)
    let fails = line.skip("fails")
    try line.takeKeyword("after")
    let after = try line.takeDuration()
    if fails {
      let answer = Name.Answer(nil, after: after, [], errno: try line.takeCode())
      return Name(host: host, port: 0, [answer], isService: true)
    }
    var records: [ServiceRecord] = []
    repeat {
      let priority = try line.takeCount("a priority", least: 0, most: 65535)
      let weight = try line.takeCount("a weight", least: 0, most: 65535)
      let port = try line.takeCount("a port", least: 0, most: 65535)
      records.append(
        ServiceRecord(
          priority: UInt16(priority), weight: UInt16(weight), port: UInt16(port),
          target: try line.takeWord("a target")))
    } while !line.isAtEnd
    return Name(
      host: host, port: 0, [Name.Answer(after: after, records: records)], isService: true)
  }

  /// Reads what follows `nat64`: the AAAA answer of ipv4only.arpa.
  func translation(_ line: inout ScenarioLine) throws(ScenarioError) -> Name.Answer {
    try line.takeAnswer(.inet6, scopes)
  }

  /// The answers to a lookup that the race asks for, and the port of their addresses.
  func answers(to lookup: Race.Lookup) -> [Name.Answer] {
    guard lookup.parent != nil else { return translation.map { [$0] } ?? [] }
    let asked = lookup.host.host.withoutFinalDot
    guard let host = hosts.first(where: { $0.host.withoutFinalDot == asked }) else {
      return [Name.Answer(nil, after: .zero, [], errno: .nameNotKnown)]
    }
    var answers = host.answers.filter {
      lookup.family == nil || $0.family == nil || $0.family == lookup.family
    }
    for family in [Family.inet6, .inet] where lookup.family == nil || lookup.family == family {
      if !answers.contains(where: { $0.family == nil || $0.family == family }) {
        answers.append(
          Name.Answer(family, after: host.answers[0].after, [], errno: .nameWithoutAddress))
      }
    }
    return answers
  }

  /// The host of a name of a race over this scenario.
  func host(of id: NameID, in race: Race) -> [UInt8] {
    let index = Int(id.number)
    return index < names.count ? names[index].host : race.lookups[index - names.count].host.host
  }
}

extension [UInt8] {
  fileprivate var withoutFinalDot: [UInt8] {
    count > 1 && last == UInt8(ascii: ".") ? Array(dropLast()) : self
  }
}

extension ScenarioText {
  mutating func append(_ statement: StaticString, _ name: Scenario.Name) {
    line(statement) { [scopes] in
      $0.append(name.host)
      for answer in name.answers {
        switch answer.family {
        case .inet6: $0.append(" ipv6 after ")
        case .inet: $0.append(" ipv4 after ")
        case nil, .unix: $0.append(answer.records.isEmpty ? " fails after " : " after ")
        }
        $0.append(answer, scopes)
      }
      if name.port != 0 {
        $0.append(" port ")
        $0.append(decimal: UInt64(name.port))
      }
    }
  }

  mutating func append(translation: Scenario.Name.Answer) {
    line("nat64 after ") { [scopes] in $0.append(translation, scopes) }
  }
}

extension TextBuffer {
  fileprivate mutating func append(_ answer: Scenario.Name.Answer, _ scopes: ScenarioScopes) {
    append(duration: answer.after)
    for address in answer.addresses {
      append(" ")
      append(address, scopes: scopes)
    }
    for record in answer.records {
      append(" ")
      append(decimal: UInt64(record.priority))
      append(" ")
      append(decimal: UInt64(record.weight))
      append(" ")
      append(decimal: UInt64(record.port))
      append(" ")
      append(record.target)
    }
    if let errno = answer.errno {
      append(" ")
      append(errno)
    }
  }
}
