import CConnectByListPosix
import ConnectByListCore
import ConnectByListTesting
import Glibc
import Testing

@testable import ConnectByList

extension Driver {
  /// Connects that another thread ends. `ProcessTests` does it from a signal handler.
  @Suite struct CancelTests {
    @Test func `W26 a cancel handle ends a blocked connect from another thread`() throws {
      let silent = try TestEndpoint(.silent)
      let cancel = try CancelHandle()
      var wanted = request()
      wanted.cancel = cancel
      try startDetachedThread {
        _ = try? awaitReady(-1, events: 0, for: .milliseconds(50))
        cancel.cancel()
      }
      let error = try failure(of: silent.endpoint, with: wanted)
      #expect(error.errno == .cancelled)
      #expect(error.report.outcomes == [.cancelled])
      #expect(error.report.elapsed >= .milliseconds(50) && error.report.elapsed < .seconds(10))
    }

    @Test(arguments: [1, 3])
    func `W26 a handle that is cancelled already sends nothing`(count: Int) throws {
      let echo = try TestEndpoint(.echo)
      let cancel = try CancelHandle()
      cancel.cancel()
      var wanted = request()
      wanted.cancel = cancel
      for _ in 0..<count {
        let error = try failure(of: echo.endpoint, with: wanted)
        #expect(error.errno == .cancelled)
        #expect(error.report.attempts.isEmpty)
      }
      #expect(echo.acceptedCount == 0)
    }

    @Test func `W26 it ends several silent attempts, and lookups of names`() throws {
      let silent = try (0..<3).map { _ in try TestEndpoint(.silent) }
      var list = list(silent.map { $0.endpoint })
      list.append(.name(HostName(host: Array("localhost".utf8), port: .number(9))))
      let cancel = try CancelHandle()
      var wanted = request { $0.pace = .parallel }
      wanted.cancel = cancel
      try startDetachedThread {
        _ = try? awaitReady(-1, events: 0, for: .milliseconds(50))
        cancel.cancel()
      }
      let error = #expect(throws: ConnectError.self) {
        _ = try connectByList(&list, wanted).number
      }
      #expect(error?.errno == .cancelled)
    }

    @Test func `a cancel descriptor that is not open is EBADF`() throws {
      let echo = try TestEndpoint(.echo)
      var wanted = request()
      wanted.cancelDescriptor = 1_000_000
      #expect(try failure(of: echo.endpoint, with: wanted).errno == .badDescriptor)
    }

    @Test func `a cancel handle that is not used changes nothing`() throws {
      let silent = try TestEndpoint(.silent)
      let echo = try TestEndpoint(.echo)
      var wanted = request()
      wanted.cancel = try CancelHandle()
      #expect(
        try connect(list(silent.endpoint, echo.endpoint), with: wanted).remote == echo.endpoint)
    }
  }
}
