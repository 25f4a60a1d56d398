import CConnectByListPosix
import ConnectByListCore

// Every transfer that EINTR stops before a byte was moved is retried; EAGAIN is `nil`.
extension Syscalls {
  /// The number of bytes read, 0 at the end of the stream; `nil` where no bytes are queued.
  /// C: `recv`.
  package static func receive(
    _ fd: CInt, into bytes: UnsafeMutableRawBufferPointer
  ) throws(Errno) -> Int? {
    assert(!bytes.isEmpty, "recv into an empty buffer looks like the end of the stream")
    return try transfer { cbl_posix_receive(fd, bytes.baseAddress, bytes.count) }
  }

  /// The number of bytes that the kernel took; `nil` where it takes none now. Never raises SIGPIPE.
  /// C: `send` with MSG_NOSIGNAL.
  package static func send(_ fd: CInt, _ bytes: UnsafeRawBufferPointer) throws(Errno) -> Int? {
    try transfer { cbl_posix_send(fd, bytes.baseAddress, bytes.count) }
  }

  package static func send(_ fd: CInt, _ bytes: [UInt8]) throws(Errno) -> Int? {
    try transfer { bytes.withUnsafeBytes { cbl_posix_send(fd, $0.baseAddress, $0.count) } }
  }

  /// Sends at most the first 64 slices (CBL_POSIX_BATCH_MAX) in one call. C: `sendmsg` with
  /// MSG_NOSIGNAL.
  package static func send(
    _ fd: CInt, slices: UnsafeBufferPointer<cbl_posix_slice>
  ) throws(Errno) -> Int? {
    try transfer { cbl_posix_send_slices(fd, slices.baseAddress, slices.count) }
  }

  /// Receives the netlink datagrams that are queued, each into its own slot, and returns how many;
  /// `nil` where none is queued. C: `recvmmsg`.
  ///
  /// - Parameter sizes: gets each datagram's whole size, which is above `slotSize` where it was
  ///   truncated; 0 where the kernel did not send it. Its count is the most that are received.
  package static func receiveNetlink(
    _ fd: CInt, into slots: UnsafeMutableRawBufferPointer, slotSize: Int, sizes: inout [UInt32]
  ) throws(Errno) -> Int? {
    assert(sizes.count * slotSize <= slots.count)
    return try transfer {
      Int64(cbl_posix_netlink_receive(fd, slots.baseAddress, slotSize, &sizes, CInt(sizes.count)))
    }
  }

  private static func transfer(_ call: () -> Int64) throws(Errno) -> Int? {
    while true {
      let count = call()
      if count >= 0 { return Int(count) }
      switch Errno(CInt(-count)) {
      case .tryAgain: return nil
      case .interrupted: continue
      case let errno: throw errno
      }
    }
  }
}

extension UnsafeRawBufferPointer {
  /// The index of the first byte with this value, or `nil`.
  ///
  /// By `memchr`, which compares many bytes at a time: the standard library's `firstIndex(of:)`
  /// compares one after the other, and finding the ends of lines is most of the work of reading them.
  func firstIndex(ofByte byte: UInt8) -> Int? {
    let index = Int(cbl_posix_find_byte(baseAddress, count, CInt(byte)))
    return index < 0 ? nil : index
  }
}
