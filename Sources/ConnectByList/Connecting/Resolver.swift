import CConnectByListPosix
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

  private let handle: OpaquePointer
  private let event: Descriptor

  private init(_ handle: OpaquePointer, _ event: consuming Descriptor) {
    self.handle = handle
    self.event = event
  }

  /// Starts looking up. Throws where there are neither memory nor descriptors for it, and
  /// `.resolverTryAgain` where no thread is to be had: each process has 64 at most.
  static func start(_ names: [HostName], family: Family?) throws(Errno) -> Resolver {
    let event = try Syscalls.eventDescriptor()
    guard let handle = cbl_posix_resolver_new(CInt(names.count), event.number) else {
      throw .outOfMemory
    }
    let resolver = Resolver(handle, event)
    for name in names { try resolver.add(name, family) }
    if cbl_posix_resolver_start(handle) == 0 { throw .resolverTryAgain }
    return resolver
  }

  private func add(_ name: HostName, _ family: Family?) throws(Errno) {
    let wanted =
      family.map { $0 == .inet ? CInt(CBL_POSIX_AF_INET) : CInt(CBL_POSIX_AF_INET6) } ?? 0
    var service: [UInt8] = []
    var port: UInt16 = 0
    switch name.port {
    case .number(let number): port = number
    case .service(let text): service = text
    }
    let code = name.host.withUnsafeBytes { host in
      service.withUnsafeBytes { service in
        cbl_posix_resolver_add(
          handle, cbl_posix_slice(bytes: host.baseAddress, count: host.count),
          cbl_posix_slice(bytes: service.baseAddress, count: service.count), port, wanted)
      }
    }
    if code < 0 { throw Errno(-code) }
  }

  deinit { cbl_posix_resolver_free(handle) }

  /// Readable when an answer has come.
  var number: CInt { event.number }

  /// Tells the answers that have come since the last time; `index` counts the names.
  func collect(_ tell: (_ index: Int, Answer) -> Void) {
    cbl_posix_eventfd_clear(event.number)
    var index: CInt = 0
    var code: CInt = 0
    var answers: UnsafePointer<cbl_posix_endpoint>?
    while true {
      let count = Int(cbl_posix_resolver_take(handle, &index, &code, &answers))
      if count < 0 { return }
      var endpoints: [Endpoint] = []
      for place in 0..<count {
        // What no entry may be, no answer may be either: to connect to 0.0.0.0 is to connect to
        // this machine.
        guard let endpoint = Endpoint(answers![place]), endpoint.address.canBeConnectedTo,
          !endpoints.contains(endpoint)
        else { continue }
        endpoints.append(endpoint)
      }
      if !endpoints.isEmpty {
        tell(Int(index), .addresses(endpoints))
      } else {
        tell(Int(index), .failed(code == 0 ? .nameWithoutAddress : Errno(code)))
      }
    }
  }
}
