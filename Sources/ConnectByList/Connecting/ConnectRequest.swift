import ConnectByListCore

/// What a connect is given beside the list.
public struct ConnectRequest: Sendable {
  public var options = ConnectOptions()
  public var settings = SocketSettings()
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
    var reader = try PathInformationReader(settings)
    let plan = try reader.plan(list, options, at: now)
    let race = Race(plan: plan, names: list.names(options), at: now)
    race.update(reader.pathInformation(for: race.plan, .population(options.locals)))
    return race
  }
}

extension PathInformationReader {
  /// For sockets with these settings. Throws `.noSuchDevice`.
  init(_ settings: borrowing SocketSettings) throws(ConnectError) {
    var selectors = RouteSelectors()
    selectors.mark = settings.value(level: SocketLevel.socket, number: SocketNumber.mark) ?? 0
    selectors.typeOfService = UInt8(
      truncatingIfNeeded:
        settings.value(level: SocketLevel.ip, number: SocketNumber.typeOfService) ?? 0)
    selectors.trafficClass = UInt8(
      truncatingIfNeeded:
        settings.value(level: SocketLevel.ipv6, number: SocketNumber.trafficClass) ?? 0)
    if !settings.interface.isEmpty {
      guard let found = SystemScopes().index(ofInterface: settings.interface) else {
        throw ConnectError(.noSuchDevice, "no such interface")
      }
      selectors.interface = found
    }
    self.init(selectors)
  }

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
