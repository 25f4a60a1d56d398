import Foundation
import Testing

/// Tests/Network/run: scripts that connect over real links, in network namespaces.
@Suite struct NetworkTests {
  @Test func `connects over links of namespaces do as the contract says`() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let script = folder.appendingPathComponent("../Network/run").standardized
    let (status, output) = try run(script.path, [host()])
    if output.hasPrefix("skipped: ") { try Test.cancel("\(output)") }
    #expect(status == 0, "\(output)")
    #expect(output.contains("ok "), "no script ran: \(output)")
  }

  /// The program that was built with these tests, in the same folder.
  private func host() -> String {
    let tests = ["/proc/self/exe"] + CommandLine.arguments.filter { $0.contains(".xctest") }
    let paths = tests.map {
      URL(fileURLWithPath: $0).resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("connectbylist").path
    }
    return paths.first { FileManager.default.isExecutableFile(atPath: $0) } ?? paths[0]
  }

  /// Runs a program to its end. What it says goes to a file: so it never waits for us.
  private func run(_ path: String, _ arguments: [String]) throws -> (status: Int32, output: String)
  {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("connectbylist-\(UUID().uuidString)")
    try Data().write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    let sink = try FileHandle(forWritingTo: file)
    process.standardOutput = sink
    process.standardError = sink
    process.standardInput = FileHandle.nullDevice
    // A child inherits the mask of the thread that starts it, and the threads that tests run on
    // block nearly all signals.
    var none = sigset_t()
    var previous = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &previous)
    defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
    try process.run()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: try Data(contentsOf: file), as: UTF8.self))
  }
}
