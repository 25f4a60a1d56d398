import Foundation
import Testing

/// The drawing of a report on a pseudo-terminal: its width, its characters, its colours.
struct DrawnReportTests {
  private static let quickstart = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appendingPathComponent("examples/quickstart.lua").path

  /// What the quickstart writes to a terminal of this width, as lines without colours.
  private func lines(
    _ columns: Int, _ environment: [String: String]
  ) throws -> (lines: [Substring], hasColor: Bool) {
    let host = try Interpreter.host().path
    let terminal = try Terminal(
      Interpreter(path: "/bin/sh"),
      ["-c", "stty cols \(columns) && exec '\(host)' '\(Self.quickstart)'"],
      environment: environment)
    try terminal.expect("It said: hello")
    #expect(try terminal.end() == 0)
    let plain = terminal.output.replacing(/\u{1b}\[[0-9]*m/, with: "")
    return (plain.split(whereSeparator: \.isNewline), terminal.output.contains("\u{1b}["))
  }

  @Test(arguments: [60, 80, 120])
  func `the quickstart's picture fits the terminal`(_ columns: Int) throws {
    let lines = try lines(columns, ["LC_ALL": "C.UTF-8"]).lines
    let picture = lines.prefix { !$0.hasPrefix("Connected from") }
    #expect(picture.count >= 8)
    for line in picture { #expect(line.count <= columns, "\(line)") }
    // It uses the width that there is.
    #expect(picture.contains { $0.count > columns - 20 })
    #expect(picture.contains { $0.contains("─") })
  }

  @Test(arguments: [
    (["LC_ALL": "C.UTF-8"], true), (["LC_ALL": "C.UTF-8", "NO_COLOR": "1"], false),
    (["LC_ALL": "C"], true), (["LC_ALL": "C", "TERM": "dumb"], false),
  ])
  func `colours and characters are the terminal's`(
    _ environment: [String: String], _ hasColor: Bool
  ) throws {
    let drawn = try lines(80, environment)
    #expect(drawn.hasColor == hasColor)
    let isASCII = drawn.lines.allSatisfy { $0.utf8.allSatisfy { $0 < 0x80 } }
    #expect(isASCII == (environment["LC_ALL"] == "C"))
  }

  @Test func `print of a report on a terminal has no colours, since it may go to a file`() throws {
    let script = """
      local net = require 'connectbylist'
      print(select(4, net.connect_by_list { '127.0.0.1:1' }))
      """
    let terminal = try Terminal(.host(), ["-e", script], environment: ["LC_ALL": "C.UTF-8"])
    try terminal.expect("refused")
    #expect(try terminal.end() == 0)
    #expect(!terminal.output.contains("\u{1b}["))
  }
}
