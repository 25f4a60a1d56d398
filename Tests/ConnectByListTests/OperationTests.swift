import CConnectByListPosix
import ConnectByListCore
import ConnectByListTesting
import Glibc
import Testing

@testable import ConnectByList

extension Driver {
  /// The stepwise operation: what an event loop, a callback's caller and a cancel see of a race.
  @Suite struct OperationTests {
    // MARK: its life

    @Test func `nothing is opened before the first advance`() async {
      await #expect(processExitsWith: .success) {
        let peer = try TestEndpoint(.echo)
        let before = Descriptors.sockets()
        let operation = try Stepwise(peer.endpoint)
        #expect(Descriptors.sockets() == before)
        operation.drop()
      }
    }

    @Test func `dropped in the middle it leaves no descriptor`() async {
      await #expect(processExitsWith: .success) {
        let silent = try (0..<5).map { _ in try TestEndpoint(.silent) }
        let before = Descriptors.sockets()
        let operation = try Stepwise(
          list(silent.map { $0.endpoint }), with: request { $0.pace = .parallel })
        #expect(operation.advance() == .pending)
        #expect(Descriptors.sockets().count == before.count + 5)
        operation.drop()
        #expect(Descriptors.sockets() == before)
      }
    }

    @Test func `once finished it says the same again`() throws {
      let peer = try TestEndpoint(.echo)
      let operation = try Stepwise(peer.endpoint)
      let progress = operation.finish()
      #expect(progress == .finished(.won(AttemptID(0))))
      #expect(operation.advance() == progress)
      #expect(try operation.conclude(progress).remote == peer.endpoint)
    }

    // MARK: cancel

    @Test func `a cancel ends it at once and closes everything`() async {
      await #expect(processExitsWith: .success) {
        let silent = try (0..<3).map { _ in try TestEndpoint(.silent) }
        let before = Descriptors.sockets()
        let operation = try Stepwise(
          list(silent.map { $0.endpoint }), with: request { $0.pace = .parallel })
        #expect(operation.advance() == .pending)
        #expect(operation.wakeUp > Clock.now() + .seconds(1))
        operation.cancel()
        #expect(operation.wakeUp <= Clock.now(), "advance is due")
        let progress = operation.waitAndAdvance()
        #expect(progress == .finished(.cancelled))
        #expect(operation.outcomes == [.cancelled, .cancelled, .cancelled])
        #expect(Descriptors.sockets() == before)
        let error = #expect(throws: ConnectError.self) { try operation.conclude(progress) }
        #expect(error?.errno == .cancelled)
      }
    }

    @Test func `what completed before a cancel was taken in wins`() throws {
      let listener = try Listener()
      let operation = try Stepwise(listener.endpoint)
      #expect(operation.advanceWithoutAnswers() == .pending)
      try listener.awaitConnection()
      operation.cancel()
      #expect(operation.advance() == .finished(.won(AttemptID(0))))
    }

    // MARK: an outer event loop

    @Test func `an outer loop drives it by one descriptor and one time`() throws {
      let silent = try TestEndpoint(.silent)
      let refused = try TestEndpoint(.refused)
      let peer = try TestEndpoint(.echo)
      let operation = try Stepwise(silent.endpoint, refused.endpoint, peer.endpoint)
      let descriptor = try operation.pollDescriptor()
      var progress = operation.advance()
      var turnCount = 0
      while progress == .pending {
        let span = operation.wakeUp - Clock.now()
        _ = try? Syscalls.poll(descriptor, events: CInt(CBL_POSIX_READABLE), for: span)
        progress = operation.advance()
        #expect(try operation.pollDescriptor() == descriptor)
        turnCount += 1
      }
      #expect(progress == .finished(.won(AttemptID(2))))
      #expect(operation.outcomes == [.superseded, .refused, .connected])
      #expect(turnCount <= 6, "woken for what happened, and for nothing else")
    }

    @Test func `its descriptor is readable when an attempt has completed, and only then`() throws {
      let gate = try Gate()
      let operation = try Stepwise(gate.endpoint)
      #expect(operation.advance() == .pending)
      // Made late, it sees the attempt that is in flight already.
      let descriptor = try operation.pollDescriptor()
      #expect(try Syscalls.poll(descriptor, events: CInt(CBL_POSIX_READABLE), for: .zero) == 0)
      #expect(operation.advance() == .pending)
      try gate.open()
      let ready = try awaitReady(descriptor, events: CInt(CBL_POSIX_READABLE), for: .seconds(5))
      #expect(ready == CInt(CBL_POSIX_READABLE))
      #expect(operation.advance() == .finished(.won(AttemptID(0))))
    }

    /// A registration outlives the close of a descriptor that a forked child has too: a rejected connection, which
    /// stays writable, would end every wait at once.
    @Test func `a forked child does not make the wait spin`() async {
      await #expect(processExitsWith: .success) {
        let echo = try TestEndpoint(.echo)
        let silent = try TestEndpoint(.silent)
        let operation = try Stepwise(
          echo.endpoint, silent.endpoint, with: validating { $0.pace = .parallel })
        let descriptor = try operation.pollDescriptor()
        #expect(operation.finish() == .validate(AttemptID(0)))
        let child = forkedSleeper()
        #expect(child > 0)
        operation.reject(AttemptID(0))
        #expect(operation.advance() == .pending)
        let began = Clock.now()
        let ready = try awaitReady(
          descriptor, events: CInt(CBL_POSIX_READABLE), for: .milliseconds(100))
        #expect(ready == 0 && Clock.now() - began >= .milliseconds(99))
        kill(child, SIGKILL)
        waitpid(child, nil, 0)
        operation.drop()
      }
    }

    // MARK: validation

    @Test func `a rejected connection is closed and the next is tried`() throws {
      let first = try TestEndpoint(.echo)
      let second = try TestEndpoint(.echo)
      let operation = try Stepwise(first.endpoint, second.endpoint, with: validating())
      #expect(operation.finish() == .validate(AttemptID(0)))
      #expect(second.acceptedCount == 0)
      operation.reject(AttemptID(0))
      #expect(operation.wakeUp <= Clock.now(), "advance is due")
      var progress = operation.waitAndAdvance()
      if progress == .pending { progress = operation.finish() }
      #expect(progress == .validate(AttemptID(1)))
      operation.accept(AttemptID(1))
      let connection = try operation.conclude(operation.advance())
      #expect(connection.remote == second.endpoint)
      #expect(connection.report.outcomes == [.rejected, .connected])
    }

    @Test func `the candidate's descriptor can be taken, used and let go`() throws {
      let peer = try TestEndpoint(.echo)
      let operation = try Stepwise(peer.endpoint, with: validating())
      #expect(operation.finish() == .validate(AttemptID(0)))
      guard let descriptor = operation.takeDescriptor(of: AttemptID(0)) else { throw Unexpected() }
      var candidate = Socket(descriptor)
      candidate.timeout = .seconds(5)
      try write("who is there\n", to: &candidate)
      let answer = try readLine(from: &candidate)
      #expect(answer == "who is there")
      try candidate.close()
      operation.reject(AttemptID(0))
      let progress = operation.advance()
      #expect(progress == .finished(.lost(.connectionAborted, isDeadline: false)))
      #expect(operation.outcomes == [.rejected])
    }

    @Test func `losers are kept until the verdict`() async {
      await #expect(processExitsWith: .success) {
        let gate = try Gate()
        let peer = try TestEndpoint(.echo)
        let before = Descriptors.sockets().count
        let operation = try Stepwise(
          gate.endpoint, peer.endpoint, with: validating { $0.pace = .parallel })
        #expect(operation.finish() == .validate(AttemptID(1)))
        // Two of ours, and the peer's.
        try peer.awaitAccepted(1)
        #expect(Descriptors.sockets().count == before + 3)
        #expect(operation.outcomes == [.pending, .pending])
        // Meanwhile the handshake of the other goes on, and a rejection finds it done.
        try gate.open()
        try gate.awaitConnection()
        #expect(operation.advance() == .pending)
        operation.reject(AttemptID(1))
        #expect(operation.finish() == .validate(AttemptID(0)))
        operation.accept(AttemptID(0))
        #expect(operation.advance() == .finished(.won(AttemptID(0))))
        #expect(operation.outcomes == [.connected, .rejected])
      }
    }

    @Test(arguments: [1, 2])
    func `the deadline passes while a verdict is waited for, without a busy wait`(count: Int) throws
    {
      // With one attempt its own socket would be polled, with two the wait set.
      let peers = try (0..<count).map { _ in try TestEndpoint(.echo) }
      let timeout: TimeSpan = .milliseconds(60)
      let operation = try Stepwise(
        list(peers.map { $0.endpoint }),
        with: validating {
          $0.timeout = timeout
          $0.pace = .parallel
        })
      var progress = operation.finish()
      #expect(progress == .validate(AttemptID(0)))
      var turnCount = 0
      progress = operation.advance()
      while progress == .pending {
        progress = operation.waitAndAdvance()
        turnCount += 1
      }
      #expect(progress == .finished(.lost(.timedOut, isDeadline: true)))
      // The other's handshake may end in between.
      #expect(turnCount <= 3)
      // A verdict that comes too late changes nothing.
      operation.accept(AttemptID(0))
      #expect(operation.advance() == progress)
      operation.reject(AttemptID(0))
      #expect(operation.advance() == progress)
    }

    @Test func `a poll descriptor that is made during a validation sleeps`() throws {
      let peer = try TestEndpoint(.echo)
      let operation = try Stepwise(peer.endpoint, with: validating())
      #expect(operation.finish() == .validate(AttemptID(0)))
      let descriptor = try operation.pollDescriptor()
      #expect(try Syscalls.poll(descriptor, events: CInt(CBL_POSIX_READABLE), for: .zero) == 0)
    }

    // MARK: a handshake that is done when `connect` returns

    @Test func `over loopback nothing is waited for`() throws {
      let refused = try TestEndpoint(.refused)
      let first = try TestEndpoint(.echo)
      let second = try TestEndpoint(.echo)
      // A busy kernel, an older one in particular, may put a handshake off.
      let isAtOnce = try (0..<20).contains { _ in
        let operation = try Stepwise(refused.endpoint, first.endpoint, second.endpoint)
        return operation.advance() == .finished(.won(AttemptID(1)))
          && operation.outcomes == [.refused, .connected]
      }
      #expect(isAtOnce)
      #expect(second.acceptedCount == 0)
    }

    @Test func `refusals at once do not keep a winner waiting`() throws {
      let listener = try Listener()
      let refused = try (0..<200).map { _ in try TestEndpoint(.refused) }
      let operation = try Stepwise(
        list([listener.endpoint] + refused.map { $0.endpoint }),
        with: request { $0.pace = .parallel })
      #expect(operation.advanceWithoutAnswers(to: 1) == .finished(.won(AttemptID(0))))
      #expect(operation.attempts.count < 100, "completions are looked for in between")
    }

    // MARK: what a peer can do to a handshake

    @Test(arguments: [false, true])
    func `accepted and reset at once is no connection`(usesWaitSet: Bool) throws {
      let listener = try Listener()
      let operation = try Stepwise(listener.endpoint, with: request { $0.locals = .routeOnly })
      if usesWaitSet { _ = try operation.pollDescriptor() }
      #expect(operation.advanceWithoutAnswers() == .pending)
      try reset(listener.accept())
      let progress = operation.finish()
      #expect(progress == .finished(.lost(.connectionReset, isDeadline: false)))
      #expect(operation.outcomes == [.reset])
    }

    @Test func `ended and then reset is no connection either`() throws {
      let listener = try Listener()
      let operation = try Stepwise(listener.endpoint, with: request { $0.locals = .routeOnly })
      #expect(operation.advanceWithoutAnswers() == .pending)
      let accepted = try listener.accept()
      try Syscalls.shutdown(accepted.number, how: 1)
      try reset(accepted)
      guard case .finished(.lost) = operation.finish() else { throw Unexpected() }
      #expect(operation.outcomes == [.reset])
    }

    @Test func `accepted and closed at once is a connection, at its end`() throws {
      let listener = try Listener()
      let operation = try Stepwise(listener.endpoint)
      #expect(operation.advanceWithoutAnswers() == .pending)
      _ = try listener.accept()
      let connection = try operation.conclude(operation.finish())
      let line = try connection.readLine()
      #expect(line == nil)
    }

    @Test func `after a reset the next attempt starts at once`() throws {
      let listener = try Listener()
      let peer = try TestEndpoint(.echo)
      let operation = try Stepwise(
        listener.endpoint, peer.endpoint, with: request { $0.attemptDelay = .seconds(10) })
      #expect(operation.advanceWithoutAnswers() == .pending)
      try reset(listener.accept())
      let report = try operation.conclude(operation.finish()).report
      #expect(report.outcomes == [.reset, .connected])
      #expect(report.elapsed < .seconds(5), "not the delay")
    }

    /// Closes so that the other side gets a RST.
    private func reset(_ connection: consuming Descriptor) throws {
      var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
      let size = socklen_t(MemoryLayout<Glibc.linger>.size)
      try #require(setsockopt(connection.number, SOL_SOCKET, SO_LINGER, &linger, size) == 0)
    }

    // MARK: many at once

    @Test func `of all that complete in one wake-up the lowest rank wins`() throws {
      // The first attempt's SYN is lost, so it completes last of all, after a second; more than one
      // batch of others have completed by then, without a wake-up.
      let gate = try Gate()
      let others = try (0..<150).map { _ in try Listener() }
      let operation = try Stepwise(
        list([gate.endpoint] + others.map { $0.endpoint }),
        with: request {
          $0.pace = .parallel
          $0.inFlight = 200
        })
      #expect(operation.advanceWithoutAnswers() == .pending)
      #expect(operation.attempts.count == 151)
      try gate.open()
      try gate.awaitConnection()
      #expect(operation.advance() == .finished(.won(AttemptID(0))))
      #expect(operation.outcomes == [.connected] + Array(repeating: .superseded, count: 150))
      #expect(operation.attempts[0].resentCount == 1, "the SYN that came through was the second")
    }

    @Test func `attempts that fail at once do not keep a winner waiting`() throws {
      // Without an IPv6 address to come from, all but the first fail in the call that starts them.
      let listener = try Listener()
      let failing = (1...10_000).map { Endpoint(.loopbackV6, port: $0) }
      let operation = try Stepwise(
        list([listener.endpoint] + failing),
        with: request {
          $0.pace = .parallel
          $0.locals = .these([Endpoint(.loopback(5), port: 0)])
        })
      #expect(operation.finish() == .finished(.won(AttemptID(0))))
      // They are recorded a thousand at a time.
      #expect(operation.attempts.count < 2_100)
    }

    @Test func `a wait tells every ready descriptor in as many batches as it takes`() throws {
      var set = WaitSet()
      try set.make()
      let events = try (0..<150).map { _ in try Event() }
      for (index, event) in events.enumerated() {
        try set.add(event.descriptor.number, AttemptID(Int32(index)))
      }
      var told: Set<AttemptID> = []
      for _ in 0..<3 {
        var count = 0
        try set.collect(for: .zero) { id, events in
          #expect(events == CInt(CBL_POSIX_WRITABLE))
          told.insert(id)
          count += 1
        }
        #expect(count == WaitSet.batchMax)
      }
      #expect(told.count == 150)
    }

    /// An event descriptor is always ready to be written.
    private final class Event {
      let descriptor: Descriptor
      init() throws(Errno) { descriptor = try Syscalls.eventDescriptor() }
    }
  }
}

/// A request whose connections want a verdict.
private func validating(_ change: (inout ConnectOptions) -> Void = { _ in }) -> ConnectRequest {
  request {
    $0.validates = true
    $0.locals = .routeOnly
    change(&$0)
  }
}

/// A forked child that sleeps until it is killed. Swift's Glibc module hides `fork`.
private func forkedSleeper() -> pid_t {
  typealias Fork = @convention(c) () -> pid_t
  let child = unsafeBitCast(dlsym(nil, "fork"), to: Fork.self)()
  while child == 0 { pause() }
  return child
}
