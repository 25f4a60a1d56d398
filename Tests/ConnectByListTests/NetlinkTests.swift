import ConnectByListCore
import Testing

@testable import ConnectByList

@Suite struct NetlinkTests {
  // MARK: the wire form

  @Test func `a request has its length, its flags and a padded end`() {
    var requests = NetlinkRequests()
    requests.add(type: 26) { $0.append(attribute: 27, UInt8(6)) }
    requests.add(type: 22, dump: true) { request in for _ in 0..<2 { request.append(0) } }
    requests.number(from: 7)
    #expect(requests.count == 2)
    #expect(requests.range(of: 0..<1) == 0..<6)
    let expected =
      bytes(UInt32(24)) + bytes(UInt16(26)) + bytes(UInt16(1)) + bytes(UInt32(7)) + bytes(UInt32(0))
      + [5, 0, 27, 0, 6, 0, 0, 0]
      + bytes(UInt32(24)) + bytes(UInt16(22)) + bytes(UInt16(0x301)) + bytes(UInt32(8))
      + bytes(UInt32(0)) + zeros(8)
    #expect(requests.words.withUnsafeBytes { Array($0) } == expected)
    #expect(!requests.isDump(0) && requests.isDump(1))
  }

  @Test func `addresses and texts are written in network order, with their NUL`() {
    var requests = NetlinkRequests()
    requests.add(type: 1) { request in
      request.append(attribute: 1, IPAddress(v4: 0x0102_0304))
      request.append(attribute: 2, IPAddress(high: 0x2001_0db8 << 32, low: 9))
      request.append(attribute: 3, text: "abcd")
      request.append(attribute: 4, UInt16(7).bigEndian)
    }
    let expected: [UInt8] =
      [8, 0, 1, 0, 1, 2, 3, 4, 20, 0, 2, 0, 0x20, 0x01, 0x0d, 0xb8] + zeros(11) + [9]
      + [9, 0, 3, 0, 97, 98, 99, 100, 0, 0, 0, 0, 6, 0, 4, 0, 0, 7, 0, 0]
    #expect(requests.words.withUnsafeBytes { Array($0) }.dropFirst(16) == expected[...])
  }

  @Test func `messages and attributes are read up to the first impossible length`() {
    let good = message(type: 20, sequence: 1, [1, 2, 3, 4])
    let cases: [([UInt8], Int)] = [
      ([], 0), ([1], 0), (good, 1), (good + good, 2), (good + Array(good.prefix(15)), 1),
      (Array(good.dropLast()), 0), (good + header(length: 15), 1), (good + header(length: 0), 1),
      (good + header(length: .max), 1), (good + [0, 0, 0], 1),
    ]
    for (bytes, count) in cases {
      bytes.withUnsafeBytes { #expect(Array(NetlinkMessages($0)).count == count, "\(bytes)") }
    }
    let attributes: [([UInt8], Int)] = [
      ([], 0), ([4, 0, 1, 0], 1), ([5, 0, 1, 0, 9], 1), ([5, 0, 1, 0, 9, 0, 0, 0, 4, 0, 2, 0], 2),
      ([3, 0, 1, 0], 0), ([0, 0, 0, 0], 0), ([8, 0, 1, 0, 1, 2, 3], 0), ([4, 0, 1], 0),
      ([255, 255, 1, 0], 0),
    ]
    for (bytes, count) in attributes {
      bytes.withUnsafeBytes { #expect(Array(NetlinkAttributes($0)).count == count, "\(bytes)") }
    }
  }

  @Test func `an attribute's flags are not part of its type`() {
    let bytes: [UInt8] = [4, 0, 6, 0x80]
    bytes.withUnsafeBytes { #expect(Array(NetlinkAttributes($0)).map { $0.type } == [6]) }
  }

  // MARK: an address

  private func address(
    family: UInt8, prefix: UInt8, flags: UInt8 = 0, interface: UInt8 = 3, _ attributes: [UInt8]
  ) -> LocalAddress? {
    let bytes = message(
      type: 20, sequence: 1, [family, prefix, flags, 0, interface, 0, 0, 0] + attributes)
    return bytes.withUnsafeBytes { bytes in
      Array(NetlinkMessages(bytes)).first.flatMap { LocalAddresses.address($0) }
    }
  }

  private let linkLocal: [UInt8] = [20, 0, 1, 0, 0xfe, 0x80] + .init(repeating: 0, count: 13) + [1]

  @Test func `IFA_LOCAL is preferred to the peer's address`() {
    let found = address(family: 2, prefix: 32, [8, 0, 1, 0, 10, 0, 0, 2, 8, 0, 2, 0, 10, 0, 0, 1])
    #expect(found == LocalAddress(IPAddress(v4: 0x0a00_0001), prefixLength: 32, interface: 3))
  }

  @Test func `a link-local IPv6 address gets its interface as its scope`() {
    let found = address(family: 10, prefix: 64, linkLocal)
    #expect(found?.address == IPAddress(high: 0xfe80_0000_0000_0000, low: 1, scope: 3))
  }

  @Test func `IFA_FLAGS is preferred to the short flags, and each flag is converted`() {
    let cases: [(UInt32, LocalAddress.Flags)] = [
      (0x80, []), (0x01, .temporary), (0x20, .deprecated), (0x10, .home), (0x40, .tentative),
      (0x44, []), (0x08, .tentative), (0x4c, .tentative), (0x121, [.temporary, .deprecated]),
    ]
    for (kernel, flags) in cases {
      let attribute: [UInt8] = [8, 0, 8, 0] + bytes(kernel)
      #expect(address(family: 10, prefix: 64, flags: 0x40, linkLocal + attribute)?.flags == flags)
    }
    #expect(address(family: 10, prefix: 64, flags: 0x40, linkLocal)?.flags == .tentative)
    #expect(address(family: 2, prefix: 8, flags: 0x01, [8, 0, 1, 0, 10, 0, 0, 1])?.flags == [])
  }

  @Test func `a message without a valid address gives none`() {
    #expect(address(family: 2, prefix: 8, []) == nil)
    #expect(address(family: 2, prefix: 8, [7, 0, 1, 0, 10, 0, 0, 0]) == nil)
    #expect(address(family: 2, prefix: 33, [8, 0, 1, 0, 10, 0, 0, 1]) == nil)
    #expect(address(family: 2, prefix: 8, [8, 0, 1, 0, 0, 0, 0, 0]) == nil)
  }

  // MARK: the exchange

  /// Passes datagrams to an exchange of one dump and two other requests; returns the answers in text.
  private func exchange(_ datagrams: [([UInt8], cut: Bool)]) -> (log: [String], left: Int) {
    var requests = NetlinkRequests()
    requests.add(type: 22, dump: true) { $0.append(0) }
    for _ in 0..<2 { requests.add(type: 26) { $0.append(0) } }
    var exchange = NetlinkExchange(requests, first: 100)
    var log: [String] = []
    for (bytes, cut) in datagrams {
      bytes.withUnsafeBytes { bytes in
        exchange.take(NetlinkDatagram(bytes: bytes, isTruncated: cut)) { index, answer in
          switch answer {
          case .message(let message): log.append("\(index) type \(message.type)")
          case .refused(let errno): log.append("\(index) errno \(errno.number)")
          case .dumpRestarted: log.append("\(index) again")
          }
        }
      }
    }
    return (log, exchange.left)
  }

  private func error(_ code: Int32, sequence: UInt32, type: UInt16 = 2) -> [UInt8] {
    message(type: type, sequence: sequence, bytes(UInt32(bitPattern: code)))
  }

  @Test func `answers are matched with their requests in any order, and each request gets one`() {
    let (log, left) = exchange([
      (message(type: 24, sequence: 102, []) + error(-101, sequence: 101), false),
      (message(type: 24, sequence: 102, []), false),
      (message(type: 24, sequence: 99, []) + message(type: 24, sequence: 103, []), false),
    ])
    #expect(log == ["2 type 24", "1 errno 101"])
    #expect(left == 1)
  }

  @Test func `a dump has many messages and ends with NLMSG_DONE`() {
    let piece = message(type: 20, sequence: 100, flags: 2, [])
    let (log, left) = exchange([(piece + piece, false), (error(0, sequence: 100, type: 3), false)])
    #expect(log == ["0 type 20", "0 type 20"])
    #expect(left == 2)
  }

  @Test func `a dump that was refused, at its start or its end, is answered`() {
    #expect(exchange([(error(-1, sequence: 100), false)]).left == 2)
    let (log, left) = exchange([(error(-12, sequence: 100, type: 3), false)])
    #expect(log == ["0 errno 12"])
    #expect(left == 2)
  }

  @Test func `a dump that was interrupted, truncated or refused with EBUSY stays unanswered`() {
    let interrupted = message(type: 20, sequence: 100, flags: 0x12, [])
    let done = error(0, sequence: 100, type: 3)
    #expect(exchange([(interrupted, false), (done, false)]).left == 3)
    #expect(exchange([(Array(interrupted.prefix(12)), true), (done, false)]).left == 3)
    #expect(exchange([(error(-16, sequence: 100), false)]).left == 3)
  }

  @Test func `only an interface that is up and reaches any number of machines is a LAN`() {
    func state(_ flags: UInt32) -> LinkState? {
      let bytes = message(type: 16, sequence: 1, zeros(8) + bytes(flags) + zeros(4))
      return bytes.withUnsafeBytes {
        Array(NetlinkMessages($0)).first.map { LinkState(.message($0)) }
      }
    }
    // IFF_UP 1, IFF_BROADCAST 2, IFF_LOOPBACK 8, IFF_POINTOPOINT 16, IFF_NOARP 128.
    #expect(state(0x1003) == .broadcast)
    #expect(state(0x1002) == .down)
    #expect(state(0x9) == .other && state(0x91) == .other && state(0x83) == .other)
    #expect(LinkState(.refused(.noSuchDevice)) == .down)
    #expect(LinkState(.refused(.busy)) == .unknown && LinkState(.dumpRestarted) == .unknown)
  }

  // MARK: whole datagrams

  /// Valid datagrams with answers to requests 100, a dump, and 101 and 102.
  private var validDatagrams: [[UInt8]] {
    [
      message(type: 20, sequence: 100, [2, 8, 0, 0, 1, 0, 0, 0, 8, 0, 2, 0, 127, 0, 0, 1]),
      message(type: 20, sequence: 100, [10, 64, 0, 0, 3, 0, 0, 0] + linkLocal),
      message(
        type: 24, sequence: 101,
        [2, 32, 0, 0, 254, 0, 0, 1, 0, 0, 0, 0, 8, 0, 7, 0, 10, 0, 0, 1, 8, 0, 5, 0, 10, 0, 0, 2]),
      message(
        type: 24, sequence: 102, [2, 32, 0, 0, 254, 0, 0, 1, 0, 0, 0, 0, 6, 0, 18, 0, 10, 0, 0, 0]),
      message(type: 28, sequence: 102, [2, 0, 0, 0, 3, 0, 0, 0, 32, 0, 0, 0]),
      message(type: 16, sequence: 101, .init(repeating: 1, count: 16)),
      message(type: 16, sequence: 101, .init(repeating: 0, count: 16)),
      message(type: 16, sequence: 101, [1, 2, 0, 0, 6, 0, 1, 0, 27, 0, 0, 0]),
      message(
        type: 27, sequence: 101,
        [
          1, 1, 0, 0, 8, 0, 1, 0, 10, 0, 0, 1, 8, 0, 11, 0, 10, 0, 0, 2, 12, 0, 6, 0x80, 8, 0, 6, 0,
          80, 0, 0, 0,
        ]),
      error(-101, sequence: 102), error(-19, sequence: 102), error(0, sequence: 100, type: 3),
      error(.min, sequence: 101),
    ]
  }

  /// What all readers together find in a datagram.
  private struct Findings: Equatable {
    var locals: [LocalAddress] = []
    var routes: [RemotePathInformation.Route] = []
    var isDown = false
    var neighbourFailed = false
    var familyNumber: UInt16?
    var smoothed: TimeSpan?
    /// Of three requests.
    var unanswered = 3
  }

  private func findings(in bytes: [UInt8]) -> Findings {
    var found = Findings()
    bytes.withUnsafeBytes { bytes in
      for message in NetlinkMessages(bytes) {
        if let local = LocalAddresses.address(message) { found.locals.append(local) }
        if let number = TCPMetrics.familyNumber(message) { found.familyNumber = number }
        if let entry = TCPMetrics.entry(message, family: 27) {
          found.smoothed = entry.roundTrip.smoothed
        }
      }
      var requests = NetlinkRequests()
      requests.add(type: 22, dump: true) { $0.append(0) }
      for _ in 0..<2 { requests.add(type: 26) { $0.append(0) } }
      var exchange = NetlinkExchange(requests, first: 100)
      exchange.take(NetlinkDatagram(bytes: bytes, isTruncated: false)) { _, answer in
        if let lookup = Routes.lookup(of: IPAddress(v4: 1), answer) {
          found.routes.append(lookup.route)
        }
        if LinkState(answer) == .down { found.isDown = true }
        if Neighbours.hasFailed(answer) { found.neighbourFailed = true }
      }
      found.unanswered = exchange.left
    }
    return found
  }

  @Test func `each valid datagram is read by its own reader alone`() {
    let loopback = LocalAddress(IPAddress(v4: 0x7f00_0001), prefixLength: 8, interface: 1)
    let link = LocalAddress(
      IPAddress(high: 0xfe80 << 48, low: 1, scope: 3), prefixLength: 64, interface: 3)
    let expected: [Findings] = [
      Findings(locals: [loopback]), Findings(locals: [link]),
      Findings(routes: [.source(IPAddress(v4: 0x0a00_0001))], unanswered: 2),
      Findings(routes: [.unknown], unanswered: 2),
      Findings(neighbourFailed: true, unanswered: 2),
      Findings(unanswered: 2), Findings(isDown: true, unanswered: 2),
      Findings(familyNumber: 27, unanswered: 2),
      Findings(smoothed: .microseconds(10), unanswered: 2),
      Findings(routes: [.refused(.networkUnreachable)], unanswered: 2),
      Findings(routes: [.refused(.noSuchDevice)], isDown: true, unanswered: 2),
      Findings(unanswered: 2), Findings(unanswered: 2),
    ]
    #expect(validDatagrams.map { findings(in: $0) } == expected)
  }

  @Test func `changed and random bytes give only answers that a kernel could have sent`() {
    var random = SplitMix64(seed: 20_261_101)
    let valid = validDatagrams
    for _ in 0..<20_000 {
      var bytes: [UInt8] = []
      for _ in 0...random.below(3) { bytes += valid[random.below(valid.count)] }
      for _ in 0..<random.below(6) {
        bytes[random.below(bytes.count)] =
          [0, 1, 4, 255, UInt8(random.below(256))][random.below(5)]
      }
      bytes.removeLast(random.below(2) * random.below(bytes.count))
      read(bytes, isTruncated: random.below(4) == 0)
    }
    for _ in 0..<20_000 {
      read((0..<random.below(80)).map { _ in UInt8(random.below(256)) }, isTruncated: false)
    }
  }

  /// Passes a datagram to all that read datagrams, and checks what holds for any bytes.
  private func read(_ bytes: [UInt8], isTruncated: Bool) {
    bytes.withUnsafeBytes { bytes in
      var requests = NetlinkRequests()
      for _ in 0..<3 { requests.add(type: 26) { $0.append(0) } }
      var exchange = NetlinkExchange(requests, first: 100)
      var answerCounts = [0, 0, 0]
      exchange.take(NetlinkDatagram(bytes: bytes, isTruncated: isTruncated)) { index, answer in
        answerCounts[index] += 1
        check(answer)
      }
      // NLMSG_ERROR with the code 0 is an answer that nothing is reported of.
      #expect(answerCounts.allSatisfy { $0 <= 1 })
      #expect((0...3 - answerCounts.reduce(0, +)).contains(exchange.left))
      #expect(exchange.wasTruncated == isTruncated)
      var end = bytes.startIndex
      for message in NetlinkMessages(bytes) {
        check(message, in: bytes)
        end += (16 + message.body.count + 3) & ~3
      }
      #expect(end <= (bytes.count + 3) & ~3, "messages do not overlap")
    }
  }

  private func check(_ answer: NetlinkAnswer) {
    let isRefusal = if case .refused = answer { true } else { false }
    if isRefusal { #expect(!Neighbours.hasFailed(answer)) }
    guard let lookup = Routes.lookup(of: IPAddress(v4: 1), answer) else { return }
    switch lookup.route {
    case .source(let source):
      #expect(!isRefusal && source.family == .inet && !source.isUnspecified)
    case .refused(let errno): #expect(errno.number > 0 && lookup.nextHop == nil)
    case .unknown, .noSource: #expect(lookup.nextHop == nil)
    }
  }

  private func check(_ message: NetlinkMessage, in datagram: UnsafeRawBufferPointer) {
    if !message.body.isEmpty {
      let offset = message.body.baseAddress! - datagram.baseAddress!
      #expect(offset >= 16 && offset + message.body.count <= datagram.count)
    }
    if let local = LocalAddresses.address(message) {
      #expect(message.type == 20 && !local.address.isUnspecified)
      #expect(local.prefixLength <= (local.address.family == .inet ? 32 : 128))
      #expect(!local.address.needsScope || local.address.scope == local.interface)
    }
    if TCPMetrics.familyNumber(message) != nil { #expect(message.type == 16) }
    #expect(TCPMetrics.entry(message, family: message.type &+ 1) == nil)
    if let entry = TCPMetrics.entry(message, family: message.type) {
      #expect(entry.roundTrip.smoothed > .zero && entry.roundTrip.variance >= .zero)
      #expect(entry.source.family != .unix && entry.destination.family != .unix)
    }
  }

  // MARK: helpers

  private func bytes(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
  private func bytes(_ value: UInt16) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }

  private func zeros(_ count: Int) -> [UInt8] { .init(repeating: 0, count: count) }

  private func header(length: UInt32) -> [UInt8] { bytes(length) + .init(repeating: 0, count: 12) }

  private func message(
    type: UInt16, sequence: UInt32, flags: UInt16 = 0, _ body: [UInt8]
  ) -> [UInt8] {
    bytes(UInt32(16 + body.count)) + bytes(type) + bytes(flags) + bytes(sequence) + bytes(UInt32(0))
      + body + .init(repeating: 0, count: -body.count & 3)
  }
}
