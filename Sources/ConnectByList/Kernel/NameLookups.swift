import CConnectByListPosix
import ConnectByListCore

/// Why a name was not resolved.
public struct NameFailure: Equatable, Sendable {
  /// One of the resolver's codes, or an errno.
  public let errno: Errno
  /// In words, where the code has several causes.
  private let detail: StaticString?

  init(_ errno: Errno, _ detail: StaticString? = nil) {
    self.errno = errno
    self.detail = detail
  }

  /// Of a code of the C part.
  init(code: CInt) {
    switch code {
    case CInt(CBL_POSIX_NAME_NO_ANSWER):
      self.init(.resolverTryAgain, "no name server answered in time")
    case Errno.resolverTryAgain.number:
      self.init(.resolverTryAgain, "the name server failed or could not be reached")
    case CInt(CBL_POSIX_NAME_TOO_MANY):
      self.init(.resolverTryAgain, "too many name lookups are hanging (512)")
    case CInt(CBL_POSIX_NAME_NO_IDN):
      self.init(.nameNotEncoded, "internationalized names need libidn2 (libidn2.so.0)")
    case CInt(CBL_POSIX_NAME_NO_UTF8):
      self.init(.nameNotEncoded, "internationalized names need the locale C.UTF-8")
    default: self.init(Errno(code))
    }
  }

  /// The domain's only SRV record has the target `.`: it does not have the service.
  static let serviceNotAvailable = NameFailure(
    .serviceNotKnown, "the service is not available there")

  public var words: StaticString { detail ?? errno.words }

  public static func == (a: NameFailure, b: NameFailure) -> Bool {
    a.errno == b.errno && a.words.utf8Start == b.words.utf8Start
  }
}

/// Lookups of names by the system's resolver, on threads that the process shares.
///
/// Nothing here blocks. Lookups that are still running when this value goes end on their own, and
/// their answers are dropped.
final class NameLookups {
  enum Kind: CInt { case inet = 4, inet6 = 6, services = 33 }

  struct Answer {
    let tag: Int
    let failure: NameFailure?
    /// IPv4 and IPv6 endpoints, in the resolver's order, duplicates included.
    let endpoints: [Endpoint]
    /// SRV records, in the order of the answer.
    let services: [ServiceRecord]
  }

  private let handle: OpaquePointer
  /// Readable once an answer has come. Closed after `deinit` has run, so no thread can signal a
  /// number that is in use again.
  private let event: Descriptor

  /// Throws `.outOfMemory`, and what `eventfd` throws.
  init() throws(Errno) {
    let event = try Syscalls.eventDescriptor()
    guard let handle = cbl_posix_resolver_new(event.number) else { throw .outOfMemory }
    self.handle = handle
    self.event = event
  }

  deinit { cbl_posix_resolver_free(handle) }

  /// The descriptor that becomes readable once an answer has come.
  var descriptorNumber: CInt { event.number }

  /// Adds a question. Throws `.outOfMemory`.
  ///
  /// - Parameters:
  ///   - service: the name of a service; empty: the answers have port 0.
  ///   - tag: is in the answer.
  func add(_ kind: Kind, _ host: [UInt8], service: [UInt8], tag: Int) throws(Errno) {
    try Syscalls.check(
      host.withUnsafeBytes { host in
        service.withUnsafeBytes { service in
          cbl_posix_resolver_add(
            handle, kind.rawValue, cbl_posix_slice(bytes: host.baseAddress, count: host.count),
            cbl_posix_slice(bytes: service.baseAddress, count: service.count), 0, CInt(tag))
        }
      })
  }

  /// Starts the lookups that were added. Those for which there is no thread fail.
  func start() { cbl_posix_resolver_start(handle) }

  /// Makes the descriptor unreadable until the next answer. To be called before `next`, so that an
  /// answer that comes in between is signalled again.
  func clearEvent() { Syscalls.clearEvent(event.number) }

  /// Makes the descriptor readable, because answers were left.
  func signalEvent() { Syscalls.signalEvent(event.number) }

  /// The next answer; `nil` where none has come.
  func next() -> Answer? {
    guard let answer = cbl_posix_resolver_take(handle)?.pointee else { return nil }
    let count = Int(answer.count)
    let failure = answer.code == 0 ? nil : NameFailure(code: answer.code)
    var services: [ServiceRecord] = []
    var endpoints: [Endpoint] = []
    if let records = answer.services {
      services.reserveCapacity(count)
      for index in 0..<count { services.append(ServiceRecord(records + index)) }
    } else {
      endpoints = UnsafeBufferPointer(start: answer.endpoints, count: count)
        .compactMap { Endpoint($0) }
    }
    return Answer(
      tag: Int(answer.tag), failure: failure, endpoints: endpoints, services: services)
  }
}

extension ServiceRecord {
  fileprivate init(_ record: UnsafePointer<cbl_posix_service>) {
    let target = UnsafeRawBufferPointer(
      start: cbl_posix_service_target(record), count: cbl_posix_service_target_size(record))
    self.init(
      priority: record.pointee.priority, weight: record.pointee.weight, port: record.pointee.port,
      target: Array(target))
  }
}
