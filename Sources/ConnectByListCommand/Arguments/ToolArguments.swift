import ConnectByListCore

/// The arguments of a tool, read one after another: options (`--name VALUE`, `--name=VALUE`), words, and
/// `--`, which ends the options.
struct ToolArguments {
  enum Item {
    /// An option's name without the dashes. Its value is read by ``value(of:)``.
    case option([UInt8])
    case word([UInt8])
    /// `--`: what follows begins at this index of the tool's arguments.
    case end(next: Int)
  }

  private let arguments: [[UInt8]]
  private var index = 0
  /// The value that the option had after `=`.
  private var attached: [UInt8]?

  init(_ arguments: [[UInt8]]) { self.arguments = arguments }

  /// Throws where the option before had a value after `=` and takes none.
  mutating func next() throws(CommandLineRequest.Misuse) -> Item? {
    if let attached {
      throw CommandLineRequest.Misuse(
        "", quoting: attached, " is the value of an option without one")
    }
    guard index < arguments.count else { return nil }
    let argument = arguments[index]
    index += 1
    if argument.equals("--") { return .end(next: index) }
    // A single dash is the standard input.
    guard argument.count > 1, argument[0] == UInt8(ascii: "-") else { return .word(argument) }
    guard argument[1] == UInt8(ascii: "-") else {
      return .option([argument[1]] + (argument.count > 2 ? argument[2...] : []))
    }
    guard let equals = argument.firstIndex(of: UInt8(ascii: "=")) else {
      return .option(Array(argument[2...]))
    }
    attached = Array(argument[(equals + 1)...])
    return .option(Array(argument[2..<equals]))
  }

  /// The value of the option that ``next()`` returned.
  mutating func value(of name: [UInt8]) throws(CommandLineRequest.Misuse) -> [UInt8] {
    if let attached {
      self.attached = nil
      return attached
    }
    guard index < arguments.count else {
      throw CommandLineRequest.Misuse("", quoting: [UInt8]("--") + name, " needs a value")
    }
    index += 1
    return arguments[index - 1]
  }

  /// The value after `=`, where there is one: of a switch, which means `true` without.
  mutating func attachedValue() -> [UInt8]? {
    defer { attached = nil }
    return attached
  }

  /// A time in seconds.
  mutating func seconds(
    of name: [UInt8], atLeast least: TimeSpan = .zero
  ) throws(CommandLineRequest.Misuse) -> TimeSpan {
    let text = try value(of: name)
    guard let span = Decimal.span(seconds: text), span >= least else {
      throw CommandLineRequest.Misuse("", quoting: text, " is not a number of seconds")
    }
    return span
  }
}

/// Decimal numbers as they stand in arguments: digits, with one point at most. No sign and no exponent.
enum Decimal {
  /// Exact to a nanosecond; digits below are cut. `nil` above 10^9 seconds.
  static func span(seconds text: [UInt8]) -> TimeSpan? {
    var nanoseconds: Int64 = 0
    // Decimal places that are left after the point; 9 are a nanosecond.
    var places: Int64?
    var hasDigit = false
    for byte in text {
      if byte == UInt8(ascii: "."), places == nil {
        places = 9
        continue
      }
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      hasDigit = true
      if places == 0 { continue }
      places = places.map { $0 - 1 }
      nanoseconds = nanoseconds * 10 + Int64(byte - UInt8(ascii: "0"))
      // 19 digits would overflow.
      guard nanoseconds <= 1_000_000_000_000_000_000 / 10 else { return nil }
    }
    guard hasDigit else { return nil }
    for _ in 0..<(places ?? 9) {
      guard nanoseconds <= 1_000_000_000_000_000_000 / 10 else { return nil }
      nanoseconds *= 10
    }
    return TimeSpan(nanoseconds: nanoseconds)
  }

  /// A whole number of 0 … 10^9.
  static func whole(_ text: [UInt8]) -> Int? {
    guard !text.isEmpty, text.count <= 10 else { return nil }
    var number = 0
    for byte in text {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      number = number * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return number <= 1_000_000_000 ? number : nil
  }
}
