import CConnectByListPosix
import ConnectByListCore

/// A stream socket with a read buffer, connected or to be connected: the one owner of its
/// descriptor.
///
/// Reads and writes try first and wait only where the kernel has nothing to give or to take.
/// `timeout` bounds each call as a whole. It may go from thread to thread: it has one owner, and its
/// memory is nobody else's.
public struct Socket: ~Copyable, @unchecked Sendable {
  /// The most that one read may ask for: every size that comes from input has a bound.
  public static let readMax = 1 << 30
  /// The longest line, unless `lineMax` says otherwise.
  public static let lineMaxDefault = 16 << 20

  // In this order a socket that nobody reads from takes 120 bytes, its object's head included.

  /// -1 when closed.
  public private(set) var number: CInt
  /// False of a socket that was made to be connected later.
  public private(set) var isConnected = true
  /// Whether the report's addresses are the socket's: not of a socket that the caller made, which may
  /// have them in v4-mapped form.
  private var hasReportedEnds = true
  private var bound = TimeSpan.forever
  public var lineMax = Socket.lineMaxDefault
  public private(set) var report: ConnectReport?
  /// What was asked of the kernel, where the report does not say it.
  private var asked: Ends?
  private var buffer = ReadBuffer()
  private var output = WriteBuffer()

  /// The bound of one read or write; `nil`: none.
  public var timeout: TimeSpan? {
    get { bound == .forever ? nil : bound }
    set { bound = newValue ?? .forever }
  }

  private final class Ends {
    var local: Endpoint?
    var remote: Endpoint?
  }

  /// Takes over a connected, non-blocking descriptor, with how it came to be connected.
  public init(_ descriptor: consuming Descriptor, _ report: ConnectReport? = nil) {
    number = descriptor.release()
    self.report = report
  }

  /// Takes over somebody's connected descriptor and makes it non-blocking. Throws `.badDescriptor`,
  /// `.notASocket`, `.notConnected`, and for anything but a stream `.operationNotSupported`; then
  /// it stays the caller's.
  public init(wrapping number: CInt) throws(Errno) {
    // SOL_SOCKET 1, SO_TYPE 3.
    guard try Syscalls.option(number, level: 1, name: 3) == CInt(CBL_POSIX_SOCK_STREAM) else {
      throw .operationNotSupported
    }
    let remote = try Syscalls.remoteEndpoint(number)
    try Syscalls.setNonBlocking(number)
    self.init(Descriptor(owning: number))
    knowEnds().remote = remote
  }

  /// A socket that is neither bound nor connected. An IPv6 one takes IPv4 as well (IPV6_V6ONLY is
  /// off). Like every connect's own sockets it has TCP_NODELAY set.
  public init(_ family: Family) throws(Errno) {
    let descriptor = try Syscalls.socket(family)
    // Said, not left to the system's setting: IPPROTO_IPV6 41, IPV6_V6ONLY 26.
    if family == .inet6 { try Syscalls.setOption(descriptor.number, level: 41, name: 26, to: 0) }
    try SocketSettings().apply(to: descriptor.number, family)
    self.init(descriptor)
    isConnected = false
  }

  /// The socket's number belongs to a connection now.
  mutating func becomeConnected(_ report: ConnectReport) {
    self.report = report
    isConnected = true
    hasReportedEnds = false
    asked = nil
  }

  /// Gives it a local address, and a port: the kernel's choice for 0. C: `bind`.
  public mutating func bind(to local: Endpoint) throws(Errno) {
    try Syscalls.bind(number, to: local)
    asked = nil
  }

  /// What is buffered is sent, as by `close`, but only as far as that takes no waiting: nobody
  /// waits for a collector.
  deinit {
    guard number >= 0 else { return }
    if output.count > 0 {
      let rest = UnsafeRawBufferPointer(start: output.slice.bytes, count: output.count)
      do throws(Errno) { _ = try Syscalls.send(number, rest) } catch {}
    }
    Syscalls.close(number)
  }

  public var isOpen: Bool { number >= 0 }

  // MARK: reading

  /// One value that a read found, as a place in the socket's buffer: valid until the next call.
  public enum Item {
    case bytes(UnsafeRawBufferPointer)
    case numeral(UnsafeRawBufferPointer)
    /// The stream ended before it.
    case end
  }

  /// Reads one value after another until a format finds the end of the stream.
  ///
  /// `format` tells the formats, from 0 to `count` - 1; each value goes to `item` only when all
  /// have come, in order. Throws `.timedOut`, `.messageTooLong` for a line or a size above the
  /// bound, and what `recv` says; then nothing was taken.
  public mutating func read(
    count: Int, format: (Int) -> ReadFormat, item: (Int, Item) -> Void
  ) throws(Errno) {
    buffer.trim()
    let deadline = self.deadline
    var isEnd = false
    var hasReceived = false
    // Offsets from the buffer's start: the memory may move while more is read.
    var offset = 0
    var places: [(skip: Int, count: Int)] = []
    for index in 0..<count {
      let wanted = format(index)
      if case .bytes(let count) = wanted, count > Socket.readMax { throw .messageTooLong }
      var from = 0
      matching: while true {
        let bytes = UnsafeRawBufferPointer(rebasing: buffer.bytes[offset...])
        switch wanted.match(bytes, from: from, isEnd: isEnd) {
        case .found(let skip, let length, let taken):
          if count == 1 {
            item(
              0, Socket.item(wanted, UnsafeRawBufferPointer(rebasing: bytes[skip..<skip + length])))
            buffer.start += taken
            return
          }
          places.append((offset + skip, length))
          offset += taken
          break matching
        case .end(let taken):
          deliver(places, format, item)
          item(places.count, .end)
          buffer.start += offset + taken
          return
        case .more(let total, let checked):
          from = checked
          if case .line = wanted, bytes.count >= lineMax { throw .messageTooLong }
          if bytes.count >= Socket.readMax { throw .messageTooLong }
          if hasReceived && isOver(deadline) { throw .timedOut }
          hasReceived = true
          isEnd = try !fill(total: offset + total, before: deadline)
        }
      }
    }
    deliver(places, format, item)
    buffer.start += offset
  }

  /// A line that has come as a whole, without its end; `nil` where none has: `read` waits for it.
  /// What nearly every read of a line finds, for less than a read of any format costs. Valid until
  /// the next call.
  public mutating func takeBufferedLine() -> UnsafeRawBufferPointer? { buffer.takeLine() }

  /// What is there now, at least one byte and at most `max`; `nil` at the end of the stream.
  public mutating func receiveAny(max: Int) throws(Errno) -> UnsafeRawBufferPointer? {
    buffer.trim()
    if buffer.count == 0, try !fill(total: min(max, 64 * 1024), before: deadline) { return nil }
    let bytes = UnsafeRawBufferPointer(rebasing: buffer.bytes.prefix(max))
    buffer.start += bytes.count
    return bytes
  }

  /// The bytes that came and were not read. Valid until the next call.
  public var buffered: UnsafeRawBufferPointer { buffer.bytes }

  private func deliver(
    _ places: [(skip: Int, count: Int)], _ format: (Int) -> ReadFormat, _ item: (Int, Item) -> Void
  ) {
    let bytes = buffer.bytes
    for (index, place) in places.enumerated() {
      let slice = UnsafeRawBufferPointer(rebasing: bytes[place.skip..<place.skip + place.count])
      item(index, Socket.item(format(index), slice))
    }
  }

  private static func item(_ format: ReadFormat, _ bytes: UnsafeRawBufferPointer) -> Item {
    format == .number ? .numeral(bytes) : .bytes(bytes)
  }

  /// Reads what the kernel has, waiting for at least a byte; false at the end of the stream.
  private mutating func fill(total: Int, before deadline: Instant) throws(Errno) -> Bool {
    while true {
      if let count = try Syscalls.receive(number, into: buffer.room(for: total)) {
        buffer.grew(by: count)
        return count > 0
      }
      buffer.rest()
      try wait(CInt(CBL_POSIX_READABLE), before: deadline)
    }
  }

  // MARK: writing

  /// Writes all of the slices, in one system call where the kernel takes them.
  ///
  /// Throws with the number of bytes that went out before the error in `written`. Never a SIGPIPE.
  public mutating func write(
    _ slices: UnsafeMutableBufferPointer<cbl_posix_slice>, written: inout Int
  ) throws(Errno) {
    let deadline = self.deadline
    if output.mode != .none {
      if output.take(slices, written: &written) { return }
      try flush(before: deadline)
      if output.take(slices, written: &written) { return }
    }
    try send(slices, written: &written, before: deadline)
  }

  private func send(
    _ slices: UnsafeMutableBufferPointer<cbl_posix_slice>, written: inout Int, before deadline: Instant
  ) throws(Errno) {
    var first = 0
    var hasSent = false
    while true {
      while first < slices.count && slices[first].count == 0 { first += 1 }
      if first == slices.count { return }
      if hasSent && isOver(deadline) { throw .timedOut }
      let rest = UnsafeBufferPointer(rebasing: slices[first...])
      guard var count = try Syscalls.send(number, slices: rest) else {
        try wait(CInt(CBL_POSIX_WRITABLE), before: deadline)
        continue
      }
      written += count
      hasSent = true
      while first < slices.count && count >= slices[first].count {
        count -= slices[first].count
        first += 1
      }
      if first < slices.count {
        slices[first].bytes += count
        slices[first].count -= count
      }
    }
  }

  /// Sends what a buffered write left behind.
  public mutating func flush() throws(Errno) { try flush(before: deadline) }

  private mutating func flush(before deadline: Instant) throws(Errno) {
    guard output.count > 0 else { return }
    var slice = output.slice
    var written = 0
    do throws(Errno) {
      try withUnsafeMutablePointer(to: &slice) { slice throws(Errno) in
        let slices = UnsafeMutableBufferPointer(start: slice, count: 1)
        try send(slices, written: &written, before: deadline)
      }
      output.removeFirst(written)
    } catch {
      output.removeFirst(written)
      throw error
    }
  }

  public mutating func setBuffering(_ mode: WriteBuffer.Mode, size: Int) throws(Errno) {
    try flush()
    output.set(mode, size: size)
  }

  // MARK: the rest

  /// Sends what is buffered, as far as the timeout allows, and closes. Closing twice is nothing.
  public mutating func close() throws(Errno) {
    guard isOpen else { return }
    var failure: Errno?
    do throws(Errno) { try flush() } catch { failure = error }
    Syscalls.close(number)
    number = -1
    // Whoever holds a closed socket, a collector that has not come by, holds next to nothing.
    buffer = ReadBuffer()
    output = WriteBuffer()
    report = nil
    if let failure { throw failure }
  }

  /// Gives the descriptor away; the socket is closed then, without the connection being so. What was
  /// buffered is gone.
  public mutating func detach() -> Descriptor {
    let descriptor = Descriptor(owning: number)
    number = -1
    buffer = ReadBuffer()
    return descriptor
  }

  /// C: `setsockopt`. Throws what the kernel says.
  public func set(_ setting: SocketOption.Setting) throws(Errno) { try setting.apply(to: number) }

  /// C: `getsockopt`. Reading `error` clears it.
  public func value(of option: SocketOption) throws(Errno) -> SocketOption.Value {
    try option.value(on: number)
  }

  /// 0: no more reading, 1: no more writing, 2: neither.
  public mutating func shutdown(how: CInt) throws(Errno) {
    if how != 0 { try flush() }
    try Syscalls.shutdown(number, how: how)
  }

  /// C: `getsockname`; asked once. Of a Unix socket only the family: see `localUnixPath`.
  public mutating func localEndpoint() throws(Errno) -> Endpoint? {
    if hasReportedEnds, let local = report?.ends?.local { return local }
    if let local = asked?.local { return local }
    let local = try Syscalls.localEndpoint(number)
    knowEnds().local = local
    return local
  }

  /// C: `getpeername`; asked once. Of a Unix socket only the family: see `remoteUnixPath`.
  public mutating func remoteEndpoint() throws(Errno) -> Endpoint? {
    if hasReportedEnds, let remote = report?.ends?.remote { return remote }
    if let remote = asked?.remote { return remote }
    let remote = try Syscalls.remoteEndpoint(number)
    knowEnds().remote = remote
    return remote
  }

  private mutating func knowEnds() -> Ends {
    if let asked { return asked }
    let ends = Ends()
    asked = ends
    return ends
  }

  /// The path that a Unix socket is bound to: `@` before an abstract one, empty where it is unnamed,
  /// as the connecting side mostly is. Not for other sockets. C: `getsockname`.
  public func localUnixPath() throws(Errno) -> [UInt8] {
    try Syscalls.unixPath(number, ofPeer: false)
  }

  /// The path that its peer is bound to. C: `getpeername`.
  public func remoteUnixPath() throws(Errno) -> [UInt8] {
    try Syscalls.unixPath(number, ofPeer: true)
  }

  private var deadline: Instant { bound == .forever ? .distantFuture : Clock.now() + bound }

  /// Whether the time is up although the kernel gives or takes all the while: a peer that never
  /// pauses must not keep a call beyond its timeout. A timeout of 0 waits for nothing, and takes
  /// all there is.
  private func isOver(_ deadline: Instant) -> Bool {
    deadline != .distantFuture && bound != .zero && Clock.now() >= deadline
  }

  private func wait(_ events: CInt, before deadline: Instant) throws(Errno) {
    while true {
      let left = deadline == .distantFuture ? TimeSpan.forever : deadline - Clock.now()
      if left <= .zero { throw .timedOut }
      if Syscalls.poll(number, events: events, for: left.wakingEarly) != 0 { return }
    }
  }
}
