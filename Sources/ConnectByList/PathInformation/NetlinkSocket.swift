import ConnectByListCore

/// An answer to a request.
enum NetlinkAnswer {
  /// A dump has any number of messages, any other request one.
  case message(NetlinkMessage)
  /// The kernel answered with an error.
  case refused(Errno)
  /// The dump is requested again; the messages so far are to be discarded.
  case dumpRestarted
}

/// A netlink socket, for requests to the kernel. Nothing here waits.
///
/// Routing and generic netlink answer inside `send`: when it returns, the answers are in the socket's
/// queue. (The kernel makes the next piece of a dump when the one before it is read.) So the queue is
/// read until it is empty. A request that has no answer then was dropped for lack of room; it is sent
/// again, a few times. The socket is neither bound nor connected: the kernel binds it at the first
/// `send`, and is the default destination. Any number of requests that fit one batch take four system
/// calls: `socket`, `send`, `recvmmsg`, `close`.
struct NetlinkSocket: ~Copyable {
  /// The protocol numbers of linux/netlink.h.
  enum Bus: CInt {
    case route = 0  // NETLINK_ROUTE
    case generic = 16  // NETLINK_GENERIC
  }

  private let descriptor: Descriptor
  private var nextSequence: UInt32 = 1
  private var slots = NetlinkSlots()
  /// How many more times ENOBUFS is no error: no kernel overruns without an end.
  private var overrunsLeft = 16

  /// Requests in one `send`. The kernel counts up to 1 KB an answer against SO_RCVBUF, which is 208 KB
  /// unless the administrator has set it lower.
  private static let batchMax = 64
  /// How often a request is sent that has no answer.
  private static let roundsMax = 4
  private static let bufferSize = 64 << 10

  init(_ bus: Bus) throws(Errno) { descriptor = try Syscalls.netlinkSocket(protocol: bus.rawValue) }

  /// Sends the requests and passes each answer to `take`, with the index of its request. A request
  /// whose answer is lost each time gets none, nor does one that is not answered by the deadline, which is
  /// looked at after each batch and each piece of a dump. Throws `.outOfMemory` and the errors of `send`
  /// and `recvmmsg`.
  ///
  /// - Parameter isEnough: whether no more answers are wanted; asked after each batch and piece too. The
  ///   socket is of no more use then.
  // Otherwise each of its seven callers has a copy (10 KB of machine code in the module, x86-64, Swift 6.3).
  @inline(never)
  mutating func ask(
    _ requests: inout NetlinkRequests, until deadline: Instant = .distantFuture,
    isEnough: () -> Bool = { false }, _ take: (Int, NetlinkAnswer) -> Void
  ) throws(Errno) {
    guard requests.count > 0 else { return }
    requests.number(from: nextSequence)
    var exchange = NetlinkExchange(requests, first: nextSequence)
    nextSequence &+= UInt32(requests.count)
    var batchMax = Self.batchMax
    var growth = 1
    for _ in 0..<Self.roundsMax {
      var position = 0
      while let batch = exchange.unanswered(from: position, max: batchMax) {
        position = batch.upperBound
        try send(requests, batch)
        // A dump needs two slots more: one for its end, one for a second piece.
        let size = min(requests.answerMax(of: batch) * growth, Self.bufferSize)
        try slots.use(size: size, count: min(64, Self.bufferSize / size, batch.count + 2))
        let left = exchange.left - batch.count
        // Bounds the loop: no kernel sends 4 GB of answers to one batch.
        var turnsLeft = 65_536
        while turnsLeft > 0, try receive(&exchange, until: left, take) {
          turnsLeft -= 1
          if isEnough() || deadline != .distantFuture && Clock.now() >= deadline { return }
        }
        if isEnough() || deadline != .distantFuture && Clock.now() >= deadline { return }
      }
      if exchange.left == 0 { return }
      if exchange.wasTruncated { growth *= 8 }
      batchMax = max(1, batchMax / 4)
      exchange.restartDumps(take)
    }
  }

  private func send(_ requests: borrowing NetlinkRequests, _ batch: Range<Int>) throws(Errno) {
    let range = requests.range(of: batch)
    _ = try requests.words.withUnsafeBufferPointer { words throws(Errno) in
      let part = UnsafeBufferPointer(rebasing: words[range])
      return try Syscalls.send(descriptor.number, UnsafeRawBufferPointer(part))
    }
  }

  /// Reads what is queued once; false where that was all, or no more is expected.
  private mutating func receive(
    _ exchange: inout NetlinkExchange, until left: Int, _ take: (Int, NetlinkAnswer) -> Void
  ) throws(Errno) -> Bool {
    guard exchange.left > left else { return false }
    do throws(Errno) {
      guard let received = try slots.receive(from: descriptor.number) else { return false }
      for index in 0..<received { exchange.take(slots.datagram(index), take) }
    } catch {
      // ENOBUFS says once that datagrams were dropped. Those that are queued can still be read.
      guard error == .noBufferSpace, overrunsLeft > 0 else { throw error }
      overrunsLeft -= 1
    }
    return exchange.left > left
  }
}

/// Memory for datagrams of one size.
private struct NetlinkSlots: ~Copyable {
  private var memory = RawMemory()
  private var size = 0
  private var sizes: [UInt32] = []

  /// Provides `count` slots of `size` bytes. Throws `.outOfMemory`.
  mutating func use(size: Int, count: Int) throws(Errno) {
    self.size = size
    if sizes.count != count { sizes = Array(repeating: 0, count: count) }
    try memory.reserve(size * count)
  }

  /// Fills the slots with queued datagrams and returns how many; `nil` where none is queued.
  mutating func receive(from fd: CInt) throws(Errno) -> Int? {
    try Syscalls.receiveNetlink(fd, into: memory.bytes, slotSize: size, sizes: &sizes)
  }

  func datagram(_ index: Int) -> NetlinkDatagram {
    let trueSize = Int(sizes[index])
    let start = index * size
    return NetlinkDatagram(
      bytes: UnsafeRawBufferPointer(rebasing: memory.bytes[start..<start + min(trueSize, size)]),
      isTruncated: trueSize > size)
  }
}

/// A datagram, or its beginning where it did not fit its slot.
struct NetlinkDatagram {
  let bytes: UnsafeRawBufferPointer
  let isTruncated: Bool
}

/// Matches answers with requests. Performs no I/O, so that tests can pass it any datagram.
struct NetlinkExchange {
  private let first: UInt32
  private let isDump: [Bool]
  private var isAnswered: [Bool]
  /// The number of requests that are not answered yet.
  private(set) var left: Int
  private(set) var wasTruncated = false
  /// The current dump misses messages: the tables changed during it, or a datagram was truncated.
  private var isIncomplete = false

  private enum MessageType {
    static let noOperation: UInt16 = 1  // NLMSG_NOOP
    static let error: UInt16 = 2  // NLMSG_ERROR
    static let done: UInt16 = 3  // NLMSG_DONE
  }

  /// NLM_F_DUMP_INTR: the tables changed between two pieces of the dump.
  private static let isInterrupted: UInt16 = 0x10

  init(_ requests: NetlinkRequests, first: UInt32) {
    self.first = first
    left = requests.count
    isAnswered = Array(repeating: false, count: left)
    isDump = (0..<left).map { requests.isDump($0) }
  }

  /// The first run of unanswered requests at or after `position`, at most `max` of them; `nil`: there
  /// is none.
  func unanswered(from position: Int, max: Int) -> Range<Int>? {
    guard let start = (position..<isAnswered.count).first(where: { !isAnswered[$0] })
    else { return nil }
    var end = start + 1
    while end < isAnswered.count, end - start < max, !isAnswered[end] { end += 1 }
    return start..<end
  }

  /// Tells `take` that the unanswered dumps will be requested again.
  mutating func restartDumps(_ take: (Int, NetlinkAnswer) -> Void) {
    isIncomplete = false
    for index in isDump.indices where isDump[index] && !isAnswered[index] {
      take(index, .dumpRestarted)
    }
  }

  mutating func take(_ datagram: NetlinkDatagram, _ take: (Int, NetlinkAnswer) -> Void) {
    for message in NetlinkMessages(datagram.bytes) {
      // Late answers to earlier requests, and second answers, are dropped.
      let index = Int(message.sequence &- first)
      guard index < isAnswered.count, !isAnswered[index] else { continue }
      self.take(message, index, take)
    }
    if datagram.isTruncated {
      wasTruncated = true
      isIncomplete = true
    }
  }

  private mutating func take(
    _ message: NetlinkMessage, _ index: Int, _ take: (Int, NetlinkAnswer) -> Void
  ) {
    switch message.type {
    case MessageType.noOperation: break
    case MessageType.error, MessageType.done:
      // Both carry 0 or -errno. EBUSY: a socket can have one dump at a time, and the second has to be
      // requested again.
      let code = message.body.number(at: 0, as: Int32.self) ?? 0
      if isDump[index] && (code == -Errno.busy.number || code >= 0 && isIncomplete) { return }
      if code < 0 && code != .min { take(index, .refused(Errno(-code))) }
      finish(index)
    default:
      if message.flags & Self.isInterrupted != 0 { isIncomplete = true }
      take(index, .message(message))
      if !isDump[index] { finish(index) }
    }
  }

  private mutating func finish(_ index: Int) {
    isAnswered[index] = true
    left -= 1
  }
}
