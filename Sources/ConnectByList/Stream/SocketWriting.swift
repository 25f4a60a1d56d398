import CConnectByListPosix
import ConnectByListCore

extension Socket {
  /// Writes all of the slices, in one system call where the kernel takes them.
  ///
  /// - Parameters:
  ///   - slices: used up while they are sent.
  ///   - written: gets the number of bytes that were sent or buffered, also where this throws.
  /// - Throws: `.timedOut`, `.brokenPipe` where the peer has closed, and the other errors of `send`.
  ///   SIGPIPE is never raised.
  public mutating func write(
    _ slices: UnsafeMutableBufferPointer<cbl_posix_slice>, written: inout Int
  ) throws(Errno) {
    let deadline = self.deadline
    if writeBuffer.mode != .none {
      if writeBuffer.take(slices, written: &written) { return }
      try flush(before: deadline)
      if writeBuffer.take(slices, written: &written) { return }
    }
    try send(slices, written: &written, before: deadline)
  }

  /// Sends what is buffered. After an error the rest stays buffered. Throws as `write`.
  public mutating func flush() throws(Errno) { try flush(before: deadline) }

  /// Sends what is buffered, and changes the buffering of later writes.
  ///
  /// - Parameters:
  ///   - mode: when writes leave the buffer.
  ///   - size: of the buffer in bytes, 1 to `WriteBuffer.sizeMax`.
  public mutating func setBuffering(_ mode: WriteBuffer.Mode, size: Int) throws(Errno) {
    try flush()
    writeBuffer.set(mode, size: size)
  }

  private mutating func flush(before deadline: Instant) throws(Errno) {
    guard writeBuffer.count > 0 else { return }
    var slice = writeBuffer.slice
    var written = 0
    do throws(Errno) {
      try withUnsafeMutablePointer(to: &slice) { slice throws(Errno) in
        let slices = UnsafeMutableBufferPointer(start: slice, count: 1)
        try send(slices, written: &written, before: deadline)
      }
      writeBuffer.removeFirst(written)
    } catch {
      writeBuffer.removeFirst(written)
      throw error
    }
  }

  private func send(
    _ slices: UnsafeMutableBufferPointer<cbl_posix_slice>, written: inout Int,
    before deadline: Instant
  ) throws(Errno) {
    var first = 0
    var hasSent = false
    while true {
      while first < slices.count && slices[first].count == 0 { first += 1 }
      if first == slices.count { return }
      if hasSent && hasTimedOut(deadline) { throw .timedOut }
      let rest = UnsafeBufferPointer(rebasing: slices[first...])
      guard var count = try Syscalls.send(number, slices: rest) else {
        try wait(for: CInt(CBL_POSIX_WRITABLE), before: deadline)
        continue
      }
      written += count
      hasSent = true
      while first < slices.count && count >= slices[first].count {
        count -= slices[first].count
        first += 1
      }
      if first < slices.count {
        slices[first].bytes += count
        slices[first].count -= count
      }
    }
  }
}
