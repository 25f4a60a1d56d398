import CConnectByListPosix
import ConnectByListCore

/// The addresses that a name has now, IPv6 first, or those of the targets of its SRV records in the order in which RFC
/// 2782 tries them. Blocks until every answer has come, at most for `timeout` of the options.
///
/// Throws the code of the lookup where there is no address, `.timedOut` where no address came in time, `.cancelled`,
/// `.accessDenied` where the policy does not allow lookups.
public func resolve(
  _ name: HostName, _ request: borrowing ConnectRequest
) throws(ConnectError) -> [Endpoint] {
  let resolution = try NameResolution(name, request)
  while true {
    if let endpoints = try resolution.advance() { return endpoints }
    if try resolution.wait(cancel: request.cancelDescriptor) { throw ConnectError(.cancelled) }
  }
}

/// The lookups of one name, driven step by step: `advance` never blocks.
public final class NameResolution {
  private let options: ConnectOptions
  private let began = Clock.now()
  private let resolver = Resolver()
  /// By the numbers of the name and its targets: IPv6 and IPv4.
  private var found: [(inet6: [Endpoint], inet: [Endpoint])] = [([], [])]
  private var failure: NameFailure?

  /// Throws `.accessDenied` where the policy does not allow lookups, `.familyNotSupported`.
  public init(_ name: HostName, _ request: borrowing ConnectRequest) throws(ConnectError) {
    guard request.policy.allowsNameLookups else { throw ConnectError(.accessDenied) }
    options = request.options
    if options.family == .unix { throw ConnectError(.familyNotSupported) }
    if name.port == .records {
      resolver.ask(name, NameID(0), nil)
    } else {
      ask(name, NameID(0))
    }
  }

  /// A descriptor that is readable once an answer has come; -1: none is awaited.
  public var number: CInt { resolver.number }

  /// When it ends without any answer; `distantFuture`: never.
  public var deadline: Instant { options.timeout.map { began + $0 } ?? .distantFuture }

  /// Takes in what has come. Returns the addresses once every answer has, or the deadline; `nil`: it goes on.
  public func advance() throws(ConnectError) -> [Endpoint]? {
    repeat {
      for (asker, answer) in resolver.collect() { take(answer, asker) }
      resolver.start()
      // What is known without a lookup is collected at once.
    } while resolver.hasReady
    if resolver.awaitedCount > 0 && Clock.now() < deadline { return nil }
    let endpoints = found.flatMap { $0.inet6 + $0.inet }
    guard endpoints.isEmpty else { return endpoints }
    if let failure, resolver.awaitedCount == 0 { throw ConnectError(failure.errno, failure.words) }
    throw ConnectError(.timedOut, "the name was not resolved in time")
  }

  /// Waits for an answer or the deadline. Returns whether the caller has cancelled.
  fileprivate func wait(cancel: CInt) throws(ConnectError) -> Bool {
    let span = (deadline == .distantFuture ? TimeSpan.forever : deadline - Clock.now()).wakingEarly
    let readable = CInt(CBL_POSIX_READABLE)
    do throws(Errno) {
      if cancel < 0 {
        _ = try Syscalls.poll(number, events: readable, for: span)
        return false
      }
      return try Syscalls.poll(number, events: readable, or: cancel, for: span).1 != 0
    } catch {
      throw ConnectError(error)
    }
  }

  private func ask(_ name: HostName, _ id: NameID) {
    for family in PendingNames.families(of: name, options.family) { resolver.ask(name, id, family) }
  }

  private func take(_ answer: Resolver.Answer, _ asker: Resolver.Asker) {
    let number = Int(asker.name.number)
    switch answer {
    case .addresses(let endpoints):
      if asker.family == .inet6 {
        found[number].inet6 = endpoints
      } else {
        found[number].inet = endpoints
      }
    case .services(let records):
      if records.allSatisfy({ $0.isRoot }) { failure = .serviceNotAvailable }
      let seed = options.seed != 0 ? options.seed : UInt64(bitPattern: began.nanoseconds)
      for target in records.targetHosts(seed: seed) {
        found.append(([], []))
        switch target {
        case .endpoint(let endpoint): found[found.count - 1].inet = [endpoint]
        case .name(let name): ask(name, NameID(Int32(found.count - 1)))
        }
      }
    case .failed(let one):
      if one.errno.tellsMore(than: failure?.errno) { failure = one }
    }
  }
}
