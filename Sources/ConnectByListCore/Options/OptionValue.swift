/// A value that a script or a scenario gives to a connect option.
public enum OptionValue: Equatable, Sendable {
  case boolean(Bool)
  /// A script's number, whether Lua has it as an integer or as a float. A span of time in seconds.
  case number(Double)
  /// A span of time that the source states exactly.
  case span(TimeSpan)
  case text([UInt8])
  /// A value of a type that no option of `ConnectOptions` takes: a function, a userdata.
  case other

  /// 2^53: a `Double` holds every whole number up to it exactly.
  static let exactWholeMax: UInt64 = 9_007_199_254_740_992

  fileprivate var span: TimeSpan? {
    switch self {
    case .span(let span): span
    case .number(let seconds): TimeSpan(seconds: seconds)
    case .boolean, .text, .other: nil
    }
  }

  fileprivate var whole: UInt64? {
    // The comparisons exclude NaN and every number that UInt64 cannot hold.
    guard case .number(let number) = self, number >= 0, number <= Double(Self.exactWholeMax),
      number == Double(UInt64(number))
    else { return nil }
    return UInt64(number)
  }
}

extension ConnectOption {
  /// The values that the option takes, in words that follow "must be".
  public var allowed: TextBuffer {
    var text = TextBuffer()
    switch kind {
    case .boolean: text.append("a boolean")
    case .span(let range, _, _):
      text.append("a number of seconds, ")
      text.append(decimalSeconds: range.lowerBound)
      text.append(" to ")
      text.append(decimalSeconds: range.upperBound)
    case .bound(atLeast: TimeSpan(nanoseconds: 1), _, _):
      text.append("a number of seconds above 0")
    case .bound(let least, _, _):
      text.append("a number of seconds, ")
      text.append(decimalSeconds: least)
      text.append(" or more")
    case .whole(let range, _, _):
      text.append("a whole number, ")
      text.append(decimal: range.lowerBound)
      text.append(" to ")
      if range.upperBound > OptionValue.exactWholeMax {
        text.append("2^53")
      } else {
        text.append(decimal: range.upperBound)
      }
    case .word(let words, _, _):
      for (index, word) in words.enumerated() {
        if index > 0 { text.append(index == words.count - 1 ? " or " : ", ") }
        text.append("'")
        text.append(word)
        text.append("'")
      }
    case .localAddresses: text.append("an array of IP addresses, or false")
    case .interface: text.append("the name of an interface")
    case .socketOptions: text.append("a table of socket options")
    case .function: text.append("a function")
    }
    return text
  }

  /// Whether the field of the options is in the range of this option. A Swift caller can assign any
  /// value to a field; a script cannot.
  func isInRange(in options: ConnectOptions) -> Bool {
    switch kind {
    case .span(let range, let get, _): get(options).map { range.contains($0) } ?? true
    case .bound(let least, let get, _): get(options).map { $0 >= least } ?? true
    case .whole(let range, let get, _): range.contains(get(options))
    case .boolean, .word, .localAddresses, .interface, .socketOptions, .function: true
    }
  }

  /// Sets the option's field. Returns false, and changes nothing, if the option does not take the value
  /// (`allowed` says which it takes). The fields of `local_addresses`, `interface` and `socket` are not
  /// set this way.
  public func set(_ value: OptionValue, in options: inout ConnectOptions) -> Bool {
    switch kind {
    case .boolean(_, let set):
      guard case .boolean(let on) = value else { return false }
      set(&options, on)
    case .span(let range, _, let set):
      guard let span = value.span, range.contains(span) else { return false }
      set(&options, span)
    case .bound(let least, _, let set):
      guard let span = value.span, span >= least else { return false }
      set(&options, span == .forever ? nil : span)
    case .whole(let range, _, let set):
      guard let number = value.whole, range.contains(number) else { return false }
      set(&options, number)
    case .word(let words, _, let set):
      guard case .text(let text) = value, let index = words.firstIndex(where: { text.equals($0) })
      else { return false }
      set(&options, index)
    case .localAddresses, .interface, .socketOptions, .function: return false
    }
    return true
  }
}

extension TextBuffer {
  /// Seconds without trailing zeros: `60`, `0.01`.
  fileprivate mutating func append(decimalSeconds span: TimeSpan) {
    append(decimal: UInt64(span.nanoseconds / 1_000_000_000))
    var fraction = UInt64(span.nanoseconds % 1_000_000_000)
    guard fraction > 0 else { return }
    var digits = 9
    while fraction % 10 == 0 {
      fraction /= 10
      digits -= 1
    }
    append(".")
    append(decimal: fraction, minimumDigits: digits)
  }
}
