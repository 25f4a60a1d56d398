import CPosix
import ConnectCore

/// What a connect is given beside the list.
public struct ConnectRequest: Sendable {
  public var options = ConnectOptions()
  public var settings = SocketSettings()

  public init() {}
}

extension Operation {
  /// Begins connecting to one of the list's entries. The list is copied: changing it later has no
  /// effect on this operation. The clock runs from here; no packet is sent before the first
  /// `advance`.
  ///
  /// Throws `.invalidArgument` for an empty list, `.familyNotSupported` where the wanted family has
  /// no entry, `.noSuchDevice` for an interface that is not there.
  public init(_ list: AddressList, _ request: ConnectRequest) throws(ConnectError) {
    let began = Clock.now()
    var finder = FactFinder(interface: try request.interfaceIndex())
    let plan = try request.plan(list, &finder, at: began)
    self.init(
      race: Race(plan: plan, at: began), finder: finder, settings: request.settings, at: began)
  }

  /// What the caller gets at the end. Call once, with what `advance` finished with; of a winner
  /// whose descriptor was taken there is nothing to conclude.
  public consuming func conclude(_ result: RaceResult) throws(ConnectError) -> Socket {
    let report = ConnectReport(race: race, result: result, elapsed: Clock.now() - race.began)
    guard case .won(let id) = result else { throw ConnectError(report) }
    guard let descriptor = takeDescriptor(of: id) else {
      preconditionFailure("the winner's descriptor was taken before")
    }
    let attempt = race.attempts[Int(id.number)]
    return Socket(
      descriptor, local: attempt.local, remote: race.plan.remote(of: attempt.pair), report: report)
  }
}

extension ConnectRequest {
  fileprivate func interfaceIndex() throws(ConnectError) -> UInt32 {
    if settings.interface.isEmpty { return 0 }
    guard let index = SystemScopes().index(ofInterface: settings.interface) else {
      throw ConnectError(.noSuchDevice, "no such interface")
    }
    return index
  }

  fileprivate func plan(
    _ list: AddressList, _ finder: inout FactFinder, at now: Instant
  ) throws(ConnectError) -> Plan {
    guard list.count > 0 else { throw ConnectError(.invalidArgument, "the list is empty") }
    let links = list.hasUnscopedLinkLocal ? finder.links() : []
    if let plan = list.plan(options, links: links, at: now) { return plan }
    throw list.hasUnscopedLinkLocal
      ? ConnectError(.addressNotAvailable, "no link has a link-local address")
      : ConnectError(.familyNotSupported, "no entry of the wanted family")
  }

  /// The plan for a list without a packet: a race that has all its facts and has not begun.
  public func explain(_ list: AddressList) throws(ConnectError) -> Race {
    let now = Clock.now()
    var finder = FactFinder(interface: try interfaceIndex())
    var race = Race(plan: try plan(list, &finder, at: now), at: now)
    race.supply(finder.facts(for: race.plan))
    return race
  }
}

/// Connects to whichever entry of the list answers best, trying every pair of a local and a remote
/// address, the likeliest first, within the deadline of `request.options.timeout`. Blocks.
///
/// The list remembers how its endpoints did: the next connect with it goes to what worked.
public func connectByList(
  _ list: inout AddressList, _ request: ConnectRequest = ConnectRequest()
) throws(ConnectError) -> Socket {
  var operation = try Operation(list, request)
  let result = operation.run()
  list.history.take(operation.race)
  return try operation.conclude(result)
}
