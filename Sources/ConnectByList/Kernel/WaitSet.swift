import CConnectByListPosix
import ConnectByListCore

/// The epoll descriptor of an operation, made when it is first needed: most connects never need it.
struct WaitSet: ~Copyable {
  /// How many ready descriptors one wait tells at most.
  static let batchMax = 64

  /// -1 as long as there is none.
  private(set) var number: CInt = -1

  init() {}

  deinit { if isMade { Syscalls.close(number) } }

  var isMade: Bool { number >= 0 }

  mutating func make() throws(Errno) {
    guard !isMade else { return }
    number = try Syscalls.epollCreate().release()
  }

  /// What stands for the resolver and for the caller's cancel among the attempts that `collect`
  /// tells.
  static let resolver = AttemptID(-1)
  static let cancel = AttemptID(-2)

  /// Watches an attempt's socket, or what becomes readable for one of the two above.
  func add(_ fd: CInt, _ id: AttemptID) throws(Errno) {
    let tag = UInt64(UInt32(bitPattern: id.number))
    let events = id.number < 0 ? CBL_POSIX_READABLE : CBL_POSIX_WRITABLE
    try Syscalls.epollAdd(number, fd, events: CInt(events), tag: tag)
  }

  func remove(_ fd: CInt) { Syscalls.epollRemove(number, fd) }

  /// Waits, then tells what is ready, `batchMax` descriptors at most.
  ///
  /// Level-triggered and in rotation: a second call tells what the first left behind.
  func collect(for span: TimeSpan, _ tell: (AttemptID, CInt) -> Void) {
    withUnsafeTemporaryAllocation(of: cbl_posix_ready.self, capacity: Self.batchMax) { ready in
      let count = Syscalls.epollWait(number, ready, for: span)
      for index in 0..<count {
        tell(AttemptID(Int32(truncatingIfNeeded: ready[index].tag)), CInt(ready[index].events))
      }
    }
  }
}
