import ConnectByListCore

/// The names of a list on their way to addresses, by the system's resolver (`getaddrinfo`) on
/// threads of its own, eight at a time.
///
/// Nothing here blocks. When it goes, nobody waits for the threads: a lookup that outlives the call
/// ends by itself, and its answer is thrown away.
struct Resolver: ~Copyable {
  /// What came of one name.
  enum Answer {
    case addresses([Endpoint])
    case failed(Errno)
  }

  private let lookups: NameLookups

  private init(_ lookups: consuming NameLookups) { self.lookups = lookups }

  /// Starts looking up. Throws where there are neither memory nor descriptors for it, and
  /// `.resolverTryAgain` where no thread is to be had: each process has 64 at most.
  static func start(_ names: [HostName], family: Family?) throws(Errno) -> Resolver {
    let lookups = try NameLookups(count: names.count)
    for name in names { try lookups.add(name, family: family) }
    try lookups.start()
    return Resolver(lookups)
  }

  /// Readable when an answer has come.
  var number: CInt { lookups.descriptorNumber }

  /// Tells the answers that have come since the last time; `index` counts the names.
  func collect(_ tell: (_ index: Int, Answer) -> Void) {
    lookups.clearEvent()
    while let answer = lookups.next() {
      var endpoints: [Endpoint] = []
      for endpoint in answer.endpoints {
        // What no entry may be, no answer may be either: to connect to 0.0.0.0 is to connect to
        // this machine.
        guard endpoint.address.canBeConnectedTo, !endpoints.contains(endpoint) else { continue }
        endpoints.append(endpoint)
      }
      if !endpoints.isEmpty {
        tell(answer.index, .addresses(endpoints))
      } else {
        tell(answer.index, .failed(answer.errno ?? .nameWithoutAddress))
      }
    }
  }
}
