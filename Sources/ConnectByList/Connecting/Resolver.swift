import ConnectByListCore

/// Resolves the names of a list with the system's resolver (`getaddrinfo`), on up to eight threads.
///
/// Nothing here blocks, `deinit` included: lookups that are still running end on their own, and their
/// answers are dropped.
struct Resolver: ~Copyable {
  /// The result for one name.
  enum Answer {
    case addresses([Endpoint])
    case failed(Errno)
  }

  private let lookups: NameLookups

  private init(_ lookups: consuming NameLookups) { self.lookups = lookups }

  /// Starts the lookups. Throws `.outOfMemory`, the errors of `eventfd`, and `.resolverTryAgain` where no
  /// thread can be started: a process runs 64 of them at most.
  static func start(_ names: [HostName], family: Family?) throws(Errno) -> Resolver {
    let lookups = try NameLookups(count: names.count)
    for name in names { try lookups.add(name, family: family) }
    try lookups.start()
    return Resolver(lookups)
  }

  /// A descriptor that is readable once an answer has come.
  var number: CInt { lookups.descriptorNumber }

  /// Reports the answers that have come since the last call, each with its name's index in the list.
  func collect(_ report: (_ index: Int, Answer) -> Void) {
    lookups.clearEvent()
    while let answer = lookups.next() {
      var endpoints: [Endpoint] = []
      for endpoint in answer.endpoints {
        // The checks of the list's own entries: a connect to 0.0.0.0, say, would go to this machine.
        guard endpoint.address.canBeConnectedTo, !endpoints.contains(endpoint) else { continue }
        endpoints.append(endpoint)
      }
      if !endpoints.isEmpty {
        report(answer.index, .addresses(endpoints))
      } else {
        report(answer.index, .failed(answer.errno ?? .nameWithoutAddress))
      }
    }
  }
}
