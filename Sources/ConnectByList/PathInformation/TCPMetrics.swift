import ConnectByListCore
import Synchronization

/// What the kernel remembers of remotes, asked without a packet and without a privilege. Whatever
/// refuses (a kernel without it, a sandbox) has no evidence, and nothing is lost by that.
enum Evidence {
  // MARK: round trips (tcp_metrics)

  typealias Question = (address: IPAddress, source: IPAddress?)

  /// The smoothed round trip to each remote from the source that it would be reached from (without
  /// one: from any), where TCP has kept it of a connection that ended in order within the last
  /// hour.
  ///
  /// Four system calls; the first time in a process six, as generic netlink's family has to be
  /// found.
  static func roundTrips(to remotes: [Question]) -> [RemotePathInformation.RoundTrip?] {
    let distinct = Distinct(remotes.count, secret: .ofThisProcess) { remotes[$0].address }
    var found = [RemotePathInformation.RoundTrip?](repeating: nil, count: distinct.firsts.count)
    do throws(Errno) {
      try Metrics.ask(remotes, distinct, &found)
    } catch {}
    return distinct.positions.map { found[$0] }
  }

  /// Generic netlink's family of TCP metrics (linux/tcp_metrics.h, Linux 3.6).
  enum Metrics {
    /// Families are numbered when the kernel starts, so one number holds for the life of a process.
    /// 0: not asked yet.
    private static let knownFamily = Atomic<UInt32>(0)
    private static let absent = UInt32.max

    private static let getFamily: UInt8 = 3
    private static let controlFamily: UInt16 = 16
    private static let headerSize = 4
    /// TCP_METRICS_TIMEOUT: what is older the kernel does not use either.
    private static let ageMax: UInt64 = 3_600_000

    /// From so many remotes on the whole table is read: it holds a few hundred entries on most
    /// machines, and a question costs 1 to 2 µs, mostly to hear that there is nothing.
    private static let dumpMinimum = 1000

    /// `distinct`: the addresses; `found`: of each of them.
    fileprivate static func ask(
      _ remotes: [Question], _ distinct: Distinct<IPAddress>, _ found: inout [RemotePathInformation.RoundTrip?]
    ) throws(Errno) {
      guard knownFamily.load(ordering: .relaxed) != absent else { return }
      var socket = try NetlinkSocket(.generic)
      guard let family = try family(on: &socket) else { return }
      var requests = NetlinkRequests()
      if found.count >= dumpMinimum {
        append(nil, family: family, to: &requests)
      } else {
        for first in distinct.firsts { append(remotes[first], family: family, to: &requests) }
      }
      try socket.ask(&requests) { _, answer in
        switch answer {
        case .message(let message):
          guard let (pair, roundTrip) = roundTrip(message, family: family) else { break }
          guard let index = distinct.position(of: pair.address) else { break }
          let wanted = remotes[distinct.firsts[index]].source
          if wanted == nil || wanted?.withScope(0) == pair.source { found[index] = roundTrip }
        // ESRCH: never heard of. ENOENT: the family is another one now (a process that was moved to
        // another kernel).
        case .refused(let errno): if errno == Errno(2) { knownFamily.store(0, ordering: .relaxed) }
        case .startedAgain: break
        }
      }
    }

    private static func family(on socket: inout NetlinkSocket) throws(Errno) -> UInt16? {
      let known = knownFamily.load(ordering: .relaxed)
      if known != 0 { return known == absent ? nil : UInt16(known) }
      var request = NetlinkRequests()
      request.add(type: controlFamily, answerMax: NetlinkRequests.answerLong) { request in
        // struct genlmsghdr: command, version, reserved.
        request.append((getFamily, 1, 0, 0))
        request.append(attribute: 2, text: "tcp_metrics")
      }
      var found: UInt32 = 0
      try socket.ask(&request) { _, answer in
        switch answer {
        case .message(let message): found = UInt32(familyNumber(message) ?? 0)
        case .refused(let errno): if errno == Errno(2) { found = absent }
        case .startedAgain: break
        }
      }
      if found != 0 { knownFamily.store(found, ordering: .relaxed) }
      return found == 0 || found == absent ? nil : UInt16(found)
    }

    static func familyNumber(_ message: NetlinkMessage) -> UInt16? {
      guard message.type == controlFamily else { return nil }
      for (type, payload) in message.attributes(after: headerSize) where type == 1 {
        return payload.number(at: 0, as: UInt16.self)
      }
      return nil
    }

    /// `nil`: all of the table.
    private static func append(
      _ remote: Question?, family: UInt16, to requests: inout NetlinkRequests
    ) {
      let size = remote == nil ? NetlinkRequests.answerLong : NetlinkRequests.answerUsual
      requests.add(type: family, dump: remote == nil, answerMax: size) { request in
        request.append((1, 1, 0, 0))  // TCP_METRICS_CMD_GET
        guard let remote else { return }
        request.append(attribute: remote.address.family == .inet ? 1 : 2, remote.address)
        if let source = remote.source {
          request.append(attribute: source.family == .inet ? 11 : 12, source)
        }
      }
    }

    /// The values are attributes numbered from 1 in the order of `enum tcp_metric_index`: 6 is the
    /// round trip in µs times 8, 7 its mean deviation in µs times 4, as `struct tcp_sock` has
    /// srtt_us and mdev_us (since Linux 3.15; `ip tcp_metrics` divides in the same way).
    static func roundTrip(
      _ message: NetlinkMessage, family: UInt16
    ) -> (Question, RemotePathInformation.RoundTrip)? {
      guard message.type == family else { return nil }
      var destination: IPAddress?
      var source: IPAddress?
      var smoothed: UInt32 = 0
      var variance: UInt32 = 0
      for (type, payload) in message.attributes(after: headerSize) {
        switch type {
        case 1, 2: destination = IPAddress(netlink: payload)
        case 11, 12: source = IPAddress(netlink: payload)
        case 3:
          if let age = payload.number(at: 0, as: UInt64.self), age > ageMax { return nil }
        case 6:
          for (type, payload) in NetlinkAttributes(payload) {
            let value = payload.number(at: 0, as: UInt32.self) ?? 0
            if type == 6 { smoothed = value }
            if type == 7 { variance = value }
          }
        default: break
        }
      }
      guard let destination, smoothed > 0 else { return nil }
      let roundTrip = RemotePathInformation.RoundTrip(
        smoothed: TimeSpan(nanoseconds: Int64(smoothed) * 125),
        variance: TimeSpan(nanoseconds: Int64(variance) * 250))
      return ((destination, source), roundTrip)
    }
  }

  // MARK: neighbours (RTM_GETNEIGH)

  /// Asks for one neighbour (Linux 5.0; before, EOPNOTSUPP).
  static func append(_ neighbour: Routes.NextHop, to requests: inout NetlinkRequests) {
    requests.add(type: 30) { request in
      // struct ndmsg: family, pad, interface, state, flags, type.
      request.append((neighbour.address.netlinkFamily, 0, 0, 0))
      request.append(neighbour.interface)
      request.append(0)
      request.append(attribute: 1, neighbour.address)  // NDA_DST
    }
  }

  /// Whether address resolution of a neighbour has failed, and not been tried again since.
  static func hasFailed(_ answer: NetlinkAnswer) -> Bool {
    let failed: UInt16 = 0x20  // NUD_FAILED
    guard case .message(let message) = answer, message.type == 28,
      let state = message.body.number(at: 8, as: UInt16.self)
    else { return false }
    return state & failed != 0
  }
}
