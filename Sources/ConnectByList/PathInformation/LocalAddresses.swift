import ConnectByListCore

/// The addresses of this machine.
public enum LocalAddresses {
  /// All addresses of interfaces that are up, in the kernel's order: those that nothing may be sent
  /// from yet are among them (`tentative`), and one that two interfaces have is there twice.
  ///
  /// Four system calls, six where an interface is in doubt (`interfacesInDoubt`). Throws what the
  /// kernel says where it refuses to tell: some sandboxes have no netlink (EAFNOSUPPORT, EPERM).
  public static func all() throws(Errno) -> [LocalAddress] {
    var socket = try NetlinkSocket(.route)
    var collector = LocalAddressCollector()
    var requests = NetlinkRequests()
    append(to: &requests)
    try socket.ask(&requests) { collector.take($1) }
    if let refusal = collector.refusal { throw refusal }

    var questions = NetlinkRequests()
    let doubtful = interfacesInDoubt(collector.locals, knownUp: [])
    for interface in doubtful { append(questionOf: interface, to: &questions) }
    var down: [UInt32] = []
    try socket.ask(&questions) { if isDown($1) { down.append(doubtful[$0]) } }
    return collector.locals.filter { !down.contains($0.interface) }
  }

  /// The interfaces that have a link-local IPv6 address which may be used: where an unscoped
  /// link-local remote may be. In the order of their indices.
  static func links(_ locals: [LocalAddress]) -> [UInt32] {
    let usable = locals.filter { $0.address.needsScope && !$0.flags.contains(.tentative) }
    let interfaces = DistinctKeys(usable.map { Int($0.interface) }, secret: .ofThisProcess).keys
    return interfaces.sorted().map { UInt32($0) }
  }

  /// Each address once, where it stands first: one that two interfaces have is one place to connect
  /// from.
  static func merged(_ locals: [LocalAddress]) -> [LocalAddress] {
    let distinct = Distinct(locals.count, secret: .ofThisProcess) { locals[$0].address }
    return distinct.firsts.map { locals[$0] }
  }

  // MARK: addresses (RTM_GETADDR)

  /// Asks for all addresses of both families.
  static func append(to requests: inout NetlinkRequests) {
    requests.add(
      type: MessageType.getAddress, dump: true, answerMax: NetlinkRequests.answerLong
    ) { request in
      // struct ifaddrmsg: family (AF_UNSPEC: both), prefix, flags, scope, interface.
      request.append(0)
      request.append(0)
    }
  }

  /// An address from an answer; `nil` where it is none.
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
      case 1: address = IPAddress(netlink: payload)
      case 2: local = IPAddress(netlink: payload)
      case 8: flags = payload.number(at: 0, as: UInt32.self) ?? flags
      default: break
      }
    }
    // IFA_ADDRESS is the peer's on a point-to-point link; there IFA_LOCAL is one's own. IPv6 sends
    // IFA_LOCAL only then.
    guard let own = local ?? address, !own.isUnspecified,
      prefixLength <= (own.family == .inet ? 32 : 128)
    else { return nil }
    return LocalAddress(
      own.needsScope ? own.withScope(interface) : own, prefixLength: prefixLength,
      flags: LocalAddress.Flags(kernel: flags, own.family), interface: interface)
  }

  // MARK: whether an interface is up (RTM_GETLINK)

  /// The interfaces of which their addresses do not tell whether they are up.
  ///
  /// RTM_GETADDR lists the addresses of an interface that is down without a word about it: IPv4's,
  /// and IPv6's that were given to it while it was down or are kept (keep_addr_on_down). Only ::1
  /// and link-local addresses always go with it, so a usable one of those proves that an interface
  /// is up, as a route through it does (`knownUp`). Linux 6.18.
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

  @inline(never)
  static func append(questionOf interface: UInt32, to requests: inout NetlinkRequests) {
    requests.add(
      type: MessageType.getLink, answerMax: NetlinkRequests.answerLong
    ) { request in
      // struct ifinfomsg: family, pad, type, index, flags, change.
      request.append(0)
      request.append(interface)
      request.append(0)
      request.append(0)
    }
  }

  /// Whether the kernel says that the interface is down, or gone.
  static func isDown(_ answer: NetlinkAnswer) -> Bool {
    switch answer {
    case .refused(let errno): return errno == .noSuchDevice
    case .startedAgain: return false
    case .message(let message):
      let isUp: UInt32 = 1  // IFF_UP
      guard message.type == MessageType.newLink,
        let flags = message.body.number(at: 8, as: UInt32.self)
      else { return false }
      return flags & isUp == 0
    }
  }

  private static let addressHeaderSize = 8

  private enum MessageType {
    static let newLink: UInt16 = 16
    static let getLink: UInt16 = 18
    static let newAddress: UInt16 = 20
    static let getAddress: UInt16 = 22
  }
}

/// Gathers the pieces of a dump of addresses.
struct LocalAddressCollector {
  private(set) var locals: [LocalAddress] = []
  private(set) var refusal: Errno?

  mutating func take(_ answer: NetlinkAnswer) {
    switch answer {
    case .message(let message):
      if let local = LocalAddresses.address(message) { locals.append(local) }
    case .refused(let errno): refusal = errno
    case .startedAgain: locals = []
    }
  }
}

extension LocalAddress.Flags {
  /// From IFA_F_… of linux/if_addr.h.
  init(kernel flags: UInt32, _ family: Family) {
    self = []
    // The same bit is IFA_F_SECONDARY in IPv4: a second address of a subnet, nothing temporary.
    if flags & 0x01 != 0 && family == .inet6 { insert(.temporary) }
    if flags & 0x20 != 0 { insert(.deprecated) }
    if flags & 0x10 != 0 { insert(.home) }
    let isOptimistic = flags & 0x04 != 0
    // An optimistic address may be used while its duplicates are looked for (RFC 4429).
    if flags & 0x08 != 0 || flags & 0x40 != 0 && !isOptimistic { insert(.tentative) }
  }
}
