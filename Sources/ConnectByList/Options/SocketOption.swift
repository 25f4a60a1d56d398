import CConnectByListPosix
import ConnectByListCore

/// An option of a socket. All that is known of it is its row in `table`: scripts, attempts,
/// messages, the table in README and the tests read it there.
public struct SocketOption: Sendable {
  public let name: StaticString
  public let kind: Kind
  /// As `setsockopt` takes them; numbers of Linux's uapi headers (asm-generic).
  public let level: CInt
  public let number: CInt
  public let families: Families
  public let moment: Moment
  #if !hasFeature(Embedded)
    /// One line for people. The loadable module goes without.
    public let doc: StaticString
  #endif

  /// The kinds of sockets that an option means something to: those of attempts of other families go
  /// without.
  public struct Families: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    public static let inet = Families(rawValue: 1)
    public static let inet6 = Families(rawValue: 2)
    public static let unix = Families(rawValue: 4)
    public static let ip = Families(rawValue: 3)
    public static let any = Families(rawValue: 7)

    public init(_ family: Family) {
      self = family == .inet ? .inet : family == .inet6 ? .inet6 : .unix
    }
  }

  /// When an attempt's socket gets it.
  public enum Moment: Sendable {
    case beforeConnecting
    /// The connection changes it, so it is set when there is one.
    case whenConnected
    /// Only read.
    case never
  }

  // Inlined, so that the compiler lays the table out as data, and not as code that fills it.
  @inline(__always)
  init(
    _ name: StaticString, _ kind: Kind, _ level: CInt, _ number: CInt, _ families: Families,
    moment: Moment = .beforeConnecting, _ doc: StaticString = ""
  ) {
    self.name = name
    self.kind = kind
    self.level = level
    self.number = number
    self.families = families
    self.moment = moment
    #if !hasFeature(Embedded)
      self.doc = doc
    #endif
  }

  static let solSocket: CInt = 1
  static let ipv4: CInt = 0
  static let ipv6: CInt = 41
  static let tcp: CInt = 6
  static let receiveBuffer: CInt = 8
  static let sendBuffer: CInt = 7
  static let bindToDevice: CInt = 25
  static let noDelay: CInt = 1
  static let keepIdle: CInt = 4
  static let keepInterval: CInt = 5
  static let keepCount: CInt = 6
  static let deferAccept: CInt = 9
  static let v6Only: CInt = 26
  static let reuseAddress: CInt = 2

  public static let table: [SocketOption] = [
    SocketOption(
      "nodelay", .boolean, tcp, noDelay, .ip,
      "small writes leave at once; on unless said otherwise"),
    SocketOption(
      "cork", .boolean, tcp, 3, .ip, "only full segments leave, until it is off again"),
    SocketOption(
      "keepalive", .boolean, solSocket, 9, .ip, "an idle connection is probed"),
    SocketOption(
      "keepidle", .seconds(1, 32767), tcp, keepIdle, .ip,
      "how long it is idle before the first probe"),
    SocketOption(
      "keepintvl", .seconds(1, 32767), tcp, keepInterval, .ip,
      "how long until the next probe"),
    SocketOption(
      "keepcnt", .whole(1, 127), tcp, keepCount, .ip,
      "how many probes without an answer end the connection"),
    SocketOption(
      "user_timeout", .fraction(perSecond: 1000, 2_147_483), tcp, 18, .ip,
      "how long what was sent may stay unacknowledged; 0: the kernel's choice"),
    SocketOption(
      "linger", .linger, solSocket, 13, .ip,
      "close waits so long for what is unsent; 0: close resets the connection"),
    SocketOption(
      "rcvbuf", .size, solSocket, receiveBuffer, .any,
      "bytes of the receive buffer; once set, the kernel no longer tunes it"),
    SocketOption(
      "sndbuf", .size, solSocket, sendBuffer, .any,
      "bytes of the send buffer; once set, the kernel no longer tunes it"),
    SocketOption(
      "notsent_lowat", .whole(0, 2_147_483_647), tcp, 25, .ip,
      "bytes not sent yet above which the socket is not writable"),
    SocketOption(
      "tos", .whole(0, 252, step: 4), ipv4, 1, .ip,
      "type of service of IPv4 packets; the two low bits are ECN's; changes `priority` too"),
    SocketOption(
      "tclass", .whole(0, 252, step: 4), ipv6, 67, .inet6,
      "traffic class of IPv6 packets; the two low bits are ECN's"),
    SocketOption(
      "ttl", .whole(1, 255), ipv4, 2, .ip, "time to live of IPv4 packets"),
    SocketOption(
      "hoplimit", .whole(1, 255), ipv6, 16, .inet6, "hop limit of IPv6 packets"),
    SocketOption(
      "priority", .whole(0, 2_147_483_647), solSocket, 12, .ip,
      "priority in the queues of this machine; above 6 needs CAP_NET_ADMIN"),
    SocketOption(
      "mark", .whole(0, 4_294_967_295), solSocket, 36, .ip,
      "mark for routing and filters; needs CAP_NET_ADMIN or CAP_NET_RAW"),
    SocketOption(
      "bindtodevice", .text, solSocket, bindToDevice, .ip,
      "only through this interface, as the connect option `interface`; empty: any"),
    SocketOption(
      "v6only", .boolean, ipv6, v6Only, .inet6,
      "an IPv6 socket takes no v4-mapped addresses"),
    SocketOption(
      "reuseaddr", .boolean, solSocket, reuseAddress, .ip,
      "a local port may be bound beside connections in TIME_WAIT"),
    SocketOption(
      "reuseport", .boolean, solSocket, 15, .ip, "several sockets may have one local port"),
    SocketOption(
      "oobinline", .boolean, solSocket, 10, .any, "urgent data stands in the stream"),
    SocketOption(
      "syncnt", .whole(1, 127), tcp, 7, .ip,
      "how often the kernel sends a SYN again before it gives up"),
    SocketOption(
      "defer_accept", .seconds(0, 3600), tcp, deferAccept, .ip,
      "the handshake's last ACK waits for data; the kernel rounds up to 1, 3, 7, 15, …"),
    SocketOption(
      "quickack", .boolean, tcp, 12, .ip, moment: .whenConnected,
      "acknowledge at once; lasts until the kernel thinks otherwise"),
    SocketOption(
      "maxseg", .whole(88, 32767), tcp, 2, .ip,
      "bytes of a segment at most; of a connection it reads what is in use"),
    SocketOption(
      "congestion", .text, tcp, 13, .ip,
      "congestion control, of those in net.ipv4.tcp_allowed_congestion_control"),
    SocketOption(
      "incoming_cpu", .whole(0, 65535), solSocket, 49, .ip, moment: .whenConnected,
      "the processor that should handle what comes in; reads the one that did, or -1"),
    SocketOption(
      "busy_poll", .fraction(perSecond: 1_000_000, 2147), solSocket, 46, .ip,
      "how long to poll the device for what has not come yet; CAP_NET_ADMIN on older kernels"),
    SocketOption(
      "update_connect_context", .context, -1, -1, .any, moment: .whenConnected,
      "only set: done on a connected socket, ENOTCONN on any other"),
    SocketOption(
      "error", .error, solSocket, 4, .any, moment: .never,
      "the pending error, `\"ECONNRESET\"`, or `false`; reading it clears it"),
    SocketOption(
      "type", .whole(0, 0), solSocket, 3, .any, moment: .never, "1: a stream"),
    SocketOption(
      "domain", .whole(0, 0), solSocket, 39, .any, moment: .never, "2: IPv4, 10: IPv6, 1: Unix"),
    SocketOption(
      "protocol", .whole(0, 0), solSocket, 38, .any, moment: .never, "6: TCP, 262: MPTCP, 0: none"),
  ]

  /// Another name that is taken for it; empty where there is none.
  ///
  /// Not in the rows, as `luaSocketName` is not: an empty text takes as much there as any other.
  var alias: StaticString {
    switch (level, number) {
    case (Self.solSocket, Self.receiveBuffer): "recvbuf"
    case (Self.solSocket, Self.sendBuffer): "sendbuf"
    default: ""
    }
  }

  /// LuaSocket's name for it; empty where there is none, or the same.
  var luaSocketName: StaticString {
    switch (level, number) {
    case (Self.tcp, Self.noDelay): "tcp-nodelay"
    case (Self.tcp, Self.keepIdle): "tcp-keepidle"
    case (Self.tcp, Self.keepInterval): "tcp-keepintvl"
    case (Self.tcp, Self.keepCount): "tcp-keepcnt"
    case (Self.tcp, Self.deferAccept): "tcp-defer-accept"
    case (Self.solSocket, Self.receiveBuffer): "recv-buffer-size"
    case (Self.solSocket, Self.sendBuffer): "send-buffer-size"
    case (Self.ipv6, Self.v6Only): "ipv6-v6only"
    default: ""
    }
  }

  /// The option with this name or alias.
  public static func named(_ name: [UInt8]) -> SocketOption? {
    if name.isEmpty { return nil }
    return table.first {
      name.equals($0.name) || name.equals($0.alias) || name.equals($0.luaSocketName)
    }
  }

  /// All that an option may be called, for finding what a slip was meant to be.
  public static var names: [StaticString] {
    var names: [StaticString] = []
    for option in table {
      names.append(option.name)
      if option.alias.utf8CodeUnitCount > 0 { names.append(option.alias) }
      if option.luaSocketName.utf8CodeUnitCount > 0 { names.append(option.luaSocketName) }
    }
    return names
  }

  public var isSettable: Bool { moment != .never }
  public var isReadable: Bool { if case .context = kind { false } else { true } }
}
