import CConnectByListSoak
import Foundation

/// A process of stock lua5.4 with the module, which does rounds of `mixture.lua` one by one. For one thread.
final class LuaProcess: @unchecked Sendable {
  private let process = Process()
  private let requests = Pipe()
  private let answers = Pipe()
  private let input: UnsafeMutablePointer<FILE>
  private let output: UnsafeMutablePointer<FILE>

  /// `modules`: the folder with `connectbylist/core.so`.
  init(modules: String) throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
    let lua = folder.appending(path: "../../../lua").standardized.path
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments =
      ["lua5.4"] + ["process.lua", "mixture.lua"].map { folder.appending(path: $0).path }
    // Freed memory goes back at once, and no thread keeps free blocks (tcache): what stays resident is in use.
    process.environment = ProcessInfo.processInfo.environment.merging([
      "LUA_CPATH": "\(modules)/?.so", "LUA_PATH": "\(lua)/?.lua", "MALLOC_ARENA_MAX": "1",
      "MALLOC_TRIM_THRESHOLD_": "0", "MALLOC_MMAP_THRESHOLD_": "65536",
      "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
    ]) { $1 }
    process.standardInput = requests
    process.standardOutput = answers
    guard let input = fdopen(requests.fileHandleForWriting.fileDescriptor, "w"),
      let output = fdopen(answers.fileHandleForReading.fileDescriptor, "r")
    else { throw Unexpected("fdopen has failed") }
    (self.input, self.output) = (input, output)
    try process.run()
  }

  var measured: Measured { Measured(process: process.processIdentifier) }

  /// Does the round of a seed.
  func round(_ seed: Int64) throws -> (kind: String, bytes: Int, late: Double) {
    let answer = try answer(to: "\(seed)")
    let words = answer.split(separator: " ")
    guard words.count == 4, words[0] == "ok", let bytes = Int(words[2]), let late = Double(words[3])
    else { throw Unexpected(answer) }
    return (String(words[1]), bytes, late)
  }

  /// Lets go of what is garbage.
  func rest() throws {
    let answer = try answer(to: "rest")
    guard answer == "rests" else { throw Unexpected(answer) }
  }

  /// Ends the process; returns how it ended where that is wrong.
  func end() -> String? {
    fclose(input)
    for _ in 0..<10_000 where process.isRunning { usleep(1000) }
    guard !process.isRunning else {
      process.terminate()
      return "lua5.4 does not end"
    }
    return process.terminationStatus == 0 && process.terminationReason == .exit
      ? nil : "lua5.4 has ended with \(process.terminationStatus)"
  }

  private func answer(to request: String) throws -> String {
    // A process that has ended must not end this one: SIGPIPE waits in this thread.
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    fputs(request + "\n", input)
    fflush(input)
    var line = [CChar](repeating: 0, count: 10_000)
    guard fgets(&line, CInt(line.count), output) != nil else {
      throw Unexpected("lua5.4 has ended")
    }
    return String(decoding: line.prefix { $0 != 0 && $0 != 10 }.map(UInt8.init), as: UTF8.self)
  }
}
