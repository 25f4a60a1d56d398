/// What a read returns: the formats of Lua's `io.read`, and "c".
public enum ReadFormat: Equatable, Sendable {
  /// "l": a line without its newline; "L": with it.
  case line(keepsEnd: Bool)
  /// "c": a line without its end, a newline or a carriage return and a newline.
  case contents
  /// "a": everything up to the end of the stream.
  case all
  /// "n": a numeral.
  case number
  /// This many bytes, fewer only at the end of the stream.
  case bytes(Int)

  var isLine: Bool {
    switch self {
    case .line, .contents: true
    default: false
    }
  }

  /// Parses "l", "*l", … As in Lua's `io`, what follows the letter is ignored. `nil`: no format.
  public init?(_ text: UnsafeRawBufferPointer) {
    var index = 0
    if index < text.count && text[index] == UInt8(ascii: "*") { index += 1 }
    guard index < text.count else { return nil }
    switch text[index] {
    case UInt8(ascii: "l"): self = .line(keepsEnd: false)
    case UInt8(ascii: "L"): self = .line(keepsEnd: true)
    case UInt8(ascii: "c"): self = .contents
    case UInt8(ascii: "a"): self = .all
    case UInt8(ascii: "n"): self = .number
    default: return nil
    }
  }
}

/// The result of looking for a value in the bytes received so far.
enum FormatMatch: Equatable {
  /// The value is `count` bytes at `skip`; `taken` bytes are consumed.
  case found(skip: Int, count: Int, taken: Int)
  /// There is no value: the stream ended, or the bytes are no numeral. `taken` bytes are consumed.
  case end(taken: Int)
  /// More bytes are needed: at least `total` in all. The next match may begin at `from`.
  case more(total: Int, from: Int)
}

extension ReadFormat {
  /// Looks for the value at the front of `bytes`.
  ///
  /// - Parameters:
  ///   - from: where to go on, from the last `.more` of the same value; else 0.
  ///   - isEnd: the stream ends after these bytes.
  func match(_ bytes: UnsafeRawBufferPointer, from: Int, isEnd: Bool) -> FormatMatch {
    switch self {
    case .line, .contents:
      let unseen = UnsafeRawBufferPointer(rebasing: bytes[from...])
      if let found = unseen.firstIndex(ofByte: UInt8(ascii: "\n")) {
        let newline = from + found
        return .found(skip: 0, count: lineCount(bytes, newline), taken: newline + 1)
      }
      if !isEnd { return .more(total: bytes.count + 1, from: bytes.count) }
      if bytes.isEmpty { return .end(taken: 0) }
      return .found(skip: 0, count: bytes.count, taken: bytes.count)
    case .all:
      if !isEnd { return .more(total: bytes.count + 1, from: bytes.count) }
      return .found(skip: 0, count: bytes.count, taken: bytes.count)
    case .bytes(let wanted):
      // A read of 0 bytes tests for the end of the stream, so it needs a byte too.
      if bytes.count >= max(wanted, 1) { return .found(skip: 0, count: wanted, taken: wanted) }
      if !isEnd { return .more(total: max(wanted, 1), from: 0) }
      if bytes.isEmpty { return .end(taken: 0) }
      return .found(skip: 0, count: bytes.count, taken: bytes.count)
    case .number:
      var scanner = NumeralScanner(bytes, from: from, isEnd: isEnd)
      return scanner.match()
    }
  }

  /// How many bytes of a line are its value.
  private func lineCount(_ bytes: UnsafeRawBufferPointer, _ newline: Int) -> Int {
    if self == .line(keepsEnd: true) { return newline + 1 }
    let endsInTwo = newline > 0 && bytes[newline - 1] == UInt8(ascii: "\r")
    return self == .contents && endsInTwo ? newline - 1 : newline
  }
}
