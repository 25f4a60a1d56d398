import CConnectByListPosix
import ConnectByListCore

/// What a read is to give, as Lua's `io` has it.
public enum ReadFormat: Equatable, Sendable {
  /// "l": a line without its end; "L": with it.
  case line(keepsEnd: Bool)
  /// "a": all up to the end of the stream.
  case all
  /// "n": a numeral.
  case number
  /// Exactly so many bytes, fewer only at the end of the stream.
  case bytes(Int)

  /// From "l", "*l" and so on; `nil` where it is none. As in `io`, what follows the letter is not
  /// looked at.
  public init?(_ text: UnsafeRawBufferPointer) {
    var index = 0
    if index < text.count && text[index] == UInt8(ascii: "*") { index += 1 }
    guard index < text.count else { return nil }
    switch text[index] {
    case UInt8(ascii: "l"): self = .line(keepsEnd: false)
    case UInt8(ascii: "L"): self = .line(keepsEnd: true)
    case UInt8(ascii: "a"): self = .all
    case UInt8(ascii: "n"): self = .number
    default: return nil
    }
  }
}

/// What looking for a format in the bytes that are there has found.
enum FormatMatch: Equatable {
  /// The value is `count` bytes at `skip`, and `taken` bytes are used up.
  case found(skip: Int, count: Int, taken: Int)
  /// The stream ended before the value: nil. `taken` bytes are used up all the same.
  case end(taken: Int)
  /// More bytes are needed: in all at least so many. Where looking may go on: `from`.
  case more(total: Int, from: Int)
}

extension ReadFormat {
  /// Looks for the value at the front of `bytes`. `from`: how far an earlier look has come without
  /// success. `isEnd`: nothing comes after these bytes.
  func match(_ bytes: UnsafeRawBufferPointer, from: Int, isEnd: Bool) -> FormatMatch {
    switch self {
    case .line(let keepsEnd):
      let unseen = UnsafeRawBufferPointer(rebasing: bytes[from...])
      let found = cbl_posix_find_byte(unseen.baseAddress, unseen.count, CInt(UInt8(ascii: "\n")))
      if found >= 0 {
        let newline = from + Int(found)
        return .found(skip: 0, count: keepsEnd ? newline + 1 : newline, taken: newline + 1)
      }
      if !isEnd { return .more(total: bytes.count + 1, from: bytes.count) }
      if bytes.isEmpty { return .end(taken: 0) }
      return .found(skip: 0, count: bytes.count, taken: bytes.count)
    case .all:
      if !isEnd { return .more(total: bytes.count + 1, from: bytes.count) }
      return .found(skip: 0, count: bytes.count, taken: bytes.count)
    case .bytes(let wanted):
      // Asking for none tells whether the stream has ended.
      if bytes.count >= max(wanted, 1) { return .found(skip: 0, count: wanted, taken: wanted) }
      if !isEnd { return .more(total: max(wanted, 1), from: 0) }
      if bytes.isEmpty { return .end(taken: 0) }
      return .found(skip: 0, count: bytes.count, taken: bytes.count)
    case .number:
      var scanner = NumeralScanner(bytes, from: from, isEnd: isEnd)
      return scanner.match()
    }
  }
}

/// Finds the longest run of bytes that could be a numeral, as `io.read("n")` does: at most 200
/// bytes, and what was looked at is used up even where it is none.
private struct NumeralScanner {
  static let lengthMax = 200

  private let bytes: UnsafeRawBufferPointer
  private let isEnd: Bool
  private var index = 0
  private var first = 0
  private var runsOut = false
  /// More than `lengthMax` bytes would belong to it.
  private var isOverlong = false

  /// `from`: where an earlier look, before more bytes came, has found the first that is no space.
  init(_ bytes: UnsafeRawBufferPointer, from: Int, isEnd: Bool) {
    self.bytes = bytes
    index = from
    self.isEnd = isEnd
  }

  mutating func match() -> FormatMatch {
    while let byte = peek(), byte == 32 || (9...13).contains(byte) { index += 1 }
    first = index
    _ = accept("+-")
    var digitCount = 0
    var isHexadecimal = false
    if accept("0") {
      if accept("xX") { isHexadecimal = true } else { digitCount = 1 }
    }
    digitCount += digits(isHexadecimal)
    if accept(".") { digitCount += digits(isHexadecimal) }
    var isNumeral = digitCount > 0
    if isNumeral && accept(isHexadecimal ? "pP" : "eE") {
      _ = accept("-+")
      isNumeral = digits(false) > 0
    }
    // `io` reads one byte past the numeral before it knows that it has ended.
    _ = peek()
    if runsOut && !isEnd { return .more(total: bytes.count + 1, from: first) }
    if isOverlong || !isNumeral { return .end(taken: index) }
    return .found(skip: first, count: index - first, taken: index)
  }

  private mutating func peek() -> UInt8? {
    if index < bytes.count { return bytes[index] }
    runsOut = true
    return nil
  }

  private mutating func accept(_ set: StaticString) -> Bool {
    guard let byte = peek(), set.withUTF8Buffer({ $0.contains(byte) }) else { return false }
    isOverlong = isOverlong || index - first >= Self.lengthMax
    if !isOverlong { index += 1 }
    return !isOverlong
  }

  private mutating func digits(_ isHexadecimal: Bool) -> Int {
    var count = 0
    while accept(isHexadecimal ? "0123456789abcdefABCDEF" : "0123456789") { count += 1 }
    return count
  }
}
