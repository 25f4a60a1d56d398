import ConnectByListCore

/// Reads one line of a scenario word by word.
///
/// Each `take…` function consumes what its name says, or throws an error that says what was expected.
struct ScenarioLine {
  let number: Int
  let allWords: [[UInt8]]
  private var next = 0

  init(_ text: some Sequence<UInt8>, number: Int) {
    self.number = number
    var words: [[UInt8]] = []
    var word: [UInt8] = []
    for byte in text {
      if byte == UInt8(ascii: "#") { break }
      if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r") {
        if !word.isEmpty { words.append(word) }
        word = []
      } else {
        word.append(byte)
      }
    }
    if !word.isEmpty { words.append(word) }
    allWords = words
  }

  var isEmpty: Bool { allWords.isEmpty }
  var isAtEnd: Bool { next == allWords.count }

  /// The next word, without consuming it; `nil` at the end.
  var peek: [UInt8]? { isAtEnd ? nil : allWords[next] }

  // MARK: taking

  /// The next word; `nil` at the end.
  mutating func takeWord() -> [UInt8]? {
    guard !isAtEnd else { return nil }
    next += 1
    return allWords[next - 1]
  }

  mutating func takeWord(_ expected: StaticString) throws(ScenarioError) -> [UInt8] {
    guard let word = takeWord() else { throw missing(expected) }
    return word
  }

  mutating func takeKeyword(_ keyword: StaticString) throws(ScenarioError) {
    guard let word = takeWord() else { throw missing("'", keyword, "'") }
    guard !word.equals(keyword) else { return }
    var text = TextBuffer()
    text.append("expected '")
    text.append(keyword)
    text.append("', not '")
    text.append(escaped: word)
    text.append("'")
    throw ScenarioError(line: number, message: text.bytes)
  }

  /// Consumes the next word if it is this one.
  mutating func skip(_ keyword: StaticString) -> Bool {
    guard let peek, peek.equals(keyword) else { return false }
    next += 1
    return true
  }

  func requireEnd() throws(ScenarioError) {
    if let peek { throw wrong(peek, "is not expected here") }
  }

  mutating func takeDuration() throws(ScenarioError) -> TimeSpan {
    try duration(takeWord("a duration"))
  }

  mutating func takeAddress(_ scopes: ScenarioScopes) throws(ScenarioError) -> IPAddress {
    try address(takeWord("an address"), scopes)
  }

  mutating func takeCode() throws(ScenarioError) -> Errno {
    let word = try takeWord("the name of an error")
    guard let errno = Errno(name: word) else { throw wrong(word, "is not the name of an error") }
    return errno
  }

  /// A whole number of `least` … `most`.
  mutating func takeCount(
    _ expected: StaticString, least: UInt64 = 1, most: UInt64
  ) throws(ScenarioError) -> Int {
    let word = try takeWord(expected)
    guard let number = AddressLiteral.decimal(word.span, digitsMax: 9), number >= least,
      number <= most
    else {
      var text = TextBuffer()
      text.append("'")
      text.append(escaped: word)
      text.append("' is not ")
      text.append(expected)
      text.append(", ")
      text.append(decimal: least)
      text.append(" to ")
      text.append(decimal: most)
      throw ScenarioError(line: self.number, message: text.bytes)
    }
    return Int(number)
  }

  // MARK: converting words

  func address(_ word: [UInt8], _ scopes: ScenarioScopes) throws(ScenarioError) -> IPAddress {
    guard let address = EndpointText.parseAddress(word, scopes: scopes) else {
      throw wrong(word, "is not an address")
    }
    return address.unmapped
  }

  /// The longest duration, three years, is far below the limit of `TimeSpan`.
  private static let durationMax: Int64 = 100_000_000 * 1_000_000_000

  /// Converts the decimal digits to nanoseconds, so the result is exact.
  func duration(_ word: [UInt8]) throws(ScenarioError) -> TimeSpan {
    let end = word.firstIndex { !ScenarioLine.isDigit($0) && $0 != UInt8(ascii: ".") } ?? word.count
    let point = word[..<end].firstIndex(of: UInt8(ascii: ".")) ?? end
    let fraction = word[min(point + 1, end)..<end]
    guard point > 0, point == end || !fraction.isEmpty && fraction.allSatisfy(ScenarioLine.isDigit)
    else { throw wrong(word, "is not a duration, such as 250ms, 1.5s or 20us") }
    let decimals = try decimalsOfUnit(in: word, from: end)

    var nanoseconds: Int64 = 0
    func append(_ digit: UInt8) {
      nanoseconds = min(
        nanoseconds * 10 + Int64(digit - UInt8(ascii: "0")), ScenarioLine.durationMax + 1)
    }
    for digit in word[..<point] { append(digit) }
    for digit in fraction.prefix(decimals) { append(digit) }
    for _ in 0..<max(0, decimals - fraction.count) { append(UInt8(ascii: "0")) }
    guard fraction.dropFirst(decimals).allSatisfy({ $0 == UInt8(ascii: "0") }) else {
      throw wrong(word, "is finer than a nanosecond")
    }
    guard nanoseconds <= ScenarioLine.durationMax else {
      throw wrong(word, "is more than 100000000s")
    }
    return TimeSpan(nanoseconds: nanoseconds)
  }

  /// The number of decimal places of the unit: 9 for a second, because it has 10^9 nanoseconds.
  private func decimalsOfUnit(in word: [UInt8], from start: Int) throws(ScenarioError) -> Int {
    let unit = Array(word[start...])
    if unit.equals("ns") { return 0 }
    if unit.equals("us") { return 3 }
    if unit.equals("ms") { return 6 }
    if unit.equals("s") { return 9 }
    throw unit.isEmpty
      ? wrong(word, "has no unit: a duration is written 250ms, 1.5s, 20us or 100ns")
      : wrong(word, "has an unknown unit: the units are s, ms, us and ns")
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  // MARK: errors

  func error(_ parts: StaticString...) -> ScenarioError {
    var text = TextBuffer()
    for part in parts { text.append(part) }
    return ScenarioError(line: number, message: text.bytes)
  }

  func missing(_ expected: StaticString...) -> ScenarioError {
    var text = TextBuffer()
    text.append("expected ")
    for part in expected { text.append(part) }
    text.append(" before the end of the line")
    return ScenarioError(line: number, message: text.bytes)
  }

  /// `'word' reason`.
  func wrong(_ word: [UInt8], _ reason: StaticString...) -> ScenarioError {
    var text = TextBuffer()
    text.append("'")
    text.append(escaped: word)
    text.append("' ")
    for part in reason { text.append(part) }
    return ScenarioError(line: number, message: text.bytes)
  }

  /// `unknown WHAT 'word'; did you mean 'nearest'?`, or if no name is near, the list of all names.
  func unknown(
    _ what: StaticString, _ word: [UInt8], among known: [StaticString]
  ) -> ScenarioError {
    var text = TextBuffer()
    text.append("unknown ")
    text.append(what)
    text.append(" '")
    text.append(escaped: word)
    text.append("'; ")
    if let nearest = NearestName.nearest(to: word, in: known) {
      text.append("did you mean '")
      text.append(nearest)
      text.append("'?")
    } else {
      text.append("expected ")
      for (index, name) in known.enumerated() {
        if index > 0 { text.append(index == known.count - 1 ? " or " : ", ") }
        text.append(name)
      }
    }
    return ScenarioError(line: number, message: text.bytes)
  }
}
