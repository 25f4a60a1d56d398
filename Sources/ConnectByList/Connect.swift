import CPosix
import ConnectCore

/// What a connect is given beside the list.
public struct ConnectRequest: Sendable {
  public var options = ConnectOptions()
  public var settings = SocketSettings()

  public init() {}
}

extension Operation {
  /// Begins connecting to one of the list's entries. The list is copied: changing it later has no effect
  /// on this operation. The clock runs from here; no packet is sent before the first `advance`.
  ///
  /// Throws `.invalidArgument` for an empty list, `.familyNotSupported` where the wanted family has no
  /// entry, `.noSuchDevice` for an interface that is not there.
  public init(_ list: AddressList, _ request: ConnectRequest) throws(ConnectError) {
    let began = Clock.now()
    guard list.count > 0 else { throw ConnectError(.invalidArgument, "the list is empty") }
    var interface: UInt32 = 0
    if !request.settings.interface.isEmpty {
      guard let index = SystemScopes().index(ofInterface: request.settings.interface) else {
        throw ConnectError(.noSuchDevice, "no such interface")
      }
      interface = index
    }
    var finder = FactFinder(interface: interface)
    let links = list.hasUnscopedLinkLocal ? finder.links() : []
    let candidates = list.candidates(family: request.options.family, links: links)
    guard !candidates.isEmpty else {
      throw list.hasUnscopedLinkLocal
        ? ConnectError(.addressNotAvailable, "no link has a link-local address")
        : ConnectError(.familyNotSupported, "no entry of the wanted family")
    }
    self.init(
      race: Race(plan: Plan(candidates, options: request.options), at: began), finder: finder,
      settings: request.settings, at: began)
  }

  /// What the caller gets at the end. Call once, with what `advance` finished with.
  public consuming func conclude(_ result: RaceResult) throws(ConnectError) -> Socket {
    let report = ConnectReport(race: race, result: result, elapsed: Clock.now() - race.began)
    guard case .won(let id) = result, let descriptor = takeDescriptor(of: id) else {
      throw ConnectError(report)
    }
    let attempt = race.attempts[Int(id.number)]
    return Socket(
      descriptor, local: attempt.local, remote: race.plan.remote(of: attempt.pair), report: report)
  }
}

/// Connects to whichever entry of the list answers best, trying every pair of a local and a remote
/// address, the likeliest first, within the deadline of `request.options.timeout`. Blocks.
public func connectByList(
  _ list: AddressList, _ request: ConnectRequest = ConnectRequest()
) throws(ConnectError) -> Socket {
  var operation = try Operation(list, request)
  let result = operation.run()
  return try operation.conclude(result)
}
