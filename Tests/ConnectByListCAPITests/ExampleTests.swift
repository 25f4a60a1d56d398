import Foundation
import Testing

struct ExampleTests {
  @Test func `W28 the example in C connects and exchanges a line`() throws {
    // The build puts programs and tests into one folder. On Linux the tests are a program
    // themselves; where another program loads them, it is told their path.
    let tests = ["/proc/self/exe"] + CommandLine.arguments.filter { $0.contains(".xctest") }
    let programs = tests.map {
      URL(fileURLWithPath: $0).resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("ConnectByListExampleC")
    }
    let example = Process()
    example.executableURL =
      programs.first { FileManager.default.isExecutableFile(atPath: $0.path) } ?? programs[0]
    let output = Pipe()
    example.standardOutput = output
    try example.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    example.waitUntilExit()
    #expect(example.terminationStatus == 0)
    #expect(text.contains("connected to  ") && text.hasSuffix("it says  hello\n"), "\(text)")
  }
}
