import CConnectByList
import ConnectByList
import ConnectByListCore
import Glibc
import Testing

/// All tests of the C library: one after the other, because they measure times.
///
/// Tests of other targets run at the same time in the same process. So only tests with a process of their
/// own compare descriptors (`ProcessTests`).
@Suite(.serialized)
enum ConnectByListCAPI {}

// MARK: sockets

/// The open descriptors, each as its number and what it refers to, from /proc.
func openFiles() -> Set<String> {
  var found: Set<String> = []
  for number in 0..<1024 {
    var text = [CChar](repeating: 0, count: 200)
    guard readlink("/proc/self/fd/\(number)", &text, text.count - 1) > 0 else { continue }
    let name = text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    found.insert("\(number) \(name)")
  }
  return found
}

/// A socket as a C program makes it: blocking, without close-on-exec. Closed with the object.
final class CSocket {
  let number: CInt

  init(_ domain: CInt = AF_INET, type: CInt = 1, protocol number: CInt = 0) {
    self.number = socket(domain, type, number)
    precondition(self.number >= 0)
  }

  /// An AF_INET6 socket that accepts IPv4 too.
  static func dualStack() -> CSocket {
    let made = CSocket(AF_INET6)
    made.set(IPV6_V6ONLY, of: CInt(IPPROTO_IPV6), to: 0)
    return made
  }

  deinit { close(number) }

  func set(_ name: CInt, of level: CInt, to value: CInt) {
    var value = value
    #expect(setsockopt(number, level, name, &value, 4) == 0)
  }

  func option(_ name: CInt, of level: CInt) -> CInt {
    var value: CInt = -1
    var size: socklen_t = 4
    #expect(getsockopt(number, level, name, &value, &size) == 0)
    return value
  }

  func bind(_ endpoint: Endpoint) -> Bool {
    withSocketAddress(endpoint) { Glibc.bind(number, $0, $1) == 0 }
  }

  func connect(_ endpoint: Endpoint) -> Bool {
    withSocketAddress(endpoint) { Glibc.connect(number, $0, $1) == 0 }
  }

  var local: Endpoint? { name(getsockname) }
  var remote: Endpoint? { name(getpeername) }

  private func name(
    _ ask: (CInt, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> CInt
  ) -> Endpoint? {
    let room = AddressMemory(size: 128)
    guard ask(number, room.address, room.length) == 0 else { return nil }
    return room.endpoint
  }

  var isNonBlocking: Bool { fcntl(number, F_GETFL) & O_NONBLOCK != 0 }
  var closesOnExec: Bool { fcntl(number, F_GETFD) & FD_CLOEXEC != 0 }

  /// Sends a line to an echo endpoint; true where it comes back.
  func exchanges() -> Bool {
    guard send(number, "line\n", 5, 0) == 5 else { return false }
    var waiting = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
    var ready: CInt
    repeat { ready = poll(&waiting, 1, 10_000) } while ready < 0 && errno == EINTR
    guard ready == 1 else { return false }
    var bytes = [UInt8](repeating: 0, count: 16)
    return recv(number, &bytes, 16, 0) == 5
  }
}

// MARK: memory

func withSocketAddress<Result>(
  _ endpoint: Endpoint, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Result
) -> Result {
  let room = AddressMemory(size: 28)
  let size = endpoint.store(intoSockaddr: room.address)
  return body(room.address, socklen_t(size))
}

/// A buffer for an address with its length, both between guard bytes.
final class AddressMemory {
  private static let guardCount = 32
  private static let filling: UInt8 = 0xa5

  let size: Int
  private let bytes: UnsafeMutableRawBufferPointer
  private let lengths: UnsafeMutablePointer<socklen_t>

  init(size: Int) {
    self.size = size
    bytes = .allocate(byteCount: size + 2 * Self.guardCount, alignment: 16)
    bytes.initializeMemory(as: UInt8.self, repeating: Self.filling)
    lengths = .allocate(capacity: 3)
    lengths.initialize(repeating: 0xa5a5_a5a5, count: 3)
    lengths[1] = socklen_t(size)
  }

  deinit {
    bytes.deallocate()
    lengths.deallocate()
  }

  var address: UnsafeMutablePointer<sockaddr> {
    (bytes.baseAddress! + Self.guardCount).assumingMemoryBound(to: sockaddr.self)
  }
  var length: UnsafeMutablePointer<socklen_t> { lengths + 1 }

  var endpoint: Endpoint? {
    Endpoint(sockaddr: address, size: Int(length.pointee))
  }

  /// Neither a byte nor the length was written.
  var isUntouched: Bool { isUntouched(from: 0) && Int(length.pointee) == size }

  /// Nothing but `count` bytes of the buffer, and the length, were written.
  func isUntouched(from count: Int) -> Bool {
    let fence = Self.guardCount
    return bytes[..<fence].allSatisfy { $0 == Self.filling }
      && bytes[(fence + count)...].allSatisfy { $0 == Self.filling }
      && lengths[0] == 0xa5a5_a5a5 && lengths[2] == 0xa5a5_a5a5
  }
}

/// A list in C's form. Each address has memory of its own, which ends where the address does, so that a
/// sanitizer finds reads beyond it.
final class CList {
  struct Item {
    var bytes: [UInt8]
    var length: Int
    var isNull = false

    init(bytes: [UInt8], length: Int? = nil) {
      self.bytes = bytes
      self.length = length ?? bytes.count
    }

    init(_ endpoint: Endpoint) {
      self.init(
        bytes: withSocketAddress(endpoint) {
          Array(UnsafeRawBufferPointer(start: $0, count: Int($1)))
        })
    }
  }

  let pointer: UnsafeMutablePointer<connect_by_list_addresses>
  private var blocks: [UnsafeMutableRawPointer] = []

  init(_ items: [Item], count: Int? = nil) {
    let header = MemoryLayout<connect_by_list_addresses>.size
    let stride = MemoryLayout<connect_by_list_address>.stride
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: header + items.count * stride, alignment: 8)
    blocks.append(memory)
    pointer = memory.assumingMemoryBound(to: connect_by_list_addresses.self)
    pointer.pointee.count = CInt(count ?? items.count)
    let addresses = (memory + header).assumingMemoryBound(to: connect_by_list_address.self)
    for (index, item) in items.enumerated() {
      let bytes = UnsafeMutableRawPointer.allocate(byteCount: item.bytes.count, alignment: 1)
      bytes.copyMemory(from: item.bytes, byteCount: item.bytes.count)
      blocks.append(bytes)
      addresses[index].address =
        item.isNull ? nil : bytes.assumingMemoryBound(to: sockaddr.self)
      addresses[index].length = socklen_t(item.length)
    }
  }

  convenience init(_ endpoints: Endpoint...) { self.init(endpoints.map { Item($0) }) }

  deinit { for block in blocks { block.deallocate() } }
}

// MARK: calls

/// A pointer that is not NULL and must not be read.
var reservedMark: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: 8) }

/// The socket argument of a call. Its owner is kept alive until the call returns.
protocol Numbered { var number: CInt { get } }
extension CInt: Numbered { var number: CInt { self } }
extension Int: Numbered { var number: CInt { CInt(self) } }
extension CSocket: Numbered {}
extension CancelHandle: Numbered {}

/// The call's errno; 0: it connected. The default timeout passes only when something hangs.
func call(
  _ socket: some Numbered, _ list: CList?, local: AddressMemory? = nil,
  remote: AddressMemory? = nil,
  timeout: timeval? = timeval(tv_sec: 20, tv_usec: 0), reserved: UnsafeMutableRawPointer? = nil
) -> CInt {
  withExtendedLifetime((list, local, remote)) {
    call(
      socket, list?.pointer, (local?.address, local?.length), (remote?.address, remote?.length),
      timeout: timeout, reserved: reserved)
  }
}

/// The same with separate buffers and lengths.
func call(
  _ socket: some Numbered, _ list: UnsafePointer<connect_by_list_addresses>?,
  _ local: (UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?),
  _ remote: (UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?),
  timeout: timeval? = timeval(tv_sec: 20, tv_usec: 0), reserved: UnsafeMutableRawPointer? = nil
) -> CInt {
  var span = timeout ?? timeval()
  return withUnsafePointer(to: &span) { span in
    errno = 0
    let code = connect_by_list(
      socket.number, list, local.1, local.0, remote.1, remote.0, timeout == nil ? nil : span,
      reserved)
    let number = errno
    precondition(code == 0 || (code == -1 && number > 0))
    return withExtendedLifetime((socket, list)) { code == 0 ? 0 : number }
  }
}

func call(
  _ socket: some Numbered, _ list: CList, timeout: timeval? = timeval(tv_sec: 20, tv_usec: 0),
  options: UnsafePointer<connect_by_list_options>?
) -> CInt {
  var span = timeout ?? timeval()
  return withUnsafePointer(to: &span) { span in
    errno = 0
    let code = connect_by_list_options(
      socket.number, list.pointer, nil, nil, nil, nil, timeout == nil ? nil : span, nil, options)
    let number = errno
    precondition(code == 0 || (code == -1 && number > 0))
    return withExtendedLifetime((socket, list)) { code == 0 ? 0 : number }
  }
}

/// The values of CONNECT_BY_LIST_OPTIONS_INIT.
func options(cancel: CInt = -1) -> connect_by_list_options {
  connect_by_list_options(
    size: MemoryLayout<connect_by_list_options>.size, cancel_fd: cancel, flags: 0, bad_entry: nil,
    policy: nil)
}

/// Runs `body` on a thread; the result waits for it.
func inBackground(_ body: @escaping @Sendable () -> Void) throws -> () -> Void {
  final class Box: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }
  var thread = pthread_t()
  let code = pthread_create(
    &thread, nil,
    { context in
      Unmanaged<Box>.fromOpaque(context!).takeRetainedValue().body()
      return nil
    }, Unmanaged.passRetained(Box(body)).toOpaque())
  try #require(code == 0)
  return { pthread_join(thread, nil) }
}

extension IPAddress {
  static let loopback = IPAddress(v4: 0x7f00_0001)
  static let loopbackV6 = IPAddress(high: 0, low: 1)
}

/// How long a call takes, in seconds.
func seconds(_ body: () throws -> Void) rethrows -> Double {
  let began = Clock.now()
  try body()
  return (Clock.now() - began).seconds
}
