import ConnectByListCore

/// Why a scenario's text was refused.
public struct ScenarioError: Error, Equatable, Sendable {
  /// From 1. A defect of the text as a whole is reported at its last line.
  public let line: Int
  /// What is wrong in the line, in words.
  public let message: [UInt8]

  /// `line 3: unknown statement 'remot'; did you mean 'remote'?`
  public var text: [UInt8] {
    var text = TextBuffer()
    text.append("line ")
    text.append(decimal: line)
    text.append(": ")
    text.append(message)
    return text.bytes
  }
}
