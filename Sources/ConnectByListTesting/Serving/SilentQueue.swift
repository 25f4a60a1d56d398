import CConnectByListPosix
import ConnectByList
import ConnectByListCore

enum SilentQueue {
  /// Listens with a queue that is full, so that the kernel drops every SYN. The returned connection fills
  /// the queue. Throws `.timedOut` if it is not in the queue after 5 s.
  static func fill(_ listener: CInt, at endpoint: Endpoint) throws(Errno) -> Descriptor {
    // With a backlog of 0 the queue has room for one connection (`sk_acceptq_is_full` compares with
    // `>`; Linux 6.18).
    try Syscalls.listen(listener, backlog: 0)
    let filler = try Syscalls.socket(endpoint.family)
    _ = try Syscalls.connect(filler.number, to: endpoint, under: .unrestricted)
    // Waits until the connection is in the queue, which is later than its own side is connected.
    let deadline = Clock.now() + .seconds(5)
    while try Syscalls.poll(listener, events: CInt(CBL_POSIX_READABLE), for: deadline - Clock.now())
      == 0
    {
      if Clock.now() >= deadline { throw .timedOut }
    }
    return filler
  }
}
