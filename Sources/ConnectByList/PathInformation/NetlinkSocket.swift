import ConnectByListCore

/// What comes back for a request.
enum NetlinkAnswer {
  /// The answer, or one of many where the request is a dump.
  case message(NetlinkMessage)
  /// The kernel says no.
  case refused(Errno)
  /// A dump begins anew: what came of it so far does not count.
  case startedAgain
}

/// A conversation with the kernel that never waits.
///
/// Routing and generic netlink work inside `send`: when that returns, the answers lie in the
/// socket's queue (a dump's next piece is made while the one before is read). So reading until
/// there is nothing more is enough, and what has not been answered then was dropped for want of
/// room: it is asked for again, a few times. The socket is not bound and not connected: the kernel
/// does the first by itself and is whom one talks to where nobody else is named. `socket`, `send`,
/// `recvmmsg`, `close` are the four system calls of a small question, however many requests it has.
struct NetlinkSocket: ~Copyable {
  /// NETLINK_ROUTE, NETLINK_GENERIC.
  enum Bus: CInt {
    case route = 0
    case generic = 16
  }

  private let descriptor: Descriptor
  private var nextSequence: UInt32 = 1
  private var slots = NetlinkSlots()

  /// Requests at a time. Each answer is charged with up to 1 KB against SO_RCVBUF, which is 208 KB
  /// unless the administrator has set it lower.
  private static let batchMax = 64
  private static let roundsMax = 4
  private static let bufferSize = 64 << 10

  init(_ bus: Bus) throws(Errno) { descriptor = try Syscalls.netlinkSocket(protocol: bus.rawValue) }

  /// Asks, and hands each answer over with its request's index. A request that nothing is heard of
  /// has no answer. Throws what `send` says when the kernel does not take requests at all.
  mutating func ask(
    _ requests: inout NetlinkRequests, _ take: (Int, NetlinkAnswer) -> Void
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
        // Two more for a dump, which has an end of its own and may have a second piece.
        let size = min(requests.answerMax(of: batch) * growth, Self.bufferSize)
        slots.use(size: size, count: min(64, Self.bufferSize / size, batch.count + 2))
        try receive(&exchange, until: exchange.left - batch.count, take)
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

  private mutating func receive(
    _ exchange: inout NetlinkExchange, until left: Int, _ take: (Int, NetlinkAnswer) -> Void
  ) throws(Errno) {
    // Bounds for what no kernel does: 4 GB of answers to one batch, and overruns without an end.
    var turnsLeft = 65_536
    var overrunsLeft = 4
    while exchange.left > left && turnsLeft > 0 {
      turnsLeft -= 1
      do throws(Errno) {
        guard let received = try slots.receive(from: descriptor.number) else { return }
        for index in 0..<received { exchange.take(slots.datagram(index), take) }
      } catch {
        // ENOBUFS is told once, in between: something was dropped, the rest is still there.
        guard error == .noBufferSpace, overrunsLeft > 0 else { throw error }
        overrunsLeft -= 1
      }
    }
  }
}

/// Room for some datagrams of one size.
private struct NetlinkSlots: ~Copyable {
  private var bytes = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private var size = 0
  private var sizes: [UInt32] = []

  deinit { bytes.deallocate() }

  mutating func use(size: Int, count: Int) {
    self.size = size
    if sizes.count != count { sizes = Array(repeating: 0, count: count) }
    if bytes.count < size * count {
      bytes.deallocate()
      bytes = .allocate(byteCount: size * count, alignment: 16)
    }
  }

  mutating func receive(from fd: CInt) throws(Errno) -> Int? {
    try Syscalls.receiveNetlink(fd, into: bytes, slotSize: size, sizes: &sizes)
  }

  func datagram(_ index: Int) -> NetlinkDatagram {
    let trueSize = Int(sizes[index])
    let start = index * size
    return NetlinkDatagram(
      bytes: UnsafeRawBufferPointer(rebasing: bytes[start..<start + min(trueSize, size)]),
      isTruncated: trueSize > size)
  }
}

struct NetlinkDatagram {
  let bytes: UnsafeRawBufferPointer
  let isTruncated: Bool
}

/// Which requests are still without an answer. Knows no socket, so a test can feed it anything.
struct NetlinkExchange {
  private let first: UInt32
  private let isDump: [Bool]
  private var isAnswered: [Bool]
  private(set) var left: Int
  private(set) var wasTruncated = false
  /// The dump that is running missed something, by a change of the tables or for want of room.
  private var isIncomplete = false

  private enum MessageType {
    static let nothing: UInt16 = 1
    static let error: UInt16 = 2
    static let done: UInt16 = 3
  }

  /// NLM_F_DUMP_INTR: the tables changed between two pieces of the dump.
  private static let isInterrupted: UInt16 = 0x10

  init(_ requests: NetlinkRequests, first: UInt32) {
    self.first = first
    left = requests.count
    isAnswered = Array(repeating: false, count: left)
    isDump = (0..<left).map { requests.isDump($0) }
  }

  /// The next run of requests to send.
  func unanswered(from position: Int, max: Int) -> Range<Int>? {
    guard let start = (position..<isAnswered.count).first(where: { !isAnswered[$0] })
    else { return nil }
    var end = start + 1
    while end < isAnswered.count, end - start < max, !isAnswered[end] { end += 1 }
    return start..<end
  }

  mutating func restartDumps(_ take: (Int, NetlinkAnswer) -> Void) {
    isIncomplete = false
    for index in isDump.indices where isDump[index] && !isAnswered[index] {
      take(index, .startedAgain)
    }
  }

  mutating func take(_ datagram: NetlinkDatagram, _ take: (Int, NetlinkAnswer) -> Void) {
    for message in NetlinkMessages(datagram.bytes) {
      // Answers to questions of before, and to one that is answered, belong to nobody.
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
    case MessageType.nothing: break
    case MessageType.error, MessageType.done:
      // Both carry 0 or -errno. One dump runs at a time; for a second the kernel is busy.
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
