import CConnectByListPosix
import ConnectByListCore

/// Lookups of names by the system's resolver (`getaddrinfo`), on at most eight threads.
///
/// Nothing here blocks. Lookups that are still running when this value goes end on their own, and
/// their answers are dropped.
struct NameLookups: ~Copyable {
  /// What the resolver answered for one name.
  struct Answer {
    /// The name's number, in the order of `add`.
    let index: Int
    /// `nil`: no error. An errno, or one of the resolver's codes.
    let errno: Errno?
    /// IPv4 and IPv6 endpoints, in the resolver's order, duplicates included.
    let endpoints: [Endpoint]
  }

  private let handle: OpaquePointer
  /// Readable once an answer has come. Closed after `deinit` has run, so no thread can signal a
  /// number that is in use again.
  private let event: Descriptor

  /// For at most `count` names. Throws `.outOfMemory`, and what `eventfd` throws.
  init(count: Int) throws(Errno) {
    let event = try Syscalls.eventDescriptor()
    guard let handle = cbl_posix_resolver_new(CInt(count), event.number) else {
      throw .outOfMemory
    }
    self.handle = handle
    self.event = event
  }

  deinit { cbl_posix_resolver_free(handle) }

  /// The descriptor that becomes readable once an answer has come.
  var descriptorNumber: CInt { event.number }

  /// Adds a name, before `start`. Throws `.outOfMemory`.
  ///
  /// - Parameter family: `nil`: both IPv4 and IPv6.
  func add(_ name: HostName, family: Family?) throws(Errno) {
    let wanted: CInt =
      switch family {
      case .inet: CInt(CBL_POSIX_AF_INET)
      case .inet6: CInt(CBL_POSIX_AF_INET6)
      case .unix, nil: 0
      }
    var service: [UInt8] = []
    var port: UInt16 = 0
    switch name.port {
    case .number(let number): port = number
    case .service(let text): service = text
    }
    try Syscalls.check(
      name.host.withUnsafeBytes { host in
        service.withUnsafeBytes { service in
          cbl_posix_resolver_add(
            handle, cbl_posix_slice(bytes: host.baseAddress, count: host.count),
            cbl_posix_slice(bytes: service.baseAddress, count: service.count), port, wanted)
        }
      })
  }

  /// Starts the lookups. Throws `.resolverTryAgain` where no thread can be started: a process runs 64
  /// of them at most, those whose caller has gone included.
  func start() throws(Errno) {
    if cbl_posix_resolver_start(handle) == 0 { throw .resolverTryAgain }
  }

  /// Makes the descriptor unreadable until the next answer. To be called before `next`, so that an
  /// answer that comes in between is signalled again.
  func clearEvent() { Syscalls.clearEvent(event.number) }

  /// The next answer; `nil` where none has come.
  func next() -> Answer? {
    var index: CInt = 0
    var code: CInt = 0
    var answers: UnsafePointer<cbl_posix_endpoint>?
    let count = Int(cbl_posix_resolver_take(handle, &index, &code, &answers))
    guard count >= 0 else { return nil }
    return Answer(
      index: Int(index), errno: code == 0 ? nil : Errno(code),
      endpoints: UnsafeBufferPointer(start: answers, count: count).compactMap { Endpoint($0) })
  }
}
