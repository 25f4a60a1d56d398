import Foundation
import Testing

struct ExampleTests {
  @Test func `W28 the example in C connects and exchanges a line`() throws {
    // The build puts programs and tests into one folder. The tests are a program themselves, or another
    // program loads them and gets their path as an argument.
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
    #expect(text.contains("connected to  ") && text.hasSuffix("received  hello\n"), "\(text)")
  }
}
