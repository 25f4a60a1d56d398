import CConnectByListPosix
import ConnectByListCore
import ConnectByListTesting
import Glibc
import Testing

@testable import ConnectByList

extension Driver {
  /// A socket that the caller made, from Swift. The C library has its own tests in ConnectByListCAPITests.
  @Suite struct CallerSocketTests {
    /// What must not change where nothing was connected: which socket it is, its flags, and its local
    /// endpoint.
    private struct Identity: Equatable {
      let inode: ino_t
      let flags: CInt
      let descriptorFlags: CInt
      let local: Endpoint?

      init(_ number: CInt) throws {
        var status = stat()
        try #require(fstat(number, &status) == 0)
        inode = status.st_ino
        flags = fcntl(number, F_GETFL)
        descriptorFlags = fcntl(number, F_GETFD)
        local = try Syscalls.localEndpoint(number)
      }
    }

    /// The error of a connect that must fail. Checks that the socket is unchanged.
    private func failure(
      of socket: inout Socket, _ peer: TestEndpoint, at place: SourceLocation = #_sourceLocation
    ) throws -> ConnectError {
      let before = try Identity(socket.number)
      var list = list(peer.endpoint)
      var failure: ConnectError?
      do throws(ConnectError) { try socket.connect(&list, request()) } catch { failure = error }
      let after = try Identity(socket.number)
      #expect(after == before, sourceLocation: place)
      return try #require(failure, sourceLocation: place)
    }

    @Test(arguments: [Family.inet, .inet6])
    func `the socket connects under its own number, reads and writes`(_ family: Family) throws {
      let echo = try TestEndpoint(.echo)
      var socket = try Socket(family)
      let number = socket.number
      let wasConnected = socket.isConnected
      var list = list(echo.endpoint)
      try socket.connect(&list, request())
      let isConnected = socket.isConnected
      #expect(!wasConnected && isConnected)
      let numberAfter = socket.number
      #expect(numberAfter == number)
      socket.timeout = .seconds(10)
      try socket.write("hello\n")
      let line = try socket.readLine()
      #expect(line == "hello")
      // W22: in the form of the socket's family.
      let remote = try socket.remoteEndpoint()
      #expect(remote == (family == .inet ? echo.endpoint : echo.endpoint.mapped))
      #expect(list.history[echo.endpoint]?.hasConnected == true)
    }

    @Test func `W04 a bound, a listening and a connected socket are refused and unchanged`() throws
    {
      let echo = try TestEndpoint(.echo)
      var bound = try Socket(.inet)
      try bound.bind(to: Endpoint(.loopback, port: 0))
      let first = try failure(of: &bound, echo)
      #expect(first.errno == .invalidArgument)
      try Syscalls.listen(bound.number, backlog: 1)
      let second = try failure(of: &bound, echo)
      #expect(second.errno == .invalidArgument)
      var connected = try connectByList(list(echo.endpoint), options: request().options)
      let third = try failure(of: &connected, echo)
      #expect(third.errno == .isConnected)
      connected.timeout = .seconds(10)
      try connected.write("still there\n")
      let line = try connected.readLine()
      #expect(line == "still there")
    }

    /// `connect` as the caller may have called it before, to an endpoint that refuses.
    private func failToConnect(_ number: CInt) throws {
      let refused = try TestEndpoint(.refused)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = refused.endpoint.port.bigEndian
      address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
      let result = withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          Glibc.connect(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      #expect(result == -1)
      _ = try awaitReady(number, events: CInt(CBL_POSIX_WRITABLE), for: .seconds(5))
      #expect(Syscalls.takePendingError(number) == .connectionRefused)
    }

    @Test func `a socket whose earlier connect failed is not taken for a bound one`() throws {
      let echo = try TestEndpoint(.echo)
      var socket = try Socket(.inet)
      try failToConnect(socket.number)
      let before = try Syscalls.localEndpoint(socket.number)
      #expect(before?.port != 0)
      var list = list(echo.endpoint)
      try socket.connect(&list, request())
      let isConnected = socket.isConnected
      #expect(isConnected)
      // One that was bound still is.
      var bound = try Socket(.inet)
      try bound.bind(to: Endpoint(.loopback, port: 0))
      try failToConnect(bound.number)
      let error = try failure(of: &bound, echo)
      #expect(error.errno == .invalidArgument)
    }

    @Test func `where nothing connects the socket is unchanged, and can connect later`() throws {
      let refused = try TestEndpoint(.refused)
      let silent = try TestEndpoint(.silent)
      let echo = try TestEndpoint(.echo)
      var socket = try Socket(.inet)
      let refusal = try failure(of: &socket, refused)
      #expect(refusal.errno == .connectionRefused)
      let before = try Identity(socket.number)
      var dead = list(silent.endpoint)
      let late = #expect(throws: ConnectError.self) {
        try socket.connect(&dead, request(timeout: .milliseconds(100)))
      }
      #expect(late?.errno == .timedOut)
      let after = try Identity(socket.number)
      #expect(after == before)
      var list = list(echo.endpoint)
      try socket.connect(&list, request())
      let isConnected = socket.isConnected
      #expect(isConnected)
    }

    @Test func `W15 W19 another descriptor than a stream socket is refused`() throws {
      let event = try Syscalls.eventDescriptor()
      let datagram = try Syscalls.socket(.inet, type: CInt(CBL_POSIX_SOCK_DGRAM))
      let errors = [1_000_000, event.number, datagram.number].map { number in
        thrown { () throws(Errno) in _ = try CallerSocket(checking: number) }
      }
      #expect(errors == [.badDescriptor, .notASocket, .operationNotSupported])
    }

    @Test(arguments: [false, true], [false, true])
    func `W20 both flags are unchanged, connected or not`(
      isNonBlocking: Bool, closesOnExec: Bool
    ) throws {
      let refused = try TestEndpoint(.refused)
      let silent = try TestEndpoint(.silent)
      let echo = try TestEndpoint(.echo)
      var socket = try Socket(.inet)
      let number = socket.number
      #expect(fcntl(number, F_SETFL, isNonBlocking ? O_NONBLOCK : 0) == 0)
      #expect(fcntl(number, F_SETFD, closesOnExec ? FD_CLOEXEC : 0) == 0)
      let refusal = try failure(of: &socket, refused)
      #expect(refusal.errno == .connectionRefused)
      // The silent endpoint is first, so the call has to block although the socket is non-blocking.
      var list = list(silent.endpoint, echo.endpoint)
      try socket.connect(&list, request())
      let flags = try Identity(number)
      #expect((flags.flags & O_NONBLOCK != 0) == isNonBlocking)
      #expect((flags.descriptorFlags & FD_CLOEXEC != 0) == closesOnExec)
    }

    @Test func `W22 an endpoint that the socket's family cannot have is a failed attempt`() throws {
      let echo = try TestEndpoint(.echo)
      let echoV6 = try TestEndpoint(.echo, at: .loopbackV6)
      var socket = try Socket(.inet)
      let wrongFamily = try failure(of: &socket, echoV6)
      #expect(wrongFamily.errno == .familyNotSupported)
      #expect(Set(wrongFamily.report.outcomes) == [.failed])
      var only = try Socket(.inet6)
      try Syscalls.setOption(
        only.number, level: SocketLevel.ipv6, name: SocketNumber.ipv6Only, to: 1)
      let unreachable = try failure(of: &only, echo)
      #expect(unreachable.errno == .networkUnreachable)
      var list = list(echo.endpoint, echoV6.endpoint)
      try only.connect(&list, request())
      let remote = try only.remoteEndpoint()
      #expect(remote == echoV6.endpoint)
    }

    @Test func `W25 a duplicate of the descriptor does not follow`() throws {
      let echo = try TestEndpoint(.echo)
      var socket = try Socket(.inet)
      let duplicate = Descriptor(owning: dup(socket.number))
      var list = list(echo.endpoint)
      try socket.connect(&list, request())
      let error = thrown { () throws(Errno) in _ = try Syscalls.remoteEndpoint(duplicate.number) }
      #expect(error == .notConnected)
    }

    @Test func `W26 a cancelled connect leaves the socket unchanged`() throws {
      let silent = try TestEndpoint(.silent)
      var socket = try Socket(.inet)
      let before = try Identity(socket.number)
      let cancel = try CancelHandle()
      var wanted = request()
      wanted.cancel = cancel
      try startDetachedThread {
        _ = try? awaitReady(-1, events: 0, for: .milliseconds(50))
        cancel.cancel()
      }
      var list = list(silent.endpoint)
      let error = #expect(throws: ConnectError.self) { try socket.connect(&list, wanted) }
      #expect(error?.errno == .cancelled)
      let after = try Identity(socket.number)
      #expect(after == before)
    }
  }
}
