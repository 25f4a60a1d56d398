import CConnectByListTerminal
import ConnectByListCore

/// Lines on a terminal that are written over as things change. On anything else it shows nothing.
///
/// Only "cursor up" and "erase" are used (ECMA-48), and the cursor stays visible: whatever ends the
/// process leaves the terminal usable.
struct LiveLines {
  enum Color { case none, good, bad, faint }

  struct Line {
    var text: TextBuffer
    var color = Color.none
  }

  let isShown: Bool
  /// Marks as the terminal can show them.
  let marks: Marks
  private let output: Output
  private let usesColor: Bool
  private var shownCount = 0

  struct Marks {
    let connected: StaticString
    let failed: StaticString
    let waiting: StaticString
    let arrow: StaticString

    static let unicode = Marks(connected: "●", failed: "✗", waiting: "…", arrow: "→")
    static let ascii = Marks(connected: "*", failed: "x", waiting: ".", arrow: "->")
  }

  init(_ output: Output) {
    self.output = output
    isShown = output.isTerminal
    usesColor = cbl_terminal_uses_color(output.descriptor) == 1
    marks = cbl_terminal_is_utf8() == 1 ? .unicode : .ascii
  }

  /// The most lines that `show` has room for: what scrolled away cannot be written over.
  var countMax: Int { max(1, Int(cbl_terminal_rows(output.descriptor)) - 2) }

  /// Replaces the lines shown before.
  mutating func show(_ lines: [Line]) {
    guard isShown else { return }
    let columns = Int(cbl_terminal_columns(output.descriptor))
    var text = TextBuffer(capacity: 80 * lines.count)
    if shownCount > 0 {
      text.append("\u{1b}[")
      text.append(decimal: shownCount)
      text.append("A\r")
    }
    let shown = lines.suffix(countMax)
    for line in shown {
      append(line, columns, to: &text)
      text.append("\u{1b}[K\n")
    }
    text.append("\u{1b}[J")
    output.write(text)
    shownCount = shown.count
  }

  /// A line longer than the terminal is wide would take two, so it is cut.
  private func append(_ line: Line, _ columns: Int, to text: inout TextBuffer) {
    let color: StaticString =
      switch line.color {
      case .none: ""
      case .good: "\u{1b}[32m"
      case .bad: "\u{1b}[31m"
      case .faint: "\u{1b}[2m"
      }
    if usesColor { text.append(color) }
    text.append(line.text.bytes.prefix(characters: columns - 1))
    if usesColor && line.color != .none { text.append("\u{1b}[0m") }
  }
}

extension [UInt8] {
  /// The first characters of UTF-8 text, as many bytes as they take.
  func prefix(characters countMax: Int) -> [UInt8] {
    var count = 0
    for (index, byte) in enumerated() where byte & 0xc0 != 0x80 {
      count += 1
      if count > countMax { return Array(self[..<index]) }
    }
    return self
  }

  /// How many characters UTF-8 text has.
  var characterCount: Int { reduce(0) { $0 + ($1 & 0xc0 != 0x80 ? 1 : 0) } }
}
