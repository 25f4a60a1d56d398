import ConnectByListCore

/// Requests to the kernel in netlink's wire format, one after the other.
///
/// A message is a header of 16 bytes (length, type, flags, sequence number, port), a fixed part that
/// depends on the type, and attributes (length, type, payload). All are aligned to 4 bytes and in the
/// machine's byte order; addresses are in network byte order. See netlink(7) and rtnetlink(7).
struct NetlinkRequests {
  /// Words of 4 bytes, because everything in a request is aligned to them.
  private(set) var words: [UInt32] = []
  /// The index of the first word of each request, and the end of the last one.
  private var bounds: [Int] = [0]
  /// The expected size of the answer to each request in bytes. A longer answer is truncated, and its
  /// request is sent again with more room.
  private var answerMaxima: [Int32] = []

  /// The default. The answer to RTM_GETROUTE has 104 to 176 bytes (Linux 6.18).
  static let answerUsual = 1024
  /// For dumps, whose pieces have up to min(page size, 8192) bytes unless the reader offered more
  /// (NLMSG_GOODSIZE, netlink_dump), and for RTM_GETLINK, whose answer has about 1,500.
  static let answerLong = 8192

  private static let isRequest: UInt16 = 1  // NLM_F_REQUEST
  private static let isDump: UInt16 = 0x300  // NLM_F_DUMP
  fileprivate static let headerSize = 16
  private static let sequenceWord = 2

  var count: Int { bounds.count - 1 }

  // MARK: writing

  /// Adds a request. `body` appends the fixed part and the attributes.
  mutating func add(
    type: UInt16, dump: Bool = false, answerMax: Int = Self.answerUsual,
    _ body: (inout NetlinkRequests) -> Void
  ) {
    let start = words.count
    append(0)
    append(type, Self.isRequest | (dump ? Self.isDump : 0))
    append(0)
    append(0)
    body(&self)
    words[start] = UInt32((words.count - start) * 4)
    bounds.append(words.count)
    answerMaxima.append(Int32(answerMax))
  }

  // Otherwise every field of every request has a copy (2 KB of machine code, x86-64, Swift 6.3).
  @inline(never)
  mutating func append(_ word: UInt32) { words.append(word) }

  mutating func append(_ first: UInt16, _ second: UInt16) {
    append(unsafeBitCast((first, second), to: UInt32.self))
  }

  mutating func append(_ bytes: (UInt8, UInt8, UInt8, UInt8)) {
    append(unsafeBitCast(bytes, to: UInt32.self))
  }

  mutating func append(attribute type: UInt16, _ address: IPAddress) {
    switch address.family {
    case .inet:
      append(8, type)
      append(address.v4Bits.bigEndian)
    case .inet6:
      append(20, type)
      append(half: address.high)
      append(half: address.low)
    case .unix: preconditionFailure("a Unix address has no form in netlink")
    }
  }

  private mutating func append(half: UInt64) {
    append(UInt32(truncatingIfNeeded: half >> 32).bigEndian)
    append(UInt32(truncatingIfNeeded: half).bigEndian)
  }

  mutating func append(attribute type: UInt16, _ value: UInt32) {
    append(8, type)
    append(value)
  }

  mutating func append(attribute type: UInt16, _ value: UInt16) {
    append(6, type)
    append(value, 0)
  }

  mutating func append(attribute type: UInt16, _ value: UInt8) {
    append(5, type)
    append((value, 0, 0, 0))
  }

  /// Appends a text with its NUL.
  mutating func append(attribute type: UInt16, text: StaticString) {
    let count = text.utf8CodeUnitCount
    append(UInt16(4 + count + 1), type)
    func byte(_ index: Int) -> UInt8 { index < count ? text.utf8Start[index] : 0 }
    for index in stride(from: 0, to: count + 1, by: 4) {
      append((byte(index), byte(index + 1), byte(index + 2), byte(index + 3)))
    }
  }

  // MARK: sending

  /// Gives the requests the sequence numbers from `first` on, which their answers carry too.
  mutating func number(from first: UInt32) {
    for index in 0..<count { words[bounds[index] + Self.sequenceWord] = first &+ UInt32(index) }
  }

  /// The words of some of the requests.
  func range(of requests: Range<Int>) -> Range<Int> {
    bounds[requests.lowerBound]..<bounds[requests.upperBound]
  }

  /// The largest expected size of their answers.
  func answerMax(of requests: Range<Int>) -> Int {
    Int(answerMaxima[requests].max() ?? 0)
  }

  func isDump(_ index: Int) -> Bool {
    let flags = unsafeBitCast(words[bounds[index] + 1], to: (UInt16, UInt16).self).1
    return flags & Self.isDump == Self.isDump
  }
}

/// A message from the kernel. Its bytes are valid until the next receive.
struct NetlinkMessage {
  let type: UInt16
  let flags: UInt16
  let sequence: UInt32
  /// The bytes after the header.
  let body: UnsafeRawBufferPointer

  /// The attributes after a fixed part of this size.
  func attributes(after fixed: Int) -> NetlinkAttributes {
    NetlinkAttributes(UnsafeRawBufferPointer(rebasing: body[min(fixed, body.count)...]))
  }
}

/// The messages of a datagram. Ends at the end of the bytes, and at the first impossible length.
struct NetlinkMessages: Sequence, IteratorProtocol {
  private var rest: UnsafeRawBufferPointer

  init(_ datagram: UnsafeRawBufferPointer) { rest = datagram }

  mutating func next() -> NetlinkMessage? {
    let header = NetlinkRequests.headerSize
    guard let length = rest.number(at: 0, as: UInt32.self), length >= header, length <= rest.count
    else { return nil }
    let message = NetlinkMessage(
      type: rest.number(at: 4, as: UInt16.self)!, flags: rest.number(at: 6, as: UInt16.self)!,
      sequence: rest.number(at: 8, as: UInt32.self)!,
      body: UnsafeRawBufferPointer(rebasing: rest[header..<Int(length)]))
    rest = rest.aligned(after: Int(length))
    return message
  }
}

/// The attributes of a message, or those nested in an attribute. Ends like `NetlinkMessages`.
struct NetlinkAttributes: Sequence, IteratorProtocol {
  private var rest: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

  mutating func next() -> (type: UInt16, payload: UnsafeRawBufferPointer)? {
    guard let length = rest.number(at: 0, as: UInt16.self), length >= 4, length <= rest.count
    else { return nil }
    // The two high bits are flags (NLA_F_NESTED, NLA_F_NET_BYTEORDER).
    let type = rest.number(at: 2, as: UInt16.self)! & 0x3fff
    let payload = UnsafeRawBufferPointer(rebasing: rest[4..<Int(length)])
    rest = rest.aligned(after: Int(length))
    return (type, payload)
  }
}

extension UnsafeRawBufferPointer {
  /// A number in the machine's byte order; `nil` where it does not fit the bytes.
  func number<Number: FixedWidthInteger & BitwiseCopyable>(
    at offset: Int, as type: Number.Type
  ) -> Number? {
    guard offset >= 0, offset <= count - MemoryLayout<Number>.size else { return nil }
    return loadUnaligned(fromByteOffset: offset, as: type)
  }

  /// The bytes after the first `length`, from the next multiple of 4 on.
  fileprivate func aligned(after length: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: self[Swift.min((length + 3) & ~3, count)...])
  }
}

extension IPAddress {
  /// An address of 4 or 16 bytes in network byte order, without a scope; `nil` for another size.
  init?(netlink payload: UnsafeRawBufferPointer) {
    switch payload.count {
    case 4: self.init(v4: UInt32(bigEndian: payload.number(at: 0, as: UInt32.self)!))
    case 16:
      self.init(
        high: UInt64(bigEndian: payload.number(at: 0, as: UInt64.self)!),
        low: UInt64(bigEndian: payload.number(at: 8, as: UInt64.self)!))
    default: return nil
    }
  }

  /// AF_INET, AF_INET6.
  var netlinkFamily: UInt8 { family == .inet ? 2 : 10 }
}
