import CConnectByListPosix
import ConnectByListCore
import ConnectByListTesting
import Glibc
import Testing

@testable import ConnectByList

func write(_ text: String, to socket: inout Socket) throws(Errno) {
  var written = 0
  try write(Array(text.utf8), to: &socket, written: &written)
}

func write(_ bytes: [UInt8], to socket: inout Socket, written: inout Int) throws(Errno) {
  // Not `withUnsafeBytes`, whose closure throws no typed errors.
  let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
  defer { memory.deallocate() }
  _ = memory.initialize(from: bytes)
  var slice = cbl_posix_slice(bytes: memory.baseAddress, count: memory.count)
  try withUnsafeMutablePointer(to: &slice) { slice throws(Errno) in
    try socket.write(UnsafeMutableBufferPointer(start: slice, count: 1), written: &written)
  }
}

/// A line; `nil` at the end of the stream.
func readLine(from socket: inout Socket) throws(Errno) -> String? {
  var line: String?
  try socket.read(count: 1, format: { _ in .line(keepsEnd: false) }) { _, item in
    if case .bytes(let bytes) = item { line = String(decoding: bytes, as: UTF8.self) }
  }
  return line
}

extension Driver {
  /// Reading and writing from Swift. The formats are tested from Lua.
  @Suite struct SocketTests {
    @Test func `what is written comes back from an echo`() throws {
      let peer = try TestEndpoint(.echo)
      let connection = try connect(peer.endpoint)
      try connection.write("one\ntwo\n")
      #expect(try connection.readLine() == "one")
      #expect(try connection.readLine() == "two")
      try connection.socket.shutdown(how: 1)
      #expect(try connection.readLine() == nil)
    }

    @Test func `a read that times out consumes nothing`() throws {
      let (connection, other) = try pair()
      connection.socket.timeout = .milliseconds(40)
      _ = try Syscalls.send(other.number, Array("par".utf8))
      let began = Clock.now()
      let error = thrown { () throws(Errno) in _ = try connection.readLine() }
      let elapsed = Clock.now() - began
      #expect(error == .timedOut)
      #expect(elapsed >= .milliseconds(40))
      #expect(elapsed < .milliseconds(290))
      _ = try Syscalls.send(other.number, Array("tial\n".utf8))
      #expect(try connection.readLine() == "partial")
    }

    @Test func `with a timeout of zero a read does not wait`() throws {
      let (connection, other) = try pair()
      connection.socket.timeout = .zero
      let error = thrown { () throws(Errno) in _ = try connection.readLine() }
      #expect(error == .timedOut)
      _ = try Syscalls.send(other.number, Array("line\n".utf8))
      #expect(try connection.readLine() == "line")
    }

    @Test func `a write to a peer that does not read times out, and counts the bytes sent`() throws
    {
      let (connection, other) = try pair()
      connection.socket.timeout = .milliseconds(100)
      let bytes = [UInt8](repeating: 7, count: 64 << 20)
      var written = 0
      let began = Clock.now()
      let error = thrown { () throws(Errno) in
        try write(bytes, to: &connection.socket, written: &written)
      }
      #expect(error == .timedOut)
      #expect(Clock.now() - began >= .milliseconds(100))
      #expect(written > 0 && written < bytes.count)
      try connection.socket.close()
      #expect(try received(from: other) == written)
    }

    @Test func `writing to a peer that has closed is an error and raises no signal`() throws {
      let (connection, other) = try pair()
      drop(other)
      // The peer answers the first write with a reset; later ones fail with EPIPE.
      let error = thrown { () throws(Errno) in
        for _ in 0..<1000 { try connection.write("x") }
      }
      #expect(error == .brokenPipe || error == .connectionReset)
    }

    @Test func `a second close does nothing`() throws {
      let (connection, _) = try pair()
      try connection.socket.close()
      try connection.socket.close()
      #expect(!connection.isOpen)
    }

    @Test func `a detached descriptor stays connected`() throws {
      let (connection, other) = try pair()
      let descriptor = connection.socket.detach()
      #expect(!connection.isOpen)
      _ = try Syscalls.send(descriptor.number, Array("still here".utf8))
      drop(descriptor)
      #expect(try received(from: other) == 10)
    }

    @Test func `W15: only a connected stream socket can be wrapped`() throws {
      let event = try Syscalls.eventDescriptor()
      let stream = try Syscalls.socket(.inet)
      let datagram = try Syscalls.socket(.inet, type: CInt(CBL_POSIX_SOCK_DGRAM))
      let numbers = [1_000_000, event.number, stream.number, datagram.number]
      let errors = numbers.map { number in
        thrown { () throws(Errno) in _ = try Socket(wrapping: number) }
      }
      #expect(errors == [.badDescriptor, .notASocket, .notConnected, .operationNotSupported])
    }

    @Test func `a wrapped socket is the caller's descriptor, non-blocking`() throws {
      let (connection, other) = try pair()
      let number = connection.socket.detach().release()
      #expect(fcntl(number, F_SETFL, 0) == 0)
      var socket = try Socket(wrapping: number)
      #expect(fcntl(number, F_GETFL) & O_NONBLOCK != 0)
      let remote = try socket.remoteEndpoint()
      #expect(remote == connection.remote)
      try write("hello", to: &socket)
      try socket.close()
      #expect(try received(from: other) == 5)
    }

    // MARK: both ends of a connection

    private func pair() throws -> (Connection, Handle) {
      let listener = try Listener()
      let connection = try connect(listener.endpoint)
      return (connection, Handle(try listener.accept()))
    }

    /// The peer's descriptor, closed by `drop`.
    private final class Handle {
      private var descriptor: Descriptor?
      let number: CInt

      init(_ descriptor: consuming Descriptor) {
        number = descriptor.number
        self.descriptor = consume descriptor
      }

      func close() { descriptor = nil }
    }

    private func drop(_ handle: Handle) { handle.close() }
    private func drop(_ descriptor: consuming Descriptor) {}

    /// The number of bytes up to the end of the stream.
    private func received(from handle: Handle) throws -> Int {
      var total = 0
      let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 1)
      defer { room.deallocate() }
      while true {
        if let count = try Syscalls.receive(handle.number, into: room) {
          if count == 0 { return total }
          total += count
        } else {
          _ = try? awaitReady(handle.number, events: CInt(CBL_POSIX_READABLE), for: .seconds(5))
        }
      }
    }
  }
}
