/// One line of a transcript, read back from its text.
struct TranscriptLine: Equatable {
  enum Kind: String {
    case start, connected, refused, unreachable, reset, rejected, timedout, failed, abandon
    case resolved, unresolved
    case won, lost, cancelled

    var isEnd: Bool { self == .won || self == .lost || self == .cancelled }
    var isOfName: Bool { self == .resolved || self == .unresolved }
    /// Whether the attempt has failed with it; `abandon` is no failure.
    var isFailure: Bool {
      switch self {
      case .refused, .unreachable, .reset, .rejected, .timedout, .failed: true
      case .start, .connected, .abandon, .resolved, .unresolved, .won, .lost, .cancelled: false
      }
    }
  }

  /// In microseconds, as the text has it.
  var time: Int
  var kind: Kind
  /// The local address and the remote endpoint, where the line is an attempt's.
  var pair: String?
  /// The code, the name or the number at the line's end.
  var detail: String?
  /// Whose answer it is.
  var name: String?

  /// `nil`: the text is no line of a transcript.
  init?(_ text: Substring) {
    let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    guard words.count >= 2, let kind = Kind(rawValue: words[1]) else { return nil }
    let digits = words[0].split(separator: ".", omittingEmptySubsequences: false)
    guard digits.count == 2, digits[1].utf8.count == 3, let whole = Int(digits[0]),
      let thousandths = Int(digits[1]), words[0].utf8.allSatisfy({ $0 != UInt8(ascii: "-") })
    else { return nil }
    time = whole * 1_000 + thousandths
    self.kind = kind
    let isOfAttempt = !kind.isOfName && kind != .lost && kind != .cancelled
    let expected: Int
    switch kind {
    case .cancelled: expected = 2
    case .lost: expected = 3
    case .resolved, .unresolved: expected = 4
    case .failed: expected = 5
    default: expected = 4
    }
    guard words.count == expected else { return nil }
    if isOfAttempt { pair = words[2] + " " + words[3] }
    if kind.isOfName { name = words[2] }
    if kind == .failed || kind == .lost || kind.isOfName { detail = words.last }
  }

  /// `nil`: one of the lines is none.
  static func lines(of text: [UInt8]) -> [TranscriptLine]? {
    var lines: [TranscriptLine] = []
    for text in String(decoding: text, as: UTF8.self).split(separator: "\n") {
      guard let line = TranscriptLine(text) else { return nil }
      lines.append(line)
    }
    return lines
  }
}
