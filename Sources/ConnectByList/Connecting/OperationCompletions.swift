import CConnectByListPosix
import ConnectByListCore

// Completions: what a wake-up brought, and whether a handshake succeeded.

extension Operation {
  /// Waits for at most `span`, and reports all that the wake-up brought.
  func collect(for span: TimeSpan) {
    do throws(Errno) {
      if waitSet.isMade {
        try collectFromWaitSet(for: span)
      } else if let (id, number) = onlyInFlight {
        let (events, cancel) = try poll(number, events: CInt(CBL_POSIX_WRITABLE), for: span)
        if events != 0 { complete(id, events: events) }
        if cancel != 0 { takeCancel() }
      } else {
        // No handshake in flight: the race waits for a delay to end, or for a verdict.
        if try poll(-1, events: 0, for: span).cancel != 0 { takeCancel() }
      }
    } catch {
      waitFailed(error, for: span)
    }
  }

  private func collectFromWaitSet(for span: TimeSpan) throws(Errno) {
    // Collected first and completed afterwards: completing an attempt changes the wait set.
    var completions: [(AttemptID, CInt)] = []
    var isMore = true
    var span = span
    while isMore {
      let before = completions.count
      try waitSet.collect(for: span) { completions.append(($0, $1)) }
      // A full batch may have left some in the kernel, and the winner is chosen among all of a wake-up.
      isMore = completions.count - before == WaitSet.batchMax && completions.count < sockets.count
      span = .zero
    }
    for (id, events) in completions where id.number >= 0 { complete(id, events: events) }
    for (id, _) in completions {
      if id == WaitSet.resolver { collectAnswers() }
      if id == WaitSet.cancel { takeCancel() }
    }
  }

  private func poll(
    _ fd: CInt, events: CInt, for span: TimeSpan
  ) throws(Errno) -> (CInt, cancel: CInt) {
    if cancelDescriptor < 0 || isCancelled {
      return (try Syscalls.poll(fd, events: events, for: span), 0)
    }
    let (ready, cancel) = try Syscalls.poll(fd, events: events, or: cancelDescriptor, for: span)
    return (ready, cancel)
  }

  /// How long an operation sleeps that cannot wait: for answers and verdicts it has to look.
  private static let blindSleep = TimeSpan.milliseconds(10)

  /// A wait failed: nothing would tell how the handshakes in flight end, so the attempts fail with its error.
  /// Names are still looked up, and the deadline holds.
  package func waitFailed(_ errno: Errno, for span: TimeSpan = .zero) {
    let inFlight = sockets.ids.filter { race.attempts[$0.index].ended == nil }
    for id in inFlight {
      race.handle(.failed(id, errno, synchronous: false), at: Clock.now())
      drop(id)
    }
    if resolver != nil { collectAnswers() }
    if inFlight.isEmpty && span > .zero { Syscalls.sleep(for: min(span, Self.blindSleep)) }
  }

  /// The descriptor stays readable, so it is not polled again.
  private func takeCancel() {
    guard !isCancelled else { return }
    isCancelled = true
    if waitSet.isMade { waitSet.remove(cancelDescriptor) }
    race.handle(.cancelled, at: Clock.now())
  }

  /// Takes in the events of one attempt's socket. SO_ERROR is read only where they include POLLERR, or where
  /// the socket turns out not to be connected.
  func complete(_ id: AttemptID, events: CInt) {
    guard let fd = sockets.number(of: id) else { return }
    let mayHaveFailed = events & CInt(CBL_POSIX_FAILED) != 0
    var errno = mayHaveFailed ? Syscalls.takePendingError(fd) : nil
    if errno == nil {
      do throws(Errno) {
        let (local, failure) = try Handshake.check(fd, settings)
        errno = failure
        if failure == nil {
          let now = Clock.now()
          let race = race
          noteEnd(id, of: race, fd, local: local, at: now)
          stopWatching(fd)
          race.handle(.connected(id), at: now)
          return
        }
      } catch {
        // POLLHUP without an error: the connection was made and reset at once.
        errno = Syscalls.takePendingError(fd) ?? (error == .notConnected ? nil : error)
        if errno == nil && events & CInt(CBL_POSIX_HUNG_UP) != 0 { errno = .connectionReset }
      }
    }
    // After the peer's FIN a reset is EPIPE (`tcp_reset` in Linux's net/ipv4/tcp_input.c).
    if errno == .brokenPipe { errno = .connectionReset }
    // A spurious wake-up leaves the attempt in flight.
    guard let errno else { return }
    race.handle(.failed(id, errno, synchronous: false), at: Clock.now())
    drop(id)
  }

  /// As in `onlyInFlight`, where there is a wait set.
  private func stopWatching(_ fd: CInt) {
    if race.plan.validates && waitSet.isMade { waitSet.remove(fd) }
  }

  /// Reads from an attempt's socket what the report tells. The kernel sends the first SYN again after one
  /// second (TCP_TIMEOUT_INIT), so a younger attempt is not asked for resent SYNs.
  func noteEnd(
    _ id: AttemptID, of race: Race, _ fd: CInt, local: Endpoint?, at now: Instant
  ) {
    if race.plan.remote(of: race.attempts[id.index].pair).family == .unix { return }
    var resent: Int32 = 0
    if (race.attempts[id.index].ended ?? now) - race.attempts[id.index].started
      >= .seconds(1)
    {
      resent = Syscalls.resentCount(fd)
    }
    var local = local
    if local == nil {
      do throws(Errno) { local = try Syscalls.localEndpoint(fd) } catch { local = nil }
    }
    if let known = local, known.address.isUnspecified { local = nil }
    let isMultipath =
      race.plan.wantsMultipath && race.attempts[id.index].outcome == .pending
      ? Syscalls.isMultipath(fd) : nil
    // Both ends of a pair are of one family in the report, whatever the socket's family is.
    race.note(id, local: local?.unmapped, resentCount: resent, isMultipath: isMultipath)
  }
}
