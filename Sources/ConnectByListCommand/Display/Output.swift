import CConnectByListTerminal
import ConnectByList
import ConnectByListCore

/// A stream of this process.
struct Output {
  let descriptor: CInt

  static let standard = Output(descriptor: 1)
  static let error = Output(descriptor: 2)

  /// Writes all of it. Errors are ignored. If the reader of a pipe is closed, SIGPIPE ends the process.
  func write(_ bytes: [UInt8]) {
    _ = bytes.withUnsafeBytes { cbl_terminal_write(descriptor, $0.baseAddress, $0.count) }
  }

  func write(_ text: StaticString) { write([UInt8](text)) }

  func write(_ text: TextBuffer) { write(text.bytes) }

  var isTerminal: Bool { cbl_terminal_is_terminal(descriptor) == 1 }

  /// Writes `connectbylist: message` and a newline to the standard error stream, in one call.
  ///
  /// - Parameter name: replaces `connectbylist`.
  static func report(_ message: [UInt8], name: [UInt8]? = nil) {
    var text = TextBuffer(capacity: message.count + 20)
    text.append(name ?? [UInt8]("connectbylist"))
    text.append(": ")
    text.append(message)
    text.append("\n")
    error.write(text)
  }

  static func report(_ message: TextBuffer) { report(message.bytes) }
}

extension Output {
  /// Writes every event of every later connect of this process to standard error, a line each.
  static func traceConnects() {
    Tracing.sink = { line in
      var text = TextBuffer(capacity: line.bytes.count + 20)
      text.append("trace: ")
      text.append(line.bytes)
      text.append("\n")
      error.write(text)
    }
  }
}

/// Reads a whole file.
enum InputFile {
  /// A larger file is refused.
  private static let sizeMax = 64 << 20

  /// Whether the argument names a file, or is `-` for the standard input.
  static func isFile(_ path: [UInt8]) -> Bool {
    path.equals("-") || path.withTerminated { cbl_terminal_is_file($0) } == 1
  }

  /// Returns `nil` if it fails, after writing the reason to standard error.
  static func read(_ path: [UInt8]) -> [UInt8]? {
    let descriptor = path.equals("-") ? 0 : path.withTerminated { cbl_terminal_open($0) }
    guard descriptor >= 0 else { return fail("cannot open ", path, Errno(-descriptor).words) }
    defer { if descriptor > 0 { cbl_terminal_close(descriptor) } }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 64 * 1024)
    while true {
      let count = piece.withUnsafeMutableBytes {
        cbl_terminal_read(descriptor, $0.baseAddress, $0.count)
      }
      // A folder can be opened, but not read.
      if count < 0 { return fail("cannot read ", path, Errno(CInt(-count)).words) }
      if count == 0 { return bytes }
      bytes.append(contentsOf: piece[..<Int(count)])
      if bytes.count > sizeMax { return fail("", path, "larger than 64 MiB") }
    }
  }

  private static func fail(
    _ verb: StaticString, _ path: [UInt8], _ reason: StaticString
  ) -> [UInt8]? {
    var text = TextBuffer()
    text.append(verb)
    text.append(escaped: path, limit: 4096)
    text.append(": ")
    text.append(reason)
    Output.report(text)
    return nil
  }
}

extension [UInt8] {
  /// The bytes as a C string.
  func withTerminated<T>(_ body: (UnsafePointer<CChar>) -> T) -> T {
    (self + [0]).withUnsafeBytes { body($0.baseAddress!.assumingMemoryBound(to: CChar.self)) }
  }
}
