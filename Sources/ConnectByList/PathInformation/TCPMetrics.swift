import ConnectByListCore
import Synchronization

/// Round trips that the kernel remembers of finished TCP connections (linux/tcp_metrics.h, Linux
/// 3.6). Reading them sends no packet and needs no privilege.
enum TCPMetrics {
  /// Local and remote addresses. Netlink's addresses have no scope.
  typealias Pair = (source: IPAddress, destination: IPAddress)
  typealias RoundTrip = RemotePathInformation.RoundTrip

  /// From this many pairs on the whole table is read: it has a few hundred entries on most machines, and a
  /// request costs 1 to 2 µs, mostly to be answered with ESRCH.
  static let pairsMax = 1000
  /// How many entries are read to learn what round trips are usual. Reading so many takes 1 ms; the kernel
  /// keeps 80,000 at most, in an order that has nothing to do with round trips.
  static let populationMax = 2048

  /// The smoothed round trips of these pairs, where TCP keeps one of a connection that was closed in order
  /// within the last hour. None where the kernel or a sandbox refuses.
  ///
  /// Four system calls for each 64 pairs; six for the first time in a process, which has to find the number of
  /// the netlink family.
  static func entries(of pairs: [Pair], until deadline: Instant) -> [PathMetrics] {
    var found: [PathMetrics] = []
    var requests = NetlinkRequests()
    guard !pairs.isEmpty else { return found }
    ask { (socket, family) throws(Errno) in
      for pair in pairs { addRequest(for: pair, family: family, to: &requests) }
      try socket.ask(&requests, until: deadline) { _, answer in
        if let entry = entry(answer, family: family) { found.append(entry) }
      }
    }
    return found
  }

  /// The entries of the whole table, `max` of them or a few more at most, without those of loopback addresses: a
  /// round trip inside this machine tells nothing of others.
  ///
  /// Costs 0.3 ms for an empty table, because the kernel walks all of its hash chains, and 0.5 µs an entry
  /// (Linux 6.18).
  static func all(max: Int, until deadline: Instant) -> [PathMetrics] {
    var found: [PathMetrics] = []
    ask { (socket, family) throws(Errno) in
      var requests = NetlinkRequests()
      addRequest(for: nil, family: family, to: &requests)
      try socket.ask(&requests, until: deadline, isEnough: { found.count >= max }) { _, answer in
        if case .dumpRestarted = answer { found = [] }
        if let entry = entry(answer, family: family), !entry.destination.isLoopback {
          found.append(entry)
        }
      }
    }
    return found
  }

  // MARK: requesting

  private static func ask(
    _ body: (inout NetlinkSocket, _ family: UInt16) throws(Errno) -> Void
  ) {
    guard knownFamily.load(ordering: .relaxed) != absent else { return }
    do throws(Errno) {
      var socket = try NetlinkSocket(.generic)
      guard let family = try family(on: &socket) else { return }
      try body(&socket, family)
    } catch {
      // Some sandboxes have no generic netlink. The entries that came before the error hold.
    }
  }

  /// The entry of an answer; `nil` where it has none.
  private static func entry(_ answer: NetlinkAnswer, family: UInt16) -> PathMetrics? {
    switch answer {
    case .message(let message): return entry(message, family: family)
    case .refused(let errno):
      // ESRCH: no entry. ENOENT: the process was moved to another kernel, which numbers its families
      // differently.
      if errno == Errno(2) { knownFamily.store(0, ordering: .relaxed) }
      return nil
    case .dumpRestarted: return nil
    }
  }

  // MARK: the family

  /// The number of generic netlink's family "tcp_metrics"; 0: not asked yet. Families are numbered
  /// when the kernel starts, so the number holds for the life of a process.
  private static let knownFamily = Atomic<UInt32>(0)
  /// The value of `knownFamily` for a kernel without this family.
  private static let absent = UInt32.max

  private static let controlFamily: UInt16 = 16  // GENL_ID_CTRL
  private static let headerSize = 4  // struct genlmsghdr

  private static func family(on socket: inout NetlinkSocket) throws(Errno) -> UInt16? {
    let known = knownFamily.load(ordering: .relaxed)
    if known != 0 { return known == absent ? nil : UInt16(known) }
    var request = NetlinkRequests()
    request.add(type: controlFamily, answerMax: NetlinkRequests.answerLong) { request in
      // struct genlmsghdr: command (CTRL_CMD_GETFAMILY), version, reserved.
      request.append((3, 1, 0, 0))
      request.append(attribute: 2, text: "tcp_metrics")  // CTRL_ATTR_FAMILY_NAME
    }
    var found: UInt32 = 0
    try socket.ask(&request) { _, answer in
      switch answer {
      case .message(let message): found = UInt32(familyNumber(message) ?? 0)
      case .refused(let errno): if errno == Errno(2) { found = absent }  // ENOENT
      case .dumpRestarted: break
      }
    }
    if found != 0 { knownFamily.store(found, ordering: .relaxed) }
    return found == 0 || found == absent ? nil : UInt16(found)
  }

  /// The family's number in an answer of the control family.
  static func familyNumber(_ message: NetlinkMessage) -> UInt16? {
    guard message.type == controlFamily else { return nil }
    let familyID: UInt16 = 1  // CTRL_ATTR_FAMILY_ID
    for (type, payload) in message.attributes(after: headerSize) where type == familyID {
      return payload.number(at: 0, as: UInt16.self)
    }
    return nil
  }

  // MARK: messages

  /// Attributes of linux/tcp_metrics.h.
  private enum Attribute {
    static let addressV4: UInt16 = 1
    static let addressV6: UInt16 = 2
    static let age: UInt16 = 3
    static let values: UInt16 = 6
    static let sourceV4: UInt16 = 11
    static let sourceV6: UInt16 = 12
  }

  /// Attributes inside `values`: `enum tcp_metric_index` counted from 1.
  private enum Value {
    static let roundTrip: UInt16 = 6  // TCP_METRIC_RTT_US
    static let variance: UInt16 = 7  // TCP_METRIC_RTTVAR_US
  }

  /// Older entries are not used by the kernel either (TCP_METRICS_TIMEOUT, 60 minutes).
  private static let ageMax_ms: UInt64 = 3_600_000

  /// - Parameter pair: `nil`: the whole table.
  private static func addRequest(
    for pair: Pair?, family: UInt16, to requests: inout NetlinkRequests
  ) {
    let size = pair == nil ? NetlinkRequests.answerLong : NetlinkRequests.answerUsual
    requests.add(type: family, dump: pair == nil, answerMax: size) { request in
      // struct genlmsghdr: command (TCP_METRICS_CMD_GET), version, reserved.
      request.append((1, 1, 0, 0))
      guard let pair else { return }
      let isV4 = pair.destination.family == .inet
      request.append(
        attribute: isV4 ? Attribute.addressV4 : Attribute.addressV6, pair.destination)
      request.append(attribute: isV4 ? Attribute.sourceV4 : Attribute.sourceV6, pair.source)
    }
  }

  /// The entry of a message; `nil` where it has no round trip or is too old.
  ///
  /// The kernel sends the round trip in µs times 8 and its mean deviation in µs times 4, as in
  /// `struct tcp_sock` (srtt_us and mdev_us, since Linux 3.15); `ip tcp_metrics` divides likewise.
  static func entry(_ message: NetlinkMessage, family: UInt16) -> PathMetrics? {
    guard message.type == family else { return nil }
    var destination: IPAddress?
    var source: IPAddress?
    var smoothed: UInt32 = 0
    var variance: UInt32 = 0
    for (type, payload) in message.attributes(after: headerSize) {
      switch type {
      case Attribute.addressV4, Attribute.addressV6: destination = IPAddress(netlink: payload)
      case Attribute.sourceV4, Attribute.sourceV6: source = IPAddress(netlink: payload)
      case Attribute.age:
        let age = payload.number(at: 0, as: UInt64.self) ?? 0
        if age > ageMax_ms { return nil }
      case Attribute.values:
        for (type, payload) in NetlinkAttributes(payload) {
          let value = payload.number(at: 0, as: UInt32.self) ?? 0
          if type == Value.roundTrip { smoothed = value }
          if type == Value.variance { variance = value }
        }
      default: break
      }
    }
    guard let destination, let source, smoothed > 0 else { return nil }
    let roundTrip = RoundTrip(
      smoothed: TimeSpan(nanoseconds: Int64(smoothed) * 125),
      variance: TimeSpan(nanoseconds: Int64(variance) * 250))
    return PathMetrics(source: source, destination: destination, roundTrip)
  }
}
