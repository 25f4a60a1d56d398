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
    var done = 0
    defer { written = done }
    try blocking(before: deadline) { socket throws(Stop) in
      try socket.tryWrite(slices, written: &done, before: deadline)
    }
  }

  /// The same without waiting. Throws `.wouldBlock` where the kernel takes no more; then `slices` are what is
  /// left.
  ///
  /// - Parameter written: how many bytes earlier tries have sent; grows by what this one sends or buffers.
  package mutating func tryWrite(
    _ slices: UnsafeMutableBufferPointer<cbl_posix_slice>, written: inout Int,
    before deadline: Instant
  ) throws(Stop) {
    if writeBuffer.mode != .none && written == 0 {
      if writeBuffer.take(slices, written: &written) { return }
      try tryFlush(before: deadline)
      if writeBuffer.take(slices, written: &written) { return }
    }
    try send(slices, written: &written, before: deadline)
  }

  /// Sends what is buffered. After an error the rest stays buffered. Throws as `write`.
  public mutating func flush() throws(Errno) {
    guard writeBuffer.count > 0 else { return }
    let deadline = self.deadline
    try blocking(before: deadline) { socket throws(Stop) in
      try socket.tryFlush(before: deadline)
    }
  }

  /// Sends what is buffered, and changes the buffering of later writes.
  ///
  /// - Parameters:
  ///   - mode: when writes leave the buffer.
  ///   - size: of the buffer in bytes, 1 to `WriteBuffer.sizeMax`.
  public mutating func setBuffering(_ mode: WriteBuffer.Mode, size: Int) throws(Errno) {
    try flush()
    writeBuffer.set(mode, size: size)
  }

  /// Changes the buffering of a socket that has nothing buffered.
  package mutating func setBufferingNow(_ mode: WriteBuffer.Mode, size: Int) {
    writeBuffer.set(mode, size: size)
  }

  /// Sends what is buffered, as far as the kernel takes it.
  package mutating func tryFlush(before deadline: Instant) throws(Stop) {
    guard writeBuffer.count > 0 else { return }
    var slice = writeBuffer.slice
    var written = 0
    do throws(Stop) {
      try withUnsafeMutablePointer(to: &slice) { slice throws(Stop) in
        let slices = UnsafeMutableBufferPointer(start: slice, count: 1)
        try send(slices, written: &written, before: deadline)
      }
      writeBuffer.removeFirst(written)
    } catch {
      writeBuffer.removeFirst(written)
      throw error
    }
  }

  private mutating func send(
    _ slices: UnsafeMutableBufferPointer<cbl_posix_slice>, written: inout Int,
    before deadline: Instant
  ) throws(Stop) {
    var first = 0
    var hasSent = false
    while true {
      while first < slices.count && slices[first].count == 0 { first += 1 }
      if first == slices.count { return }
      if hasSent && hasTimedOut(deadline) { throw .timedOut(CInt(CBL_POSIX_WRITABLE)) }
      let sent: Int?
      do throws(Errno) {
        sent = try Syscalls.send(number, slices: UnsafeBufferPointer(rebasing: slices[first...]))
      } catch {
        // EPIPE says nothing of what can be read: the peer has ended its stream, or this side has.
        throw .failed(error == .brokenPipe ? error : record(error))
      }
      guard let sent else { throw blocked(for: CInt(CBL_POSIX_WRITABLE), before: deadline) }
      written += sent
      sentCount += sent
      hasSent = true
      Socket.skip(sent, of: slices)
    }
  }

  /// Removes `count` bytes from the front of the slices.
  package static func skip(
    _ count: Int, of slices: UnsafeMutableBufferPointer<cbl_posix_slice>
  ) {
    var left = count
    for index in slices.indices where left > 0 {
      let taken = min(left, slices[index].count)
      slices[index].bytes += taken
      slices[index].count -= taken
      left -= taken
    }
  }
}
