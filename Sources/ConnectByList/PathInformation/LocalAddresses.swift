import ConnectByListCore

/// The addresses of this machine.
public enum LocalAddresses {
  /// All addresses of interfaces that are up, in the kernel's order. It includes tentative addresses,
  /// which cannot be used yet; an address that two interfaces have is listed twice.
  ///
  /// Four system calls, six where an interface is in doubt (`interfacesInDoubt`). Throws the kernel's
  /// error where netlink is refused, as in some sandboxes (EAFNOSUPPORT, EPERM).
  public static func all() throws(Errno) -> [LocalAddress] {
    var socket = try NetlinkSocket(.route)
    var collector = LocalAddressCollector()
    var requests = NetlinkRequests()
    addRequest(to: &requests)
    try socket.ask(&requests) { collector.take($1) }
    if let refusal = collector.refusal { throw refusal }

    var linkRequests = NetlinkRequests()
    let doubtful = interfacesInDoubt(collector.locals, knownUp: [])
    for interface in doubtful { addRequest(forLink: interface, to: &linkRequests) }
    var down: [UInt32] = []
    try socket.ask(&linkRequests) { if LinkState($1) == .down { down.append(doubtful[$0]) } }
    return collector.locals.filter { !down.contains($0.interface) }
  }

  /// The interfaces on which a link-local remote without a scope may be: those that have a link-local
  /// IPv6 address that is not tentative. In the order of their indices.
  static func links(_ locals: [LocalAddress]) -> [UInt32] {
    let usable = locals.filter { $0.address.needsScope && !$0.flags.contains(.tentative) }
    let interfaces = DistinctKeys(usable.map { $0.interface }, secret: .ofThisProcess).keys
    return interfaces.stablySorted(<)
  }

  /// The first of each address: one that two interfaces have is one source for a connection.
  static func merged(_ locals: [LocalAddress]) -> [LocalAddress] {
    let distinct = Distinct(locals.count, secret: .ofThisProcess) { locals[$0].address }
    return distinct.firsts.map { locals[$0] }
  }

  // MARK: addresses (RTM_GETADDR)

  /// Adds a request for all addresses of both families.
  static func addRequest(to requests: inout NetlinkRequests) {
    requests.add(
      type: MessageType.getAddress, dump: true, answerMax: NetlinkRequests.answerLong
    ) { request in
      // struct ifaddrmsg: family (AF_UNSPEC: both), prefix, flags, scope, interface.
      request.append(0)
      request.append(0)
    }
  }

  /// The address of an RTM_NEWADDR message; `nil` for another message, and for one that is malformed.
  static func address(_ message: NetlinkMessage) -> LocalAddress? {
    let body = message.body
    guard message.type == MessageType.newAddress,
      let prefixLength = body.number(at: 1, as: UInt8.self),
      let shortFlags = body.number(at: 2, as: UInt8.self),
      let interface = body.number(at: 4, as: UInt32.self)
    else { return nil }
    var flags = UInt32(shortFlags)
    var local: IPAddress?
    var address: IPAddress?
    for (type, payload) in message.attributes(after: addressHeaderSize) {
      switch type {
      case Attribute.address: address = IPAddress(netlink: payload)
      case Attribute.local: local = IPAddress(netlink: payload)
      case Attribute.flags: flags = payload.number(at: 0, as: UInt32.self) ?? flags
      default: break
      }
    }
    // On a point-to-point link IFA_ADDRESS is the peer's address and IFA_LOCAL this machine's. IPv6
    // sends IFA_LOCAL on such links only.
    guard let own = local ?? address, !own.isUnspecified,
      prefixLength <= (own.family == .inet ? 32 : 128)
    else { return nil }
    return LocalAddress(
      own.needsScope ? own.withScope(interface) : own, prefixLength: prefixLength,
      flags: LocalAddress.Flags(kernel: flags, own.family), interface: interface)
  }

  // MARK: whether an interface is up (RTM_GETLINK)

  /// The interfaces that may be down, in the order of their indices.
  ///
  /// RTM_GETADDR does not say whether an interface is up. It lists the IPv4 addresses of an interface
  /// that is down, and IPv6 addresses that were added while it was down or are kept
  /// (keep_addr_on_down). The kernel removes ::1 and link-local addresses when their interface goes
  /// down, so one of those that is not tentative proves that the interface is up, as does a route
  /// through it. Linux 6.18.
  ///
  /// - Parameter knownUp: interfaces that routes lead through.
  static func interfacesInDoubt(_ locals: [LocalAddress], knownUp: [UInt32]) -> [UInt32] {
    var up = knownUp
    for local in locals
    where local.address.family == .inet6 && !local.flags.contains(.tentative)
      && (local.address.isLinkLocal || local.address.isLoopback)
    {
      up.append(local.interface)
    }
    var seen = DistinctKeys(up, secret: .ofThisProcess)
    return locals.map { $0.interface }.filter { seen.insert($0).isNew }
  }

  /// Adds a request for the state of an interface.
  static func addRequest(forLink interface: UInt32, to requests: inout NetlinkRequests) {
    requests.add(
      type: MessageType.getLink, answerMax: NetlinkRequests.answerLong
    ) { request in
      // struct ifinfomsg: family, pad, type, index, flags, change.
      request.append(0)
      request.append(interface)
      request.append(0)
      request.append(0)
      // IFLA_EXT_MASK: without statistics (RTEXT_FILTER_SKIP_STATS, Linux 4.5).
      request.append(attribute: 29, UInt32(8))
    }
  }

  private static let addressHeaderSize = 8  // struct ifaddrmsg

  // MARK: numbers of linux/rtnetlink.h and linux/if_addr.h

  private enum MessageType {
    static let getLink: UInt16 = 18  // RTM_GETLINK
    static let newAddress: UInt16 = 20  // RTM_NEWADDR
    static let getAddress: UInt16 = 22  // RTM_GETADDR
  }

  private enum Attribute {
    static let address: UInt16 = 1  // IFA_ADDRESS
    static let local: UInt16 = 2  // IFA_LOCAL
    static let flags: UInt16 = 8  // IFA_FLAGS
  }
}

/// What the kernel says of an interface.
enum LinkState {
  /// No answer that says it.
  case unknown
  /// It is down, or does not exist any more.
  case down
  /// It is up and a LAN: what is on it answers ARP or neighbour discovery, and any number can be on it.
  case broadcast
  /// It is up and of another kind: a tunnel, a point-to-point link, loopback.
  case other

  init(_ answer: NetlinkAnswer) {
    switch answer {
    case .refused(let errno): self = errno == .noSuchDevice ? .down : .unknown
    case .dumpRestarted: self = .unknown
    case .message(let message):
      let newLink: UInt16 = 16  // RTM_NEWLINK
      guard message.type == newLink, let flags = message.body.number(at: 8, as: UInt32.self) else {
        self = .unknown
        return
      }
      let isUp = flags & 0x1 != 0  // IFF_UP
      let isBroadcast = flags & 0x2 != 0  // IFF_BROADCAST
      let isPeerOnly = flags & 0x90 != 0  // IFF_POINTOPOINT, IFF_NOARP
      self = !isUp ? .down : isBroadcast && !isPeerOnly ? .broadcast : .other
    }
  }
}

/// Collects the messages of a dump of addresses.
struct LocalAddressCollector {
  private(set) var locals: [LocalAddress] = []
  private(set) var refusal: Errno?

  mutating func take(_ answer: NetlinkAnswer) {
    switch answer {
    case .message(let message):
      if let local = LocalAddresses.address(message) { locals.append(local) }
    case .refused(let errno): refusal = errno
    case .dumpRestarted: locals = []
    }
  }
}

extension LocalAddress.Flags {
  /// From IFA_F_… of linux/if_addr.h.
  init(kernel flags: UInt32, _ family: Family) {
    self = []
    // IFA_F_TEMPORARY. The same bit is IFA_F_SECONDARY in IPv4: a second address of a subnet.
    if flags & 0x01 != 0 && family == .inet6 { insert(.temporary) }
    if flags & 0x20 != 0 { insert(.deprecated) }  // IFA_F_DEPRECATED
    if flags & 0x10 != 0 { insert(.home) }  // IFA_F_HOMEADDRESS
    // An optimistic address may be used during duplicate address detection (RFC 4429).
    let isOptimistic = flags & 0x04 != 0  // IFA_F_OPTIMISTIC
    // IFA_F_DADFAILED, IFA_F_TENTATIVE.
    if flags & 0x08 != 0 || flags & 0x40 != 0 && !isOptimistic { insert(.tentative) }
  }
}
