import CConnectByListPosix
import ConnectByList
import ConnectByListCore

/// A connection of a proxy: the client's socket, the service's, and a flow in each direction.
final class ProxyConnection: ServedConnection {
  private var client: Channel
  private var service: Channel
  private var isConnecting: Bool
  private var toService: ProxyFlow
  private var toClient: ProxyFlow

  /// Starts to connect to the service. Throws the errors of `socket` and `connect`.
  init(
    _ socket: consuming Descriptor, _ target: ProxyTarget, seed: UInt64, policy: EgressPolicy,
    number: Int
  ) throws(Errno) {
    var random = SplitMix64(seed: seed &+ UInt64(number))
    toService = ProxyFlow(isTowardsClient: false, seed: random.next())
    toClient = ProxyFlow(isTowardsClient: true, seed: random.next())
    let own: Descriptor
    switch target {
    case .endpoint(let endpoint):
      own = try Syscalls.socket(endpoint.family)
      isConnecting = try Syscalls.connect(own.number, to: endpoint, under: policy) == .started
    case .unix(let path):
      own = try Syscalls.socket(.unix)
      isConnecting = try Syscalls.connect(own.number, toUnix: path, under: policy) == .started
    }
    client = Channel(socket)
    service = Channel(own)
    super.init(number: number)
  }

  override func serve(
    _ events: CInt, ofSocket index: Int, _ server: EndpointServer, at now: Instant
  ) -> Bool {
    do throws(Errno) {
      if isConnecting && index == 1 && events != 0 {
        if let error = Syscalls.takePendingError(service.socket.number) {
          server.note(failure: error, ofServiceFor: number)
          throw error
        }
        isConnecting = false
      }
      return try forward(server, at: now)
    } catch {
      // One side has failed: so does the other.
      client.reset()
      service.reset()
      return false
    }
  }

  private func forward(_ server: EndpointServer, at now: Instant) throws(Errno) -> Bool {
    let settings = server.proxySettings
    wakes = now
    for _ in 0..<Self.roundsMax {
      var isIdle = true
      if toService.takesBytes, let bytes = try client.receive() {
        isIdle = false
        if bytes.isEmpty {
          toService.end(settings, at: now)
        } else {
          server.note(received: bytes, number)
          toService.receive(bytes, settings, at: now)
        }
      }
      if !isConnecting, toClient.takesBytes, let bytes = try service.receive() {
        isIdle = false
        if bytes.isEmpty {
          toClient.end(settings, at: now)
        } else {
          toClient.receive(bytes, settings, at: now)
        }
      }
      var until = Instant.distantFuture
      if !isConnecting {
        until = try Self.pass(&toService, &service, settings, now, &isIdle)
        until = min(until, try Self.pass(&toClient, &client, settings, now, &isIdle))
      }
      if toService.isDone && toClient.isDone { return false }
      if isIdle {
        wakes = until
        break
      }
    }
    return try watch(server)
  }

  /// Passes on what is due, and returns when it has to be tried again.
  private static func pass(
    _ flow: inout ProxyFlow, _ channel: inout Channel, _ settings: ProxySettings, _ now: Instant,
    _ isIdle: inout Bool
  ) throws(Errno) -> Instant {
    try channel.flush()
    guard channel.isFlushed else { return .distantFuture }
    switch flow.nextStep(settings, at: now) {
    case .send(let bytes): try channel.send(bytes)
    case .shut: channel.shut()
    case .close, .reset: throw .connectionReset
    case .wait(let until): return until
    }
    isIdle = false
    return .distantFuture
  }

  private func watch(_ server: EndpointServer) throws(Errno) -> Bool {
    let epoll = server.epoll.number
    var events = client.isFlushed ? CInt(0) : CInt(CBL_POSIX_WRITABLE)
    if toService.takesBytes { events |= CInt(CBL_POSIX_READABLE) }
    try client.watch(events, epoll, tag: EndpointServer.tag(number, socket: 0))
    events = !isConnecting && service.isFlushed ? CInt(0) : CInt(CBL_POSIX_WRITABLE)
    if !isConnecting && toClient.takesBytes { events |= CInt(CBL_POSIX_READABLE) }
    try service.watch(events, epoll, tag: EndpointServer.tag(number, socket: 1))
    return true
  }

  override func end(_ epoll: CInt) {
    client.unwatch(epoll)
    service.unwatch(epoll)
    client.end()
    service.end()
  }
}
