import CConnectByListTerminal
import ConnectByList
import ConnectByListCore

/// Copies standard input to a socket and the socket to standard output, both at once.
///
/// The end of the input shuts down the sending direction alone (a half-close). The relay ends when the peer has
/// sent its end and everything is written. O_NONBLOCK is not set on standard input and output, because other
/// processes share them: `poll` tells whether they would block, and a write has at most `pieceMax` bytes, which
/// a pipe that is ready takes without blocking (PIPE_BUF, pipe(7)).
struct Relay: ~Copyable {
  private static let pieceMax = 4096

  private let socket: Descriptor
  private var outgoing = Flow()
  private var incoming = Flow()
  private var hasSentEnd = false
  /// Why sending ended early.
  private var sendFailure: Errno?

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
      // poll reports POLLHUP even where no event was asked for.
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
      if input.ready != 0 { readInput() }
      if peer.ready != 0 && !outgoing.isEmpty { send() }
      if peer.ready != 0 && incoming.isEmpty { try receive() }
      if output.ready != 0 { try writeOutput() }
    }
    // EPIPE: the peer closed the connection before it had read everything. That is its right.
    if let sendFailure, sendFailure != .brokenPipe { throw sendFailure }
  }

  private mutating func readInput() {
    let count = cbl_terminal_read(0, outgoing.room.baseAddress, outgoing.room.count)
    if count < 0 && Errno(CInt(-count)) == .tryAgain { return }
    // A failed read counts as the end of the input: the peer may still answer.
    outgoing.isOver = count <= 0
    outgoing.filled(max(0, Int(count)))
    send()
  }

  private mutating func send() {
    if !outgoing.isEmpty {
      do throws(Errno) {
        outgoing.next += try Syscalls.send(socket.number, outgoing.rest) ?? 0
      } catch {
        // The peer takes no more. The bytes that it sent before are still delivered.
        sendFailure = error
        outgoing.isOver = true
        outgoing.filled(0)
      }
    }
    if outgoing.isOver && outgoing.isEmpty && !hasSentEnd {
      hasSentEnd = true
      // SHUT_WR. ENOTCONN: the peer has closed the connection, which the next read reports.
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
