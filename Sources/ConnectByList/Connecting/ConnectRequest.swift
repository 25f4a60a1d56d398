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

  /// The index of the interface that the sockets are bound to; 0: any. Throws `.noSuchDevice`.
  func interfaceIndex() throws(ConnectError) -> UInt32 {
    if settings.interface.isEmpty { return 0 }
    guard let index = SystemScopes().index(ofInterface: settings.interface) else {
      throw ConnectError(.noSuchDevice, "no such interface")
    }
    return index
  }

  func plan(
    _ list: AddressList, _ reader: inout PathInformationReader, at now: Instant
  ) throws(ConnectError) -> Plan {
    guard list.count > 0 else { throw ConnectError(.invalidArgument, "the list is empty") }
    let links = list.hasUnscopedLinkLocal ? reader.links() : []
    if let plan = list.plan(options, links: links, at: now) { return plan }
    throw list.hasUnscopedLinkLocal
      ? ConnectError(.addressNotAvailable, "no link has a link-local address")
      : ConnectError(.familyNotSupported, "no entry of the wanted family")
  }

  /// The plan for a list, as a race that has all path information and has not begun. No packet is sent. Names
  /// are not looked up, and have no pairs in it.
  public func explain(_ list: AddressList) throws(ConnectError) -> Race {
    let now = Clock.now()
    var reader = PathInformationReader(interface: try interfaceIndex())
    let plan = try plan(list, &reader, at: now)
    let race = Race(plan: plan, names: list.names(options), at: now)
    race.update(reader.facts(for: race.plan))
    return race
  }
}
