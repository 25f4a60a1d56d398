// The text of rules about destinations, and its defects.

/// What is wrong with the text of a rule.
public struct EgressPolicyError: Error, Equatable {
  public enum Reason: UInt8, Equatable, Sendable {
    case noAction
    case noTarget
    case notATarget
    case badAddress
    case badPrefixLength
    case bitsBelowPrefix
    case badPorts
    case portsNotAllowed
    case badUnixPath
    case tooManyRules
  }

  public let reason: Reason
  /// The word that has the defect.
  public let word: [UInt8]

  /// In words, with the word quoted.
  public var message: TextBuffer {
    var text = TextBuffer()
    text.append("'")
    text.append(escaped: word)
    text.append("': ")
    text.append(words)
    return text
  }

  private var words: StaticString {
    switch reason {
    case .noAction: "'allow' or 'deny' has to come first"
    case .noTarget: "no destination follows"
    case .notATarget:
      "neither an address, a network, nor one of any, inet, inet6, unix, unix:PATH, loopback, private, link-local, multicast, metadata, names, test-endpoints"
    case .badAddress: "not an IP address"
    case .badPrefixLength:
      "the prefix length is not a number of 0 to 32 for IPv4, of 0 to 128 for IPv6"
    case .bitsBelowPrefix: "the address has bits that are not in the prefix"
    case .badPorts: "ports are numbers of 1 to 65535 or ranges of them, separated by commas"
    case .portsNotAllowed: "this destination has no ports"
    case .badUnixPath:
      "a Unix path is absolute, without '..', or '@' and a name; a '*' can only be its end"
    case .tooManyRules: "more than 4096 rules"
    }
  }
}

extension EgressPolicy {
  /// Parses rules: the words `allow` and `deny`, each followed by the destinations that it is for. White
  /// space and semicolons separate words; a `#` begins a comment, up to the end of the line.
  ///
  ///     allow 10.1.0.0/16:443 [2001:db8::/32]:443,8000-8099
  ///     deny private metadata
  ///     allow any
  ///
  /// A destination is one of
  ///
  /// - `192.0.2.1`, `192.0.2.0/24`, `2001:db8::1`, `2001:db8::/32`: an address or a network, with ports
  ///   `192.0.2.0/24:443`, `[2001:db8::/32]:443`
  /// - `loopback`, `private`, `link-local`, `multicast`, `metadata` (``AddressClass``), `any`, `inet`,
  ///   `inet6`, with ports `any:443`
  /// - `unix`, `unix:/run/app.sock`, `unix:/run/app/*` (the sockets of a folder), `unix:@name`
  /// - `names`, `test-endpoints`: these are no rules but the switches `allowsNameLookups` and
  ///   `allowsTestEndpoints`
  public init(parsing text: [UInt8]) throws(EgressPolicyError) {
    self.init()
    var action: Action?
    var isComplete = true
    var last: [UInt8] = []
    for word in Self.words(of: text) {
      last = word
      if word.equals("allow") || word.equals("deny") {
        guard isComplete else { throw EgressPolicyError(reason: .noTarget, word: word) }
        action = word.equals("allow") ? .allow : .deny
        isComplete = false
        continue
      }
      guard let action else { throw EgressPolicyError(reason: .noAction, word: word) }
      try append(action, parsing: word)
      isComplete = true
    }
    guard isComplete else { throw EgressPolicyError(reason: .noTarget, word: last) }
  }

  private static func words(of text: [UInt8]) -> [[UInt8]] {
    var words: [[UInt8]] = []
    for line in text.split(separator: UInt8(ascii: "\n")) {
      for word in line.split(whereSeparator: {
        $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: ";")
          || $0 == UInt8(ascii: "\r")
      }) {
        if word.first == UInt8(ascii: "#") { break }
        words.append(Array(word))
      }
    }
    return words
  }

  /// Adds the rules of one destination: one for each of its port ranges. Where this throws, the policy is as
  /// before.
  public mutating func append(
    _ action: Action, parsing word: [UInt8]
  ) throws(EgressPolicyError) {
    if word.equals("names") {
      allowsNameLookups = action == .allow
      return
    }
    if word.equals("test-endpoints") {
      allowsTestEndpoints = action == .allow
      return
    }
    let parser = TargetParser(word: word)
    let (target, ports) = try parser.parse()
    guard rules.count + max(1, ports.count) <= Self.rulesMax else {
      throw EgressPolicyError(reason: .tooManyRules, word: word)
    }
    if ports.isEmpty { append(Rule(action, target)) }
    for range in ports { append(Rule(action, target, ports: range)) }
  }
}

/// Parses one destination.
private struct TargetParser {
  let word: [UInt8]

  private func fail(_ reason: EgressPolicyError.Reason) -> EgressPolicyError {
    EgressPolicyError(reason: reason, word: word)
  }

  func parse() throws(EgressPolicyError) -> (EgressPolicy.Target, [ClosedRange<UInt16>]) {
    if word.starts(with: [UInt8]("unix:")) {
      return (try unixPath(Array(word[5...])), [])
    }
    // The end of a word that names a class, and of an IPv4 address without a prefix.
    let colon = word.firstIndex(of: UInt8(ascii: ":")) ?? word.count
    if let target = named(Array(word[..<colon])) {
      guard colon < word.count else { return (target, []) }
      if target == .family(.unix) { throw fail(.portsNotAllowed) }
      return (target, try ports(colon + 1))
    }
    let parts = try split()
    guard let address = EndpointText.parseAddress(parts.address, scopes: NumericScopes()),
      address.scope == 0
    else { throw fail(looksLikeAddress ? .badAddress : .notATarget) }
    return (try network(address, parts.prefixLength), try parts.ports.map(ports) ?? [])
  }

  private func named(_ name: [UInt8]) -> EgressPolicy.Target? {
    if name.equals("any") { return .any }
    for family in [Family.inet, .inet6, .unix] where name.equals(family.name) {
      return .family(family)
    }
    for addressClass in AddressClass.allCases where name.equals(addressClass.name) {
      return .addressClass(addressClass)
    }
    return nil
  }

  private var looksLikeAddress: Bool {
    word.first == UInt8(ascii: "[")
      || word.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") }
      || word.first.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } == true
  }

  // MARK: networks

  private struct Parts {
    var address: [UInt8]
    var prefixLength: [UInt8]?
    /// Where the ports begin in the word.
    var ports: Int?
  }

  /// Splits `ADDRESS[/LENGTH][:PORTS]`, where an IPv6 address with its length, or without, may be in
  /// brackets. Without brackets and length, two colons or more are all an IPv6 address.
  private func split() throws(EgressPolicyError) -> Parts {
    var end = word.count
    var parts: Parts
    if word.first == UInt8(ascii: "[") {
      guard let close = word.firstIndex(of: UInt8(ascii: "]")) else { throw fail(.badAddress) }
      parts = splitLength(Array(word[1..<close]))
      guard parts.address.contains(UInt8(ascii: ":")) else { throw fail(.badAddress) }
      end = close + 1
      guard end < word.count else { return parts }
      guard word[end] == UInt8(ascii: ":") else { throw fail(.badAddress) }
      parts.ports = end + 1
      return parts
    }
    let slash = word.firstIndex(of: UInt8(ascii: "/"))
    let searched = slash ?? 0
    if let colon = word[searched...].firstIndex(of: UInt8(ascii: ":")) {
      let isIPv6 = slash == nil && word[(colon + 1)...].contains(UInt8(ascii: ":"))
      if !isIPv6 { end = colon }
    }
    parts = splitLength(Array(word[..<end]))
    if end < word.count { parts.ports = end + 1 }
    return parts
  }

  private func splitLength(_ text: [UInt8]) -> Parts {
    guard let slash = text.firstIndex(of: UInt8(ascii: "/")) else { return Parts(address: text) }
    return Parts(address: Array(text[..<slash]), prefixLength: Array(text[(slash + 1)...]))
  }

  /// A v4-mapped network is the IPv4 network.
  private func network(
    _ address: IPAddress, _ lengthText: [UInt8]?
  ) throws(EgressPolicyError) -> EgressPolicy.Target {
    let bits = address.family == .inet ? 32 : 128
    var length = bits
    if let lengthText {
      guard let number = AddressLiteral.decimal(lengthText.span, digitsMax: 3), number <= bits
      else { throw fail(.badPrefixLength) }
      length = Int(number)
    }
    // In Swift a shift by 64 or more gives 0.
    let low = 128 - bits + length
    let highMask = ~(UInt64.max >> UInt64(min(64, low)))
    let lowMask = ~(UInt64.max >> UInt64(max(0, low - 64)))
    guard address.high & ~highMask == 0, address.low & ~lowMask == 0 else {
      throw fail(.bitsBelowPrefix)
    }
    if address.isMapped && length >= 96 {
      return .network(address.unmapped, prefixLength: length - 96)
    }
    return .network(address, prefixLength: length)
  }

  // MARK: ports and paths

  private func ports(_ start: Int) throws(EgressPolicyError) -> [ClosedRange<UInt16>] {
    var ranges: [ClosedRange<UInt16>] = []
    for item in word[start...].split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
    {
      let ends = item.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
      guard ends.count <= 2, let first = EndpointText.parsePort(Array(ends[0])),
        let last = EndpointText.parsePort(Array(ends[ends.count - 1])), first <= last
      else { throw fail(.badPorts) }
      ranges.append(first...last)
    }
    return ranges
  }

  private func unixPath(_ text: [UInt8]) throws(EgressPolicyError) -> EgressPolicy.Target {
    let isPrefix = text.last == UInt8(ascii: "*")
    let path = isPrefix ? Array(text.dropLast()) : text
    let isAbstract = path.first == UInt8(ascii: "@")
    guard isAbstract || path.first == UInt8(ascii: "/"), !path.contains(UInt8(ascii: "*")),
      !path.contains(0), path.count <= UnixPaths.lengthMax + 1
    else { throw fail(.badUnixPath) }
    if !isAbstract {
      // What an empty path before the star would allow is `unix`.
      guard path.count > 1 else { throw fail(.badUnixPath) }
      for part in path.split(separator: UInt8(ascii: "/")).map({ Array($0) })
      where part.equals(".") || part.equals("..") {
        throw fail(.badUnixPath)
      }
    }
    return .unixPath(path, isPrefix: isPrefix)
  }
}
