import ConnectByListCore

/// The sockets of the attempts in flight. The table owns each of them until `take` hands it out, and closes the
/// rest when it is destroyed.
///
/// Its array holds numbers, because `Array` cannot hold noncopyable values. It is in the order of starts, so an
/// attempt is found by binary search.
struct AttemptTable: ~Copyable {
  private var sockets: [(id: AttemptID, number: CInt)] = []
  /// The only socket, which is not in the array then: most connects never have two.
  private var single: (id: AttemptID, number: CInt)?

  init() {}

  deinit {
    if let single { Syscalls.close(single.number) }
    if sockets.isEmpty { return }
    for socket in sockets { Syscalls.close(socket.number) }
  }

  var count: Int { single == nil ? sockets.count : 1 }

  /// The attempts in the order of their starts.
  var ids: [AttemptID] { single.map { [$0.id] } ?? sockets.map { $0.id } }

  /// Adds the socket of an attempt that was started after all attempts in the table.
  mutating func insert(_ id: AttemptID, _ descriptor: consuming Descriptor) {
    let socket = (id: id, number: descriptor.release())
    if let other = single {
      assert(other.id < id)
      sockets = [other, socket]
      single = nil
    } else if sockets.isEmpty {
      single = socket
    } else {
      assert(sockets.last!.id < id)
      sockets.append(socket)
    }
  }

  /// Moves the descriptor of an attempt out; `nil` where it is not in flight.
  mutating func take(_ id: AttemptID) -> Descriptor? {
    if let only = single, only.id == id {
      single = nil
      return Descriptor(owning: only.number)
    }
    guard let index = index(of: id) else { return nil }
    return Descriptor(owning: sockets.remove(at: index).number)
  }

  /// The number of an attempt's descriptor; the table keeps ownership.
  func number(of id: AttemptID) -> CInt? {
    if let single, single.id == id { return single.number }
    return index(of: id).map { sockets[$0].number }
  }

  /// The only attempt in flight.
  var only: (id: AttemptID, number: CInt)? { single ?? (sockets.count == 1 ? sockets[0] : nil) }

  private func index(of id: AttemptID) -> Int? {
    let index = sockets.partitioningIndex { $0.id >= id }
    return index < sockets.count && sockets[index].id == id ? index : nil
  }
}
