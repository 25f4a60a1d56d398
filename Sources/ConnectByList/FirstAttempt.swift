import CPosix
import ConnectCore

/// The first attempt of a connect with one remote, begun before there is a race.
///
/// Most connects are one literal that answers, and need nothing that a race is made of. So the
/// attempt goes out first; where it has connected before the race could want anything, that was all
/// (`SoleRace`). Else the race is made, takes the attempt over as its first, and goes on as if it had
/// been there from the start.
struct FirstAttempt: ~Copyable {
  /// Where it has connected: the whole race.
  private(set) var sole: SoleRace?
  /// The attempt's socket. `nil`: it has failed, or there was none, because which is the first has to
  /// be planned.
  private(set) var socket: Descriptor?
  /// What the socket of an attempt in flight has said; 0: nothing yet.
  private(set) var events: CInt = 0
  /// Of an attempt that failed in the call that started it, or before.
  private(set) var failure: Errno?

  /// None.
  init() {}

  private init(_ socket: consuming Descriptor?) { self.socket = socket }

  static func begin(
    _ list: borrowing AddressList, _ request: borrowing ConnectRequest, at began: Instant
  ) -> FirstAttempt {
    guard request.settings.interface.isEmpty, request.cancelDescriptor < 0,
      let remote = list.soleRemote(request.options)
    else { return FirstAttempt() }
    do throws(Errno) {
      let socket = try Syscalls.socket(remote.family)
      try request.settings.apply(to: socket.number, remote.family)
      var events = CInt(CBL_WRITABLE)
      if try Syscalls.connect(socket.number, to: remote) == .started {
        let patience = request.options.untilSecondThoughts
        events = Syscalls.poll(socket.number, events: events, for: patience.punctual)
      }
      let local = events & CInt(CBL_WRITABLE | CBL_FAILED) == CInt(CBL_WRITABLE)
        ? Handshake.local(socket.number, request.settings) : nil
      var first = FirstAttempt(socket)
      first.events = events
      if let local {
        first.sole = SoleRace(
          remote, local: local, options: request.options, in: list, began: began,
          ended: Clock.now())
      }
      return first
    } catch {
      var first = FirstAttempt()
      first.failure = error
      return first
    }
  }

  mutating func takeSocket() -> Descriptor? { socket.take() }
}

extension ConnectOptions {
  /// How long an only attempt is left alone: a race would ask for facts, start another or give up
  /// then, and not before.
  fileprivate var untilSecondThoughts: TimeSpan {
    var span = min(minimumDelay, attemptDelay)
    if let timeout { span = min(span, timeout) }
    if let attemptTimeout { span = min(span, attemptTimeout) }
    return span
  }
}

enum Handshake {
  /// Where a connection is from that counts; `nil`: there is none such, and `check` says why.
  static func local(_ fd: CInt, _ settings: borrowing SocketSettings) -> Endpoint? {
    do throws(Errno) {
      let (local, failure) = try check(fd, settings)
      return failure == nil ? local : nil
    } catch {
      return nil
    }
  }

  /// What a wake-up without POLLERR amounts to. A `getpeername` that succeeds proves the connection;
  /// throws where it does not.
  ///
  /// `failure`: it is one, and must not count. A connection to itself (TCP's simultaneous open with
  /// one's own port) is a refusal: nobody listens there. A Unix socket cannot do that, and has no name
  /// to compare. An option that only a connection can have may be refused as any other.
  static func check(
    _ fd: CInt, _ settings: borrowing SocketSettings
  ) throws(Errno) -> (local: Endpoint?, failure: Errno?) {
    let remote = try Syscalls.remoteEndpoint(fd)
    let local = remote?.family == .unix ? nil : try Syscalls.localEndpoint(fd)
    if local != nil && local == remote { return (local, .connectionRefused) }
    return (local?.unmapped, settings.applyLate(to: fd, remote?.family ?? .inet))
  }
}
