/// Builds UTF-8 text: messages, addresses, transcripts.
///
/// It holds bytes and not a `String`: in Embedded Swift, comparing and slicing strings needs Unicode tables
/// that the loadable module does not link.
public struct TextBuffer: Sendable {
  public private(set) var bytes: [UInt8]

  // It stands at sixty places, and `reserveCapacity` would be at each (2 KB of machine code, x86-64, Swift 6.3).
  @inline(never)
  public init(capacity: Int = 64) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  public mutating func append(_ text: StaticString) {
    text.withUTF8Buffer { bytes.append(contentsOf: $0) }
  }

  public mutating func append(_ text: [UInt8]) { bytes.append(contentsOf: text) }

  mutating func append(contentsOf text: UnsafeBufferPointer<UInt8>) {
    bytes.append(contentsOf: text)
  }

  // Otherwise each of its callers has the growth of the array (2 KB of machine code, x86-64, Swift 6.3).
  @inline(never)
  public mutating func append(byte: UInt8) { bytes.append(byte) }

  public mutating func append(decimal number: Int) {
    if number < 0 { append(byte: UInt8(ascii: "-")) }
    append(decimal: UInt64(number.magnitude))
  }

  /// Pads with leading zeros to `minimumDigits`.
  public mutating func append(decimal number: UInt64, minimumDigits: Int = 1) {
    if number >= 10 || minimumDigits > 1 {
      append(decimal: number / 10, minimumDigits: minimumDigits - 1)
    }
    append(byte: UInt8(ascii: "0") + UInt8(number % 10))
  }

  /// Without leading zeros, in lower case.
  public mutating func append(hexadecimal number: UInt16) {
    var shift = 12
    while shift > 0 && number >> UInt16(shift) == 0 { shift -= 4 }
    while shift >= 0 {
      let digit = UInt8(truncatingIfNeeded: (number >> UInt16(shift)) & 0xf)
      append(byte: digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
      shift -= 4
    }
  }

  /// Milliseconds with three decimals, rounded towards zero: `250.000`.
  public mutating func append(milliseconds span: TimeSpan) {
    append(span, unit: 1_000_000, step: 1_000)
  }

  /// Seconds with three decimals, rounded towards zero: `2.000`.
  public mutating func append(seconds span: TimeSpan) {
    append(span, unit: 1_000_000_000, step: 1_000_000)
  }

  private mutating func append(_ span: TimeSpan, unit: Int64, step: Int64) {
    if span.nanoseconds < 0 { append(byte: UInt8(ascii: "-")) }
    let magnitude = span.nanoseconds.magnitude
    append(decimal: magnitude / UInt64(unit))
    append(byte: UInt8(ascii: "."))
    append(decimal: magnitude % UInt64(unit) / UInt64(step), minimumDigits: 3)
  }
}

extension [UInt8] {
  /// The bytes of a literal.
  public init(_ text: StaticString) {
    self = text.withUTF8Buffer { Array($0) }
  }

  /// Whether these are the bytes of `text`. `==` of strings needs Unicode tables, see `TextBuffer`.
  public func equals(_ text: StaticString) -> Bool {
    text.withUTF8Buffer { other in
      other.count == count && withUnsafeBufferPointer { $0.elementsEqual(other) }
    }
  }
}
