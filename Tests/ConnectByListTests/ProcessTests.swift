import CConnectByListPosix
import ConnectByListCore
import ConnectByListTesting
import Foundation
import Glibc
import Synchronization
import Testing

@testable import ConnectByList

extension Driver {
  /// Tests that change the whole process or compare all its descriptors. Each has a process of its own.
  @Suite struct ProcessTests {
    // MARK: descriptors

    @Test func `every way a connect can end leaves the descriptors as they were`() async {
      await #expect(processExitsWith: .success) {
        settle()
        let before = Descriptors.all()
        try tour()
        #expect(Descriptors.all() == before)
      }
    }

    @Test func `W14: without a free descriptor the error is EMFILE`() async {
      await #expect(processExitsWith: .success) {
        let peer = try TestEndpoint(.refused)
        try withDescriptorsLeft(0) {
          let error = try failure(of: peer.endpoint)
          #expect(error.errno == .tooManyOpen)
          let other = thrown { () throws(Errno) in _ = try TestEndpoint(.echo) }
          #expect(other == .tooManyOpen)
        }
      }
    }

    @Test func `one descriptor is enough for one attempt`() async {
      await #expect(processExitsWith: .success) {
        let listener = try Listener()
        let refused = try TestEndpoint(.refused)
        try withDescriptorsLeft(1) {
          let connection = try connect(refused.endpoint, listener.endpoint)
          #expect(connection.report.outcomes == [.refused, .connected])
        }
      }
    }

    @Test func `without descriptors for a second attempt or the wait set, the first goes on`() async
    {
      await #expect(processExitsWith: .success) {
        let silent = try TestEndpoint(.silent)
        let listener = try Listener()
        for left in 1...2 {
          try withDescriptorsLeft(left) {
            let error = try failure(
              of: silent.endpoint, listener.endpoint,
              with: request(timeout: .milliseconds(300)) { $0.locals = .routeOnly })
            #expect(error.errno == .timedOut)
            #expect(error.report.outcomes == [.timedOut], "the shortage is nobody's failure")
          }
        }
        // The second is tried again when the first has ended.
        try withDescriptorsLeft(1) {
          let connection = try connect(
            silent.endpoint, listener.endpoint,
            with: request {
              $0.locals = .routeOnly
              $0.attemptTimeout = .milliseconds(100)
            })
          #expect(connection.report.outcomes == [.timedOut, .connected])
        }
        try withDescriptorsLeft(3) {
          let connection = try connect(silent.endpoint, listener.endpoint)
          #expect(connection.report.outcomes == [.superseded, .connected])
        }
      }
    }

    @Test func `an echo endpoint out of descriptors accepts the client when one is free again`()
      async
    {
      await #expect(processExitsWith: .success) {
        let peer = try TestEndpoint(.echo)
        // After the first client its thread has all the descriptors that it needs.
        let first = try connect(peer.endpoint)
        try peer.awaitAccepted(1)
        let client = try Syscalls.socket(.inet)
        let number = client.number
        try withDescriptorsLeft(0) {
          _ = try Syscalls.connect(number, to: peer.endpoint, under: .unrestricted)
          _ = try? awaitReady(number, events: CInt(CBL_POSIX_WRITABLE), for: .seconds(5))
          _ = try Syscalls.send(number, [1])
          let cpu = processorTime()
          let events = try awaitReady(
            number, events: CInt(CBL_POSIX_READABLE), for: .milliseconds(300))
          #expect(events == 0)
          #expect(processorTime() - cpu < .milliseconds(100), "it waits without polling")
        }
        let events = try awaitReady(number, events: CInt(CBL_POSIX_READABLE), for: .seconds(5))
        #expect(events == CInt(CBL_POSIX_READABLE))
        #expect(peer.acceptedCount == 2)
        #expect(first.isOpen)
      }
    }

    // MARK: time

    @Test func `an echo endpoint with 300 silent clients does not keep a processor busy`() async {
      await #expect(processExitsWith: .success) {
        let peer = try TestEndpoint(.echo)
        let clients = try (0..<300).map { _ in try connect(peer.endpoint) }
        try peer.awaitAccepted(300)
        let cpu = processorTime()
        _ = try? awaitReady(-1, events: 0, for: .milliseconds(300))
        #expect(processorTime() - cpu < .milliseconds(100))
        #expect(clients.count == 300)
      }
    }

    @Test func `a silent connect does not keep a processor busy`() async {
      await #expect(processExitsWith: .success) {
        let silent = try (0..<3).map { _ in try TestEndpoint(.silent) }
        let cpu = processorTime()
        _ = try failure(
          of: silent[0].endpoint, silent[1].endpoint, silent[2].endpoint,
          with: request(timeout: .milliseconds(500)))
        #expect(processorTime() - cpu < .milliseconds(100))
      }
    }

    // MARK: signals

    @Test func `W26: a signal every millisecond neither breaks nor shortens a connect`() async {
      await #expect(processExitsWith: .success) {
        let silent = try TestEndpoint(.silent)
        let peer = try TestEndpoint(.echo)
        try withSignals {
          let timeout: TimeSpan = .milliseconds(450)
          let error = try failure(of: silent.endpoint, with: request(timeout: timeout))
          #expect(error.errno == .timedOut)
          #expect(error.report.elapsed >= timeout)
          #expect(error.report.elapsed < timeout + .milliseconds(250))
          let connection = try connect(
            silent.endpoint, peer.endpoint,
            with: request { $0.attemptDelay = .milliseconds(150) })
          #expect(connection.report.outcomes == [.superseded, .connected])
          #expect(connection.report.elapsed >= .milliseconds(150), "the delay is not shortened")
          connection.socket.timeout = .milliseconds(50)
          let began = Clock.now()
          let late = thrown { () throws(Errno) in _ = try connection.readLine() }
          #expect(late == .timedOut)
          #expect(Clock.now() - began >= .milliseconds(50))
        }
        #expect(signalCount.load(ordering: .relaxed) > 100, "signals were delivered")
      }
    }
  }
}

/// Makes Dispatch open its own epoll and timer descriptors, which it does at the first timed wait.
private func settle() {
  let semaphore = DispatchSemaphore(value: 0)
  DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(1)) { semaphore.signal() }
  semaphore.wait()
}

/// Each way a connect can end, once.
private func tour() throws {
  let peer = try TestEndpoint(.echo)
  let peerV6 = try TestEndpoint(.echo, at: .loopbackV6)
  let refused = try TestEndpoint(.refused)
  let silent = try (0..<3).map { _ in try TestEndpoint(.silent) }
  _ = try connect(peer.endpoint)
  _ = try connect(silent[0].endpoint, refused.endpoint, peerV6.endpoint)
  _ = try connect(peer.endpoint, peerV6.endpoint, with: request { $0.order = .likely })
  _ = try connect(
    silent[0].endpoint, silent[1].endpoint, peer.endpoint, with: request { $0.pace = .parallel })
  _ = try failure(of: refused.endpoint)
  _ = try failure(of: silent[0].endpoint, silent[1].endpoint, with: request(timeout: .zero))
  _ = try failure(
    of: silent[0].endpoint, silent[1].endpoint, with: request(timeout: .milliseconds(200)))
  _ = try failure(
    of: silent[0].endpoint, silent[1].endpoint,
    with: request {
      $0.attemptTimeout = .milliseconds(20)
      $0.hedge = .milliseconds(10)
    })
  let validated = try Stepwise(
    peer.endpoint, peerV6.endpoint, silent[0].endpoint,
    with: request {
      $0.validates = true
      $0.pace = .parallel
    })
  _ = try validated.pollDescriptor()
  guard case .validate(let id) = validated.finish() else { throw Unexpected() }
  validated.reject(id)
  guard case .validate(let other) = validated.finish() else { throw Unexpected() }
  validated.accept(other)
  _ = try validated.conclude(validated.advance())
  let cancelled = try Stepwise(silent[0].endpoint, silent[1].endpoint)
  _ = cancelled.advance()
  cancelled.cancel()
  _ = cancelled.advance()
  let dropped = try Stepwise(
    silent[0].endpoint, silent[1].endpoint, with: request { $0.pace = .parallel })
  _ = dropped.advance()
  dropped.drop()
}

/// Runs `body` while the process can open only `count` more descriptors, and checks that `body` leaves none
/// open.
private func withDescriptorsLeft(_ count: Int, _ body: () throws -> Void) throws {
  settle()
  let before = Descriptors.all()
  let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
  var limit = rlimit()
  try #require(getrlimit(resource, &limit) == 0)
  let whole = limit
  // Takes all numbers below the limit, then frees `count` of them.
  limit.rlim_cur = rlim_t(before.last! + 1 + 8)
  try #require(setrlimit(resource, &limit) == 0)
  var fillers: [CInt] = []
  while case let filler = dup(before[0]), filler >= 0 { fillers.append(filler) }
  for _ in 0..<count { close(fillers.removeLast()) }
  defer {
    for filler in fillers { close(filler) }
    var whole = whole
    setrlimit(resource, &whole)
  }
  try body()
  #expect(Descriptors.all() == (before + fillers).sorted())
}

/// The processor time that this process has used.
private func processorTime() -> TimeSpan {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return .seconds(Int64(time.tv_sec)) + TimeSpan(nanoseconds: Int64(time.tv_nsec))
}

private let signalCount = Atomic<Int>(0)

/// Runs `body` while its thread gets a SIGALRM every millisecond. The handler is installed without
/// SA_RESTART, so every system call is interrupted.
private func withSignals(_ body: () throws -> Void) throws {
  var action = sigaction()
  action.__sigaction_handler.sa_handler = { _ in signalCount.add(1, ordering: .relaxed) }
  try #require(sigaction(SIGALRM, &action, nil) == 0)
  // The threads that tests run on block nearly all signals.
  var alarm = sigset_t()
  sigemptyset(&alarm)
  sigaddset(&alarm, SIGALRM)
  pthread_sigmask(SIG_UNBLOCK, &alarm, nil)
  let bell = Bell(rings: pthread_self())
  let context = Unmanaged.passUnretained(bell).toOpaque()
  let thread = try Syscalls.startThread(
    { Unmanaged<Bell>.fromOpaque($0!).takeUnretainedValue().run() }, context)
  defer {
    bell.isOver.store(true, ordering: .relaxed)
    Syscalls.joinThread(thread)
  }
  try body()
}

private final class Bell: Sendable {
  let isOver = Atomic<Bool>(false)
  private let target: pthread_t

  init(rings target: pthread_t) { self.target = target }

  func run() {
    while !isOver.load(ordering: .relaxed) {
      pthread_kill(target, SIGALRM)
      _ = try? awaitReady(-1, events: 0, for: .milliseconds(1))
    }
  }
}
