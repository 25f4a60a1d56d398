import CConnectByListPosix
import ConnectByListCore

// Attempts: their sockets are made, connected, watched and dropped here.

extension Operation {
  /// Starts an attempt; false where it failed in the call itself.
  func start(_ id: AttemptID) -> Bool {
    let pair = race.attempts[id.index].pair
    do throws(Errno) {
      if race.plan.isImpossible(pair) { throw .addressNotAvailable }
      // The policy recognizes the well-known NAT64 prefixes alone, and this one is the network's own.
      if let translated = race.plan.translatedEndpoint(of: pair), !policy.allows(translated) {
        throw .accessDenied
      }
      let endpoint = race.plan.remote(of: pair)
      let remote = try adaptedToSocketFamily(endpoint)
      let socket = try makeSocket(remote.family)
      if race.plan.bindsLocal(pair), let local = race.plan.local(of: pair) {
        try SocketSettings.bind(socket.number, to: adaptedToSocketFamily(local))
      }
      // Before the SYN: an attempt that cannot be waited for must not begin a handshake.
      try watch(socket.number, id)
      var progress =
        remote.family == .unix
        ? try Syscalls.connect(socket.number, toUnix: race.plan.unixPaths[remote], under: policy)
        : try Syscalls.connect(socket.number, to: remote, under: policy)
      if progress == .connected && remote.family != .unix && settings.defersHandshake {
        progress = try Syscalls.startHandshake(socket.number)
      }
      sockets.insert(id, socket)
      // Linux has done a handshake over loopback when `connect` returns, although it returns EINPROGRESS.
      if progress == .connected || endpoint.address.isLoopback { complete(id, events: 0) }
      return true
    } catch {
      if asksForDescriptors(error) {
        unstarted = id
      } else {
        race.handle(.failed(id, error, synchronous: true), at: Clock.now())
      }
      return false
    }
  }

  /// A socket with its settings: like the caller's where that is to be connected, else Multipath TCP's where
  /// it is wanted and the kernel has it, else TCP's.
  private func makeSocket(_ family: Family) throws(Errno) -> Descriptor {
    if let target {
      let socket = try target.makeSocket()
      try settings.apply(to: socket.number, family)
      return socket
    }
    if race.plan.wantsMultipath && family != .unix && !isMultipathRefused {
      do throws(Errno) {
        let socket = try Syscalls.socket(family, protocol: CInt(CBL_POSIX_IPPROTO_MPTCP))
        try settings.apply(to: socket.number, family)
        return socket
      } catch {
        guard error.mayMeanNoMultipath else { throw error }
        isMultipathRefused = true
      }
    }
    let socket = try Syscalls.socket(family)
    try settings.apply(to: socket.number, family)
    return socket
  }

  /// The endpoint as the sockets of this operation write it.
  private func adaptedToSocketFamily(_ endpoint: Endpoint) throws(Errno) -> Endpoint {
    guard let target else { return endpoint }
    return try target.adaptedToSocketFamily(endpoint)
  }

  /// Makes sure that the next wait includes this socket, which is not in the table yet.
  private func watch(_ fd: CInt, _ id: AttemptID) throws(Errno) {
    if !waitSet.isMade && sockets.count == 0 { return }
    try makeWaitSet()
    try waitSet.add(fd, id)
  }

  /// Makes the wait set with all that is waited for by now, or, where that fails, none.
  func makeWaitSet() throws(Errno) {
    guard !waitSet.isMade else { return }
    var made = WaitSet()
    try made.make()
    if let (id, number) = onlyInFlight { try made.add(number, id) }
    if cancelDescriptor >= 0 && !isCancelled {
      try made.add(cancelDescriptor, WaitSet.cancel)
    }
    waitSet = made
  }

  /// The only attempt, until its handshake is done: a connection that is being validated stays writable and
  /// would end every wait.
  var onlyInFlight: (id: AttemptID, number: CInt)? {
    guard let only = sockets.only, race.attempts[only.id.index].ended == nil else { return nil }
    return only
  }

  func drop(_ id: AttemptID) {
    guard let descriptor = sockets.take(id) else { return }
    noteEnd(id, of: race, descriptor.number, local: nil, at: Clock.now())
    // A registration outlives the close where a forked child has the descriptor too, and would end every
    // wait. The wait set of a decided race is not waited for again.
    if waitSet.isMade && !race.isDecided { waitSet.remove(descriptor.number) }
  }
}

extension Errno {
  /// Whether the kernel may have refused Multipath TCP rather than the settings: it does not have it
  /// (EPROTONOSUPPORT; before Linux 5.6 EINVAL), it is switched off (net.mptcp.enabled: ENOPROTOOPT), a policy
  /// forbids it (SELinux, eBPF, seccomp: EPERM, EACCES), or it lacks an option (TCP_NODELAY before Linux 5.17:
  /// EOPNOTSUPP).
  ///
  /// A setting that is wrong for TCP too fails again on the TCP socket.
  fileprivate var mayMeanNoMultipath: Bool {
    switch self {
    case .protocolNotSupported, .invalidArgument, .noProtocolOption, .notPermitted, .accessDenied,
      .operationNotSupported:
      true
    default: false
    }
  }
}
