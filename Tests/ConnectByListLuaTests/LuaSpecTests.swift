import CConnectByListLuaTestSupport
import Foundation
import Testing

/// Runs the specs of Tests/Lua in the program that was built with these tests. `.ci/run` runs them in
/// stock Lua with the loadable module.
struct LuaSpecTests {
  private struct Missing: Error, CustomStringConvertible {
    let description: String
  }

  private static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  @Test func `the Lua specs hold`() throws {
    let (status, output) = try Self.run(
      Self.busted(), ["--lua=\(Self.host())", "--output=plainTerminal", "Tests/Lua"], in: Self.root)
    #expect(status == 0, "\(output)")
    // A run that found no specs would succeed too.
    let count = try #require(output.firstMatch(of: /(\d+) successes/), "\(output)").output.1
    #expect(Int(count)! > 200, "\(output)")
  }

  private static func busted() throws -> String {
    let folders = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    let paths = folders.split(separator: ":").map { "\($0)/busted" }
    guard let path = paths.first(where: FileManager.default.isExecutableFile(atPath:)) else {
      throw Missing(description: "busted is missing: apt-get install lua-busted")
    }
    return path
  }

  /// The program, in the folder of the tests' own; Interpreter in ConnectByListCommandTests looks in the
  /// same places.
  private static func host() throws -> String {
    if let path = ProcessInfo.processInfo.environment["CONNECTBYLIST_PROGRAM"] { return path }
    let tests = ["/proc/self/exe"] + CommandLine.arguments.filter { $0.contains(".xctest") }
    let paths = tests.map {
      URL(fileURLWithPath: $0).resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("connectbylist").path
    }
    guard let path = paths.first(where: FileManager.default.isExecutableFile(atPath:)) else {
      throw Missing(description: "\(paths[0]) is missing: swift build makes it")
    }
    return path
  }

  private static func run(
    _ path: String, _ arguments: [String], in folder: URL
  ) throws -> (status: CInt, output: String) {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("connectbylist-specs-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    let texts = ([path] + arguments).map { strdup($0) } + [nil]
    defer { for text in texts { free(text) } }
    // The time limit makes a hang fail this test instead of stopping all.
    let status = cbl_test_run_program(texts, folder.path, file.path, 300)
    let output = (try? String(contentsOf: file, encoding: .utf8)) ?? "no output"
    return (status, output)
  }
}
