import CConnectByListPosix
import ConnectByListCore

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
      var events = CInt(CBL_POSIX_WRITABLE)
      if try Syscalls.connect(socket.number, to: remote) == .started {
        let patience = request.options.soloWindow
        events = Syscalls.poll(socket.number, events: events, for: patience.wakingEarly)
      }
      let local = events & CInt(CBL_POSIX_WRITABLE | CBL_POSIX_FAILED) == CInt(CBL_POSIX_WRITABLE)
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
  fileprivate var soloWindow: TimeSpan {
    var span = min(minimumDelay, attemptDelay)
    if let timeout { span = min(span, timeout) }
    if let attemptTimeout { span = min(span, attemptTimeout) }
    return span
  }
}
