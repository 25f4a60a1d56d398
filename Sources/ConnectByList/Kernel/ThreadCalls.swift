import CConnectByListPosix
import ConnectByListCore

extension Syscalls {
  /// Starts a thread that blocks all signals, and returns its handle, which has to be joined once.
  /// C: `pthread_create`.
  package static func startThread(
    _ body: @convention(c) (UnsafeMutableRawPointer?) -> Void, _ context: UnsafeMutableRawPointer
  ) throws(Errno) -> UInt64 {
    var thread: UInt64 = 0
    try check(cbl_posix_thread_start(body, context, &thread))
    return thread
  }

  /// Starts a detached thread that blocks all signals. C: `pthread_create`.
  package static func startDetachedThread(
    _ body: @convention(c) (UnsafeMutableRawPointer?) -> Void, _ context: UnsafeMutableRawPointer
  ) throws(Errno) {
    try check(cbl_posix_thread_start(body, context, nil))
  }

  /// Waits until the thread has ended. C: `pthread_join`.
  package static func joinThread(_ thread: UInt64) { cbl_posix_thread_join(thread) }

  /// The number of this process, which a forked child does not share. C: `getpid`.
  package static var processNumber: CInt { cbl_posix_process() }

  /// Sets the errno of the calling thread, for functions that C programs call.
  package static func setErrno(_ errno: Errno) { cbl_posix_set_errno(errno.number) }
}

/// A lock for the threads of one process. After a fork the child must not use it: another thread of the
/// parent may have held it. C: `pthread_mutex_t`.
package final class Lock: @unchecked Sendable {
  private let mutex: UnsafeMutableRawPointer

  /// Throws `.outOfMemory`.
  package init() throws(Errno) {
    guard let mutex = cbl_posix_lock_new() else { throw .outOfMemory }
    self.mutex = mutex
  }

  deinit { cbl_posix_lock_free(mutex) }

  package func take() { cbl_posix_lock_take(mutex) }
  package func release() { cbl_posix_lock_release(mutex) }
}

#if !hasFeature(Embedded)
  /// Runs `body` on a detached thread of its own that blocks all signals. Throws `.tryAgain` where
  /// the process has too many threads, `.outOfMemory`.
  package func startDetachedThread(_ body: @escaping @Sendable () -> Void) throws(Errno) {
    let box = Unmanaged.passRetained(ThreadBody(body))
    do throws(Errno) {
      try Syscalls.startDetachedThread(
        { Unmanaged<ThreadBody>.fromOpaque($0!).takeRetainedValue().body() }, box.toOpaque())
    } catch {
      box.release()
      throw error
    }
  }

  private final class ThreadBody: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
#endif
