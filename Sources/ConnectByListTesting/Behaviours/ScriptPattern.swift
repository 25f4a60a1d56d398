/// Bytes that a script expects: `*` stands for any run of bytes, `\*` for a star.
struct ScriptPattern: Equatable, Sendable {
  enum Match: Equatable {
    /// The first bytes match; this is how many.
    case matches(count: Int)
    /// They may match when more have come.
    case needsMore
    case differs
  }

  /// As it was written, for messages.
  let text: [UInt8]
  /// What is between the stars.
  private var pieces: [[UInt8]] = [[]]

  init(_ text: [UInt8]) {
    self.text = text
    var index = 0
    while index < text.count {
      var byte = text[index]
      index += 1
      if byte == UInt8(ascii: "*") {
        pieces.append([])
        continue
      }
      if byte == UInt8(ascii: "\\"), index < text.count, text[index] == UInt8(ascii: "*") {
        byte = text[index]
        index += 1
      }
      pieces[pieces.count - 1].append(byte)
    }
  }

  /// Compares with the beginning of a stream. A star takes as few bytes as possible; one at the end takes
  /// all that have come.
  func match(_ bytes: ArraySlice<UInt8>) -> Match {
    let head = pieces[0]
    guard head.starts(with: bytes.prefix(head.count)) else { return .differs }
    guard bytes.count >= head.count else { return .needsMore }
    var position = bytes.startIndex + head.count
    for (index, piece) in pieces.enumerated().dropFirst() {
      if piece.isEmpty && index == pieces.count - 1 { return .matches(count: bytes.count) }
      guard let found = Self.find(piece, in: bytes[position...]) else { return .needsMore }
      position = found + piece.count
    }
    return .matches(count: position - bytes.startIndex)
  }

  /// Whether it matches all of the bytes.
  func matchesAll(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard pieces.count > 1 else { return bytes.elementsEqual(pieces[0]) }
    let tail = pieces[pieces.count - 1]
    guard bytes.starts(with: pieces[0]),
      bytes.count >= pieces[0].count + tail.count,
      bytes.suffix(tail.count).elementsEqual(tail)
    else { return false }
    var rest = bytes.dropFirst(pieces[0].count).dropLast(tail.count)
    for piece in pieces[1..<pieces.count - 1] {
      guard let found = Self.find(piece, in: rest) else { return false }
      rest = rest[(found + piece.count)...]
    }
    return true
  }

  private static func find(_ piece: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
    guard bytes.count >= piece.count else { return nil }
    for start in bytes.startIndex...(bytes.endIndex - piece.count)
    where bytes[start...].starts(with: piece) {
      return start
    }
    return nil
  }
}
