import ConnectByListCore

extension Socket {
  /// What `tryReceive` looks for: the patterns of LuaSocket's `receive`.
  package enum Pattern {
    /// Up to a newline, which is taken and not returned.
    case line
    /// Up to the end of the stream.
    case all
    /// This many bytes. None at all waits for a byte too, as in LuaSocket.
    case bytes(Int)
  }

  /// A value as a whole, without waiting; `nil` at the end of the stream before it. Then, and where this throws,
  /// the bytes that came stay buffered: the caller tries again, or takes them with `takeBuffered`.
  ///
  /// - Parameters:
  ///   - deadline: from which on it does not wait.
  ///   - endsAtDeadline: whether it also stops then while bytes keep coming.
  ///   - hasMoved: set if bytes were received.
  /// - Throws: `.failed(.messageTooLong)` if more than `readMax` bytes are needed; the errors of `recv`.
  package mutating func tryReceive(
    _ pattern: Pattern, before deadline: Instant, endsAtDeadline: Bool, hasMoved: inout Bool
  ) throws(Stop) -> UnsafeRawBufferPointer? {
    readBuffer.trim()
    while true {
      if let value = takeWhole(pattern) { return value }
      let count = readBuffer.count
      var total = count + 1
      if case .bytes(let wanted) = pattern { total = max(wanted, 1) }
      guard total <= Socket.readMax else { throw .failed(.messageTooLong) }
      if hasMoved && endsAtDeadline && hasPassed(deadline) { throw .timedOut(awaited) }
      guard try fill(total: min(total, count + Self.receiveStep), before: deadline) else {
        if case .all = pattern, count > 0 { return takeBuffered() }
        return nil
      }
      hasMoved = true
    }
  }

  /// Takes all that is buffered. Valid until the next call.
  package mutating func takeBuffered() -> UnsafeRawBufferPointer {
    let bytes = readBuffer.bytes
    readBuffer.start += bytes.count
    return bytes
  }

  /// `receive(10^9)` does not allocate a gigabyte for a peer that sends ten bytes.
  private static var receiveStep: Int { 1 << 20 }

  private mutating func takeWhole(_ pattern: Pattern) -> UnsafeRawBufferPointer? {
    switch pattern {
    case .all: return nil
    case .bytes(let wanted):
      guard readBuffer.count >= max(wanted, 1) else { return nil }
      let bytes = UnsafeRawBufferPointer(rebasing: readBuffer.bytes[..<wanted])
      readBuffer.start += wanted
      return bytes
    case .line:
      let bytes = readBuffer.bytes
      let unseen = UnsafeRawBufferPointer(rebasing: bytes[readBuffer.scanned...])
      guard let found = unseen.firstIndex(ofByte: UInt8(ascii: "\n")) else {
        readBuffer.scanned = bytes.count
        return nil
      }
      let count = readBuffer.scanned + found
      readBuffer.start += count + 1
      return UnsafeRawBufferPointer(rebasing: bytes[..<count])
    }
  }

  private func hasPassed(_ deadline: Instant) -> Bool {
    deadline != .distantFuture && Clock.now() >= deadline
  }
}
