// A described world and one connect in it, so that a race can be seen without a network.
//
// The text of it has one statement a line, in any order; `#` begins a comment. What is listed
// stands in the caller's order. A duration has a unit: `20us`, `250ms`, `1.5s`, `100ns`.
//
//     local ADDRESS[/PREFIX] [deprecated] [temporary] [home] [tentative]
//     remote ENDPOINT [from ADDRESS] [native] VERB      an entry of the list, and how it behaves
//     world ADDRESS|ENDPOINT [from ADDRESS] [native] VERB   the same, not listed: for a name's addresses
//     pair ADDRESS|- ENDPOINT VERB                      this pair only, over the remote's line
//     name HOST [ipv6 after D ADDRESS…|CODE] [ipv4 after D ADDRESS…|CODE] port N
//     name HOST fails after D CODE                      both families at once
//     rtt ADDRESS ADDRESS D var D                       the kernel's metrics: a source, a destination
//     history ENDPOINT connected [D]                    what the list itself saw, and its round trip
//     history ENDPOINT failed D ago
//     neighbour ADDRESS failed                          it does not answer address resolution
//     option NAME VALUE                                 as in Lua; durations with a unit
//     option local_addresses ADDRESS|ENDPOINT…|false
//     cancel D
//
// The verbs, each true of every attempt that its line is about:
//
//     answers D          connects after D
//     silent             nothing comes; the kernel gives up after 127 s
//     refuses D          ECONNREFUSED          unreachable D      EHOSTUNREACH
//     resets D           ECONNRESET            rejects D          connects; then `validate` says no
//     lost N answers D   the pair's first N SYNs vanish; the kernel resends after 1 s, 3 s, 7 s, …
//     noroute            ENETUNREACH in the very call; there is no source
//     fails CODE [D]     any other error; without D in the very call
//
// Later lines win over earlier ones that say the same thing otherwise; of two `remote` lines with
// one endpoint, as of two entries of a list, the first counts.

import ConnectByListCore

/// A world, a list and the options of a connect; `init(parsing:)` reads one, `text` writes it.
public struct Scenario: Sendable {
  /// What becomes of an attempt.
  public enum Behaviour: Equatable, Sendable {
    case answers(after: TimeSpan)
    case silent
    /// Connects, and then the caller's check says no.
    case rejects(after: TimeSpan)
    /// The first `count` SYNs vanish; the one after them is answered.
    case loses(count: Int, answers: TimeSpan)
    case fails(Errno, after: TimeSpan)
    /// In the call that starts it.
    case failsAtOnce(Errno)

    public static let noRoute = Behaviour.failsAtOnce(.networkUnreachable)
  }

  /// An address and a port, with what is true of it whoever connects.
  public struct Destination: Equatable, Sendable {
    /// The port may be 0 where it is not listed: then all of its ports are meant.
    public var endpoint: Endpoint
    /// The source that its route takes; `nil`: the first compatible local address.
    public var source: IPAddress?
    /// RFC 6724 rule 7.
    public var isNative: Bool
    public var behaviour: Behaviour

    public init(
      _ endpoint: Endpoint, from source: IPAddress? = nil, isNative: Bool = false,
      _ behaviour: Behaviour
    ) {
      self.endpoint = endpoint.unmapped
      self.source = source?.unmapped
      self.isNative = isNative
      self.behaviour = behaviour
    }

    var hasNoRoute: Bool { behaviour == .noRoute }
  }

  /// How one pair behaves, whatever its remote's line says.
  public struct PairBehaviour: Equatable, Sendable {
    /// `nil`: the pair of a remote without a source.
    public var local: IPAddress?
    public var remote: Endpoint
    public var behaviour: Behaviour

    public init(local: IPAddress?, remote: Endpoint, _ behaviour: Behaviour) {
      self.local = local?.unmapped
      self.remote = remote.unmapped
      self.behaviour = behaviour
    }
  }

  /// A name of the list and what its lookup brings.
  public struct Name: Equatable, Sendable {
    public struct Answer: Equatable, Sendable {
      /// `nil`: both at once.
      public var family: Family?
      public var after: TimeSpan
      public var addresses: [IPAddress]
      /// Why there are none.
      public var errno: Errno?

      public init(
        _ family: Family?, after: TimeSpan, _ addresses: [IPAddress], errno: Errno? = nil
      ) {
        assert(addresses.isEmpty == (errno != nil))
        self.family = family
        self.after = after
        self.addresses = addresses
        self.errno = errno
      }
    }

    public var host: [UInt8]
    /// 0 where nothing is found anyway.
    public var port: UInt16
    /// One with `family` nil, or at most one a family. A family without an answer is not asked for.
    public var answers: [Answer]

    public init(host: [UInt8], port: UInt16, _ answers: [Answer]) {
      self.host = host
      self.port = port
      self.answers = answers
    }
  }

  /// What the kernel remembers of finished connections.
  public struct Metrics: Equatable, Sendable {
    public var source: IPAddress
    public var destination: IPAddress
    public var roundTrip: RemotePathInformation.RoundTrip

    public init(
      source: IPAddress, destination: IPAddress, _ roundTrip: RemotePathInformation.RoundTrip
    ) {
      self.source = source.unmapped
      self.destination = destination.unmapped
      self.roundTrip = roundTrip
    }
  }

  /// What the list itself saw.
  public struct History: Equatable, Sendable {
    public var endpoint: Endpoint
    public var history: RemotePathInformation.History
    public var roundTrip: TimeSpan?

    public init(_ endpoint: Endpoint, _ history: RemotePathInformation.History, roundTrip: TimeSpan? = nil) {
      self.endpoint = endpoint.unmapped
      self.history = history
      self.roundTrip = roundTrip
    }
  }

  /// An entry of the list, as an index into `destinations` or `names`.
  public enum Entry: Equatable, Sendable {
    case remote(Int)
    case name(Int)
  }

  public var locals: [LocalAddress] = []
  /// What is listed and what is only described, in no order.
  public private(set) var destinations: [Destination] = []
  /// In the order of the list.
  public private(set) var names: [Name] = []
  public private(set) var list: [Entry] = []
  public var pairs: [PairBehaviour] = []
  public var metrics: [Metrics] = []
  public var history: [History] = []
  public var failedNeighbours: [IPAddress] = []
  public var options = ConnectOptions()
  /// When the caller cancels, from the start.
  public var cancel: TimeSpan?
  public var scopes = ScenarioScopes()

  public init() {}

  /// Puts a remote at the end of the list.
  public mutating func append(_ remote: Destination) {
    list.append(.remote(destinations.count))
    destinations.append(remote)
  }

  /// Says what a destination is like without listing it.
  public mutating func describe(_ destination: Destination) { destinations.append(destination) }

  /// Puts a name at the end of the list.
  public mutating func append(_ name: Name) {
    list.append(.name(names.count))
    names.append(name)
  }

  /// The literals of the list as candidates, duplicates merged into their first place.
  ///
  /// One without a `from` that is link-local and unscoped becomes one candidate a link, as in an
  /// `AddressList`; one with a `from` is taken as it is, so that published cases can be.
  public func candidates() -> [Candidate] {
    var candidates: [Candidate] = []
    candidates.reserveCapacity(list.count)
    for (entry, listed) in list.enumerated() {
      guard case .remote(let index) = listed else { continue }
      let remote = destinations[index]
      if let family = options.family, remote.endpoint.family != family { continue }
      if remote.source == nil {
        candidates.append(remote.endpoint, entry: entry, links: links)
      } else {
        candidates.append(Candidate(remote.endpoint, entry: Int32(entry)))
      }
    }
    return candidates.merged(.fixed)
  }

  /// The interfaces that have a link-local IPv6 address, in the order of the local addresses.
  private var links: [UInt32] {
    var links: [UInt32] = []
    for local in locals where local.address.needsScope && !links.contains(local.address.scope) {
      links.append(local.address.scope)
    }
    return links
  }
}

/// Why a scenario's text was refused.
public struct ScenarioError: Error, Equatable, Sendable {
  /// From 1. What is wrong with the text as a whole is reported at its last line.
  public let line: Int
  /// What is wrong and where, in words.
  public let message: [UInt8]

  /// `line 3: unknown statement 'remot'`.
  public var text: [UInt8] {
    var text = TextBuffer()
    text.append("line ")
    text.append(decimal: line)
    text.append(": ")
    text.append(message)
    return text.bytes
  }
}

/// The interfaces of a scenario, numbered from 1 in the order in which the text has them.
///
/// A name of digits is a name here too, so that `%1` cannot be taken for the first of the others.
public struct ScenarioScopes: ScopeNames, Equatable, Sendable {
  public private(set) var names: [[UInt8]] = []

  public init() {}

  /// The number of this interface, which is a new one if the name is.
  @discardableResult
  public mutating func add(_ name: [UInt8]) -> UInt32 {
    if let known = index(ofInterface: name) { return known }
    names.append(name)
    return UInt32(names.count)
  }

  public func index(ofInterface name: [UInt8]) -> UInt32? {
    names.firstIndex { $0 == name }.map { UInt32($0 + 1) }
  }

  public func name(ofInterface index: UInt32) -> [UInt8]? {
    index >= 1 && index <= names.count ? names[Int(index) - 1] : nil
  }
}
