import CConnectByListPosix
import ConnectByListCore

// A wait that EINTR ends returns as if nothing was ready. It is not retried, because its timeout would
// begin anew: the caller compares the clock with its own deadline and waits again. Any other error is thrown:
// EINVAL where RLIMIT_NOFILE was lowered below the number of descriptors that are polled, what a sandbox
// answers where it denies every variant of the call. A caller that waits again after one does not end.
extension Syscalls {
  // MARK: poll

  /// The ready events of one descriptor, 0 at the timeout. C: `poll`, or `ppoll` for a timeout that
  /// is no whole number of milliseconds.
  package static func poll(_ fd: CInt, events: CInt, for span: TimeSpan)
    throws(Errno) -> CInt
  {
    try readyOrInterrupted(cbl_posix_poll(fd, events, timeoutNanoseconds(span)))
  }

  /// The ready events of one descriptor, and those of another one that is waited for to become
  /// readable; 0 for both at the timeout. C: `ppoll`.
  package static func poll(
    _ fd: CInt, events: CInt, or other: CInt, for span: TimeSpan
  ) throws(Errno) -> (CInt, other: CInt) {
    var otherEvents: CInt = 0
    let ready = try readyOrInterrupted(
      cbl_posix_poll_two(fd, events, other, timeoutNanoseconds(span), &otherEvents))
    return (ready, otherEvents)
  }

  /// Sleeps for a span, less where a signal comes. Where a sandbox denies every call that could, it returns at
  /// once. C: `poll` without descriptors, `nanosleep`.
  package static func sleep(for span: TimeSpan) {
    _ = cbl_posix_poll(-1, 0, timeoutNanoseconds(span))
  }

  // MARK: epoll

  /// C: `epoll_create1`.
  package static func epollCreate() throws(Errno) -> Descriptor {
    Descriptor(owning: try check(cbl_posix_epoll_create()))
  }

  /// C: `epoll_ctl` with EPOLL_CTL_ADD.
  package static func epollAdd(_ epoll: CInt, _ fd: CInt, events: CInt, tag: UInt64) throws(Errno) {
    try check(cbl_posix_epoll_add(epoll, fd, events, tag))
  }

  /// C: `epoll_ctl` with EPOLL_CTL_MOD.
  package static func epollChange(
    _ epoll: CInt, _ fd: CInt, events: CInt, tag: UInt64
  ) throws(Errno) {
    try check(cbl_posix_epoll_change(epoll, fd, events, tag))
  }

  /// Errors are ignored: ENOENT says that the descriptor was never added. C: `epoll_ctl` with
  /// EPOLL_CTL_DEL.
  package static func epollRemove(_ epoll: CInt, _ fd: CInt) {
    _ = cbl_posix_epoll_remove(epoll, fd)
  }

  /// Fills entries of `ready`, at most 64 (CBL_POSIX_BATCH_MAX), and returns how many.
  /// C: `epoll_pwait2`; `epoll_wait` where the kernel or a sandbox refuses that.
  package static func epollWait(
    _ epoll: CInt, _ ready: UnsafeMutableBufferPointer<cbl_posix_ready>, for span: TimeSpan
  ) throws(Errno) -> Int {
    Int(
      try readyOrInterrupted(
        cbl_posix_epoll_wait(
          epoll, ready.baseAddress, CInt(ready.count), timeoutNanoseconds(span))))
  }

  // MARK: event descriptors

  /// A descriptor that `signalEvent` makes readable. C: `eventfd`.
  package static func eventDescriptor() throws(Errno) -> Descriptor {
    Descriptor(owning: try check(cbl_posix_eventfd()))
  }

  /// Makes an event descriptor readable. EAGAIN is ignored: it says that it is readable already.
  /// C: `write`.
  package static func signalEvent(_ fd: CInt) { _ = cbl_posix_eventfd_signal(fd) }

  /// Makes an event descriptor unreadable again. C: `read`.
  package static func clearEvent(_ fd: CInt) { cbl_posix_eventfd_clear(fd) }

  // MARK: helpers

  private static func timeoutNanoseconds(_ span: TimeSpan) -> Int64 {
    span == .forever ? -1 : max(0, span.nanoseconds)
  }

  private static func readyOrInterrupted(_ code: CInt) throws(Errno) -> CInt {
    if code == -Errno.interrupted.number { return 0 }
    return try check(code)
  }
}
