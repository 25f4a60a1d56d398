/// Which destinations may be connected to. The program that embeds this library sets it; it is checked on
/// the actual address, after name resolution and before each `connect`. An attempt to a destination that is
/// not allowed fails with `.accessDenied` (EACCES), and no packet is sent.
///
/// The first rule that matches decides. Where none matches, the destination is denied if any rule allows
/// something, and allowed otherwise; a last rule for `.any` says otherwise.
///
/// An address can stand for another one. ``allows(_:)`` asks the rules for each, and all have to be allowed:
///
/// - a v4-mapped address is its IPv4 address, and no IPv6 address;
/// - 64:ff9b::/96 (NAT64, RFC 6052), 64:ff9b:1::/48 (RFC 8215, its last 32 bits), 2002::/16 (6to4) and ::/96
///   (IPv4-compatible) are themselves and the IPv4 address inside;
/// - the unspecified address, to which Linux connects as to this machine, is loopback.
public struct EgressPolicy: Equatable, Sendable {
  public enum Action: UInt8, Sendable { case allow, deny }

  /// The destinations of a rule.
  public enum Target: Equatable, Sendable {
    /// All, Unix sockets included.
    case any
    case family(Family)
    /// The addresses that have these leading bits, 0 … 32 of IPv4 or 0 … 128 of IPv6. Scopes are ignored.
    case network(IPAddress, prefixLength: Int)
    case addressClass(AddressClass)
    /// A path, or `@` and an abstract name. With `isPrefix` each path that goes on after it without
    /// another slash: the sockets of a folder.
    case unixPath([UInt8], isPrefix: Bool)
  }

  public struct Rule: Equatable, Sendable {
    public var action: Action
    public var target: Target
    /// `nil`: every port. A Unix socket has none, and matches only then.
    public var ports: ClosedRange<UInt16>?

    public init(_ action: Action, _ target: Target, ports: ClosedRange<UInt16>? = nil) {
      self.action = action
      self.target = target
      self.ports = ports
    }
  }

  /// In the order in which they are checked.
  public private(set) var rules: [Rule] = []
  /// Whether names may be looked up. Where not, each name fails with EACCES. A name server is no
  /// destination of the rules: the system's resolver connects to it.
  public var allowsNameLookups = true
  /// Whether scripts may open test endpoints, which accept connections.
  public var allowsTestEndpoints = true
  /// Of what the rules allow, only loopback addresses and Unix sockets.
  public private(set) var isOnlyLoopback = false
  private var hasAllowRule = false

  /// Everything is allowed.
  public static let unrestricted = EgressPolicy()

  /// More rules are refused: each connect goes through all of them.
  public static let rulesMax = 4096

  public init() {}

  /// Adds a rule after the others. Returns false, and adds nothing, above `rulesMax`.
  @discardableResult
  public mutating func append(_ rule: Rule) -> Bool {
    guard rules.count < Self.rulesMax else { return false }
    rules.append(rule)
    if rule.action == .allow { hasAllowRule = true }
    return true
  }

  /// Allows no more than loopback addresses and Unix sockets from now on. It cannot be undone.
  public mutating func narrowToLoopback() { isOnlyLoopback = true }

  // MARK: checking

  /// Whether an IP endpoint may be connected to.
  public func allows(_ endpoint: Endpoint) -> Bool {
    if rules.isEmpty && !isOnlyLoopback { return true }
    let own = endpoint.address.unmapped.asDestination
    guard allows(own, endpoint.port) else { return false }
    guard let inner = own.addressInside else { return true }
    return allows(inner.asDestination, endpoint.port)
  }

  /// Whether a Unix socket may be connected to: a path, or `@` and an abstract name.
  ///
  /// Only text is compared. A path that is relative or has a `..` in it matches every denying rule for
  /// paths, and no allowing one. Symbolic links are not followed, so that a rule that denies a path can be
  /// circumvented by another path to the same socket: deny `.family(.unix)` and allow paths.
  public func allows(unixPath path: [UInt8]) -> Bool {
    if rules.isEmpty { return true }
    let plain = UnixPathText(path)
    for rule in rules where rule.matches(unixPath: plain) { return rule.action == .allow }
    return !hasAllowRule
  }

  private func allows(_ address: IPAddress, _ port: UInt16) -> Bool {
    if isOnlyLoopback && !address.isLoopback { return false }
    for rule in rules where rule.matches(address, port) { return rule.action == .allow }
    return !hasAllowRule
  }
}

extension EgressPolicy.Rule {
  fileprivate func matches(_ address: IPAddress, _ port: UInt16) -> Bool {
    if let ports, !ports.contains(port) { return false }
    switch target {
    case .any: return true
    case .family(let family): return address.family == family
    case .network(let network, let prefixLength):
      // IPv4 addresses are held in the last 32 of 128 bits.
      let bits = network.family == .inet ? 96 + prefixLength : prefixLength
      return address.family == network.family && address.commonPrefixLength(with: network) >= bits
    case .addressClass(let addressClass): return addressClass.contains(address)
    case .unixPath: return false
    }
  }

  fileprivate func matches(unixPath path: UnixPathText) -> Bool {
    if ports != nil { return false }
    switch target {
    case .any, .family(.unix): return true
    case .unixPath(let given, let isPrefix):
      return path.isAmbiguous ? action == .deny : path.matches(given, isPrefix: isPrefix)
    case .family, .network, .addressClass: return false
    }
  }
}

/// A Unix path without its `//` and `/./`.
private struct UnixPathText {
  private(set) var bytes: [UInt8] = []
  /// It is relative, or has a `..`: which folder it means depends on more than its text.
  private(set) var isAmbiguous = false

  init(_ path: [UInt8]) {
    guard path.first != UInt8(ascii: "@") else {
      bytes = path
      return
    }
    isAmbiguous = path.first != UInt8(ascii: "/")
    for part in path.split(separator: UInt8(ascii: "/")) {
      if part.count == 1 && part.first == UInt8(ascii: ".") { continue }
      if part.count == 2 && part.allSatisfy({ $0 == UInt8(ascii: ".") }) { isAmbiguous = true }
      bytes.append(UInt8(ascii: "/"))
      bytes.append(contentsOf: part)
    }
  }

  func matches(_ given: [UInt8], isPrefix: Bool) -> Bool {
    guard isPrefix else { return bytes == given }
    guard bytes.count > given.count, bytes.starts(with: given) else { return false }
    return !bytes[given.count...].contains(UInt8(ascii: "/"))
  }
}
