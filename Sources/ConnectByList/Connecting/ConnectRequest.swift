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
    var reader = try PathInformationReader(interfaceNamed: settings.interface)
    let plan = try reader.plan(list, options, at: now)
    let race = Race(plan: plan, names: list.names(options), at: now)
    race.update(reader.pathInformation(for: race.plan))
    return race
  }
}

extension PathInformationReader {
  /// `name`: of the interface that the sockets are bound to; empty: any. Throws `.noSuchDevice`.
  init(interfaceNamed name: [UInt8]) throws(ConnectError) {
    var index: UInt32 = 0
    if !name.isEmpty {
      guard let found = SystemScopes().index(ofInterface: name) else {
        var text = TextBuffer()
        text.append("no such interface: '")
        text.append(escaped: name)
        text.append("'")
        throw ConnectError(.noSuchDevice, text)
      }
      index = found
    }
    self.init(interface: index)
  }

  /// The plan for the literals of a list.
  mutating func plan(
    _ list: borrowing AddressList, _ options: ConnectOptions, at now: Instant
  ) throws(ConnectError) -> Plan {
    guard list.count > 0 else { throw ConnectError(.invalidArgument, "the list is empty") }
    let links = list.hasUnscopedLinkLocal ? links() : []
    if let plan = list.plan(options, links: links, at: now) { return plan }
    throw list.hasUnscopedLinkLocal
      ? ConnectError(.addressNotAvailable, "no link has a link-local address")
      : ConnectError(.familyNotSupported, "no entry of the wanted family")
  }
}
