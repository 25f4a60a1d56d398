import CPosix
import ConnectCore
import Synchronization

/// The thread behind an echo peer: accepts, and sends back what comes.
///
/// The thread owns everything it works with but the listening socket, whose owner ends the thread first.
final class EchoServer: Sendable {
  /// So many connections at once; more wait in the listener's queue.
  private static let clientMax = 256
  /// A client that sends and does not read is not read from any more when so much waits for it.
  private static let pendingMax = 1 << 20

  private let listener: CInt
  private let stop: Descriptor
  private let ended: Descriptor
  private let accepted = Atomic<Int>(0)

  /// `listener`: a listening socket that stays open until `stopAndWait` has returned.
  init(listener: CInt) throws(Errno) {
    self.listener = listener
    stop = try Syscalls.eventDescriptor()
    ended = try Syscalls.eventDescriptor()
  }

  var acceptedCount: Int { accepted.load(ordering: .relaxed) }

  /// Starts the thread, which keeps this object alive until it ends.
  func start() throws(Errno) {
    let context = Unmanaged.passRetained(self)
    do throws(Errno) {
      try Syscalls.startThread(
        { context in
          let server = Unmanaged<EchoServer>.fromOpaque(context!).takeRetainedValue()
          server.run()
          Syscalls.signalEvent(server.ended.number)
        }, context.toOpaque())
    } catch {
      context.release()
      throw error
    }
  }

  func stopAndWait() {
    Syscalls.signalEvent(stop.number)
    while Syscalls.poll(ended.number, events: CInt(CBL_READABLE), for: .forever) == 0 {}
  }

  private enum Tag {
    static let listener: UInt64 = 0
    static let stop: UInt64 = 1
    static let firstClient: UInt64 = 2
  }

  private func run() {
    do throws(Errno) {
      let epoll = try Syscalls.epollCreate()
      try Syscalls.epollAdd(
        epoll.number, listener, events: CInt(CBL_READABLE), tag: Tag.listener)
      try Syscalls.epollAdd(
        epoll.number, stop.number, events: CInt(CBL_READABLE), tag: Tag.stop)
      var clients: [UInt64: EchoClient] = [:]
      var nextTag = Tag.firstClient
      withUnsafeTemporaryAllocation(of: cbl_ready.self, capacity: 64) { ready in
        while true {
          let count = Syscalls.epollWait(epoll.number, ready, for: .forever)
          for index in 0..<count {
            switch ready[index].tag {
            case Tag.stop: return
            case Tag.listener: accept(epoll.number, &clients, &nextTag)
            case let tag:
              if let client = clients[tag], !client.serve(epoll.number, tag, Self.pendingMax) {
                clients[tag] = nil
              }
            }
          }
        }
      }
    } catch {
      // No descriptor to be had: connections wait in the queue, as with any server that is out of them.
    }
  }

  private func accept(_ epoll: CInt, _ clients: inout [UInt64: EchoClient], _ nextTag: inout UInt64) {
    do throws(Errno) {
      guard clients.count < Self.clientMax, let socket = try Syscalls.accept(listener) else { return }
      accepted.wrappingAdd(1, ordering: .relaxed)
      let number = socket.number
      clients[nextTag] = EchoClient(socket)
      try Syscalls.epollAdd(epoll, number, events: CInt(CBL_READABLE), tag: nextTag)
      nextTag += 1
    } catch {
      // The next wake-up tries again.
    }
  }
}

/// One connection of an echo server.
private final class EchoClient {
  private let socket: Descriptor
  /// What came and could not be sent back yet.
  private var pending: [UInt8] = []
  private var hasEnded = false
  private var waitsFor = CInt(CBL_READABLE)

  init(_ socket: consuming Descriptor) { self.socket = socket }

  /// Moves what can be moved; false when the connection is done with.
  func serve(_ epoll: CInt, _ tag: UInt64, _ pendingMax: Int) -> Bool {
    do throws(Errno) {
      try withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 1) { room throws(Errno) in
        while !hasEnded && pending.count < pendingMax {
          guard let count = try Syscalls.receive(socket.number, into: room) else { break }
          if count == 0 { hasEnded = true }
          pending.append(contentsOf: room[0..<count])
          try send()
        }
      }
      try send()
      if hasEnded && pending.isEmpty { return false }
      var wanted = pending.isEmpty ? CInt(0) : CInt(CBL_WRITABLE)
      if !hasEnded && pending.count < pendingMax { wanted |= CInt(CBL_READABLE) }
      if wanted != waitsFor {
        try Syscalls.epollChange(epoll, socket.number, events: wanted, tag: tag)
        waitsFor = wanted
      }
      return true
    } catch {
      return false
    }
  }

  private func send() throws(Errno) {
    while !pending.isEmpty {
      guard let taken = try Syscalls.send(socket.number, pending) else { return }
      pending.removeFirst(taken)
    }
  }
}
