import CConnectByListPosix
import ConnectByList
import ConnectByListCore

/// A connected socket of a server: what waits to be sent, and what epoll watches it for.
struct Channel: ~Copyable {
  /// Bytes that are read at a time.
  private static let portion = 16 * 1024

  let socket: Descriptor
  private var outgoing: [UInt8] = []
  private var sentCount = 0
  /// The peer has ended its stream.
  private(set) var hasEnded = false
  /// 0: it is not in the epoll set.
  private var watchedEvents: CInt = 0

  init(_ socket: consuming Descriptor) {
    self.socket = socket
    // Otherwise a short answer waits until the one before is acknowledged, up to 40 ms. Fails on a Unix
    // socket, which has no such delay.
    do throws(Errno) {
      try Syscalls.setOption(
        self.socket.number, level: SocketLevel.tcp, name: SocketNumber.noDelay, to: 1)
    } catch {}
  }

  /// The next bytes; empty at the end of the stream; `nil` if there are none now.
  mutating func receive() throws(Errno) -> [UInt8]? {
    if hasEnded { return nil }
    let number = socket.number
    let bytes = try withUnsafeTemporaryAllocation(byteCount: Self.portion, alignment: 1) {
      room throws(Errno) -> [UInt8]? in
      guard let count = try Syscalls.receive(number, into: room) else { return nil }
      return [UInt8](room[0..<count])
    }
    if let bytes, bytes.isEmpty { hasEnded = true }
    return bytes
  }

  /// Whether the kernel has taken all that was sent.
  var isFlushed: Bool { sentCount == outgoing.count }

  mutating func send(_ bytes: [UInt8]) throws(Errno) {
    assert(isFlushed)
    outgoing = bytes
    sentCount = 0
    try flush()
  }

  mutating func flush() throws(Errno) {
    while sentCount < outgoing.count {
      let number = socket.number
      let first = sentCount
      let taken = try outgoing.withUnsafeBufferPointer { bytes throws(Errno) in
        try Syscalls.send(
          number, UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[first...]))
      }
      guard let taken else { return }
      sentCount += taken
    }
  }

  /// Ends our direction of the stream. An error says that the connection has ended, which reading tells too.
  func shut() { Self.ignore { () throws(Errno) in try Syscalls.shutdown(socket.number, how: 1) } }

  /// Ends the connection, before the descriptor is closed: a forked child may hold a copy of it.
  mutating func end() {
    // Closing a TCP socket that holds unread bytes resets the connection.
    for _ in 0..<64 {
      guard let bytes = try? receive(), !bytes.isEmpty else { break }
    }
    Self.ignore { () throws(Errno) in try Syscalls.shutdown(socket.number, how: 2) }
  }

  /// Resets a TCP connection. The peer of a Unix socket gets ECONNRESET only where bytes of it are unread.
  func reset() { Self.ignore { () throws(Errno) in try Syscalls.disconnect(socket.number) } }

  private static func ignore(_ body: () throws(Errno) -> Void) {
    do throws(Errno) { try body() } catch {}
  }

  /// Watches the socket for these events; for none at all, so that not even a hang-up is reported, if
  /// `events` is 0.
  mutating func watch(_ events: CInt, _ epoll: CInt, tag: UInt64) throws(Errno) {
    if events == watchedEvents { return }
    if events == 0 {
      Syscalls.epollRemove(epoll, socket.number)
    } else if watchedEvents == 0 {
      try Syscalls.epollAdd(epoll, socket.number, events: events, tag: tag)
    } else {
      try Syscalls.epollChange(epoll, socket.number, events: events, tag: tag)
    }
    watchedEvents = events
  }

  /// Takes it out of the epoll set, where it would stay as long as a forked child holds a copy.
  mutating func unwatch(_ epoll: CInt) {
    if watchedEvents != 0 { Syscalls.epollRemove(epoll, socket.number) }
    watchedEvents = 0
  }
}
