/// Finds the longest run of bytes that can begin a numeral, by the rules of `io.read("n")` (`read_number` in
/// Lua's liolib.c): at most 200 bytes, and what was scanned is consumed even where it is no
/// numeral.
struct NumeralScanner {
  /// L_MAXLENNUM of liolib.c.
  static let lengthMax = 200

  private let bytes: UnsafeRawBufferPointer
  private let isEnd: Bool
  private var index = 0
  /// Where the numeral begins, after white space.
  private var first = 0
  /// The scanner has looked beyond the last byte.
  private var runsOut = false
  /// The numeral has more than `lengthMax` bytes.
  private var isOverlong = false

  /// - Parameters:
  ///   - from: the `from` of an earlier `.more`, else 0.
  ///   - isEnd: the stream ends after these bytes.
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
    // A numeral ends at the first byte that does not belong to it, so that byte is needed.
    _ = peek()
    if runsOut && !isEnd { return .more(total: bytes.count + 1, from: first) }
    if isOverlong || !isNumeral { return .end(taken: index) }
    return .found(skip: first, count: index - first, taken: index)
  }

  /// The current byte.
  private mutating func peek() -> UInt8? {
    if index < bytes.count { return bytes[index] }
    runsOut = true
    return nil
  }

  /// Skips the current byte if it is in the set.
  private mutating func accept(_ set: StaticString) -> Bool {
    guard let byte = peek(), set.withUTF8Buffer({ $0.contains(byte) }) else { return false }
    isOverlong = isOverlong || index - first >= Self.lengthMax
    if !isOverlong { index += 1 }
    return !isOverlong
  }

  /// Skips digits and returns how many.
  private mutating func digits(_ isHexadecimal: Bool) -> Int {
    var count = 0
    while accept(isHexadecimal ? "0123456789abcdefABCDEF" : "0123456789") { count += 1 }
    return count
  }
}
