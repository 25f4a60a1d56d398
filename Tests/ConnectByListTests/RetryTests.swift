import ConnectByListCore
import ConnectByListTesting
import Testing

@testable import ConnectByList

extension Driver {
  /// `retry` on real sockets: rounds over a list until one of it answers.
  @Suite struct RetryTests {
    private func retrying(
      timeout: TimeSpan? = .seconds(20), after span: TimeSpan = .milliseconds(20)
    ) -> ConnectRequest {
      request(timeout: timeout) {
        $0.retry = span
        $0.locals = .routeOnly
      }
    }

    /// Advances until a round with this number has begun.
    private func advance(_ operation: Operation, toRound round: Int) throws {
      var progress = operation.advance()
      while operation.race.round < round {
        guard progress == .pending else { throw Unexpected() }
        progress = operation.waitAndAdvance()
      }
    }

    @Test func `a list is tried again until one of it listens`() throws {
      let port = try freePort()
      let remote = Endpoint(.loopback, port: port)
      let operation = try Operation(list(remote), retrying())
      try advance(operation, toRound: 3)
      let listener = try Syscalls.socket(.inet)
      try Syscalls.setOption(
        listener.number, level: SocketLevel.socket, name: SocketNumber.reuseAddress, to: 1)
      try Syscalls.bind(listener.number, to: remote)
      try Syscalls.listen(listener.number, backlog: 8)
      let socket = try operation.conclude(operation.run())
      #expect(socket.report!.race!.round >= 3)
      #expect(socket.report!.elapsed >= .milliseconds(40))
      var addresses = list(remote)
      operation.remember(in: &addresses)
      let history = try #require(addresses.history[remote])
      #expect(history.hasConnected)
      #expect(history.failureCount >= 2, "what earlier rounds have seen is remembered")
    }

    @Test func `rounds end at the deadline`() throws {
      let refused = try TestEndpoint(.refused)
      let error = try failure(of: refused.endpoint, with: retrying(timeout: .milliseconds(110)))
      #expect(error.errno == .timedOut)
      #expect(error.report.elapsed >= .milliseconds(110))
      #expect(error.report.elapsed < .milliseconds(360))
      #expect((2...6).contains(error.report.race!.round))
    }

    @Test func `a cancel ends the rounds, also between two`() throws {
      let refused = try TestEndpoint(.refused)
      let operation = try Operation(list(refused.endpoint), retrying(after: .seconds(10)))
      var progress = operation.advance()
      while operation.race.attempts.first?.outcome != .refused {
        progress = operation.waitAndAdvance()
      }
      #expect(progress == .pending)
      operation.cancel()
      #expect(operation.advance() == .finished(.cancelled))

      let other = try Operation(list(refused.endpoint), retrying())
      progress = other.advance()
      // The round is over, the next has not begun.
      while other.wakeUp > Clock.now() || other.race.attempts.isEmpty {
        progress = other.waitAndAdvance()
      }
      other.cancel()
      while progress == .pending { progress = other.waitAndAdvance() }
      #expect(progress == .finished(.cancelled))
    }

    @Test func `names are looked up in every round`() throws {
      var addresses = AddressList()
      addresses.append(
        .name(HostName(host: Array("localhost".utf8), port: .number(try freePort()))))
      let operation = try Operation(addresses, retrying())
      _ = operation.advance()
      let first = try #require(operation.names[0].answers.first?.started)
      try advance(operation, toRound: 2)
      var progress = Operation.Progress.pending
      while operation.names[0].answers.first?.started == first, progress == .pending {
        progress = operation.waitAndAdvance()
      }
      let second = try #require(operation.names[0].answers.first?.started)
      #expect(second > first)
      #expect(operation.names[0].addressCount > 0)
      operation.cancel()
      #expect(operation.run() == .cancelled)
    }
  }
}
