import Foundation
import Testing

/// A program that runs Lua: the host that was built with these tests, or Lua's own.
struct Interpreter {
  let path: String

  /// The result of a run.
  struct Outcome: Equatable {
    /// The exit status, or the signal that ended it, negative.
    var status: Int32
    var output: String
    var errors: String
  }

  struct Missing: Error, CustomStringConvertible {
    let description: String
  }

  /// The program under test: the product in the folder of the tests' own, or CONNECTBYLIST_PROGRAM, for
  /// testing a release build or an installed one.
  static func host() throws -> Interpreter {
    if let path = ProcessInfo.processInfo.environment["CONNECTBYLIST_PROGRAM"] {
      return try Interpreter(path: executable(path, hint: "CONNECTBYLIST_PROGRAM names it"))
    }
    return try built("connectbylist")
  }

  /// A program of this package, in the folder of the tests' own.
  static func built(_ name: String) throws -> Interpreter {
    // The build puts programs and tests into one folder. The tests are a program on Linux; if another
    // program loads them, their path is among its arguments.
    let tests = ["/proc/self/exe"] + CommandLine.arguments.filter { $0.contains(".xctest") }
    let paths = tests.map {
      URL(fileURLWithPath: $0).resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent(name).path
    }
    let path = paths.first { FileManager.default.isExecutableFile(atPath: $0) } ?? paths[0]
    return try Interpreter(path: executable(path, hint: "swift build makes it"))
  }

  /// Lua's own program.
  static func stock() throws -> Interpreter {
    let path = find("lua5.4") ?? "lua5.4"
    return try Interpreter(path: executable(path, hint: "apt-get install lua5.4"))
  }

  /// Runs the program to its end, with no other environment variables than the given ones.
  ///
  /// Its streams are files, not pipes: it never waits for a reader, and no child of another test can
  /// inherit the end of a pipe and keep it open.
  func run(
    _ arguments: [String], input: String = "", environment: [String: String] = [:],
    in folder: URL = URL(fileURLWithPath: "/")
  ) throws -> Outcome {
    let streams = try ScratchFolder()
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = environment
    process.currentDirectoryURL = folder
    process.standardInput = try FileHandle(forReadingFrom: streams.write(input, to: "input"))
    process.standardOutput = try FileHandle(forWritingTo: streams.write("", to: "output"))
    process.standardError = try FileHandle(forWritingTo: streams.write("", to: "errors"))
    try Self.start(process)
    let killer = DispatchWorkItem { [pid = process.processIdentifier] in kill(pid, SIGKILL) }
    DispatchQueue.global().asyncAfter(deadline: .now() + Self.patience, execute: killer)
    process.waitUntilExit()
    killer.cancel()
    return Outcome(
      status: process.terminationReason == .exit
        ? process.terminationStatus : -process.terminationStatus,
      output: try streams.read("output"), errors: try streams.read("errors"))
  }

  /// After this time a program is killed, so that a hang fails one test instead of stopping all.
  private static let patience = DispatchTimeInterval.seconds(60)

  /// Starts the program with no signal blocked. A program inherits the signal mask of the thread that
  /// starts it, and the threads of tests block nearly all signals, SIGINT and SIGTERM among them.
  private static func start(_ process: Process) throws {
    var none = sigset_t()
    var previous = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &previous)
    defer { pthread_sigmask(SIG_SETMASK, &previous, nil) }
    try process.run()
  }

  /// The path of a program in PATH; `nil` if there is none.
  static func find(_ name: String) -> String? {
    let folders = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    return folders.split(separator: ":").map { "\($0)/\(name)" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  private static func executable(_ path: String, hint: String) throws -> String {
    guard FileManager.default.isExecutableFile(atPath: path) else {
      throw Missing(description: "\(path) is missing, or is no program: \(hint)")
    }
    return path
  }
}

/// A temporary folder, removed with the value.
final class ScratchFolder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("connectbylist-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  @discardableResult func write(_ text: String, to name: String) throws -> URL {
    let file = url.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
    return file
  }

  func read(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: url.appendingPathComponent(name)), as: UTF8.self)
  }
}
