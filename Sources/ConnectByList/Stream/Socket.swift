import CConnectByListPosix
import ConnectByListCore

/// A stream socket with buffers, connected or to be connected. It is the one owner of its descriptor.
///
/// Reads and writes try first, and wait only when the kernel has no bytes or no room. `timeout` bounds
/// each call as a whole. A socket may move from thread to thread: it has one owner and shares no memory.
///
/// Its functions are in SocketReading.swift, SocketWriting.swift and SocketAddresses.swift.
public struct Socket: ~Copyable, @unchecked Sendable {
  /// The most bytes that one read may ask for, and the most that are buffered: 1 GiB.
  public static let readMax = 1 << 30
  /// The default of `lineMax`: 16 MiB.
  public static let lineMaxDefault = 16 << 20

  /// The descriptor; -1 when closed.
  public private(set) var number: CInt
  /// False for a socket that was made to be connected later.
  public private(set) var isConnected = true
  /// The longest line that can be read, in bytes without its end; at most `readMax`.
  public var lineMax = Socket.lineMaxDefault
  /// How the connection was made; `nil` for a wrapped socket, and for one that is not connected.
  public private(set) var report: ConnectReport?
  /// The most that one read or write may take; `nil`, the default: no limit. Zero: it never waits.
  public var timeout: TimeSpan?
  /// No read or write waits beyond it, whatever `timeout` is; `distantFuture`, the default: no limit.
  public var finalDeadline = Instant.distantFuture
  /// The same for the time in which a candidate is checked.
  package var limit = Instant.distantFuture
  /// Why the stream has broken; `nil`: it has not. It stays: the kernel reports an error once, and the end of the
  /// stream after it.
  public internal(set) var failure: Errno?
  /// What the last call waited for, until it had it: CBL_POSIX_READABLE or CBL_POSIX_WRITABLE; 0 for nothing.
  package var awaited: CInt = 0
  /// When the call that waits times out.
  package var awaitedUntil = Instant.distantFuture

  /// All bytes that were handed to the kernel.
  package internal(set) var sentCount = 0
  /// All bytes that reads have taken.
  package var takenCount: Int { readBuffer.receivedCount - readBuffer.count }

  var readBuffer = ReadBuffer()
  var writeBuffer = WriteBuffer()
  /// Its endpoints, as far as they were asked for and the report does not have them.
  final class KnownEnds {
    var local: Endpoint?
    var remote: Endpoint?
  }

  private var knownEnds: KnownEnds?

  /// `nil`: nothing is known that the report does not tell.
  var ends: KnownEnds? { knownEnds }

  mutating func neededEnds() -> KnownEnds {
    let ends = knownEnds ?? KnownEnds()
    knownEnds = ends
    return ends
  }

  // MARK: making

  /// Takes over a connected, non-blocking descriptor and the report of its connect.
  public init(_ descriptor: consuming Descriptor, _ report: ConnectReport? = nil) {
    number = descriptor.release()
    self.report = report
  }

  /// Takes over a connected descriptor and makes it non-blocking.
  ///
  /// Throws `.badDescriptor`, `.notASocket`, `.operationNotSupported` (not a stream), `.notConnected`;
  /// then the descriptor stays the caller's.
  public init(wrapping number: CInt) throws(Errno) {
    let type = try Syscalls.option(number, level: SocketLevel.socket, name: SocketNumber.type)
    guard type == CInt(CBL_POSIX_SOCK_STREAM) else { throw .operationNotSupported }
    let remote = try Syscalls.remoteEndpoint(number)
    try Syscalls.setNonBlocking(number)
    self.init(Descriptor(owning: number))
    neededEnds().remote = remote
  }

  /// A socket that is neither bound nor connected. TCP_NODELAY is on, as on the sockets of every
  /// connect. An IPv6 socket accepts IPv4 endpoints too. C: `socket`.
  public init(_ family: Family) throws(Errno) {
    let descriptor = try Syscalls.socket(family)
    if family == .inet6 {
      // Set explicitly, because net.ipv6.bindv6only changes the default.
      try Syscalls.setOption(
        descriptor.number, level: SocketLevel.ipv6, name: SocketNumber.ipv6Only, to: 0)
    }
    try SocketSettings().apply(to: descriptor.number, family)
    self.init(descriptor)
    isConnected = false
  }

  /// Records that a connect has put a connection under this socket's number. The endpoints are in the form
  /// of the socket's family; the report has IPv4 where they are v4-mapped.
  mutating func becomeConnected(_ report: ConnectReport, local: Endpoint?, remote: Endpoint?) {
    self.report = report
    isConnected = true
    failure = nil
    let ends = neededEnds()
    ends.local = local
    ends.remote = remote
  }

  /// Takes over what was read ahead and not yet sent on another connection.
  mutating func takeBuffers(of other: inout Socket) {
    swap(&readBuffer, &other.readBuffer)
    swap(&writeBuffer, &other.writeBuffer)
    sentCount = other.sentCount
    lineMax = other.lineMax
  }

  /// Gives the report to a connection that was handed out before the race had ended.
  package mutating func attach(_ report: ConnectReport) { self.report = report }

  // MARK: ending

  /// Sends what is buffered, as far as the kernel takes it at once: a finalizer must not wait, whatever the
  /// option `linger` says.
  deinit {
    guard number >= 0 else { return }
    if writeBuffer.count > 0 {
      let rest = UnsafeRawBufferPointer(start: writeBuffer.slice.bytes, count: writeBuffer.count)
      do throws(Errno) { _ = try Syscalls.send(number, rest) } catch {}
    }
    Syscalls.stopLingering(number)
    Syscalls.close(number)
  }

  public var isOpen: Bool { number >= 0 }

  /// Whether written bytes are buffered that the kernel has not taken yet.
  package var hasUnsentBytes: Bool { writeBuffer.count > 0 }

  /// Sends what is buffered, within the timeout, and closes. Does nothing where it is closed already.
  /// Throws the error of the sending; the socket is closed all the same. C: `close`.
  public mutating func close() throws(Errno) {
    guard isOpen else { return }
    var failure: Errno?
    do throws(Errno) { try flush() } catch { failure = error }
    closeNow()
    if let failure { throw failure }
  }

  /// Closes without sending what is buffered.
  package mutating func closeNow() {
    guard isOpen else { return }
    Syscalls.close(number)
    forgetDescriptor()
    report = nil
  }

  /// Gives the descriptor away, still connected. The socket is closed then; buffered bytes are lost.
  public mutating func detach() -> Descriptor {
    let descriptor = Descriptor(owning: number)
    forgetDescriptor()
    return descriptor
  }

  /// Frees the buffers too, because a closed socket may exist for long: until Lua's collector runs.
  private mutating func forgetDescriptor() {
    number = -1
    readBuffer = ReadBuffer()
    writeBuffer = WriteBuffer()
  }

  /// Ends reading (`how` 0), writing (1), or both (2). Before writing ends, what is buffered is sent.
  /// C: `shutdown`.
  public mutating func shutdown(how: CInt) throws(Errno) {
    if how != 0 { try flush() }
    try Syscalls.shutdown(number, how: how)
  }

  // MARK: options

  /// Sets an option. Throws the kernel's error. C: `setsockopt`.
  public func set(_ setting: SocketOption.Setting) throws(Errno) { try setting.apply(to: number) }

  /// The value of an option. Reading `error` clears it. C: `getsockopt`.
  public func value(of option: SocketOption) throws(Errno) -> SocketOption.Value {
    try option.value(on: number)
  }

  // MARK: waiting

  /// Why a try of a call ended without its result.
  public enum Stop: Error {
    case failed(Errno)
    /// `timeout`, or another limit of our own, has passed before one of these events.
    case timedOut(CInt)
    /// Nothing can be moved before one of these events (CBL_POSIX_READABLE, CBL_POSIX_WRITABLE). What was moved
    /// stays moved, and the call may be tried again.
    case wouldBlock(CInt)
  }

  /// When a call that begins now times out.
  package var deadline: Instant {
    guard let timeout else { return bound }
    return min(Clock.now() + timeout, bound)
  }

  /// The end of all waits.
  package var bound: Instant { min(limit, finalDeadline) }

  /// Whether a call that has moved bytes must end. Without this, a peer that never pauses could keep it
  /// beyond its deadline. A timeout of zero is different: it moves all that can be moved at once.
  func hasTimedOut(_ deadline: Instant) -> Bool {
    deadline != .distantFuture && timeout != .zero && Clock.now() >= deadline
  }

  /// The stop of a try that found nothing to move.
  func blocked(for events: CInt, before deadline: Instant) -> Stop {
    deadline != .distantFuture && Clock.now() >= deadline ? .timedOut(events) : .wouldBlock(events)
  }

  /// Repeats a try, and blocks in between.
  mutating func blocking<Result: ~Copyable>(
    before deadline: Instant, _ attempt: (inout Socket) throws(Stop) -> Result
  ) throws(Errno) -> Result {
    while true {
      do throws(Stop) { return try attempt(&self) } catch {
        switch error {
        case .failed(let errno): throw errno
        case .timedOut: throw .timedOut
        case .wouldBlock(let events):
          let left = deadline == .distantFuture ? TimeSpan.forever : deadline - Clock.now()
          if left > .zero { _ = try Syscalls.poll(number, events: events, for: left.wakingEarly) }
        }
      }
    }
  }
}
