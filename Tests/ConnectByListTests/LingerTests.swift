import ConnectByListCore
import ConnectByListTesting
import Testing

@testable import ConnectByList

extension Driver {
  /// A close that waits for the peer (SO_LINGER) is the caller's wish for the winner alone.
  @Suite struct LingerTests {
    private func lingering(_ change: (inout ConnectOptions) -> Void = { _ in }) -> ConnectRequest {
      var request = request { change(&$0) }
      request.settings.add(SocketOption.named(Array("linger".utf8))!.setting(.whole(5))!)
      return request
    }

    private func linger(_ number: CInt) throws(Errno) -> SocketOption.Value {
      try SocketOption.named(Array("linger".utf8))!.value(on: number)
    }

    @Test func `the winner lingers as the caller said`() throws {
      let peer = try TestEndpoint(.echo)
      var list = list(peer.endpoint)
      let socket = try connectByList(&list, lingering())
      #expect(try linger(socket.number) == .whole(5))
    }

    @Test func `attempts, candidates and losers do not linger`() throws {
      let gate = try Gate()
      let peer = try TestEndpoint(.echo)
      let operation = try Operation(
        list([gate.endpoint, peer.endpoint]),
        lingering {
          $0.validates = true
          $0.pace = .parallel
          $0.locals = .routeOnly
        })
      var progress = operation.advance()
      #expect(try linger(operation.sockets.number(of: AttemptID(0))!) == .boolean(false))
      while progress == .pending { progress = operation.waitAndAdvance() }
      #expect(progress == .validate(AttemptID(1)))
      guard let candidate = operation.takeDescriptor(of: AttemptID(1)) else { throw Unexpected() }
      #expect(try linger(candidate.number) == .boolean(false))
      operation.accept(AttemptID(1), descriptor: candidate.number)
      #expect(try linger(candidate.number) == .whole(5))
      #expect(operation.advance() == .finished(.won(AttemptID(1))))
    }

    @Test func `a candidate on which the option cannot be set is rejected`() throws {
      let peer = try TestEndpoint(.echo)
      let operation = try Operation(
        list(peer.endpoint),
        lingering {
          $0.validates = true
          $0.locals = .routeOnly
        })
      var progress = operation.advance()
      while progress == .pending { progress = operation.waitAndAdvance() }
      // Not a socket: an event descriptor.
      let other = try Syscalls.eventDescriptor()
      operation.accept(AttemptID(0), descriptor: other.number)
      #expect(operation.advance() == .finished(.lost(.connectionAborted, isDeadline: false)))
    }

    @Test func `stopping to linger leaves a socket alone whose close resets`() throws {
      let option = SocketOption.named(Array("linger".utf8))!
      for (set, left) in [(5, SocketOption.Value.boolean(false)), (0, .whole(0))] {
        let socket = try Syscalls.socket(.inet)
        try option.setting(.whole(Int64(set)))!.apply(to: socket.number)
        Syscalls.stopLingering(socket.number)
        #expect(try option.value(on: socket.number) == left)
      }
      // No socket: nothing to stop.
      let other = try Syscalls.eventDescriptor()
      Syscalls.stopLingering(other.number)
    }
  }
}
