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

    /// Level and number of each option that is carried from a caller's socket, in the order of their numbers.
    private static var carried: [(level: CInt, number: CInt)] {
      let listed = SocketOption.table.filter { $0.moment == .beforeConnecting }
        .map { (level: $0.level, number: $0.number) }
      return (listed + CarriedOption.table.map { (level: $0.level, number: $0.number) })
        .sorted { $0.number < $1.number }
    }

    /// The C names by level, from the comments of SocketConstants.swift.
    private func names() throws -> [(level: String, names: [String])] {
      let source = try text("Sources/ConnectByList/Kernel/SocketConstants.swift")
      let levels: [(String, Substring, CInt)] = [
        ("SOL_SOCKET", "socket", SocketLevel.socket), ("IPPROTO_IP", "ip", SocketLevel.ip),
        ("IPPROTO_IPV6", "ipv6", SocketLevel.ipv6), ("IPPROTO_TCP", "tcp", SocketLevel.tcp),
      ]
      return try levels.map { (name, word, level) in
        let part = try #require(source.components(separatedBy: "  // SocketLevel.\(word):").last)
        var known: [CInt: String] = [:]
        for line in part.split(separator: "\n", omittingEmptySubsequences: false).dropFirst() {
          guard let match = line.firstMatch(of: /CInt = (\d+)  \/\/ (\w+?)(_OLD)?(,.*)?$/) else {
            break
          }
          known[CInt(match.1)!] = String(match.2)
        }
        return (
          name,
          try Self.carried.filter { $0.level == level }.map {
            try #require(known[$0.number], "\(name) \($0.number)")
          }
        )
      }
    }

    @Test func `the C header and its article list the options that are carried`() throws {
      let header = try text("Sources/CConnectByList/include/connect_by_list.h")
      for (level, names) in try names() {
        let lines = header.split(separator: "\n")
        let first = try #require(lines.firstIndex { $0.hasPrefix(" *   \(level) ") }, "\(level)")
        let rest = lines[(first + 1)...].prefix {
          $0.hasPrefix(" *" + String(repeating: " ", count: 16))
        }
        let listed = ([lines[first].dropFirst(" *   \(level) ".count)] + rest)
          .flatMap { $0.split { " *,".contains($0) } }.map { String($0) }
        #expect(listed == names, "\(level)")
      }
      let rows = try names().map {
        "| `\($0.level)` | \($0.names.map { "`\($0)`" }.joined(separator: ", ")) |"
      }
      try expectRows(rows, under: "| level | options |", in: "CLibrary.md")
    }

    private func text(_ path: String) throws -> String {
      try String(
        contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
          .deletingLastPathComponent().deletingLastPathComponent().appending(path: path),
        encoding: .utf8)
    }

    /// Expects the article's table with this head to have these rows and no other.
    private func expectRows(_ wanted: [String], under head: String, in article: String) throws {
      let lines = try text("Sources/ConnectByList/ConnectByList.docc/\(article)")
        .split(separator: "\n")
      let start = try #require(lines.firstIndex { $0 == head }, "no table with the head \(head)")
      let found = lines[(start + 2)...].prefix { $0.hasPrefix("|") }.map { String($0) }
      #expect(found == wanted, "the rows must be:\n\(wanted.joined(separator: "\n"))")
    }
  }
}
