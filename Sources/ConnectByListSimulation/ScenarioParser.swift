import ConnectByListCore

extension Scenario {
  /// Reads the text of a scenario. Scenario.swift begins with its grammar.
  ///
  /// - Throws: the first defect with its line, or the last line if there is nothing to connect to.
  public init(parsing text: [UInt8]) throws(ScenarioError) {
    self.init()
    var number = 0
    var start = 0
    while start < text.count {
      let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
      number += 1
      var line = ScenarioLine(text[start..<end], number: number)
      if !line.isEmpty { try read(&line) }
      start = end + 1
    }
    try requireSomethingToConnectTo(ScenarioLine([], number: max(number, 1)))
  }

  private func requireSomethingToConnectTo(_ lastLine: ScenarioLine) throws(ScenarioError) {
    if list.isEmpty { throw lastLine.error("the list is empty: there is no remote and no name") }
    if options.retry != nil && options.timeout == nil && cancel == nil {
      throw lastLine.error("option 'retry' needs a timeout or a cancel: the race would not end")
    }
    if names.isEmpty && candidates().isEmpty {
      throw lastLine.error(
        "the list is empty: every remote is of another family, or link-local without a link")
    }
  }

  private static let statements: [StaticString] = [
    "local", "remote", "world", "pair", "name", "srv", "host", "nat64", "rtt", "seen", "neighbour",
    "descriptors", "option", "cancel",
  ]

  private mutating func read(_ line: inout ScenarioLine) throws(ScenarioError) {
    for scope in line.scopeNames { scopes.add(scope) }
    let statement = try line.takeWord("a statement")
    if statement.equals("local") {
      try readLocal(&line)
    } else if statement.equals("remote") {
      try readRemote(&line)
    } else if statement.equals("world") {
      try readWorld(&line)
    } else if statement.equals("pair") {
      try readPair(&line)
    } else if statement.equals("name") {
      try readName(&line)
    } else if statement.equals("host") {
      hosts.append(try name(&line))
    } else if statement.equals("srv") {
      try requireRoom(line)
      append(try service(&line))
    } else if statement.equals("nat64") {
      translation = try translation(&line)
    } else if statement.equals("rtt") {
      try readMetrics(&line)
    } else if statement.equals("seen") {
      try readSeen(&line)
    } else if statement.equals("history") {
      throw line.error("'history' is written 'seen ADDRESS ENDPOINT connected|failed … ago' now")
    } else if statement.equals("neighbour") {
      failedNeighbours.append(try line.takeAddress(scopes))
      try line.takeKeyword("failed")
    } else if statement.equals("descriptors") {
      descriptorCount = try line.takeCount("a number of descriptors", least: 0, most: 1_000_000)
    } else if statement.equals("option") {
      try readOption(&line)
    } else if statement.equals("cancel") {
      cancel = try line.takeDuration()
    } else {
      throw line.unknown("statement", statement, among: Scenario.statements)
    }
    try line.requireEnd()
  }

  private func requireRoom(_ line: ScenarioLine) throws(ScenarioError) {
    if list.count >= AddressList.countMax {
      throw line.error("the list already has 1,000,000 entries, and cannot have more")
    }
  }

  // MARK: addresses and behaviour

  private mutating func readLocal(_ line: inout ScenarioLine) throws(ScenarioError) {
    let word = try line.takeWord("an address with its prefix")
    let slash = word.firstIndex(of: UInt8(ascii: "/")) ?? word.count
    let address = try line.address(Array(word[..<slash]), scopes)
    if address.isUnspecified || address.isMulticast || address.isBroadcast {
      throw line.wrong(word, "is not an address to connect from")
    }
    // Without a prefix it is 64 for IPv6, as far as RFC 6724 rule 9 compares. That of an IPv4 address is
    // not used.
    var prefix: UInt64 = address.family == .inet ? 32 : 64
    if slash < word.count {
      let most: UInt64 = address.family == .inet ? 32 : 128
      let digits = Array(word[(slash + 1)...])
      guard let number = AddressLiteral.decimal(digits.span, digitsMax: 3), number <= most else {
        throw line.wrong(
          word, "has a prefix that is not ", most == 32 ? "0 to 32" : "0 to 128")
      }
      prefix = number
    }
    var flags: LocalAddress.Flags = []
    while let flag = line.takeWord() {
      if flag.equals("deprecated") {
        flags.insert(.deprecated)
      } else if flag.equals("temporary") {
        flags.insert(.temporary)
      } else if flag.equals("home") {
        flags.insert(.home)
      } else if flag.equals("tentative") {
        flags.insert(.tentative)
      } else if flag.equals("broadcast") {
        flags.insert(.broadcast)
      } else {
        throw line.unknown(
          "flag", flag, among: ["deprecated", "temporary", "home", "tentative", "broadcast"])
      }
    }
    locals.append(
      LocalAddress(
        address, prefixLength: UInt8(prefix), flags: flags, interface: address.scope))
  }

  private mutating func readRemote(_ line: inout ScenarioLine) throws(ScenarioError) {
    try requireRoom(line)
    let word = try line.takeWord("an address with its port")
    let clauses = try line.takeClauses(scopes)
    let endpoint = try line.endpoint(word, scopes, allowsMulticast: clauses.source != nil)
    append(try line.destination(endpoint, word, clauses))
  }

  private mutating func readWorld(_ line: inout ScenarioLine) throws(ScenarioError) {
    let word = try line.takeWord("an address")
    let endpoint: Endpoint
    if let address = EndpointText.parseAddress(word, scopes: scopes) {
      endpoint = Endpoint(address, port: 0)
    } else {
      endpoint = try line.endpoint(word, scopes, allowsMulticast: true)
    }
    describe(try line.destination(endpoint, word, line.takeClauses(scopes)))
  }

  private mutating func readPair(_ line: inout ScenarioLine) throws(ScenarioError) {
    let local = line.skip("-") ? nil : try line.takeAddress(scopes)
    let word = try line.takeWord("an address with its port")
    let remote = try line.endpoint(word, scopes, allowsMulticast: true)
    if let local, local.family != remote.unmapped.family {
      throw line.wrong(word, "is of another family than the local address")
    }
    pairs.append(PairBehaviour(local: local, remote: remote, try line.takeBehaviour()))
  }

  // MARK: names

  private mutating func readName(_ line: inout ScenarioLine) throws(ScenarioError) {
    try requireRoom(line)
    let name = try name(&line)
    if name.port == 0 && name.answers.contains(where: { !$0.addresses.isEmpty }) {
      throw line.error("the name has no port")
    }
    append(name)
  }

  // MARK: evidence

  private mutating func readMetrics(_ line: inout ScenarioLine) throws(ScenarioError) {
    let source = try line.takeAddress(scopes)
    let destination = try line.takeAddress(scopes)
    let smoothed = try line.takeDuration()
    try line.takeKeyword("var")
    let variance = try line.takeDuration()
    metrics.append(
      Metrics(
        source: source, destination: destination,
        RemotePathInformation.RoundTrip(smoothed: smoothed, variance: variance)))
  }

  private mutating func readSeen(_ line: inout ScenarioLine) throws(ScenarioError) {
    let source = try line.takeAddress(scopes)
    let word = try line.takeWord("an address with its port")
    let endpoint = try line.endpoint(word, scopes, allowsMulticast: true)
    if source.family != endpoint.unmapped.family {
      throw line.wrong(word, "is of another family than the local address")
    }
    let outcome = try line.takeWord("'connected' or 'failed'")
    let result: Seen.Outcome
    var age: TimeSpan
    if outcome.equals("connected") {
      // One duration is the age; of two the first is the round trip.
      age = try line.takeDuration()
      var roundTrip: TimeSpan?
      if let peek = line.peek, !peek.equals("ago") {
        roundTrip = age
        age = try line.takeDuration()
      }
      result = .connected(roundTrip: roundTrip)
    } else if outcome.equals("failed") || outcome.equals("refused") {
      result = outcome.equals("failed") ? .failed : .refused
      age = try line.takeDuration()
    } else {
      throw line.unknown("outcome", outcome, among: ["connected", "failed", "refused"])
    }
    try line.takeKeyword("ago")
    seen.append(Seen(source: source, endpoint, result, age: age))
  }
}
