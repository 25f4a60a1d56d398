import CConnectByListPosix
import ConnectByListCore
import ConnectByListTesting
import Glibc
import Testing

@testable import ConnectByList

extension Driver {
  /// System calls that a sandbox, a limit or a full table makes fail.
  @Suite struct FaultTests {
    // MARK: single faults

    @Test func `a read that cannot wait fails with the error of the wait`() async {
      await #expect(processExitsWith: .success) {
        let peer = try TestEndpoint(.accepting)
        let connection = try connect(peer.endpoint)
        for call in [CBL_POSIX_CALL_POLL, CBL_POSIX_CALL_PPOLL] {
          cbl_posix_set_fault(call, 1, .max, EINVAL)
        }
        #expect(throws: Errno.invalidArgument) { try connection.readLine() }
      }
    }

    @Test func `RLIMIT_NOFILE of 0 after connecting is an error of the read, and a connect fails`()
      async
    {
      await #expect(processExitsWith: .success) {
        let peer = try TestEndpoint(.accepting)
        let silent = try TestEndpoint(.silent)
        let connection = try connect(peer.endpoint)
        let operation = try Operation(list(silent.endpoint), request())
        #expect(operation.advance() == .pending)
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        try #require(setrlimit(__rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue)), &none) == 0)
        #expect(throws: Errno.invalidArgument) { try connection.readLine() }
        #expect(operation.run() == .lost(.invalidArgument, isDeadline: false))
      }
    }

    @Test func `where one kind of wait is denied another is used`() async {
      await #expect(processExitsWith: .success) {
        let peer = try TestEndpoint(.echo)
        let silent = try TestEndpoint(.silent)
        for (denied, errno) in [
          (CBL_POSIX_CALL_POLL, EPERM), (CBL_POSIX_CALL_PPOLL, EACCES),
          (CBL_POSIX_CALL_EPOLL_PWAIT2, EPERM), (CBL_POSIX_CALL_EPOLL_PWAIT2, ENOSYS),
        ] {
          cbl_posix_set_fault(denied, 1, .max, errno)
          let connection = try connect(silent.endpoint, peer.endpoint)
          try connection.write("x\n")
          #expect(try connection.readLine() == "x")
          cbl_posix_set_fault(denied, 1, .max, 0)
        }
      }
    }

    @Test func `an attempt that cannot be registered does not hide the one in flight`() async {
      await #expect(processExitsWith: .success) {
        for errno in [ENOSPC, ENOMEM, EPERM] {
          let gate = try Gate()
          let listener = try Listener()
          cbl_posix_set_fault(CBL_POSIX_CALL_EPOLL_CTL, 1, .max, errno)
          // With a deadline the silent attempt would be given up after half a second, for the other.
          let operation = try Stepwise(
            gate.endpoint, listener.endpoint, with: request(timeout: nil) { $0.pace = .parallel })
          #expect(operation.advance() == .pending)
          try gate.open()
          let progress = operation.finish()
          #expect(
            progress == .finished(.won(AttemptID(0))), "\(errno): \(progress) \(operation.outcomes)"
          )
          cbl_posix_set_fault(CBL_POSIX_CALL_EPOLL_CTL, 1, .max, 0)
          operation.drop()
        }
      }
    }

    @Test func `a check of a handshake that is denied is the attempt's failure`() async {
      await #expect(processExitsWith: .success) {
        let peer = try TestEndpoint(.echo)
        for denied in [CBL_POSIX_CALL_GETPEERNAME, CBL_POSIX_CALL_GETSOCKNAME] {
          cbl_posix_set_fault(denied, 1, .max, EPERM)
          let error = try failure(of: peer.endpoint, with: request(timeout: .seconds(2)))
          #expect(error.errno == .notPermitted && error.report.outcomes == [.failed])
          cbl_posix_set_fault(denied, 1, .max, 0)
        }
        let refused = try TestEndpoint(.refused)
        cbl_posix_set_fault(CBL_POSIX_CALL_GETSOCKOPT, 1, .max, EPERM)
        let error = try failure(of: refused.endpoint, with: request(timeout: .seconds(2)))
        #expect(error.errno == .notPermitted || error.errno == .connectionRefused)
      }
    }

    @Test func `a read without memory is ENOMEM, and the bytes are there for the next`() async {
      await #expect(processExitsWith: .success) {
        let peer = try TestEndpoint(.echo)
        let connection = try connect(peer.endpoint)
        try connection.write("first\n")
        cbl_posix_set_fault(CBL_POSIX_CALL_REALLOC, 1, .max, ENOMEM)
        #expect(throws: Errno.outOfMemory) { try connection.readLine() }
        cbl_posix_set_fault(CBL_POSIX_CALL_REALLOC, 1, .max, 0)
        #expect(try connection.readLine() == "first")
        // Without memory to buffer it, a write is sent at once.
        try connection.socket.setBuffering(.full, size: 1024)
        cbl_posix_set_fault(CBL_POSIX_CALL_REALLOC, 1, .max, ENOMEM)
        try connection.write("second\n")
        cbl_posix_set_fault(CBL_POSIX_CALL_REALLOC, 1, .max, 0)
        #expect(try connection.readLine() == "second")
      }
    }

    @Test func `a thread is woken although a write or a read fails`() async {
      await #expect(processExitsWith: .success) {
        for call in [CBL_POSIX_CALL_WRITE, CBL_POSIX_CALL_READ] {
          for errno in [EAGAIN, EBADF, EPERM] {
            let peer = try TestEndpoint(.echo)
            _ = try connect(peer.endpoint)
            cbl_posix_set_fault(call, 1, .max, errno)
            // Joins the endpoint's thread.
            peer.close()
            cbl_posix_set_fault(call, 1, .max, 0)
          }
        }
      }
    }

    @Test func `endless white space before a numeral is too long, as a line is`() throws {
      let peer = try TestEndpoint(.echo)
      let connection = try connect(peer.endpoint)
      connection.socket.lineMax = 10_000
      try connection.write(String(repeating: " ", count: 20_000))
      #expect(throws: Errno.messageTooLong) {
        try connection.socket.read(count: 1, format: { _ in .number }, item: { _, _ in })
      }
    }

    // MARK: each call, each error, each occurrence

    @Test func `each call fails with each of its errors in each scenario`() async {
      let result = await #expect(
        processExitsWith: .success, observing: [\.standardOutputContent]
      ) {
        var judge = FaultJudge()
        for scenario in FaultScenario.all { try judge.run(scenario) }
        print(
          "faults: \(judge.runCount) runs, \(judge.scenarioCount) scenarios,",
          "\(judge.wentOn) went on, \(judge.failed) failed with the fault's error")
        #expect(judge.runCount > 1_000)
      }
      if let result { print(String(decoding: result.standardOutputContent, as: UTF8.self)) }
    }
  }
}
