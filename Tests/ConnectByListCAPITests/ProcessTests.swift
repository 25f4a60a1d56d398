import CConnectByList
import ConnectByList
import ConnectByListCore
import ConnectByListTesting
import Foundation
import Glibc
import Testing

extension ConnectByListCAPI {
  /// Tests that change the whole process or compare all its descriptors. Each has a process of its own.
  @Suite struct ProcessTests {
    @Test func `every way a call can end leaves the descriptors as they were`() async {
      await #expect(processExitsWith: .success) {
        settle()
        let peer = try TestEndpoint(.echo)
        let refused = try TestEndpoint(.refused)
        let silent = try TestEndpoint(.silent)
        let handle = try CancelHandle()
        let (socket, datagram) = (CSocket(), CSocket(type: 2))
        let short = timeval(tv_sec: 0, tv_usec: 30_000)
        let small = AddressMemory(size: 3)
        // Once it has answered, the echo endpoint has opened its own descriptors.
        let warm = CSocket()
        #expect(call(warm, CList(peer.endpoint)) == 0 && warm.exchanges())
        let before = openFiles()
        for _ in 0..<3 {
          #expect(call(-1, CList(peer.endpoint)) == EBADF)
          #expect(call(handle, CList(peer.endpoint)) == ENOTSOCK)
          #expect(call(datagram, CList(peer.endpoint)) == EOPNOTSUPP)
          #expect(call(socket, nil) == EINVAL)
          #expect(call(socket, CList(peer.endpoint), local: small) == EFAULT)
          #expect(call(socket, CList(refused.endpoint)) == ECONNREFUSED)
          let both = CList(silent.endpoint, refused.endpoint)
          #expect(call(socket, both, timeout: short) == ETIMEDOUT)
          #expect(call(socket, CList(Endpoint(.loopbackV6, port: 9))) == EAFNOSUPPORT)
        }
        var given = options(cancel: handle.number)
        let both = CList(silent.endpoint, refused.endpoint)
        let join = try inBackground {
          usleep(100_000)
          handle.cancel()
        }
        // First during a race, then before the next one begins.
        for _ in 0..<2 { #expect(call(socket, both, timeout: nil, options: &given) == ECANCELED) }
        join()
        given.flags = 1
        #expect(call(socket, both, options: &given) == EINVAL)
        let v6Only = CList(Endpoint(.loopbackV6, port: 9))
        #expect(call(socket, v6Only, timeout: timeval()) == EAFNOSUPPORT)
        #expect(settled { openFiles().subtracting(before) }.isEmpty)
      }
    }

    @Test func `a connect leaves as many descriptors, under the same numbers`() async {
      await #expect(processExitsWith: .success) {
        settle()
        let listener = CSocket()
        #expect(listener.bind(Endpoint(.loopback, port: 0)) && listen(listener.number, 64) == 0)
        let refused = try TestEndpoint(.refused)
        let sockets = (0..<20).map { _ in CSocket() }
        let before = openNumbers()
        for socket in sockets {
          #expect(call(socket, CList(refused.endpoint, listener.local!)) == 0)
        }
        #expect(settled { openNumbers().subtracting(before) }.isEmpty)
        #expect(sockets.allSatisfy { openNumbers().contains("\($0.number)") })
      }
    }

    @Test func `W14 without a free descriptor it is EMFILE, and the socket is unchanged`()
      async
    {
      await #expect(processExitsWith: .success) {
        let peer = try TestEndpoint(.echo)
        let socket = CSocket()
        let list = CList(peer.endpoint)
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit)
        var none = rlimit(rlim_cur: 0, rlim_max: limit.rlim_max)
        setrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &none)
        let code = call(socket, list)
        setrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &limit)
        #expect(code == EMFILE)
        #expect(call(socket, list) == 0)
      }
    }

    @Test func `W26 a signal neither breaks nor shortens the call`() async {
      await #expect(processExitsWith: .success) {
        let silent = try TestEndpoint(.silent)
        var action = sigaction()
        // Without SA_RESTART, so that every system call is interrupted.
        action.__sigaction_handler.sa_handler = { _ in }
        sigaction(SIGUSR1, &action, nil)
        let target = Target(pthread_self())
        let join = try inBackground {
          for _ in 0..<40 {
            usleep(10_000)
            pthread_kill(target.thread, SIGUSR1)
          }
        }
        let elapsed = seconds {
          let code = call(
            CSocket(), CList(silent.endpoint), timeout: timeval(tv_sec: 0, tv_usec: 500_000))
          #expect(code == ETIMEDOUT)
        }
        join()
        #expect(elapsed >= 0.5 && elapsed < 5)
        let peer = try TestEndpoint(.echo)
        #expect(call(CSocket(), CList(silent.endpoint, peer.endpoint)) == 0)
      }
    }

    @Test func `W26 a signal handler may cancel`() async {
      await #expect(processExitsWith: .success) {
        let silent = try TestEndpoint(.silent)
        let handle = try CancelHandle()
        cancelNumber = handle.number
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in
          var one: UInt64 = 1
          write(cancelNumber, &one, 8)
        }
        sigaction(SIGALRM, &action, nil)
        var timer = itimerval(
          it_interval: timeval(), it_value: timeval(tv_sec: 0, tv_usec: 100_000))
        setitimer(__itimer_which_t(UInt32(ITIMER_REAL.rawValue)), &timer, nil)
        var given = options(cancel: handle.number)
        let code = call(CSocket(), CList(silent.endpoint), timeout: nil, options: &given)
        #expect(code == ECANCELED)
      }
    }

    /// The thread to which the other one sends a signal.
    private struct Target: @unchecked Sendable {
      let thread: pthread_t
      init(_ thread: pthread_t) { self.thread = thread }
    }
  }
}

/// A global, because a signal handler cannot capture.
nonisolated(unsafe) private var cancelNumber: CInt = -1

private func openNumbers() -> Set<Substring> { Set(openFiles().map { $0.prefix { $0 != " " } }) }

/// The members that stay open. The runtime's threads open and close descriptors of their own; a leaked one
/// stays.
private func settled<Element>(_ left: () -> Set<Element>) -> Set<Element> {
  let patience = Clock.now() + .seconds(5)
  var found = left()
  while !found.isEmpty && Clock.now() < patience {
    usleep(1000)
    found.formIntersection(left())
  }
  return found
}

/// Makes Dispatch open its own epoll and timer descriptors, which it does at the first timed wait.
private func settle() {
  let semaphore = DispatchSemaphore(value: 0)
  DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(1)) { semaphore.signal() }
  semaphore.wait()
}
