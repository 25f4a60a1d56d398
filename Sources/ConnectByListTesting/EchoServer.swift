import CConnectByListPosix
import ConnectByList
import ConnectByListCore
import Synchronization

/// A thread that accepts connections and sends back what they receive.
///
/// The thread owns its epoll descriptor and its connections. The listening socket and the stop event belong
/// to others, which end the thread before they close them.
final class EchoServer: Sendable {
  /// Connections that are served at a time; further ones wait in the listener's queue.
  private static let clientMax = 256
  /// Bytes that may wait for one client. A client that sends and does not read is not read from beyond
  /// that.
  private static let pendingMax = 1 << 20
  /// How long no connection is accepted after there was no room or no descriptor for one. The listener
  /// stays readable meanwhile, so watching it would keep the thread busy.
  private static let pause: TimeSpan = .milliseconds(10)

  private let listener: CInt
  private let stop: Descriptor
  private let thread = Atomic<UInt64>(0)
  private let accepted = Atomic<Int>(0)

  /// - Parameter listener: a listening socket that stays open until `stopAndWait` has returned.
  init(listener: CInt) throws(Errno) {
    self.listener = listener
    stop = try Syscalls.eventDescriptor()
  }

  /// How many connections it has accepted.
  var acceptedCount: Int { accepted.load(ordering: .relaxed) }

  /// Starts the thread, which keeps this object alive. `stopAndWait` has to be called once afterwards.
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

  /// Ends the thread. When this returns the thread's descriptors are closed.
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
      try withUnsafeTemporaryAllocation(of: cbl_posix_ready.self, capacity: 64) {
        ready throws(Errno) in
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
      // No epoll descriptor: connections stay in the listener's queue, as with any server that has run
      // out of descriptors.
    }
  }

  /// Accepts the next connection; false where there is no room or no descriptor for one.
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
  /// Reads in one turn, so that a client that sends without end does not starve the others and the stop
  /// event.
  private static let readsMax = 16

  private let socket: Descriptor
  /// Received bytes that could not be sent back yet.
  private var pending: [UInt8] = []
  /// The client has ended its stream.
  private var hasEnded = false
  /// The events that epoll watches this connection for.
  private var watchedEvents = CInt(CBL_POSIX_READABLE)

  init(_ socket: consuming Descriptor) { self.socket = socket }

  /// Receives and sends what can be moved without waiting; false when the connection has ended.
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
      if wanted != watchedEvents {
        try Syscalls.epollChange(epoll, socket.number, events: wanted, tag: tag)
        watchedEvents = wanted
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
