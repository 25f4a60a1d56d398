import CConnectByListPosix
import ConnectByListCore
import ConnectByListTesting
import Glibc
import Testing

@testable import ConnectByList

extension Driver {
  /// The endpoints that other tests stand on.
  @Suite struct TestPeerTests {
    @Test(arguments: [IPAddress.loopback, .loopbackV6])
    func `a silent endpoint completes no handshake`(address: IPAddress) throws {
      let peer = try TestEndpoint(.silent, at: address)
      // More than one: nothing of them may find room in its queue either.
      for _ in 0..<3 {
        let socket = try Syscalls.socket(address.family)
        #expect(try Syscalls.connect(socket.number, to: peer.endpoint) == .started)
        let events = Syscalls.poll(
          socket.number, events: CInt(CBL_POSIX_WRITABLE), for: .milliseconds(100))
        #expect(events == 0)
        #expect(try Syscalls.connect(again: socket.number, to: peer.endpoint) == .alreadyConnecting)
      }
      #expect(peer.acceptedCount == 0)
    }

    @Test(arguments: [IPAddress.loopback, .loopbackV6])
    func `a refused endpoint refuses, and nobody else can take its port`(address: IPAddress) throws
    {
      let peer = try TestEndpoint(.refused, at: address)
      let socket = try Syscalls.socket(address.family)
      _ = try Syscalls.connect(socket.number, to: peer.endpoint)
      let events = Syscalls.poll(socket.number, events: CInt(CBL_POSIX_WRITABLE), for: .seconds(5))
      #expect(events & CInt(CBL_POSIX_FAILED) != 0)
      #expect(Syscalls.takePendingError(socket.number) == .connectionRefused)
      let other = try Syscalls.socket(address.family)
      let error = thrown { () throws(Errno) in
        try Syscalls.bind(other.number, to: peer.endpoint)
      }
      #expect(error == .addressInUse)
    }

    @Test func `an echo has room for 256 clients, and takes the others when some leave`() throws {
      let peer = try TestEndpoint(.echo)
      var clients: [Connection] = []
      for index in 0..<300 {
        let client = try connect(peer.endpoint)
        try client.write("client \(index)\n")
        clients.append(client)
      }
      for index in 0..<256 {
        #expect(try clients[index].readLine() == "client \(index)")
      }
      #expect(peer.acceptedCount == 256)
      for client in clients[..<256] { try client.socket.close() }
      for index in 256..<300 {
        #expect(try clients[index].readLine() == "client \(index)")
      }
      #expect(peer.acceptedCount == 300)
    }

    @Test func `a client that does not read harms nobody`() throws {
      let peer = try TestEndpoint(.echo)
      let greedy = try connect(peer.endpoint)
      greedy.socket.timeout = .milliseconds(200)
      var written = 0
      let error = thrown { () throws(Errno) in
        try write([UInt8](repeating: 1, count: 64 << 20), to: &greedy.socket, written: &written)
      }
      #expect(error == .timedOut)
      let other = try connect(peer.endpoint)
      try other.write("still there?\n")
      #expect(try other.readLine() == "still there?")
      // And it gets back all that was taken from it, once it reads.
      try greedy.socket.shutdown(how: 1)
      var count = 0
      while let bytes = try greedy.socket.receiveAny(max: 1 << 20) { count += bytes.count }
      #expect(count == written)
    }

    @Test func `closing ends its connections, and it can still be asked`() throws {
      let peer = try TestEndpoint(.echo)
      let client = try connect(peer.endpoint)
      try client.write("hello\n")
      #expect(try client.readLine() == "hello")
      peer.close()
      peer.close()
      #expect(peer.acceptedCount == 1)
      #expect(try client.readLine() == nil)
      #expect(try failure(of: peer.endpoint).errno == .connectionRefused)
    }

    @Test func `closing waits for the thread, so its descriptors are gone`() async {
      await #expect(processExitsWith: .success) {
        for kind in [TestEndpoint.Kind.echo, .refused, .silent] {
          let before = Descriptors.sockets()
          let peer = try TestEndpoint(kind)
          #expect(Descriptors.sockets() != before)
          peer.close()
          #expect(Descriptors.sockets() == before)
        }
      }
    }

    @Test func `it must be an address of this machine`() {
      #expect(throws: Errno.addressNotAvailable) {
        _ = try TestEndpoint(.echo, at: IPAddress(v4: 0xcb00_7105))
      }
    }
  }
}

extension Syscalls {
  /// What a second connect of the same socket says.
  fileprivate static func connect(again fd: CInt, to endpoint: Endpoint) throws -> Errno {
    Errno(-cbl_posix_connect(fd, cbl_posix_endpoint(endpoint)))
  }
}
