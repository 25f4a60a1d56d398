import CConnectByListTerminal
import ConnectByList
import ConnectByListCore

/// Passes standard input to a socket, and what the socket gives to standard output, both at once.
///
/// The end of the input becomes the end of the sending direction alone (a half-close); the relay ends when
/// the peer has sent its end. Standard input and output keep their modes: other processes share them, so
/// O_NONBLOCK would reach those. Instead each is asked first whether it would block, and at most
/// `pieceMax` bytes are written at a time, which a pipe that is writable takes at once (PIPE_BUF, pipe(7)).
struct Relay: ~Copyable {
  private static let pieceMax = 4096

  private let socket: Descriptor
  private var outgoing = Flow()
  private var incoming = Flow()
  private var hasSentEnd = false

  /// Bytes on their way in one direction.
  private struct Flow: ~Copyable {
    let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
    var next = 0
    var end = 0
    /// The source has ended.
    var isOver = false

    deinit { room.deallocate() }

    var isEmpty: Bool { next == end }

    var rest: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: room[next..<end]) }

    mutating func filled(_ count: Int) {
      next = 0
      end = count
    }
  }

  init(_ socket: consuming Descriptor) { self.socket = socket }

  mutating func run() throws(Errno) {
    let readable = Int16(CBL_TERMINAL_READABLE)
    let writable = Int16(CBL_TERMINAL_WRITABLE)
    while !(incoming.isOver && incoming.isEmpty) {
      var input = cbl_terminal_wait(fd: -1, events: readable, ready: 0)
      var output = cbl_terminal_wait(fd: -1, events: writable, ready: 0)
      var peer = cbl_terminal_wait(fd: socket.number, events: 0, ready: 0)
      if outgoing.isEmpty {
        if !outgoing.isOver { input.fd = 0 }
      } else {
        peer.events |= writable
      }
      if incoming.isEmpty { peer.events |= readable } else { output.fd = 1 }
      // A socket that nothing is wanted of would still wake us up with its POLLHUP.
      if peer.events == 0 { peer.fd = -1 }
      withUnsafeTemporaryAllocation(of: cbl_terminal_wait.self, capacity: 3) { waits in
        waits[0] = input
        waits[1] = output
        waits[2] = peer
        _ = cbl_terminal_poll(waits.baseAddress, 3, -1)
        input = waits[0]
        output = waits[1]
        peer = waits[2]
      }
      if input.ready != 0 { try readInput() }
      if peer.ready != 0 && !outgoing.isEmpty { try send() }
      if peer.ready != 0 && incoming.isEmpty { try receive() }
      if output.ready != 0 { try writeOutput() }
    }
  }

  private mutating func readInput() throws(Errno) {
    let count = cbl_terminal_read(0, outgoing.room.baseAddress, outgoing.room.count)
    if count < 0 && Errno(CInt(-count)) == .tryAgain { return }
    // An input that fails is over: the peer's answer may still come.
    outgoing.isOver = count <= 0
    outgoing.filled(max(0, Int(count)))
    try send()
  }

  private mutating func send() throws(Errno) {
    if !outgoing.isEmpty {
      do throws(Errno) {
        outgoing.next += try Syscalls.send(socket.number, outgoing.rest) ?? 0
      } catch {
        // The peer takes no more. What it sent before is still to be read; a reset shows there.
        guard error == .brokenPipe else { throw error }
        outgoing.isOver = true
        outgoing.filled(0)
      }
    }
    if outgoing.isOver && outgoing.isEmpty && !hasSentEnd {
      hasSentEnd = true
      // SHUT_WR. ENOTCONN: the peer has gone already, as its end will tell.
      do throws(Errno) { try Syscalls.shutdown(socket.number, how: 1) } catch {}
    }
  }

  private mutating func receive() throws(Errno) {
    guard let count = try Syscalls.receive(socket.number, into: incoming.room) else { return }
    incoming.filled(count)
    if count == 0 { incoming.isOver = true }
  }

  private mutating func writeOutput() throws(Errno) {
    let piece = incoming.rest.prefix(Self.pieceMax)
    let count = cbl_terminal_write_some(1, piece.base.baseAddress, piece.count)
    if count >= 0 {
      incoming.next += Int(count)
      return
    }
    let errno = Errno(CInt(-count))
    if errno != .tryAgain && errno != .interrupted { throw errno }
  }
}
