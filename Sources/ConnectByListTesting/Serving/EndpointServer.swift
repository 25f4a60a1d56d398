import CConnectByListPosix
import ConnectByList
import ConnectByListCore

/// Serves the connections of an endpoint, on a thread of its own and on the threads that ask about it.
///
/// A question first takes a turn of the event loop, so its answer is not behind: a connection whose handshake
/// is complete has been accepted, and bytes that have arrived have been received. The lock guards all that
/// changes. The listening socket belongs to the endpoint, which stops the server before it closes it.
final class EndpointServer: @unchecked Sendable {
  /// Rounds of a turn, so that clients that send without end do not keep a question waiting.
  private static let roundsMax = 16
  /// How long no connection is accepted when there was no descriptor for one. The listener stays readable
  /// meanwhile, so watching it would keep the thread busy.
  private static let pause: TimeSpan = .milliseconds(10)

  private enum Tag {
    static let listener: UInt64 = 0
    static let wake: UInt64 = 1
  }

  /// The tag of a socket of the connection with this number.
  static func tag(_ number: Int, socket: Int) -> UInt64 { UInt64(number + 1) << 1 | UInt64(socket) }

  let epoll: Descriptor
  private let listener: CInt
  private let endpoint: Endpoint
  private let kind: EndpointKind
  /// Ends the thread's wait. Only the thread clears it.
  private let wake: Descriptor
  private let lock: Lock
  private var thread: UInt64 = 0

  private var isStopping = false
  /// When it begins to listen; `nil`: it does.
  private var opens: Instant?
  /// Fills the queue of a silent endpoint.
  private var filler: Descriptor?
  /// When it accepts again, after it had no descriptor; `nil`: it does.
  private var pauseEnd: Instant?
  /// In the order of their numbers.
  private var connections: [ServedConnection] = []
  private var threadWaitsUntil = Instant(nanoseconds: .min)
  /// Made readable by each connection; `nil` before the first wait.
  private var accepts: Descriptor?

  private var record = ServerRecord()
  private(set) var proxySettings = ProxySettings()
  private var drops = SplitMix64(seed: 0)

  /// - Parameter listener: a bound socket that stays open until `stop` has returned.
  init(
    _ kind: EndpointKind, listener: CInt, at endpoint: Endpoint, after delay: TimeSpan
  ) throws(Errno) {
    self.kind = kind
    self.listener = listener
    self.endpoint = endpoint
    lock = try Lock()
    epoll = try Syscalls.epollCreate()
    wake = try Syscalls.eventDescriptor()
    try Syscalls.epollAdd(
      epoll.number, wake.number, events: CInt(CBL_POSIX_READABLE), tag: Tag.wake)
    if case .proxy(_, let settings) = kind {
      proxySettings = settings
      drops = SplitMix64(seed: settings.seed)
    }
    opens = delay > .zero ? Clock.now() + delay : nil
    if opens == nil { try open() }
  }

  /// Starts the thread, which keeps this object alive. `stop` has to be called once afterwards.
  func start() throws(Errno) {
    let context = Unmanaged.passRetained(self)
    do throws(Errno) {
      thread = try Syscalls.startThread(
        { context in Unmanaged<EndpointServer>.fromOpaque(context!).takeRetainedValue().run() },
        context.toOpaque())
    } catch {
      context.release()
      throw error
    }
  }

  /// Ends the thread, waits for that, and closes all connections.
  func stop() {
    lock.take()
    // What is queued counts as accepted.
    turn(isThread: false)
    isStopping = true
    lock.release()
    Syscalls.signalEvent(wake.number)
    Syscalls.joinThread(thread)
    for connection in connections { connection.end(epoll.number) }
    connections = []
    filler = nil
  }

  /// Closes the copies that a forked child has of the descriptors. Nothing else may be done there: the
  /// thread was not copied, and may have held the lock. Connections stay open until the child ends.
  func closeInChild() {
    Syscalls.close(epoll.number)
    Syscalls.close(wake.number)
  }

  // MARK: questions

  /// What has happened, up to now.
  func currentRecord() -> ServerRecord {
    lock.take()
    defer { lock.release() }
    turn(isThread: false)
    return record
  }

  /// What has happened, without the lock: when the thread has ended, or in a forked child, which has none.
  var lastRecord: ServerRecord { record }

  /// A descriptor that becomes readable with each connection.
  func acceptEvent() throws(Errno) -> CInt {
    lock.take()
    defer { lock.release() }
    if let number = accepts?.number { return number }
    let made = try Syscalls.eventDescriptor()
    let number = made.number
    accepts = consume made
    return number
  }

  /// Changes a proxy's network, for the connections that it has too.
  func change(_ body: (inout ProxySettings) -> Void) {
    lock.take()
    defer { lock.release() }
    body(&proxySettings)
    // What was to wait may go on now, or the other way round.
    let now = Clock.now()
    for connection in connections { connection.wakes = now }
    turn(isThread: false)
  }

  // MARK: the thread

  private func run() {
    lock.take()
    while !isStopping {
      turn(isThread: true)
      let until = nextWake
      threadWaitsUntil = until
      lock.release()
      withUnsafeTemporaryAllocation(of: cbl_posix_ready.self, capacity: 1) { ready in
        // What is ready is still ready in the turn: the set is level-triggered.
        _ = wait(ready, for: until == .distantFuture ? .forever : until - Clock.now())
      }
      lock.take()
      threadWaitsUntil = Instant(nanoseconds: .min)
    }
    lock.release()
  }

  /// Where the wait fails (a sandbox denies it), nothing is served; the thread looks again every 10 ms.
  private func wait(
    _ ready: UnsafeMutableBufferPointer<cbl_posix_ready>, for span: TimeSpan
  ) -> Int {
    do throws(Errno) { return try Syscalls.epollWait(epoll.number, ready, for: span) } catch {
      if span > .zero { Syscalls.sleep(for: .milliseconds(10)) }
      return 0
    }
  }

  private var nextWake: Instant {
    var next = min(opens ?? .distantFuture, pauseEnd ?? .distantFuture)
    for connection in connections { next = min(next, connection.wakes) }
    return next
  }

  // MARK: the event loop; under the lock

  /// Serves whatever is ready or due, without waiting.
  private func turn(isThread: Bool) {
    serveTimes(at: Clock.now())
    withUnsafeTemporaryAllocation(of: cbl_posix_ready.self, capacity: Int(CBL_POSIX_BATCH_MAX)) {
      ready in
      for _ in 0..<Self.roundsMax {
        let count = wait(ready, for: .zero)
        var isIdle = true
        let now = Clock.now()
        for index in 0..<count {
          switch ready[index].tag {
          case Tag.wake:
            if isThread { Syscalls.clearEvent(wake.number) }
          case Tag.listener:
            isIdle = false
            accept(at: now)
          case let tag:
            isIdle = false
            // It may have ended in this batch.
            if let found = self.index(of: Int(tag >> 1) - 1) {
              serve(
                connections[found], CInt(ready[index].events), socket: Int(tag & 1), at: now)
            }
          }
        }
        if isIdle { break }
      }
    }
    if nextWake < threadWaitsUntil { Syscalls.signalEvent(wake.number) }
  }

  private func serveTimes(at now: Instant) {
    if let opens, opens <= now {
      self.opens = nil
      // Nothing can be told to the script here: its connects are refused still.
      do throws(Errno) { try open() } catch { record.note(failure: TextBuffer(error), nil) }
    }
    if let pauseEnd, pauseEnd <= now {
      self.pauseEnd = nil
      watchListener(CInt(CBL_POSIX_READABLE))
    }
    // From the last, because one that has ended is removed.
    var index = connections.count
    while index > 0 {
      index -= 1
      let connection = connections[index]
      if connection.wakes <= now { serve(connection, 0, socket: 0, at: now) }
    }
  }

  private func open() throws(Errno) {
    if case .silent = kind {
      filler = try SilentQueue.fill(listener, at: endpoint)
      return
    }
    // Its connections inherit it, and then do not keep the port from a later endpoint.
    try Syscalls.setReuseAddress(listener, true)
    try Syscalls.listen(listener, backlog: 4096)
    try Syscalls.epollAdd(
      epoll.number, listener, events: CInt(CBL_POSIX_READABLE), tag: Tag.listener)
  }

  private func watchListener(_ events: CInt) {
    // The listener is in the set, and its events can always be changed.
    do throws(Errno) {
      try Syscalls.epollChange(epoll.number, listener, events: events, tag: Tag.listener)
    } catch { assertionFailure() }
  }

  private func serve(
    _ connection: ServedConnection, _ events: CInt, socket: Int, at now: Instant
  ) {
    if connection.serve(events, ofSocket: socket, self, at: now) { return }
    connection.end(epoll.number)
    if let index = index(of: connection.number) { connections.remove(at: index) }
  }

  /// `nil` if the connection has ended.
  private func index(of number: Int) -> Int? {
    var low = 0
    var high = connections.count
    while low < high {
      let middle = (low + high) / 2
      if connections[middle].number < number { low = middle + 1 } else { high = middle }
    }
    return low < connections.count && connections[low].number == number ? low : nil
  }

  /// Accepts all connections that are queued.
  private func accept(at now: Instant) {
    do throws(Errno) {
      while pauseEnd == nil, let socket = try Syscalls.accept(listener) {
        let number = record.acceptedCount
        record.noteAccepted()
        if let number = accepts?.number { Syscalls.signalEvent(number) }
        guard let connection = connection(socket, number, at: now) else { continue }
        connections.append(connection)
        serve(connection, 0, socket: 0, at: now)
      }
    } catch {
      pauseEnd = now + Self.pause
      watchListener(0)
    }
  }

  /// `nil` if the connection has ended already.
  private func connection(
    _ socket: consuming Descriptor, _ number: Int, at now: Instant
  ) -> ServedConnection? {
    if case .proxy(let target, _) = kind {
      let draw = Double(drops.next() >> 11) * 0x1p-53
      let fd = socket.number
      if draw >= proxySettings.drop {
        do throws(Errno) {
          return try ProxyConnection(
            socket, target, seed: proxySettings.seed, policy: proxySettings.policy, number: number)
        } catch { note(failure: error, ofServiceFor: number) }
      } else {
        do throws(Errno) { try Syscalls.disconnect(fd) } catch {}
      }
      return nil
    }
    guard let conversation = Conversation(kind, connection: number, at: now) else {
      note(failure: TextBuffer("no script is left for it"), number)
      return nil
    }
    return ConversingConnection(socket, conversation, number: number)
  }

  // MARK: what connections report; under the lock

  func note(received bytes: [UInt8], _ number: Int) { record.note(received: bytes, number) }

  func note(failure: TextBuffer, _ number: Int) { record.note(failure: failure, number) }

  func note(failure errno: Errno, ofServiceFor number: Int) {
    var text = TextBuffer("the service: ")
    text.append(errno.words)
    note(failure: text, number)
  }
}
