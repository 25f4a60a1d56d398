import CConnectByListPosix
import ConnectByListCore

/// The epoll descriptor of an operation. It is made when it is first needed, because most connects
/// never have two sockets to wait for.
struct WaitSet: ~Copyable {
  /// The most ready descriptors that one `collect` reports.
  static let batchMax = Int(CBL_POSIX_BATCH_MAX)

  /// -1 before `make`.
  private(set) var number: CInt = -1

  init() {}

  deinit { if isMade { Syscalls.close(number) } }

  var isMade: Bool { number >= 0 }

  mutating func make() throws(Errno) {
    guard !isMade else { return }
    number = try Syscalls.epollCreate().release()
  }

  /// The identities under which `collect` reports the resolver and the caller's cancel descriptor;
  /// attempts have numbers from 0.
  static let resolver = AttemptID(-1)
  static let cancel = AttemptID(-2)

  /// Watches an attempt's socket until it is writable, or one of the two above until it is readable.
  ///
  /// ENOSPC, with which the kernel answers when the user has as many registrations as it allows
  /// (fs.epoll.max_user_watches), is thrown as `.noBufferSpace`: it is a shortage like that.
  func add(_ fd: CInt, _ id: AttemptID) throws(Errno) {
    let tag = UInt64(UInt32(bitPattern: id.number))
    let events = id.number < 0 ? CBL_POSIX_READABLE : CBL_POSIX_WRITABLE
    do throws(Errno) {
      try Syscalls.epollAdd(number, fd, events: CInt(events), tag: tag)
    } catch {
      throw error == Errno(28) ? .noBufferSpace : error  // ENOSPC
    }
  }

  func remove(_ fd: CInt) { Syscalls.epollRemove(number, fd) }

  /// Waits, and reports at most `batchMax` ready descriptors with their events.
  ///
  /// The set is level-triggered and the kernel rotates its ready list, so a second call reports those
  /// for which the first had no room.
  func collect(for span: TimeSpan, _ report: (AttemptID, CInt) -> Void) throws(Errno) {
    try withUnsafeTemporaryAllocation(of: cbl_posix_ready.self, capacity: Self.batchMax) {
      ready throws(Errno) in
      let count = try Syscalls.epollWait(number, ready, for: span)
      for index in 0..<count {
        report(AttemptID(Int32(truncatingIfNeeded: ready[index].tag)), CInt(ready[index].events))
      }
    }
  }
}
