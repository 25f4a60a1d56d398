import Foundation
import Testing

/// What the pages of the documentation claim: the output of each command that they show, the files
/// that the map of the code names. The Lua examples are run by Tests/Lua/reference_spec.lua.
struct DocumentationTests {
  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  private static let catalogue = "Sources/ConnectByList/ConnectByList.docc/"

  private static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  /// A fenced block of a page: the word after its opening fence, and its lines.
  private struct Block {
    var language: String
    var lines: [String] = []
  }

  private static func blocks(_ page: String) throws -> [Block] {
    var blocks: [Block] = []
    var open: Block?
    for line in page.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("```") {
        if let block = open {
          blocks.append(block)
          open = nil
        } else {
          open = Block(language: String(line.dropFirst(3)))
        }
      } else {
        open?.lines.append(String(line))
      }
    }
    try #require(open == nil, "a block has no end")
    return blocks
  }

  /// The blocks whose lines begin with `$ ` are sessions: commands, each with the output that
  /// follows it. A `scenario` block is the file that its first line names, in the folder where the
  /// commands run.
  @Test(arguments: ["README.md", catalogue + "Host.md"])
  func `each command that a page shows prints what the page says`(_ page: String) throws {
    let folder = try ScratchFolder()
    try FileManager.default.createSymbolicLink(
      at: folder.url.appendingPathComponent("examples"),
      withDestinationURL: Self.root.appendingPathComponent("examples"))
    let program = URL(fileURLWithPath: try Interpreter.host().path)
    try FileManager.default.createSymbolicLink(
      at: folder.url.appendingPathComponent("connectbylist"), withDestinationURL: program)
    var count = 0
    for block in try Self.blocks(Self.text(page)) {
      let lines = block.lines
      if block.language == "scenario" {
        let name = try #require(lines.first?.firstMatch(of: /^# ([a-z]+\.txt):/), "\(lines)").output
          .1
        try folder.write(lines.joined(separator: "\n") + "\n", to: String(name))
      }
      guard lines.first?.hasPrefix("$ ") == true else { continue }
      let starts = lines.indices.filter { lines[$0].hasPrefix("$ ") }
      for (start, end) in zip(starts, starts.dropFirst() + [lines.endIndex]) {
        let command = String(lines[start].dropFirst(2))
        let expected = lines[(start + 1)..<end].map { $0 + "\n" }.joined()
        let outcome = try Interpreter(path: "/bin/sh").run(
          ["-c", command], environment: ["PATH": folder.url.path + ":/usr/bin:/bin"],
          in: folder.url)
        #expect(outcome == .init(status: 0, output: expected, errors: ""), "\(command)")
        count += 1
      }
    }
    #expect(count > 0, "\(page) shows no command")
  }

  @Test func `the scenario in README is the example`() throws {
    let example = try Self.text("examples/race.txt").split(separator: "\n").dropFirst()
    let blocks = try Self.blocks(Self.text("README.md"))
    #expect(blocks.contains { $0.lines == example.map(String.init) })
  }

  @Test func `every file and folder that the map of the code names exists`() throws {
    let map = try Self.text(Self.catalogue + "MapOfTheCode.md")
    let rows = map.split(separator: "\n").filter { $0.hasPrefix("| ") }
    let pages = Self.root.appendingPathComponent(Self.catalogue)
    let places = [
      Self.root, Self.root.appendingPathComponent("Sources"),
      Self.root.appendingPathComponent("Tests"), pages,
      Self.root.appendingPathComponent("Sources/ConnectByListCore/Planning"),
      Self.root.appendingPathComponent("Sources/CConnectByList/include"),
    ]
    var count = 0
    for row in rows {
      for match in row.matches(of: /`([A-Za-z.\/_-]+)`/) {
        let name = String(match.output.1)
        // The name of a library or a program that the build makes, and Lua's header.
        if ["connectbylist", "lua.h"].contains(name) { continue }
        let exists = places.contains {
          FileManager.default.fileExists(atPath: $0.appendingPathComponent(name).path)
        }
        #expect(exists, "\(name), in: \(row)")
        count += 1
      }
    }
    #expect(count > 40)
  }

  @Test func `README fits its bounds`() throws {
    let readme = try Self.text("README.md")
    #expect(readme.split(separator: "\n", omittingEmptySubsequences: false).count <= 151)
    // A terminal's width; the commands that install packages are the exception.
    for block in try Self.blocks(readme) {
      for line in block.lines where !line.hasPrefix("apt-get ") {
        #expect(line.count <= 80, "\(line)")
      }
    }
  }
}
