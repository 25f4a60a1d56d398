import ConnectByListCore

/// Resolves the names of one operation.
///
/// A name that stands several times in the list is asked for once a family. `localhost` and names below it are
/// this machine and are not asked for (RFC 6761 section 6.3). Nothing here blocks, `deinit` included: lookups that are still
/// running end on their own, and their answers are dropped.
final class Resolver {
  enum Answer {
    case addresses([Endpoint])
    case services([ServiceRecord])
    case failed(NameFailure)
  }

  /// A name that waits for an answer.
  struct Asker: Comparable {
    let name: NameID
    /// `nil`: for SRV records.
    let family: Family?
    /// Of the addresses; 0: they come with the port of the service.
    fileprivate let port: UInt16

    /// By name; of one name IPv6 comes first.
    static func < (a: Asker, b: Asker) -> Bool {
      a.name.number != b.name.number
        ? a.name.number < b.name.number : a.family == .inet6 && b.family != .inet6
    }
  }

  private struct Question {
    var askers: [Asker] = []
    var answer: Answer?
  }

  /// How many answers one `collect` takes: the driver looks at the clock between two.
  private static let batchMax = 128

  private var questions: [Question] = []
  private var keys = DistinctKeys<[UInt8]>(secret: .ofThisProcess)
  /// `nil`: everything so far was known without a lookup.
  private var lookups: NameLookups?
  /// Why `number` could not be had; the names that needed a lookup have failed then.
  private(set) var openingError: Errno?
  /// Whether the driver waits for `number`.
  var isWatched = false
  private var ready: [(Asker, Answer)] = []
  /// How many askers have no answer yet.
  private(set) var awaitedCount = 0

  init() {}

  /// A descriptor that is readable once an answer has come; -1: nothing was looked up.
  var number: CInt { lookups?.descriptorNumber ?? -1 }

  /// Asks for the addresses of one family, or for the SRV records. Where that cannot be done the answer is the
  /// failure.
  func ask(_ name: HostName, _ id: NameID, _ family: Family?) {
    awaitedCount += 1
    var port: UInt16 = 0
    var service: [UInt8] = []
    switch name.port {
    case .number(let number): port = number
    case .service(let text): service = text
    case .records: break
    }
    let asker = Asker(name: id, family: family, port: port)
    if service.isEmpty, let family, name.isLocalhost {
      let address: IPAddress = family == .inet ? .loopbackV4 : .loopbackV6
      ready.append((asker, .addresses([Endpoint(address, port: port)])))
      return
    }
    let kind: NameLookups.Kind =
      switch family {
      case .inet: .inet
      case .inet6: .inet6
      case .unix, nil: .services
      }
    let (number, isNew) = keys.insert(key(kind, name.host, service))
    if isNew { questions.append(Question()) }
    if let answer = questions[number].answer {
      ready.append((asker, answer.with(port: port)))
      return
    }
    questions[number].askers.append(asker)
    guard isNew else { return }
    if lookups == nil {
      do throws(Errno) { lookups = try NameLookups() } catch {
        openingError = error
        return take(.failed(NameFailure(error)), ofQuestion: number)
      }
    }
    do throws(Errno) {
      try lookups!.add(kind, name.host, service: service, tag: number)
    } catch {
      take(.failed(NameFailure(error)), ofQuestion: number)
    }
  }

  /// Whether `collect` would return an answer that needed no lookup.
  var hasReady: Bool { !ready.isEmpty }

  /// Starts the lookups of what was asked.
  func start() { if lookups != nil { lookups!.start() } }

  /// The answers that have come since the last call, in the order in which they join the race.
  func collect() -> [(Asker, Answer)] {
    if lookups != nil {
      lookups!.clearEvent()
      var left = Self.batchMax
      while left > 0, let answer = lookups!.next() {
        take(Answer(answer), ofQuestion: answer.tag)
        left -= 1
      }
      if left == 0 { lookups!.signalEvent() }
    }
    var answers: [(Asker, Answer)] = []
    swap(&answers, &ready)
    awaitedCount -= answers.count
    return answers.stablySorted { $0.0 < $1.0 }
  }

  private func take(_ answer: Answer, ofQuestion number: Int) {
    questions[number].answer = answer
    for asker in questions[number].askers { ready.append((asker, answer.with(port: asker.port))) }
    questions[number].askers = []
  }

  /// Equal for what is one question. Host names are compared without regard to case.
  private func key(_ kind: NameLookups.Kind, _ host: [UInt8], _ service: [UInt8]) -> [UInt8] {
    var key = [UInt8(kind.rawValue)]
    for byte in host {
      let isUpper = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
      key.append(isUpper ? byte | 0x20 : byte)
    }
    key.append(0)
    key.append(contentsOf: service)
    return key
  }
}

extension Resolver.Answer {
  fileprivate init(_ answer: NameLookups.Answer) {
    if let failure = answer.failure {
      self = .failed(failure)
    } else if !answer.services.isEmpty {
      self = .services(answer.services)
    } else {
      var endpoints: [Endpoint] = []
      for endpoint in answer.endpoints {
        // The checks of the list's own entries: a connect to 0.0.0.0, say, would go to this machine.
        guard endpoint.address.canBeConnectedTo, !endpoints.contains(endpoint) else { continue }
        endpoints.append(endpoint)
      }
      self = endpoints.isEmpty ? .failed(NameFailure(.nameWithoutAddress)) : .addresses(endpoints)
    }
  }

  /// Lookups of a host give no port.
  fileprivate func with(port: UInt16) -> Resolver.Answer {
    guard port != 0, case .addresses(let endpoints) = self else { return self }
    return .addresses(endpoints.map { Endpoint($0.address, port: port) })
  }
}
