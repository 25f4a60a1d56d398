import ConnectByListCore

/// The sockets of the attempts in flight. The table owns each of them until `take` hands it out, and closes the
/// rest when it is destroyed.
///
/// Its array holds numbers, because `Array` cannot hold noncopyable values. Searches are linear: at most
/// `in_flight` attempts are in it, 64 by default.
struct AttemptTable: ~Copyable {
  private var sockets: [(id: AttemptID, number: CInt)] = []

  init() {}

  deinit { for socket in sockets { Syscalls.close(socket.number) } }

  var count: Int { sockets.count }

  mutating func insert(_ id: AttemptID, _ descriptor: consuming Descriptor) {
    sockets.append((id, descriptor.release()))
  }

  /// Moves the descriptor of an attempt out; `nil` where it is not in flight.
  mutating func take(_ id: AttemptID) -> Descriptor? {
    for index in sockets.indices where sockets[index].id == id {
      sockets.swapAt(index, sockets.count - 1)
      return Descriptor(owning: sockets.removeLast().number)
    }
    return nil
  }

  /// The number of an attempt's descriptor; the table keeps ownership.
  func number(of id: AttemptID) -> CInt? {
    for socket in sockets where socket.id == id { return socket.number }
    return nil
  }

  /// The only attempt in flight.
  var only: (id: AttemptID, number: CInt)? { sockets.count == 1 ? sockets[0] : nil }
}
