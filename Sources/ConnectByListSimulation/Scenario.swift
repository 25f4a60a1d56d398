// A scenario describes a network, an address list and the options of one connect. The simulation runs
// the race in it without a network.
//
// Its text has one statement a line; `#` begins a comment. The order of `remote` and `name` lines is the
// order of the list; all other lines may come in any order. A duration has a unit: `20us`, `250ms`,
// `1.5s`, `100ns`.
//
//     local ADDRESS[/PREFIX] [deprecated] [temporary] [home] [tentative] [broadcast]
//                                                       broadcast: the prefix is a LAN's
//     remote ENDPOINT [from ADDRESS] [native] VERB      an entry of the list, and how it behaves
//     world ADDRESS|ENDPOINT [from ADDRESS] [native] VERB   not in the list: an address of a name
//     pair ADDRESS|- ENDPOINT VERB                      one pair; overrides the remote's line
//     name HOST [ipv6 after D ADDRESS…|CODE] [ipv4 after D ADDRESS…|CODE] port N
//     name HOST fails after D CODE                      both families at once
//     srv NAME after D PRIORITY WEIGHT PORT TARGET…     SRV records, each four words; a target is an address, or
//                                                       a name with a `host` line
//     srv NAME fails after D CODE
//     host HOST …                                       as `name`, of a target: not in the list, and without a port
//     nat64 after D ADDRESS…|CODE                       the AAAA answer of ipv4only.arpa
//     rtt ADDRESS ADDRESS D var D                       the kernel's metrics: source, destination
//     seen ADDRESS ENDPOINT connected [D] D ago         what the list has seen of the pair; first its
//                                                       round trip, unless a SYN was sent again
//     seen ADDRESS ENDPOINT failed|refused D ago
//     neighbour ADDRESS failed                          does not answer address resolution
//     descriptors N                                     a socket beyond N open ones fails with EMFILE
//     option NAME VALUE                                 as in Lua; a time is a duration with a unit
//     option local_addresses ADDRESS|ENDPOINT…|false
//     cancel D
//
// A verb says how each attempt to the line's remote ends:
//
//     answers D          connects after D
//     silent             no answer; the kernel gives up after 131 s
//     refuses D          ECONNREFUSED          unreachable D      EHOSTUNREACH
//     resets D           ECONNRESET            rejects D          connects; `validate` then rejects it
//     lost N answers D   the pair's first N SYNs are lost; the kernel resends after 1 s, 2 s, 3 s, …
//     noroute            ENETUNREACH from `connect` itself; the remote has no source address
//     fails CODE [D]     any other error; without D from `connect` itself
//
// If two `pair`, `rtt`, `option`, `descriptors` or `cancel` lines contradict each other, the later one
// counts. The `seen` lines of a pair are taken oldest first.
// Of two `remote` lines with the same endpoint, as of two equal entries of a list, the first counts; so
// does the first of two `world` lines.

import ConnectByListCore

/// A described network, an address list and the options of a connect. `init(parsing:)` reads the text of
/// a scenario, `text` writes it.
public struct Scenario: Sendable {
  /// How an attempt ends.
  public enum Behaviour: Equatable, Sendable {
    case answers(after: TimeSpan)
    case silent
    /// Connects; the caller's check then rejects the connection.
    case rejects(after: TimeSpan)
    /// The first `count` SYNs are lost; the next one is answered.
    case loses(count: Int, answers: TimeSpan)
    case fails(Errno, after: TimeSpan)
    /// Fails in the call that starts it.
    case failsAtOnce(Errno)

    public static let noRoute = Behaviour.failsAtOnce(.networkUnreachable)
  }

  /// A remote address with its port, route and behaviour.
  public struct Destination: Equatable, Sendable {
    /// Port 0, allowed if the endpoint is not in the list, means every port.
    public var endpoint: Endpoint
    /// The source address of its route; `nil`: the first compatible local address.
    public var source: IPAddress?
    /// Reached without an encapsulating tunnel (RFC 6724 rule 7).
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

  /// How the attempts of one pair end. Overrides the behaviour of the remote.
  public struct PairBehaviour: Equatable, Sendable {
    /// `nil` for a remote without a source address.
    public var local: IPAddress?
    public var remote: Endpoint
    public var behaviour: Behaviour

    public init(local: IPAddress?, remote: Endpoint, _ behaviour: Behaviour) {
      self.local = local?.unmapped
      self.remote = remote.unmapped
      self.behaviour = behaviour
    }
  }

  /// A host name in the list, and the answers to its lookup.
  public struct Name: Equatable, Sendable {
    public struct Answer: Equatable, Sendable {
      /// `nil`: one answer for both families.
      public var family: Family?
      public var after: TimeSpan
      public var addresses: [IPAddress]
      /// Of a service.
      public var records: [ServiceRecord] = []
      /// The error if there are no addresses and no records.
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

      public init(after: TimeSpan, records: [ServiceRecord]) {
        family = nil
        self.after = after
        addresses = []
        self.records = records
      }
    }

    public var host: [UInt8]
    /// 0 if no answer has an address.
    public var port: UInt16
    /// One answer with `family` nil, or at most one for each family. A family without an answer is not
    /// looked up.
    public var answers: [Answer]
    /// Whether its SRV records are asked for.
    public var isService: Bool

    public init(host: [UInt8], port: UInt16, _ answers: [Answer], isService: Bool = false) {
      self.isService = isService
      self.host = host
      self.port = port
      self.answers = answers
    }
  }

  /// The kernel's metrics of earlier connections between two addresses.
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

  /// What the list has seen of a pair before this connect.
  public struct Seen: Equatable, Sendable {
    public enum Outcome: Equatable, Sendable {
      /// `nil`: a SYN was sent again, so the handshake gives no round trip (Karn's rule).
      case connected(roundTrip: TimeSpan?)
      case refused
      /// Any failure but a refusal.
      case failed
    }

    public var source: IPAddress
    public var endpoint: Endpoint
    public var outcome: Outcome
    /// How long before the connect began.
    public var age: TimeSpan

    public init(source: IPAddress, _ endpoint: Endpoint, _ outcome: Outcome, age: TimeSpan) {
      self.source = source.unmapped
      self.endpoint = endpoint.unmapped
      self.outcome = outcome
      self.age = age
    }
  }

  /// An entry of the list, as an index into `destinations` or `names`.
  public enum Entry: Equatable, Sendable {
    case remote(Int)
    case name(Int)
  }

  public var locals: [LocalAddress] = []
  /// The endpoints of the list, and those that are only described.
  public private(set) var destinations: [Destination] = []
  /// In the order of the list.
  public private(set) var names: [Name] = []
  public private(set) var list: [Entry] = []
  /// The targets of SRV records.
  public var hosts: [Name] = []
  /// The answer to the lookup of a NAT64's prefix; `nil`: it is not asked for.
  public var translation: Name.Answer?
  public var pairs: [PairBehaviour] = []
  public var metrics: [Metrics] = []
  public var seen: [Seen] = []
  public var failedNeighbours: [IPAddress] = []
  /// How many sockets can be open at once; one more fails with EMFILE. `nil`: any number.
  public var descriptorCount: Int?
  public var options = ConnectOptions()
  /// When the caller cancels, from the start of the connect; `nil`: never.
  public var cancel: TimeSpan?
  public var scopes = ScenarioScopes()

  public init() {}

  /// Appends a remote to the list.
  public mutating func append(_ remote: Destination) {
    list.append(.remote(destinations.count))
    destinations.append(remote)
  }

  /// Describes a destination without adding it to the list.
  public mutating func describe(_ destination: Destination) { destinations.append(destination) }

  /// Appends a name to the list.
  public mutating func append(_ name: Name) {
    list.append(.name(names.count))
    names.append(name)
  }

  /// The remotes of the list as candidates, in its order. A repeated endpoint counts once, at its first
  /// position.
  ///
  /// A link-local remote without a scope becomes one candidate for each link, as in an `AddressList`. With
  /// `from` it stays one candidate, so that published examples of RFC 6724 can be written as they are.
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
