import CConnectByListPosix
import ConnectByList
import ConnectByListCore

// Reads and writes that do not block the task's thread. `timeout` bounds each call as a whole, as it does the blocking
// ones. Cancelling the task ends the call with `CancellationError`; bytes that came stay for the next read.
extension Socket {
  /// Reads a line, without its newline; `nil` at the end of the stream. Throws what the blocking `readLine` does.
  public mutating func readLine() async throws -> String? {
    try await readOne(.line(keepsEnd: false)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// Reads `count` bytes, 0 to `readMax`, fewer only at the end of the stream; `nil` where no bytes come before it.
  public mutating func read(_ count: Int) async throws -> [UInt8]? {
    precondition(count >= 0, "a size below 0")
    return try await readOne(.bytes(count))
  }

  /// Reads the bytes that are there, at least one and at most `count`; `nil` at the end of the stream.
  public mutating func read(upTo count: Int) async throws -> [UInt8]? {
    precondition(count >= 1, "a size below 1")
    let deadline = self.deadline
    while true {
      do throws(Stop) {
        return try tryReceiveAny(max: count, before: deadline).map { Array($0) }
      } catch {
        try await wait(after: error, before: deadline)
      }
    }
  }

  /// Reads everything up to the end of the stream.
  public mutating func readAll() async throws -> [UInt8] { try await readOne(.all) ?? [] }

  /// Writes all of the bytes within `timeout`.
  public mutating func write(_ bytes: [UInt8]) async throws {
    let deadline = self.deadline
    var written = 0
    while true {
      do throws(Stop) { return try tryWrite(bytes, written: &written, before: deadline) } catch {
        try await wait(after: error, before: deadline)
      }
    }
  }

  public mutating func write(_ text: String) async throws { try await write(Array(text.utf8)) }

  private mutating func readOne(_ format: ReadFormat) async throws -> [UInt8]? {
    let deadline = self.deadline
    while true {
      do throws(Stop) {
        var found: [UInt8]?
        try tryRead(count: 1, before: deadline) { _ in
          format
        } item: { _, item in
          if case .bytes(let bytes) = item { found = Array(bytes) }
        }
        return found
      } catch {
        try await wait(after: error, before: deadline)
      }
    }
  }

  private mutating func tryWrite(
    _ bytes: [UInt8], written: inout Int, before deadline: Instant
  ) throws(Stop) {
    // The closures of `withUnsafeBytes` throw no typed errors.
    var stop: Stop?
    bytes.withUnsafeBytes { bytes in
      var slice = cbl_posix_slice(
        bytes: bytes.baseAddress.map { $0 + written }, count: bytes.count - written)
      do throws(Stop) {
        try withUnsafeMutablePointer(to: &slice) { slice throws(Stop) in
          try tryWrite(
            UnsafeMutableBufferPointer(start: slice, count: 1), written: &written, before: deadline)
        }
      } catch {
        stop = error
      }
    }
    if let stop { throw stop }
  }

  private func wait(after stop: Stop, before deadline: Instant) async throws {
    switch stop {
    case .failed(let errno): throw errno
    case .timedOut: throw Errno.timedOut
    case .wouldBlock(let events): try await waitForEvents(number, events, until: deadline)
    }
  }
}
