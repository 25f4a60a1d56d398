extension TextBuffer {
  /// Text from outside, made fit for one line of a message: a terminal must not act on it, and it must not
  /// look like another text.
  ///
  /// Control bytes and bytes that are not UTF-8 become `\x1b`; control characters of two bytes,
  /// overrides of direction (UAX #9) and invisible characters become `\u{202e}`; a backslash goes before
  /// quotes and backslashes; and what follows the first `limit` bytes becomes an ellipsis.
  public mutating func append(escaped text: [UInt8], limit: Int = 80) {
    var index = 0
    while index < text.count {
      let length = utf8Length(text, at: index)
      guard index + max(length, 1) <= limit else { return append("…") }
      switch length {
      case 0: append(hexadecimalByte: text[index])
      case 1: append(escapedASCII: text[index])
      default:
        let character = text[index..<index + length]
        let code = codePoint(character)
        if isUnsafe(code) {
          append("\\u{")
          if code > 0xffff { append(hexadecimal: UInt16(code >> 16)) }
          append(hexadecimal: UInt16(truncatingIfNeeded: code), isPadded: code > 0xffff)
          append("}")
        } else {
          for byte in character { append(byte: byte) }
        }
      }
      index += max(length, 1)
    }
  }

  private mutating func append(escapedASCII byte: UInt8) {
    switch byte {
    case 0..<0x20, 0x7f: append(hexadecimalByte: byte)
    case UInt8(ascii: "\\"), UInt8(ascii: "'"):
      append(byte: UInt8(ascii: "\\"))
      append(byte: byte)
    default: append(byte: byte)
    }
  }

  private mutating func append(hexadecimalByte byte: UInt8) {
    append("\\x")
    if byte < 0x10 { append(byte: UInt8(ascii: "0")) }
    append(hexadecimal: UInt16(byte))
  }

  private mutating func append(hexadecimal number: UInt16, isPadded: Bool) {
    var least: UInt16 = 0x1000
    while isPadded && least > max(number, 1) {
      append(byte: UInt8(ascii: "0"))
      least >>= 4
    }
    append(hexadecimal: number)
  }
}

/// The bytes of the character of UTF-8 that begins at an index, 1 to 4; 0: there is none (RFC 3629 section 4).
private func utf8Length(_ text: [UInt8], at index: Int) -> Int {
  let first = text[index]
  let length: Int
  var second: ClosedRange<UInt8> = 0x80...0xbf
  switch first {
  case 0..<0x80: return 1
  case 0xc2...0xdf: length = 2
  case 0xe0...0xef:
    length = 3
    if first == 0xe0 { second = 0xa0...0xbf }
    // The others are surrogates.
    if first == 0xed { second = 0x80...0x9f }
  case 0xf0...0xf4:
    length = 4
    if first == 0xf0 { second = 0x90...0xbf }
    if first == 0xf4 { second = 0x80...0x8f }
  default: return 0
  }
  guard index + length <= text.count, second.contains(text[index + 1]) else { return 0 }
  for other in index + 1..<index + length where text[other] & 0xc0 != 0x80 { return 0 }
  return length
}

/// The code point of a valid character of two bytes or more.
private func codePoint(_ character: ArraySlice<UInt8>) -> UInt32 {
  // The first byte of a character of n bytes has 7 - n bits of it.
  var code = UInt32(character.first! & (0x7f >> UInt8(character.count)))
  for byte in character.dropFirst() { code = code << 6 | UInt32(byte & 0x3f) }
  return code
}

/// The same characters as in lua/connectbylist/text.lua, whose comment gives the reasons.
private func isUnsafe(_ code: UInt32) -> Bool {
  switch code {
  case 0x80...0x9f, 0x61c, 0x200b, 0x200e...0x200f, 0x2028...0x202e, 0x2060...0x206f, 0xfeff,
    0xfff9...0xfffb, 0xfffe...0xffff, 0xe0000...0xe007f:
    true
  default: false
  }
}
