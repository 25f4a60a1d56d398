import ConnectByListCore
import Synchronization

/// Round trips that the kernel remembers of finished TCP connections (linux/tcp_metrics.h, Linux
/// 3.6). Reading them sends no packet and needs no privilege.
enum TCPMetrics {
  /// A remote address, and the source that it would be reached from; `nil`: any.
  typealias Question = (address: IPAddress, source: IPAddress?)
  typealias RoundTrip = RemotePathInformation.RoundTrip

  /// The smoothed round trip to each remote, where TCP keeps one of a connection that was closed in
  /// order within the last hour. `nil` for all where the kernel or a sandbox refuses.
  ///
  /// Questions with the same address are asked once, with the source of the first. Four system calls;
  /// six for the first time in a process, which has to find the number of the netlink family.
  static func roundTrips(to questions: [Question]) -> [RoundTrip?] {
    let distinct = Distinct(questions.count, secret: .ofThisProcess) { questions[$0].address }
    let different = distinct.firsts.map { questions[$0] }
    var found = [RoundTrip?](repeating: nil, count: different.count)
    do throws(Errno) {
      try requestEntries(for: different) { entry in
        guard let index = distinct.position(of: entry.address), entry.answers(different[index])
        else { return }
        found[index] = entry.roundTrip
      }
    } catch {
      // Some sandboxes have no generic netlink. The round trips that came before the error hold.
    }
    return distinct.positions.map { found[$0] }
  }

  // MARK: requesting

  /// From this many remotes on the whole table is read: it has a few hundred entries on most
  /// machines, and a request costs 1 to 2 µs, mostly to be answered with ESRCH.
  private static let dumpMinimum = 1000

  /// Requests the entries for questions with different addresses and passes each to `take`, with
  /// others among them where the whole table is read.
  private static func requestEntries(
    for questions: [Question], _ take: (Entry) -> Void
  ) throws(Errno) {
    guard knownFamily.load(ordering: .relaxed) != absent else { return }
    var socket = try NetlinkSocket(.generic)
    guard let family = try family(on: &socket) else { return }
    var requests = NetlinkRequests()
    if questions.count >= dumpMinimum {
      addRequest(for: nil, family: family, to: &requests)
    } else {
      for question in questions { addRequest(for: question, family: family, to: &requests) }
    }
    try socket.ask(&requests) { _, answer in
      if let entry = entry(answer, family: family) { take(entry) }
    }
  }

  /// An entry of the table.
  private struct Entry {
    let address: IPAddress
    let source: IPAddress?
    let roundTrip: RoundTrip

    /// Whether the entry is for the source that the question names.
    func answers(_ question: Question) -> Bool {
      // Netlink's addresses have no scope.
      question.source == nil || question.source?.withScope(0) == source
    }
  }

  /// The entry of an answer; `nil` where it has none.
  private static func entry(_ answer: NetlinkAnswer, family: UInt16) -> Entry? {
    switch answer {
    case .message(let message):
      guard let (pair, roundTrip) = roundTrip(message, family: family) else { return nil }
      return Entry(address: pair.address, source: pair.source, roundTrip: roundTrip)
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

  /// - Parameter question: `nil`: the whole table.
  private static func addRequest(
    for question: Question?, family: UInt16, to requests: inout NetlinkRequests
  ) {
    let size = question == nil ? NetlinkRequests.answerLong : NetlinkRequests.answerUsual
    requests.add(type: family, dump: question == nil, answerMax: size) { request in
      // struct genlmsghdr: command (TCP_METRICS_CMD_GET), version, reserved.
      request.append((1, 1, 0, 0))
      guard let question else { return }
      let isV4 = question.address.family == .inet
      request.append(
        attribute: isV4 ? Attribute.addressV4 : Attribute.addressV6, question.address)
      if let source = question.source {
        request.append(
          attribute: source.family == .inet ? Attribute.sourceV4 : Attribute.sourceV6, source)
      }
    }
  }

  /// The addresses and the round trip of an entry; `nil` where it has no round trip or is too old.
  ///
  /// The kernel sends the round trip in µs times 8 and its mean deviation in µs times 4, as in
  /// `struct tcp_sock` (srtt_us and mdev_us, since Linux 3.15); `ip tcp_metrics` divides likewise.
  static func roundTrip(
    _ message: NetlinkMessage, family: UInt16
  ) -> (Question, RoundTrip)? {
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
    guard let destination, smoothed > 0 else { return nil }
    let roundTrip = RoundTrip(
      smoothed: TimeSpan(nanoseconds: Int64(smoothed) * 125),
      variance: TimeSpan(nanoseconds: Int64(variance) * 250))
    return ((destination, source), roundTrip)
  }
}
