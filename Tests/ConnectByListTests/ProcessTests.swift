import CConnectByListPosix
import ConnectByListCore
import ConnectByListTesting
import Foundation
import Glibc
import Synchronization
import Testing

@testable import ConnectByList

extension Driver {
  /// What changes the whole process, or needs every descriptor of it to be known: each test has a
  /// process of its own.
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

    @Test func `W14: without a descriptor to be had it is EMFILE`() async {
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

    @Test func `without room for a second attempt, or for the wait set, the first goes on`() async {
      await #expect(processExitsWith: .success) {
        let silent = try TestEndpoint(.silent)
        let listener = try Listener()
        for left in 1...2 {
          try withDescriptorsLeft(left) {
            let error = try failure(
              of: silent.endpoint, listener.endpoint,
              with: request(timeout: .milliseconds(300)) { $0.locals = .routeOnly })
            #expect(error.errno == .timedOut)
            #expect(error.report.outcomes == [.timedOut, .failed])
            #expect(error.report.attempts[1].errno == .tooManyOpen)
          }
        }
        try withDescriptorsLeft(3) {
          let connection = try connect(silent.endpoint, listener.endpoint)
          #expect(connection.report.outcomes == [.superseded, .connected])
        }
      }
    }

    @Test func `an echo out of descriptors takes the client when there is one again`() async {
      await #expect(processExitsWith: .success) {
        let peer = try TestEndpoint(.echo)
        // Its thread has all that it needs when it has served one.
        let first = try connect(peer.endpoint)
        try peer.awaitAccepted(1)
        let client = try Syscalls.socket(.inet)
        let number = client.number
        try withDescriptorsLeft(0) {
          _ = try Syscalls.connect(number, to: peer.endpoint)
          _ = Syscalls.poll(number, events: CInt(CBL_POSIX_WRITABLE), for: .seconds(5))
          _ = try Syscalls.send(number, [1])
          let cpu = processorTime()
          let events = Syscalls.poll(
            number, events: CInt(CBL_POSIX_READABLE), for: .milliseconds(300))
          #expect(events == 0)
          #expect(processorTime() - cpu < .milliseconds(100), "it waits, and does not spin")
        }
        let events = Syscalls.poll(number, events: CInt(CBL_POSIX_READABLE), for: .seconds(5))
        #expect(events == CInt(CBL_POSIX_READABLE))
        #expect(peer.acceptedCount == 2)
        #expect(first.isOpen)
      }
    }

    // MARK: time

    @Test func `a full echo does not keep a processor busy`() async {
      await #expect(processExitsWith: .success) {
        let peer = try TestEndpoint(.echo)
        let clients = try (0..<257).map { _ in try connect(peer.endpoint) }
        try peer.awaitAccepted(256)
        let cpu = processorTime()
        _ = Syscalls.poll(-1, events: 0, for: .milliseconds(300))
        #expect(processorTime() - cpu < .milliseconds(100))
        #expect(peer.acceptedCount == 256)
        #expect(clients.count == 257)
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
          let connection = try connect(silent.endpoint, peer.endpoint)
          #expect(connection.report.outcomes == [.superseded, .connected])
          #expect(connection.report.elapsed >= .milliseconds(150), "the delay is whole")
          connection.socket.timeout = .milliseconds(50)
          let began = Clock.now()
          let late = thrown { () throws(Errno) in _ = try connection.readLine() }
          #expect(late == .timedOut)
          #expect(Clock.now() - began >= .milliseconds(50))
        }
        #expect(signalCount.load(ordering: .relaxed) > 100, "they came")
      }
    }
  }
}

/// Has the process open what it opens when it first waits for a time: Dispatch has an epoll descriptor
/// and timers of its own, and makes them late.
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

/// Runs `body` when the process may open so many more descriptors; after it as many are open as
/// before.
private func withDescriptorsLeft(_ count: Int, _ body: () throws -> Void) throws {
  settle()
  let before = Descriptors.all()
  let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
  var limit = rlimit()
  try #require(getrlimit(resource, &limit) == 0)
  let whole = limit
  // No free number stays below the limit, and then `count` of them do.
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

/// The time that processors have worked for this process.
private func processorTime() -> TimeSpan {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return .seconds(Int64(time.tv_sec)) + TimeSpan(nanoseconds: Int64(time.tv_nsec))
}

private let signalCount = Atomic<Int>(0)

/// Runs `body` while its thread gets a SIGALRM every millisecond, with a handler that does not ask
/// for interrupted calls to be started again.
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
      _ = Syscalls.poll(-1, events: 0, for: .milliseconds(1))
    }
  }
}
