import ConnectByListCore
import Foundation
import Testing

@testable import ConnectByList

extension Driver {
  /// The tables in the documentation are those of the source.
  @Suite struct OptionDocumentationTests {
    @Test func `the article on connect options has the table's rows`() throws {
      let wanted = ConnectOption.table.map { option in
        let allowed = String(decoding: option.allowed.bytes, as: UTF8.self)
        return "| `\(option.name)` | \(allowed) | \(option.defaultText) | \(option.documentation) |"
      }
      try expectRows(
        wanted, under: "| option | may be | default | meaning |", in: "ConnectOptions.md")
    }

    @Test func `the article on socket options has the table's rows`() throws {
      let wanted = SocketOption.table.map { option in
        let names = [option.name, option.alias, option.luaSocketName].map { "\($0)" }
          .filter { $0 != "" }.map { "`\($0)`" }
        let allowed =
          option.isSettable ? String(decoding: option.allowed.bytes, as: UTF8.self) : "read only"
        return "| \(names.joined(separator: ", ")) | \(allowed) | \(option.documentation) |"
      }
      try expectRows(wanted, under: "| option | may be | what it does |", in: "SocketOptions.md")
    }

    /// Expects the article's table with this head to have these rows and no other.
    private func expectRows(_ wanted: [String], under head: String, in article: String) throws {
      let path = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Sources/ConnectByList/ConnectByList.docc/\(article)")
      let lines = try String(contentsOf: path, encoding: .utf8).split(separator: "\n")
      let start = try #require(lines.firstIndex { $0 == head }, "no table with the head \(head)")
      let found = lines[(start + 2)...].prefix { $0.hasPrefix("|") }.map { String($0) }
      #expect(found == wanted, "the rows must be:\n\(wanted.joined(separator: "\n"))")
    }
  }
}
