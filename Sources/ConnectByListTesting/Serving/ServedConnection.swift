import CConnectByListPosix
import ConnectByList
import ConnectByListCore

/// A connection that a server has accepted. All calls are made under the server's lock.
class ServedConnection {
  /// Rounds of reading and writing in one turn, so that a client that sends without end does not starve
  /// the others.
  static let roundsMax = 32

  /// Counted from 0, in the order of acceptance.
  let number: Int
  /// When it is served again, though nothing has happened on its sockets.
  var wakes = Instant.distantFuture

  init(number: Int) { self.number = number }

  /// Moves what can be moved without waiting; false when the connection has ended.
  ///
  /// - Parameter events: of the socket with this index, 0 for the client's; 0: its time has come.
  func serve(_ events: CInt, ofSocket index: Int, _ server: EndpointServer, at now: Instant) -> Bool
  {
    false
  }

  /// Ends the connection because the endpoint is closed, or it has ended.
  func end(_ epoll: CInt) {}
}

/// A connection with a conversation.
final class ConversingConnection: ServedConnection {
  private var channel: Channel
  private var conversation: Conversation

  init(_ socket: consuming Descriptor, _ conversation: Conversation, number: Int) {
    channel = Channel(socket)
    self.conversation = conversation
    super.init(number: number)
  }

  override func serve(
    _ events: CInt, ofSocket index: Int, _ server: EndpointServer, at now: Instant
  ) -> Bool {
    var goesOn = false
    do throws(Errno) { goesOn = try converse(events, server, at: now) } catch {
      conversation.end(byReset: true)
      // Tells what the script still expected.
      for _ in 0..<Self.roundsMax {
        switch conversation.nextStep(at: now) {
        case .send, .shut: continue
        case .close, .reset, .wait: break
        }
        break
      }
    }
    if !goesOn, let failure = conversation.failure { server.note(failure: failure, number) }
    return goesOn
  }

  private func converse(
    _ events: CInt, _ server: EndpointServer, at now: Instant
  ) throws(Errno) -> Bool {
    if events & CInt(CBL_POSIX_PEER_ENDED) != 0 { conversation.end(byReset: false) }
    wakes = now
    for _ in 0..<Self.roundsMax {
      var isIdle = true
      if conversation.takesBytes, let bytes = try channel.receive() {
        isIdle = false
        if bytes.isEmpty {
          conversation.end(byReset: false)
        } else {
          server.note(received: bytes, number)
          conversation.receive(bytes, at: now)
        }
      }
      try channel.flush()
      if !channel.isFlushed {
        wakes = .distantFuture
        if isIdle { break }
        continue
      }
      switch conversation.nextStep(at: now) {
      case .send(let bytes): try channel.send(bytes)
      case .shut: channel.shut()
      case .close: return false
      case .reset:
        channel.reset()
        return false
      case .wait(let until):
        wakes = until
        if isIdle { return try watch(server) }
      }
    }
    return try watch(server)
  }

  private func watch(_ server: EndpointServer) throws(Errno) -> Bool {
    var events = channel.isFlushed ? CInt(0) : CInt(CBL_POSIX_WRITABLE)
    if !channel.hasEnded && conversation.takesBytes { events |= CInt(CBL_POSIX_READABLE) }
    if conversation.neverReads { events |= CInt(CBL_POSIX_PEER_ENDED) }
    try channel.watch(events, server.epoll.number, tag: EndpointServer.tag(number, socket: 0))
    return true
  }

  override func end(_ epoll: CInt) {
    channel.unwatch(epoll)
    channel.end()
  }
}
