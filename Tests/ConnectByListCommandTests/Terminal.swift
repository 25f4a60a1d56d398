import CConnectByListCommandTestSupport
import Foundation
import Testing

/// A program that runs on a pseudo-terminal. It is killed when the value goes.
final class Terminal {
  struct Silence: Error, CustomStringConvertible {
    let description: String
  }

  private let process: pid_t
  private let descriptor: CInt
  /// All that the program has written, as the terminal shows it: lines end with CR LF.
  private(set) var output = ""
  /// Where the output begins that no call has waited for yet.
  private var position: String.Index
  private var isReaped = false

  /// How long to wait for output, or for the end.
  private static let patience = 20.0

  init(
    _ interpreter: Interpreter, _ arguments: [String], environment: [String: String] = [:],
    in folder: URL = URL(fileURLWithPath: "/")
  ) throws {
    var variables = ["PATH": "/usr/bin:/bin", "TERM": "xterm"]
    variables.merge(environment) { $1 }
    let argv = ([interpreter.path] + arguments).map { strdup($0) } + [nil]
    let envp = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var descriptor: CInt = -1
    process = cbl_test_terminal_start(argv, envp, folder.path, &descriptor)
    self.descriptor = descriptor
    position = output.startIndex
    try #require(process > 0)
  }

  deinit {
    if !isReaped {
      kill(process, SIGKILL)
      waitpid(process, nil, 0)
    }
    close(descriptor)
  }

  func send(_ text: String) {
    let bytes = Array(text.utf8)
    #expect(write(descriptor, bytes, bytes.count) == bytes.count)
  }

  /// Waits until the program has written this, after what was waited for before.
  func expect(_ text: String) throws {
    let deadline = Date(timeIntervalSinceNow: Self.patience)
    while true {
      if let range = output.range(of: text, range: position..<output.endIndex) {
        position = range.upperBound
        return
      }
      guard Date() < deadline, read(for: 100) else {
        throw Silence(description: "'\(text)' did not come; there was:\n\(output)")
      }
    }
  }

  /// Reads to the end and returns the exit status; a signal's number is negative.
  func end() throws -> Int32 {
    let deadline = Date(timeIntervalSinceNow: Self.patience)
    while read(for: 100) {
      guard Date() < deadline else { throw Silence(description: "no end; there was:\n\(output)") }
    }
    var status: Int32 = 0
    waitpid(process, &status, 0)
    isReaped = true
    return status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
  }

  /// Sends Ctrl-C's signal to the program, as its terminal would in its ordinary mode.
  func interrupt() { kill(process, SIGINT) }

  /// False at the end.
  private func read(for milliseconds: Int32) -> Bool {
    var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&wait, 1, milliseconds) > 0 else { return true }
    var bytes = [UInt8](repeating: 0, count: 4096)
    // EIO: the program has closed the terminal.
    let count = Glibc.read(descriptor, &bytes, bytes.count)
    guard count > 0 else { return false }
    let offset = output.utf16.distance(from: output.startIndex, to: position)
    output += String(decoding: bytes[..<count], as: UTF8.self)
    position = output.utf16.index(output.startIndex, offsetBy: offset)
    return true
  }
}
