import CConnectByListPosix
import ConnectByListCore

extension Socket {
  /// A value that a read found. Its bytes are in the socket's buffer, valid until the next call.
  public enum Item {
    case bytes(UnsafeRawBufferPointer)
    case numeral(UnsafeRawBufferPointer)
    /// The stream ended before the value.
    case end
  }

  /// Reads one value after another, until all have come or the stream ends.
  ///
  /// - Parameters:
  ///   - count: of the formats.
  ///   - format: the format at an index, 0 to `count` - 1.
  ///   - item: called for each value in order, once all have come.
  /// - Throws: `.timedOut`; `.messageTooLong` for a line above `lineMax`, as much white space before a numeral, and
  ///   a size above `readMax`; `.outOfMemory`; the errors of `recv`, which stay (`failure`). Then no bytes are
  ///   consumed: the next read sees them again. So the bytes of a line that an error cut off are never returned as
  ///   a line.
  public mutating func read(
    count: Int, format: (Int) -> ReadFormat, item: (Int, Item) -> Void
  ) throws(Errno) {
    let deadline = self.deadline
    try blocking(before: deadline) { socket throws(Stop) in
      try socket.tryRead(count: count, before: deadline, format: format, item: item)
    }
  }

  /// The same without waiting. Throws `.wouldBlock` where more has to come, and what `item` throws; then no
  /// bytes are consumed.
  package mutating func tryRead(
    count: Int, before deadline: Instant, format: (Int) -> ReadFormat,
    item: (Int, Item) throws(Stop) -> Void
  ) throws(Stop) {
    readBuffer.trim()
    var isEnd = false
    var hasReceived = false
    // Offsets from the buffer's start, because its memory may move while more is received.
    var offset = 0
    var places: [(skip: Int, count: Int)] = []
    for index in 0..<count {
      let wanted = format(index)
      if case .bytes(let count) = wanted, count > Socket.readMax { throw .failed(.messageTooLong) }
      // Earlier tries have looked for the end of the first line.
      var from = index == 0 && wanted.isLine ? readBuffer.scanned : 0
      matching: while true {
        let bytes = UnsafeRawBufferPointer(rebasing: readBuffer.bytes[offset...])
        switch wanted.match(bytes, from: from, isEnd: isEnd) {
        case .found(let skip, let length, let taken):
          if wanted.isLine && length > lineMax { throw .failed(.messageTooLong) }
          if count == 1 {
            // Most reads have one format, and need no array.
            let value = UnsafeRawBufferPointer(rebasing: bytes[skip..<skip + length])
            try item(0, Socket.item(wanted, value))
            readBuffer.start += taken
            return
          }
          places.append((offset + skip, length))
          offset += taken
          break matching
        case .end(let taken):
          try deliver(places, format, item)
          try item(places.count, .end)
          readBuffer.start += offset + taken
          return
        case .more(let total, let checked):
          from = checked
          if index == 0 && wanted.isLine { readBuffer.scanned = checked }
          // A numeral is short, but any amount of white space may come before it.
          if wanted.isLine || wanted == .number, bytes.count > lineMax {
            throw .failed(.messageTooLong)
          }
          if bytes.count >= Socket.readMax { throw .failed(.messageTooLong) }
          if hasReceived && hasTimedOut(deadline) {
            throw .timedOut(CInt(CBL_POSIX_READABLE))
          }
          hasReceived = true
          isEnd = try !fill(total: offset + total, before: deadline)
        }
      }
    }
    try deliver(places, format, item)
    readBuffer.start += offset
  }

  /// Takes a line, without its end, that is in the buffer as a whole; `nil` where none is. Most reads of
  /// lines succeed here, in fewer instructions than `read` takes. Valid until the next call.
  /// Not a line longer than `lineMax` either.
  public mutating func takeBufferedLine() -> UnsafeRawBufferPointer? {
    readBuffer.takeLine(max: lineMax)
  }

  /// The bytes that are there, at least one and at most `max`; waits where there are none. `nil` at the
  /// end of the stream. Valid until the next call.
  public mutating func receiveAny(max: Int) throws(Errno) -> UnsafeRawBufferPointer? {
    let deadline = self.deadline
    return try blocking(before: deadline) { socket throws(Stop) in
      try socket.tryReceiveAny(max: max, before: deadline)
    }
  }

  /// The same without waiting. Throws `.wouldBlock` where there are no bytes.
  package mutating func tryReceiveAny(
    max: Int, before deadline: Instant
  ) throws(Stop) -> UnsafeRawBufferPointer? {
    readBuffer.trim()
    if readBuffer.count == 0, try !fill(total: min(max, 64 * 1024), before: deadline) {
      return nil
    }
    let bytes = UnsafeRawBufferPointer(rebasing: readBuffer.bytes.prefix(max))
    readBuffer.start += bytes.count
    return bytes
  }

  /// The received bytes that no read has taken. Valid until the next call.
  public var buffered: UnsafeRawBufferPointer { readBuffer.bytes }

  private func deliver(
    _ places: [(skip: Int, count: Int)], _ format: (Int) -> ReadFormat,
    _ item: (Int, Item) throws(Stop) -> Void
  ) throws(Stop) {
    let bytes = readBuffer.bytes
    for (index, place) in places.enumerated() {
      let value = UnsafeRawBufferPointer(rebasing: bytes[place.skip..<place.skip + place.count])
      try item(index, Socket.item(format(index), value))
    }
  }

  private static func item(_ format: ReadFormat, _ bytes: UnsafeRawBufferPointer) -> Item {
    format == .number ? .numeral(bytes) : .bytes(bytes)
  }

  /// Receives at least one byte; false at the end of the stream. Throws `.wouldBlock` where there is none.
  ///
  /// - Parameter total: how many bytes the buffer should have room for in all.
  mutating func fill(total: Int, before deadline: Instant) throws(Stop) -> Bool {
    let received: Int?
    do throws(Errno) {
      received = try Syscalls.receive(number, into: try readBuffer.room(for: total))
    } catch {
      throw .failed(record(error))
    }
    if let received {
      readBuffer.didReceive(received)
      if received == 0, let failure { throw .failed(failure) }
      return received > 0
    }
    readBuffer.didReceiveNothing()
    if let failure { throw .failed(failure) }
    throw blocked(for: CInt(CBL_POSIX_READABLE), before: deadline)
  }
}
