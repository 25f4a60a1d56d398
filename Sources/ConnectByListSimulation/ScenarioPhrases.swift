// Reads the parts that several statements of a scenario share: behaviours, endpoints and answers.

import ConnectByListCore

extension ScenarioLine {
  /// The words after a destination's address, in any order.
  struct Clauses {
    var source: IPAddress?
    var isNative = false
    var behaviour: Scenario.Behaviour
  }

  mutating func takeClauses(_ scopes: ScenarioScopes) throws(ScenarioError) -> Clauses {
    var source: IPAddress?
    var isNative = false
    var behaviour: Scenario.Behaviour?
    while let peek {
      if skip("from") {
        source = try takeAddress(scopes)
      } else if skip("native") {
        isNative = true
      } else if behaviour != nil {
        throw wrong(peek, "is not expected here")
      } else {
        behaviour = try takeBehaviour()
      }
    }
    guard let behaviour else { throw missing("a verb, such as silent or answers 30ms,") }
    return Clauses(source: source, isNative: isNative, behaviour: behaviour)
  }

  func destination(
    _ endpoint: Endpoint, _ word: [UInt8], _ clauses: Clauses
  ) throws(ScenarioError) -> Scenario.Destination {
    if let source = clauses.source, source.family != endpoint.unmapped.family {
      throw wrong(word, "is of another family than the address after 'from'")
    }
    return Scenario.Destination(
      endpoint, from: clauses.source, isNative: clauses.isNative, clauses.behaviour)
  }

  private static let verbs: [StaticString] = [
    "answers", "silent", "refuses", "unreachable", "resets", "rejects", "lost", "noroute", "fails",
    "from", "native",
  ]

  mutating func takeBehaviour() throws(ScenarioError) -> Scenario.Behaviour {
    let verb = try takeWord("a verb, such as silent or answers 30ms,")
    if verb.equals("answers") { return .answers(after: try takeDuration()) }
    if verb.equals("silent") { return .silent }
    if verb.equals("refuses") { return .fails(.connectionRefused, after: try takeDuration()) }
    if verb.equals("unreachable") { return .fails(.hostUnreachable, after: try takeDuration()) }
    if verb.equals("resets") { return .fails(.connectionReset, after: try takeDuration()) }
    if verb.equals("rejects") { return .rejects(after: try takeDuration()) }
    if verb.equals("noroute") { return .noRoute }
    if verb.equals("lost") {
      let count = try takeCount("a number of SYNs", most: 1_000)
      try takeKeyword("answers")
      return .loses(count: count, answers: try takeDuration())
    }
    if verb.equals("fails") {
      let errno = try takeCode()
      // A duration begins with a digit; any other word begins the next clause.
      guard let first = peek?.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
      else { return .failsAtOnce(errno) }
      return .fails(errno, after: try takeDuration())
    }
    throw unknown("verb", verb, among: Self.verbs)
  }

  /// An address with its port.
  ///
  /// - Parameter allowsMulticast: also accept a multicast address, which an `AddressList` refuses.
  func endpoint(
    _ word: [UInt8], _ scopes: ScenarioScopes, allowsMulticast: Bool
  ) throws(ScenarioError) -> Endpoint {
    do throws(EntryError) {
      switch try EndpointText.parseEntry(word, defaultPort: nil, scopes: scopes) {
      case .endpoint(let endpoint): return endpoint
      case .name: break
      }
    } catch {
      if allowsMulticast, error.reason == .multicast,
        let colon = word.lastIndex(of: UInt8(ascii: ":")),
        let address = EndpointText.parseAddress(Array(word[..<colon]), scopes: scopes),
        let port = EndpointText.parsePort(Array(word[(colon + 1)...]))
      {
        return Endpoint(address, port: port)
      }
      throw invalid(word, error)
    }
    throw wrong(word, "is a name; an address is expected")
  }

  mutating func takeHost(_ scopes: ScenarioScopes) throws(ScenarioError) -> [UInt8] {
    let word = try takeWord("a host name")
    do throws(EntryError) {
      switch try EndpointText.parseHost(word, port: .number(1), scopes: scopes) {
      case .name(let host, _): return host
      case .endpoint: break
      }
    } catch {
      throw invalid(word, error)
    }
    throw wrong(word, "is an address; a name is expected")
  }

  mutating func takeAnswer(
    _ family: Family, _ scopes: ScenarioScopes
  ) throws(ScenarioError) -> Scenario.Name.Answer {
    try takeKeyword("after")
    let after = try takeDuration()
    var addresses: [IPAddress] = []
    while let peek, !peek.equals("ipv6"), !peek.equals("ipv4"), !peek.equals("port") {
      if addresses.isEmpty, let errno = Errno(name: peek) {
        _ = takeWord()
        return Scenario.Name.Answer(family, after: after, [], errno: errno)
      }
      let address = try takeAddress(scopes)
      guard address.family == family else { throw wrong(peek, "is of the other family") }
      addresses.append(address)
    }
    if addresses.isEmpty { throw missing("an address or the name of an error") }
    return Scenario.Name.Answer(family, after: after, addresses)
  }

  /// `'192.0.2.1': no port, and there is no default port`
  private func invalid(_ word: [UInt8], _ error: EntryError) -> ScenarioError {
    var text = TextBuffer()
    text.append("'")
    text.append(escaped: word)
    text.append("': ")
    text.append(error.message)
    return ScenarioError(line: number, message: text.bytes)
  }

  /// The names of the interfaces in this line's addresses.
  var scopeNames: [[UInt8]] {
    var names: [[UInt8]] = []
    for word in allWords {
      guard let percent = word.firstIndex(of: UInt8(ascii: "%")) else { continue }
      let name = Array(
        word[(percent + 1)...].prefix { $0 != UInt8(ascii: "]") && $0 != UInt8(ascii: "/") })
      if AddressLiteral.isScopeName(name) { names.append(name) }
    }
    return names
  }
}
