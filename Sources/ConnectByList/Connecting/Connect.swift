import CConnectByListPosix
import ConnectByListCore

/// What a connect is given beside the list.
public struct ConnectRequest: Sendable {
  public var options = ConnectOptions()
  public var settings = SocketSettings()
  /// Ends the connect from elsewhere; the connect keeps it as long as it lasts.
  public var cancel: CancelHandle? {
    didSet { cancelDescriptor = cancel?.number ?? -1 }
  }
  /// The same by any descriptor, which stays the caller's: once it is readable the connect ends with
  /// `.cancelled`. -1: none.
  public var cancelDescriptor: CInt = -1

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
    try self.init(list, request, onto: nil)
  }

  init(
    _ list: AddressList, _ request: ConnectRequest, onto target: CallerSocket?,
    at began: Instant = Clock.now()
  ) throws(ConnectError) {
    if request.cancelDescriptor >= 0 && !Syscalls.isOpen(request.cancelDescriptor) {
      throw ConnectError(.badDescriptor, "the cancel descriptor is not open")
    }
    var finder = PathInformationReader(interface: try request.interfaceIndex())
    let plan = try request.plan(list, &finder, at: began)
    let race = Race(plan: plan, names: list.names(request.options), at: began)
    let names = list.names.map { $0.name }
    self.init(race: race, names: names, finder: finder, request, onto: target)
  }

  /// What the caller gets at the end. Call once, with what `advance` finished with; of a winner
  /// whose descriptor was taken there is nothing to conclude.
  public consuming func conclude(_ result: RaceResult) throws(ConnectError) -> Socket {
    let report = report(result)
    return Socket(handOver(try winner(report)), report)
  }

  /// The same where the winner takes the number of the caller's socket.
  consuming func concludeOntoTarget(_ result: RaceResult) throws(ConnectError) -> ConnectReport {
    let report = report(result)
    let descriptor = handOver(try winner(report))
    do throws(Errno) { try target!.take(descriptor) } catch {
      throw ConnectError(error, "the winner could not take the socket's number")
    }
    return report
  }

  private func report(_ result: RaceResult) -> ConnectReport {
    ConnectReport(race: race, names: names, result: result, elapsed: Clock.now() - race.began)
  }

  private func winner(_ report: ConnectReport) throws(ConnectError) -> AttemptID {
    guard case .won(let id) = report.result else { throw ConnectError(report) }
    return id
  }

  private mutating func handOver(_ id: AttemptID) -> Descriptor {
    guard let descriptor = takeDescriptor(of: id) else {
      preconditionFailure("the winner's descriptor was taken before")
    }
    return descriptor
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
    _ list: AddressList, _ finder: inout PathInformationReader, at now: Instant
  ) throws(ConnectError) -> Plan {
    guard list.count > 0 else { throw ConnectError(.invalidArgument, "the list is empty") }
    let links = list.hasUnscopedLinkLocal ? finder.links() : []
    if let plan = list.plan(options, links: links, at: now) { return plan }
    throw list.hasUnscopedLinkLocal
      ? ConnectError(.addressNotAvailable, "no link has a link-local address")
      : ConnectError(.familyNotSupported, "no entry of the wanted family")
  }

  /// The plan for a list without a packet: a race that has all its facts and has not begun.
  /// Names are not looked up for it, and have no pairs in it.
  public func explain(_ list: AddressList) throws(ConnectError) -> Race {
    let now = Clock.now()
    var finder = PathInformationReader(interface: try interfaceIndex())
    let plan = try plan(list, &finder, at: now)
    var race = Race(plan: plan, names: list.names(options), at: now)
    race.update(finder.facts(for: race.plan))
    return race
  }
}

/// Connects to whichever entry of the list answers best, trying every pair of a local and a remote
/// address, the likeliest first, within the deadline of `request.options.timeout`. Blocks.
///
/// The list remembers how its endpoints did: the next connect with it goes to what worked.
public func connectByList(
  _ list: inout AddressList, _ request: ConnectRequest
) throws(ConnectError) -> Socket {
  let began = Clock.now()
  var first = FirstAttempt.begin(list, request, at: began)
  if let sole = first.sole, let socket = first.takeSocket() {
    list.take(sole)
    return Socket(socket, ConnectReport(sole))
  }
  var operation = try Operation(list, request, onto: nil, at: began)
  let result = operation.run(first)
  list.take(operation.race)
  return try operation.conclude(result)
}

/// The same with a socket that the caller made: it becomes the connected socket, under its number.
///
/// Blocks, also where the socket does not; O_NONBLOCK and FD_CLOEXEC are as before afterwards, as is
/// the whole socket where nothing connects. IPv4 entries are v4-mapped on an AF_INET6 socket, and
/// fail there with `.networkUnreachable` where it is IPV6_V6ONLY; what the socket's family cannot
/// have fails with `.familyNotSupported`. A pair at a time: nobody else may use the socket
/// meanwhile.
public func connectByList(
  _ list: inout AddressList, onto socket: CallerSocket, _ request: ConnectRequest
) throws(ConnectError) -> ConnectReport {
  var request = request
  do throws(Errno) {
    request.settings = try socket.settings(under: request.settings)
  } catch {
    throw ConnectError(error)
  }
  var operation = try Operation(list, request, onto: socket)
  let result = operation.run()
  list.take(operation.race)
  return try operation.concludeOntoTarget(result)
}
