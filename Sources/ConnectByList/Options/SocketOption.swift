import CConnectByListPosix
import ConnectByListCore

/// One option of a socket: its names, kind, range and documentation, and how the kernel names it.
///
/// `table` is the only place that states these. Scripts, attempts, messages, the documentation and the
/// tests read it.
public struct SocketOption: Sendable {
  public let name: StaticString
  /// Another accepted name; empty if there is none.
  public let alias: StaticString
  /// The name in LuaSocket's `setoption`; empty if LuaSocket has no such option or the same name.
  public let luaSocketName: StaticString
  public let kind: Kind
  /// The level and the name that `setsockopt` takes; `noLevel` if the kernel has no such option.
  public let level: CInt
  public let number: CInt
  public let families: Families
  public let moment: Moment
  #if !hasFeature(Embedded)
    /// One line of Markdown.
    public let documentation: StaticString
  #endif

  /// The families of sockets that have the option. A connect does not set it on other attempts.
  public struct Families: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let inet = Families(rawValue: 1)
    public static let inet6 = Families(rawValue: 2)
    public static let unix = Families(rawValue: 4)
    public static let ip: Families = [.inet, .inet6]
    public static let any: Families = [.inet, .inet6, .unix]

    public init(_ family: Family) {
      switch family {
      case .inet: self = .inet
      case .inet6: self = .inet6
      case .unix: self = .unix
      }
    }
  }

  /// When an attempt's socket gets the option.
  public enum Moment: Sendable {
    case beforeConnecting
    /// The connection's state overrides an earlier value, or the option needs a connection.
    case whenConnected
    /// The option can only be read.
    case never
  }

  init(
    _ name: StaticString, alias: StaticString = "", luaSocketName: StaticString = "", _ kind: Kind,
    _ level: CInt, _ number: CInt, _ families: Families, moment: Moment = .beforeConnecting,
    _ documentation: StaticString
  ) {
    self.name = name
    self.alias = alias
    self.luaSocketName = luaSocketName
    self.kind = kind
    self.level = level
    self.number = number
    self.families = families
    self.moment = moment
    #if !hasFeature(Embedded)
      self.documentation = documentation
    #endif
  }

  /// The level of an option that the kernel does not have.
  static let noLevel: CInt = -1

  public static let table: [SocketOption] = [
    SocketOption(
      "nodelay", luaSocketName: "tcp-nodelay", .boolean,
      SocketLevel.tcp, SocketNumber.noDelay, .ip,
      "sends small writes at once; a connect switches it on by default"),
    SocketOption(
      "cork", .boolean, SocketLevel.tcp, SocketNumber.cork, .ip,
      "sends only full segments until it is switched off"),
    SocketOption(
      "keepalive", .boolean, SocketLevel.socket, SocketNumber.keepAlive, .ip,
      "probes an idle connection"),
    SocketOption(
      "keepidle", luaSocketName: "tcp-keepidle", .seconds(1, 32767),
      SocketLevel.tcp, SocketNumber.keepIdle, .ip,
      "the idle time before the first probe"),
    SocketOption(
      "keepintvl", luaSocketName: "tcp-keepintvl", .seconds(1, 32767),
      SocketLevel.tcp, SocketNumber.keepInterval, .ip,
      "the time between two probes"),
    SocketOption(
      "keepcnt", luaSocketName: "tcp-keepcnt", .whole(1, 127),
      SocketLevel.tcp, SocketNumber.keepCount, .ip,
      "how many unanswered probes end the connection"),
    SocketOption(
      "user_timeout", .fraction(perSecond: 1000, 2_147_483),
      SocketLevel.tcp, SocketNumber.userTimeout, .ip,
      "how long sent data may stay unacknowledged; 0: the kernel's choice"),
    SocketOption(
      "linger", .linger, SocketLevel.socket, SocketNumber.linger, .ip,
      "how long close waits for unsent data; 0: close resets the connection"),
    SocketOption(
      "rcvbuf", alias: "recvbuf", luaSocketName: "recv-buffer-size", .size,
      SocketLevel.socket, SocketNumber.receiveBuffer, .any,
      "bytes of the receive buffer; the kernel no longer tunes a size that was set"),
    SocketOption(
      "sndbuf", alias: "sendbuf", luaSocketName: "send-buffer-size", .size,
      SocketLevel.socket, SocketNumber.sendBuffer, .any,
      "bytes of the send buffer; the kernel no longer tunes a size that was set"),
    SocketOption(
      "notsent_lowat", .whole(0, 2_147_483_647),
      SocketLevel.tcp, SocketNumber.notSentLowWater, .ip,
      "with more unsent bytes than this the socket is not writable"),
    SocketOption(
      "tos", .whole(0, 252, step: 4), SocketLevel.ip, SocketNumber.typeOfService, .ip,
      "type of service of IPv4 packets; the two low bits are ECN's; also changes `priority`"),
    SocketOption(
      "tclass", .whole(0, 252, step: 4), SocketLevel.ipv6, SocketNumber.trafficClass, .inet6,
      "traffic class of IPv6 packets; the two low bits are ECN's"),
    SocketOption(
      "ttl", .whole(1, 255), SocketLevel.ip, SocketNumber.timeToLive, .ip,
      "time to live of IPv4 packets"),
    SocketOption(
      "hoplimit", .whole(1, 255), SocketLevel.ipv6, SocketNumber.hopLimit, .inet6,
      "hop limit of IPv6 packets"),
    SocketOption(
      "priority", .whole(0, 2_147_483_647), SocketLevel.socket, SocketNumber.priority, .ip,
      "priority in this machine's queues; above 6 needs CAP_NET_ADMIN"),
    SocketOption(
      "mark", .whole(0, 4_294_967_295), SocketLevel.socket, SocketNumber.mark, .ip,
      "mark for routing and filters; needs CAP_NET_ADMIN or CAP_NET_RAW"),
    SocketOption(
      "bindtodevice", .text, SocketLevel.socket, SocketNumber.bindToDevice, .ip,
      "uses only this interface, as the connect option `interface`; empty: any"),
    SocketOption(
      "v6only", luaSocketName: "ipv6-v6only", .boolean,
      SocketLevel.ipv6, SocketNumber.ipv6Only, .inet6,
      "an IPv6 socket takes no v4-mapped addresses"),
    SocketOption(
      "reuseaddr", .boolean, SocketLevel.socket, SocketNumber.reuseAddress, .ip,
      "a local port may be bound beside connections in TIME_WAIT"),
    SocketOption(
      "reuseport", .boolean, SocketLevel.socket, SocketNumber.reusePort, .ip,
      "several sockets may be bound to one local port"),
    SocketOption(
      "oobinline", .boolean, SocketLevel.socket, SocketNumber.urgentInline, .any,
      "leaves urgent data in the stream"),
    SocketOption(
      "syncnt", .whole(1, 127), SocketLevel.tcp, SocketNumber.resendCount, .ip,
      "how often the kernel resends a SYN before it gives up"),
    SocketOption(
      "defer_accept", luaSocketName: "tcp-defer-accept", .seconds(0, 3600),
      SocketLevel.tcp, SocketNumber.deferAccept, .ip,
      "how long the handshake's last ACK waits for data; the kernel rounds up to 1, 3, 7, 15, …"),
    SocketOption(
      "quickack", .boolean, SocketLevel.tcp, SocketNumber.quickAcknowledge, .ip,
      moment: .whenConnected,
      "acknowledges at once; the kernel may leave this mode at any time"),
    SocketOption(
      "maxseg", .whole(88, 32767), SocketLevel.tcp, SocketNumber.segmentMax, .ip,
      "the most bytes of a segment; on a connection it reads the size in use"),
    SocketOption(
      "congestion", .text, SocketLevel.tcp, SocketNumber.congestion, .ip,
      "congestion control, one of net.ipv4.tcp_allowed_congestion_control"),
    SocketOption(
      "incoming_cpu", .whole(0, 65535), SocketLevel.socket, SocketNumber.incomingCPU, .ip,
      moment: .whenConnected,
      "the processor that should handle incoming packets; reads the one that did, or -1"),
    SocketOption(
      "busy_poll", .fraction(perSecond: 1_000_000, 2147),
      SocketLevel.socket, SocketNumber.busyPoll, .ip,
      "how long a read polls the device for packets; older kernels ask for CAP_NET_ADMIN"),
    SocketOption(
      "update_connect_context", .context, noLevel, noLevel, .any, moment: .whenConnected,
      "only set: succeeds on a connected socket, ENOTCONN on any other"),
    SocketOption(
      "error", .error, SocketLevel.socket, SocketNumber.error, .any, moment: .never,
      "the pending error, `\"ECONNRESET\"`, or `false`; reading it clears it"),
    SocketOption(
      "type", .whole(0, 0), SocketLevel.socket, SocketNumber.type, .any, moment: .never,
      "1: a stream"),
    SocketOption(
      "domain", .whole(0, 0), SocketLevel.socket, SocketNumber.domain, .any, moment: .never,
      "2: IPv4, 10: IPv6, 1: Unix"),
    SocketOption(
      "protocol", .whole(0, 0), SocketLevel.socket, SocketNumber.protocolNumber, .any,
      moment: .never,
      "6: TCP, 262: MPTCP, 0: none"),
  ]

  /// The option with this name, alias or LuaSocket name.
  public static func named(_ name: [UInt8]) -> SocketOption? {
    // An empty column is no name.
    if name.isEmpty { return nil }
    return table.first {
      name.equals($0.name) || name.equals($0.alias) || name.equals($0.luaSocketName)
    }
  }

  /// Every accepted name of every option.
  public static var names: [StaticString] {
    table.flatMap { [$0.name, $0.alias, $0.luaSocketName] }.filter { $0.utf8CodeUnitCount > 0 }
  }

  public var isSettable: Bool { moment != .never }
  public var isReadable: Bool { if case .context = kind { false } else { true } }
}
