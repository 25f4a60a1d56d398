import ConnectByList
import CConnectByListPosix
import ConnectByListCore
import Synchronization

/// The thread behind an echo peer: accepts, and sends back what comes.
///
/// The thread owns everything it works with but the listening socket, whose owner ends the thread
/// first.
final class EchoServer: Sendable {
  /// So many connections at once; more wait in the listener's queue.
  private static let clientMax = 256
  /// A client that sends and does not read is not read from any more when so much waits for it.
  private static let pendingMax = 1 << 20
  /// How long nothing is accepted where there is no room, or no descriptor: the listener stays
  /// readable, and watching it would keep the thread busy with nothing.
  private static let pause: TimeSpan = .milliseconds(10)

  private let listener: CInt
  private let stop: Descriptor
  private let thread = Atomic<UInt64>(0)
  private let accepted = Atomic<Int>(0)

  /// `listener`: a listening socket that stays open until `stopAndWait` has returned.
  init(listener: CInt) throws(Errno) {
    self.listener = listener
    stop = try Syscalls.eventDescriptor()
  }

  var acceptedCount: Int { accepted.load(ordering: .relaxed) }

  /// Starts the thread, which keeps this object alive until it ends. `stopAndWait` has to follow.
  func start() throws(Errno) {
    let context = Unmanaged.passRetained(self)
    do throws(Errno) {
      let started = try Syscalls.startThread(
        { context in Unmanaged<EchoServer>.fromOpaque(context!).takeRetainedValue().run() },
        context.toOpaque())
      thread.store(started, ordering: .relaxed)
    } catch {
      context.release()
      throw error
    }
  }

  /// Once, after `start`. Then the thread is gone, and has closed what was its own.
  func stopAndWait() {
    Syscalls.signalEvent(stop.number)
    Syscalls.joinThread(thread.load(ordering: .relaxed))
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
        epoll.number, listener, events: CInt(CBL_POSIX_READABLE), tag: Tag.listener)
      try Syscalls.epollAdd(
        epoll.number, stop.number, events: CInt(CBL_POSIX_READABLE), tag: Tag.stop)
      var clients: [(tag: UInt64, client: EchoClient)] = []
      var nextTag = Tag.firstClient
      var accepts = true
      try withUnsafeTemporaryAllocation(of: cbl_posix_ready.self, capacity: 64) { ready throws(Errno) in
        while true {
          let count = Syscalls.epollWait(epoll.number, ready, for: accepts ? .forever : Self.pause)
          if !accepts {
            accepts = true
            try Syscalls.epollChange(
              epoll.number, listener, events: CInt(CBL_POSIX_READABLE), tag: Tag.listener)
          }
          for index in 0..<count {
            switch ready[index].tag {
            case Tag.stop: return
            case Tag.listener:
              accepts = accept(epoll.number, &clients, &nextTag)
              if !accepts {
                try Syscalls.epollChange(epoll.number, listener, events: 0, tag: Tag.listener)
              }
            case let tag:
              if let index = clients.firstIndex(where: { $0.tag == tag }),
                !clients[index].client.serve(epoll.number, tag, Self.pendingMax)
              {
                clients.swapAt(index, clients.count - 1)
                clients.removeLast()
              }
            }
          }
        }
      }
    } catch {
      // No descriptor to be had: connections wait in the queue, as with any server that is out of
      // them.
    }
  }

  /// Takes the next connection; false where none can be taken now.
  private func accept(
    _ epoll: CInt, _ clients: inout [(tag: UInt64, client: EchoClient)], _ nextTag: inout UInt64
  ) -> Bool {
    guard clients.count < Self.clientMax else { return false }
    do throws(Errno) {
      guard let socket = try Syscalls.accept(listener) else { return true }
      try Syscalls.epollAdd(epoll, socket.number, events: CInt(CBL_POSIX_READABLE), tag: nextTag)
      clients.append((nextTag, EchoClient(socket)))
      nextTag += 1
      accepted.wrappingAdd(1, ordering: .relaxed)
      return true
    } catch {
      return false
    }
  }
}

/// One connection of an echo server.
private final class EchoClient {
  /// So many reads at a turn: a client that sends without end must not keep the thread from the
  /// others, or from its stop.
  private static let readsMax = 16

  private let socket: Descriptor
  /// What came and could not be sent back yet.
  private var pending: [UInt8] = []
  private var hasEnded = false
  private var waitsFor = CInt(CBL_POSIX_READABLE)

  init(_ socket: consuming Descriptor) { self.socket = socket }

  /// Moves what can be moved; false when the connection is done with.
  func serve(_ epoll: CInt, _ tag: UInt64, _ pendingMax: Int) -> Bool {
    do throws(Errno) {
      try withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 1) { room throws(Errno) in
        var readCount = 0
        while !hasEnded && pending.count < pendingMax && readCount < Self.readsMax {
          readCount += 1
          guard let count = try Syscalls.receive(socket.number, into: room) else { break }
          if count == 0 { hasEnded = true }
          pending.append(contentsOf: UnsafeRawBufferPointer(rebasing: room[0..<count]))
          try send()
        }
      }
      try send()
      if hasEnded && pending.isEmpty { return false }
      var wanted = pending.isEmpty ? CInt(0) : CInt(CBL_POSIX_WRITABLE)
      if !hasEnded && pending.count < pendingMax { wanted |= CInt(CBL_POSIX_READABLE) }
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
