import ConnectByListCore

/// Requests to the kernel in netlink's wire form, as many as fit a question, one after the other.
///
/// A message is a header of 16 bytes (length, type, flags, sequence, sender), a fixed part of its
/// type, and attributes (length, type, payload), all aligned to 4 bytes and in the machine's byte
/// order; addresses are in network order. netlink(7), rtnetlink(7).
///
/// Kept as words of 4 bytes, as everything in a request is aligned to them.
struct NetlinkRequests {
  private(set) var words: [UInt32] = []
  /// Where each request begins, and where the last one ends, in words.
  private var bounds: [Int] = [0]
  /// What the answer to each may measure; a longer one is asked for again with more room.
  private var answerMaxima: [Int32] = []

  /// The answer to RTM_GETROUTE takes 104 to 176 bytes (Linux 6.18).
  static let answerUsual = 1024
  /// A piece of a dump: the kernel fills min(page, 8192) bytes unless the reader has offered more
  /// (NLMSG_GOODSIZE, netlink_dump). One link with all its attributes is about 1,500 bytes.
  static let answerLong = 8192

  private static let isRequest: UInt16 = 1
  private static let isDump: UInt16 = 0x300
  fileprivate static let headerSize = 16
  private static let sequenceWord = 2

  var count: Int { bounds.count - 1 }

  // MARK: writing

  /// Begins a request. `body` appends the fixed part and the attributes.
  @inline(never)
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

  @inline(never)
  mutating func append(_ word: UInt32) { words.append(word) }

  mutating func append(_ first: UInt16, _ second: UInt16) {
    append(unsafeBitCast((first, second), to: UInt32.self))
  }

  mutating func append(_ bytes: (UInt8, UInt8, UInt8, UInt8)) {
    append(unsafeBitCast(bytes, to: UInt32.self))
  }

  @inline(never)
  mutating func append(attribute type: UInt16, _ address: IPAddress) {
    switch address.family {
    case .inet:
      append(8, type)
      append(address.v4Bits.bigEndian)
    case .inet6:
      append(20, type)
      append(half: address.high)
      append(half: address.low)
    case .unix: preconditionFailure("netlink knows no Unix addresses")
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

  /// With the NUL that the kernel wants.
  mutating func append(attribute type: UInt16, text: StaticString) {
    let count = text.utf8CodeUnitCount
    append(UInt16(4 + count + 1), type)
    func byte(_ index: Int) -> UInt8 { index < count ? text.utf8Start[index] : 0 }
    for index in stride(from: 0, to: count + 1, by: 4) {
      append((byte(index), byte(index + 1), byte(index + 2), byte(index + 3)))
    }
  }

  // MARK: for the exchange

  /// The answers carry these numbers: `first` for the first request, and so on.
  mutating func number(from first: UInt32) {
    for index in 0..<count { words[bounds[index] + Self.sequenceWord] = first &+ UInt32(index) }
  }

  func range(of requests: Range<Int>) -> Range<Int> {
    bounds[requests.lowerBound]..<bounds[requests.upperBound]
  }

  func answerMax(of requests: Range<Int>) -> Int {
    var most: Int32 = 0
    for index in requests { most = max(most, answerMaxima[index]) }
    return Int(most)
  }

  func isDump(_ index: Int) -> Bool {
    let flags = unsafeBitCast(words[bounds[index] + 1], to: (UInt16, UInt16).self).1
    return flags & Self.isDump == Self.isDump
  }
}

/// One message from the kernel. Its bytes are the receiver's: valid until the next receive.
struct NetlinkMessage {
  let type: UInt16
  let flags: UInt16
  let sequence: UInt32
  /// What follows the header.
  let body: UnsafeRawBufferPointer

  /// The attributes after a fixed part of this size.
  func attributes(after fixed: Int) -> NetlinkAttributes {
    NetlinkAttributes(UnsafeRawBufferPointer(rebasing: body[min(fixed, body.count)...]))
  }
}

/// The messages of a datagram. Ends where the bytes end, and at the first length that cannot be.
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

/// Attributes of a message, or inside another attribute.
struct NetlinkAttributes: Sequence, IteratorProtocol {
  private var rest: UnsafeRawBufferPointer

  init(_ bytes: UnsafeRawBufferPointer) { rest = bytes }

  @inline(never)
  mutating func next() -> (type: UInt16, payload: UnsafeRawBufferPointer)? {
    guard let length = rest.number(at: 0, as: UInt16.self), length >= 4, length <= rest.count
    else { return nil }
    // The two high bits are marks (NLA_F_NESTED, NLA_F_NET_BYTEORDER).
    let type = rest.number(at: 2, as: UInt16.self)! & 0x3fff
    let payload = UnsafeRawBufferPointer(rebasing: rest[4..<Int(length)])
    rest = rest.aligned(after: Int(length))
    return (type, payload)
  }
}

extension UnsafeRawBufferPointer {
  /// A number in the machine's byte order; `nil` where the bytes end before.
  func number<Number: FixedWidthInteger & BitwiseCopyable>(
    at offset: Int, as type: Number.Type
  ) -> Number? {
    guard offset >= 0, offset <= count - MemoryLayout<Number>.size else { return nil }
    return loadUnaligned(fromByteOffset: offset, as: type)
  }

  fileprivate func aligned(after length: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: self[Swift.min((length + 3) & ~3, count)...])
  }
}

extension IPAddress {
  /// An address as netlink has it: 4 or 16 bytes in network order, without a scope.
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
