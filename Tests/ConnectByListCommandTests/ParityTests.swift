import Foundation
import Testing

/// The parity table in the documentation: each row has tests whose names begin with its number, and it
/// names the files of these tests, and files of code that exist.
struct ParityTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  private struct Row {
    let number: String
    let code: [String]
    let tests: Set<String>
  }

  @Test func `every row has tests by its number, in the files that the table names`() throws {
    let rows = try Self.rows()
    #expect(rows.map(\.number) == (1...28).map { $0 < 10 ? "W0\($0)" : "W\($0)" })
    let named = try Self.filesByRow()
    for row in rows {
      let found = named[row.number] ?? []
      #expect(!found.isEmpty, "no test is named \(row.number)")
      #expect(row.tests == found, "\(row.number)")
      #expect(!row.code.isEmpty)
      for path in row.code {
        let place = Self.root.appendingPathComponent(path).path
        #expect(FileManager.default.fileExists(atPath: place), "\(row.number): \(path)")
      }
    }
  }

  /// The rows of the table, with the columns number, promise, code, tests.
  private static func rows() throws -> [Row] {
    let path = "Sources/ConnectByList/ConnectByList.docc/Parity.md"
    let text = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    return text.split(separator: "\n").filter { $0.hasPrefix("| W") }.map { line in
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      return Row(
        number: cells[0], code: paths(cells[2], in: "Sources/"),
        tests: Set(paths(cells[3], in: "Tests/")))
    }
  }

  private static func paths(_ cell: String, in folder: String) -> [String] {
    cell.matches(of: /`([^`]+)`/).map { match in
      let path = String(match.output.1)
      return path.hasPrefix("lua/") || path.hasPrefix("examples/") ? path : folder + path
    }
  }

  /// Which files have tests whose names begin with a row's number.
  private static func filesByRow() throws -> [String: Set<String>] {
    var found: [String: Set<String>] = [:]
    let folder = root.appendingPathComponent("Tests")
    let files = try #require(
      FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
    for case let file as URL in files where ["swift", "lua"].contains(file.pathExtension) {
      let text = try String(contentsOf: file, encoding: .utf8)
      let path = String(
        file.standardizedFileURL.path.dropFirst(root.standardizedFileURL.path.count + 1))
      let named = #/(?:func `|it\("|test6?\(")(W\d\d):? /#
      for match in text.matches(of: named) {
        found[String(match.output.1), default: []].insert(path)
      }
    }
    return found
  }
}
