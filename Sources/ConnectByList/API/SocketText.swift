#if !hasFeature(Embedded)
  import CConnectByListPosix
  import ConnectByListCore

  extension Socket {
    /// Reads a line, without its newline; `nil` at the end of the stream. Bytes that are not UTF-8 become
    /// U+FFFD.
    ///
    /// Throws `.timedOut` (the bytes received so far stay for the next read), `.messageTooLong` above
    /// `lineMax`, and the errors of `recv`.
    @available(*, noasync, message: "it blocks; ConnectByListAsync has one that does not")
    public mutating func readLine() throws(Errno) -> String? {
      try readOne(.line(keepsEnd: false)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Reads `count` bytes, 0 to `readMax`, fewer only at the end of the stream; `nil` where no bytes come
    /// before it.
    @available(*, noasync, message: "it blocks; ConnectByListAsync has one that does not")
    public mutating func read(_ count: Int) throws(Errno) -> [UInt8]? {
      precondition(count >= 0, "a size below 0")
      return try readOne(.bytes(count))
    }

    /// Reads the bytes that are there, at least one and at most `count`; `nil` at the end of the stream.
    @available(*, noasync, message: "it blocks; ConnectByListAsync has one that does not")
    public mutating func read(upTo count: Int) throws(Errno) -> [UInt8]? {
      precondition(count >= 1, "a size below 1")
      return try receiveAny(max: count).map { Array($0) }
    }

    /// Reads everything up to the end of the stream.
    @available(*, noasync, message: "it blocks; ConnectByListAsync has one that does not")
    public mutating func readAll() throws(Errno) -> [UInt8] { try readOne(.all) ?? [] }

    private mutating func readOne(_ format: ReadFormat) throws(Errno) -> [UInt8]? {
      var found: [UInt8]?
      try read(count: 1) { _ in
        format
      } item: { _, item in
        if case .bytes(let bytes) = item { found = Array(bytes) }
      }
      return found
    }

    /// Writes all of the bytes within `timeout`.
    ///
    /// Throws `.brokenPipe` where the peer has closed (never a signal), and the other errors of `send`. How
    /// many bytes were sent before an error is known to `write(_:written:)` only.
    @available(*, noasync, message: "it blocks; ConnectByListAsync has one that does not")
    public mutating func write(_ bytes: [UInt8]) throws(Errno) {
      // The closures of `withUnsafeBytes` throw no typed errors.
      var failure: Errno?
      bytes.withUnsafeBytes { bytes in
        var slice = cbl_posix_slice(bytes: bytes.baseAddress, count: bytes.count)
        var written = 0
        do throws(Errno) {
          try withUnsafeMutablePointer(to: &slice) { slice throws(Errno) in
            try write(UnsafeMutableBufferPointer(start: slice, count: 1), written: &written)
          }
        } catch {
          failure = error
        }
      }
      if let failure { throw failure }
    }

    @available(*, noasync, message: "it blocks; ConnectByListAsync has one that does not")
    public mutating func write(_ text: String) throws(Errno) { try write(Array(text.utf8)) }
  }
#endif
