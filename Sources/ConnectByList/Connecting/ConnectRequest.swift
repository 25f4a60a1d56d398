import ConnectByListCore

/// What a connect is given beside the list.
public struct ConnectRequest: Sendable {
  public var options = ConnectOptions()
  public var settings = SocketSettings()
  /// Which destinations may be connected to. An attempt to another one fails with `.accessDenied`.
  public var policy = EgressPolicy.unrestricted
  /// Ends the connect from another thread or a signal handler. The request keeps the handle alive.
  public var cancel: CancelHandle? {
    didSet { cancelDescriptor = cancel?.number ?? -1 }
  }
  /// A descriptor of the caller's: the connect ends with `.cancelled` once it is readable. -1: none.
  public var cancelDescriptor: CInt = -1

  public init() {}

  /// The plan for a list, as a race that has all path information and has not begun. No packet is sent. Names
  /// are not looked up, and have no pairs in it.
  public func explain(_ list: AddressList) throws(ConnectError) -> Race {
    let now = Clock.now()
    var reader = PathInformationReader(try RouteSelectors(settings))
    let plan = try reader.plan(list, options, at: now)
    let race = Race(plan: plan, names: list.names(options), at: now)
    race.update(reader.pathInformation(for: race.plan, .population(options.locals)), at: now)
    return race
  }
}

extension PathInformationReader {
  /// The plan for the literals of a list.
  mutating func plan(
    _ list: borrowing AddressList, _ options: ConnectOptions, at now: Instant
  ) throws(ConnectError) -> Plan {
    guard list.count > 0 else { throw ConnectError(.invalidArgument, "the list is empty") }
    let links = list.hasUnscopedLinkLocal ? interfacesOfLinkLocalAddresses() : []
    if let plan = list.plan(options, links: links, at: now) {
      // Only the order of several remotes depends on the table.
      if options.order == .likely && (plan.remoteCount > 1 || list.hasNames) {
        plan.policyTable = .ofThisSystem
      }
      return plan
    }
    throw list.hasUnscopedLinkLocal
      ? ConnectError(.addressNotAvailable, "no link has a link-local address")
      : ConnectError(.familyNotSupported, "no entry of the wanted family")
  }
}

extension RouteSelectors {
  /// Those of sockets with these settings. Throws `.noSuchDevice`.
  init(_ settings: borrowing SocketSettings) throws(ConnectError) {
    self.init()
    if !settings.mayChooseRoute { return }
    mark = settings.value(level: SocketLevel.socket, number: SocketNumber.mark) ?? 0
    let service = settings.value(level: SocketLevel.ip, number: SocketNumber.typeOfService)
    typeOfService = UInt8(truncatingIfNeeded: service ?? 0)
    let trafficClass = settings.value(level: SocketLevel.ipv6, number: SocketNumber.trafficClass)
    self.trafficClass = UInt8(truncatingIfNeeded: trafficClass ?? 0)
    guard !settings.interface.isEmpty else { return }
    guard let found = SystemScopes().index(ofInterface: settings.interface) else {
      var text = TextBuffer()
      text.append("no such interface: '")
      text.append(escaped: settings.interface)
      text.append("'")
      throw ConnectError(.noSuchDevice, text)
    }
    interface = found
  }
}
