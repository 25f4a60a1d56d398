import Foundation
import Testing

/// Runs Tests/Network/run: scripts that connect with real packets, in network namespaces.
@Suite struct NetworkTests {
  /// The status with which the script says that namespaces are not available.
  private static let skippedStatus: Int32 = 77

  @Test func `connects between network namespaces pass the scripts of Tests/Network`() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    let script = folder.appendingPathComponent("../Network/run").standardized
    let (status, output) = try run(script.path, [host()])
    if status == Self.skippedStatus { try Test.cancel("\(output)") }
    #expect(status == 0, "\(output)")
    // `.ci/run` requires this line where namespaces are allowed.
    print("Tests/Network: \(output.split(separator: "\n").last ?? "no output")")
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

  /// Runs a program to its end. Its output goes to a file, which never fills up as a pipe does.
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
    // A child inherits the signal mask of the thread that starts it, and the threads that run
    // tests block nearly all signals.
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
