import CConnectByListPosix
import ConnectByListCore
import Glibc
import Testing

@testable import ConnectByList

/// Runs scenarios with one fault at a time, and checks how they end: with success, or with the fault's error;
/// in time; with the descriptors and threads of before.
///
/// A scenario runs in its thread's own time, so that a busy machine changes neither how it ends nor how long it takes.
struct FaultJudge {
  private(set) var runCount = 0
  private(set) var scenarioCount = 0
  private(set) var wentOn = 0
  private(set) var failed = 0

  /// The errors of the manual pages. EBADF of `close` is left out: it is a defect of the program, and debug
  /// builds stop there.
  static let errors: [(call: cbl_posix_call, errors: [CInt])] = [
    (
      CBL_POSIX_CALL_SOCKET,
      [EACCES, EAFNOSUPPORT, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTONOSUPPORT]
    ),
    (
      CBL_POSIX_CALL_CONNECT,
      [
        EACCES, EPERM, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, EALREADY, EBADF,
        ECONNREFUSED,
        EFAULT, EINTR, EISCONN, ENETUNREACH, ENOTSOCK, EPROTOTYPE, ETIMEDOUT,
      ]
    ),
    (CBL_POSIX_CALL_BIND, [EACCES, EADDRINUSE, EBADF, EINVAL, ENOTSOCK, EADDRNOTAVAIL, ENOMEM]),
    (CBL_POSIX_CALL_GETSOCKNAME, [EBADF, EFAULT, EINVAL, ENOBUFS, ENOTSOCK, EPERM]),
    (CBL_POSIX_CALL_GETPEERNAME, [EBADF, EFAULT, EINVAL, ENOBUFS, ENOTCONN, ENOTSOCK, EPERM]),
    (CBL_POSIX_CALL_SHUTDOWN, [EBADF, EINVAL, ENOTCONN, ENOTSOCK]),
    (CBL_POSIX_CALL_DUP, [EBADF, EBUSY, EINTR, EINVAL, EMFILE]),
    (CBL_POSIX_CALL_SETSOCKOPT, [EBADF, EFAULT, EINVAL, ENOPROTOOPT, ENOTSOCK, EPERM]),
    (CBL_POSIX_CALL_GETSOCKOPT, [EBADF, EFAULT, EINVAL, ENOPROTOOPT, ENOTSOCK, EPERM]),
    (CBL_POSIX_CALL_FCNTL, [EBADF, EACCES, EPERM, EINVAL]),
    (
      CBL_POSIX_CALL_RECV,
      [EAGAIN, EBADF, ECONNREFUSED, EFAULT, EINTR, EINVAL, ENOMEM, ENOTCONN, ENOTSOCK, ECONNRESET]
    ),
    (
      CBL_POSIX_CALL_SEND,
      [EACCES, EAGAIN, EBADF, ECONNRESET, EINTR, EMSGSIZE, ENOBUFS, ENOMEM, ENOTCONN, EPIPE]
    ),
    (
      CBL_POSIX_CALL_SENDMSG,
      [EACCES, EAGAIN, EBADF, ECONNRESET, EINTR, EMSGSIZE, ENOBUFS, ENOMEM, ENOTCONN, EPIPE]
    ),
    (CBL_POSIX_CALL_RECVMMSG, [EAGAIN, EBADF, EINTR, EINVAL, ENOMEM, ENOBUFS]),
    (CBL_POSIX_CALL_POLL, [EFAULT, EINTR, EINVAL, ENOMEM, EPERM]),
    (CBL_POSIX_CALL_PPOLL, [EFAULT, EINTR, EINVAL, ENOMEM, ENOSYS]),
    (CBL_POSIX_CALL_EPOLL_CREATE, [EINVAL, EMFILE, ENFILE, ENOMEM]),
    (CBL_POSIX_CALL_EPOLL_CTL, [EBADF, EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC, EPERM]),
    (CBL_POSIX_CALL_EPOLL_PWAIT2, [EBADF, EFAULT, EINTR, EINVAL, ENOSYS, EPERM]),
    (CBL_POSIX_CALL_EVENTFD, [EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM]),
    (CBL_POSIX_CALL_READ, [EAGAIN, EBADF, EINTR, EINVAL, EIO]),
    (CBL_POSIX_CALL_WRITE, [EAGAIN, EBADF, EINTR, EINVAL, EIO, ENOSPC]),
    (CBL_POSIX_CALL_CLOSE, [EINTR, EIO, ENOSPC, EDQUOT]),
    (CBL_POSIX_CALL_REALLOC, [ENOMEM]),
  ]

  mutating func run(_ scenario: FaultScenario) throws {
    scenarioCount += 1
    for (call, _) in Self.errors { cbl_posix_set_fault(call, 0, 0, 0) }
    let first = try scenario.prepare()
    for (call, _) in Self.errors { cbl_posix_set_fault(call, 0, 0, 0) }
    try first()
    let made = Self.errors.map { min(10, Int(cbl_posix_calls_made($0.call))) }
    for (index, (call, errors)) in Self.errors.enumerated() where made[index] > 0 {
      for error in errors {
        for occurrence in 1...made[index] { try run(scenario, call, error, occurrence) }
      }
    }
  }

  private mutating func run(
    _ scenario: FaultScenario, _ call: cbl_posix_call, _ error: CInt, _ occurrence: Int
  ) throws {
    runCount += 1
    let before = Descriptors.described()
    do {
      let body = try scenario.prepare()
      cbl_posix_begin_own_time()
      let began = Clock.now()
      cbl_posix_set_fault(call, occurrence, occurrence, error)
      var found: Errno?
      do { try body() } catch let error as Errno { found = error } catch let error as ConnectError {
        found = error.errno
      }
      cbl_posix_set_fault(call, 0, 0, 0)
      let took = Clock.now() - began
      let blocked = TimeSpan(nanoseconds: cbl_posix_end_own_time())
      // Waits are rounded up to a millisecond, and one that failed is followed by a sleep of ten.
      #expect(
        took < scenario.longest + .milliseconds(20) && blocked < .seconds(1),
        """
        \(scenario.name): call \(call.rawValue), errno \(error), number \(occurrence): \(took), \
        \(blocked) of sleep elsewhere than in waits
        """)
      if let found {
        failed += 1
        #expect(
          found == Errno(error) || Self.mayBecome(error).contains(found.number)
            || isOwn(found, scenario, took),
          "\(scenario.name): call \(call.rawValue), errno \(error), number \(occurrence): \(found.name ?? "?")"
        )
      } else {
        wentOn += 1
      }
    }
    // Endpoints close their connections when they notice; a few milliseconds.
    let limit = Clock.now() + .seconds(2)
    var after = Descriptors.described()
    while after.count > before.count && Clock.now() < limit {
      usleep(500)
      after = Descriptors.described()
    }
    #expect(
      after.count <= before.count,
      """
      \(scenario.name): call \(call.rawValue), errno \(error), number \(occurrence): left open: \
      \(after.subtracting(before).sorted())
      """)
  }

  /// No connect times out before its deadline.
  private func isOwn(_ errno: Errno, _ scenario: FaultScenario, _ took: TimeSpan) -> Bool {
    scenario.ownErrors.contains(errno.number)
      && (errno != .timedOut || took >= FaultScenario.deadline)
  }

  /// What an error honestly becomes: an interrupted `connect` goes on in the kernel, here it was not made; a
  /// reset that arrives as EPIPE; a wait set without room (ENOSPC, fs.epoll.max_user_watches) is ENOBUFS; a call that is said to be impossible now and never becomes possible.
  private static func mayBecome(_ error: CInt) -> [CInt] {
    switch error {
    case EINTR: [ECONNRESET, ENOTCONN]
    case EPIPE: [ECONNRESET]
    case ENOSPC: [ENOBUFS]
    case EAGAIN, ENOTCONN: [ETIMEDOUT, ECONNRESET, ENOTCONN]
    default: []
    }
  }
}
