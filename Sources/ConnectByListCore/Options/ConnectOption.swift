/// One option of a connect: its name, kind, range, default and documentation.
///
/// `table` is the only place that states these. Lua's option reader, the scenario's parser and printer,
/// `ConnectOptions.defect`, and the tests of the documentation work from it.
public struct ConnectOption: Sendable {
  /// The key in a script's table, and the name after `option` in a scenario.
  public let name: StaticString
  package let kind: Kind
  #if !hasFeature(Embedded)
    /// What applies if the option is not given, as the documentation shows it.
    public let defaultText: StaticString
    /// One line of Markdown.
    public let documentation: StaticString
  #endif

  /// The values that an option may have. A kind whose values are fields of `ConnectOptions` also says
  /// how to get and set the field; `get` returns `nil` if the field is not set.
  package enum Kind: Sendable {
    case boolean(
      get: @Sendable (ConnectOptions) -> Bool?, set: @Sendable (inout ConnectOptions, Bool) -> Void)
    /// A span of time, in seconds.
    case span(
      ClosedRange<TimeSpan>, get: @Sendable (ConnectOptions) -> TimeSpan?,
      set: @Sendable (inout ConnectOptions, TimeSpan) -> Void)
    /// A span of time from `atLeast`, in seconds. Infinity and `nil` both mean that there is no bound.
    case bound(
      atLeast: TimeSpan, get: @Sendable (ConnectOptions) -> TimeSpan?,
      set: @Sendable (inout ConnectOptions, TimeSpan?) -> Void)
    case whole(
      ClosedRange<UInt64>, get: @Sendable (ConnectOptions) -> UInt64,
      set: @Sendable (inout ConnectOptions, UInt64) -> Void)
    /// One of these words. `get` and `set` use its index, which for an enum is the raw value.
    case word(
      [StaticString], get: @Sendable (ConnectOptions) -> Int,
      set: @Sendable (inout ConnectOptions, Int) -> Void)

    // The values of the following kinds are more than one word. Each reader reads them itself.

    /// `ConnectOptions.locals`: an array of addresses, or false.
    case localAddresses
    /// The name of a network interface. Kept with the settings of the sockets.
    case interface
    /// A table of socket options. Kept with the settings of the sockets.
    case socketOptions
    /// A function of the script. Only a script has it: a race that is driven calls it between two steps.
    case function
  }

  init(
    _ name: StaticString, _ kind: Kind, default defaultText: StaticString,
    _ documentation: StaticString
  ) {
    self.name = name
    self.kind = kind
    #if !hasFeature(Embedded)
      self.defaultText = defaultText
      self.documentation = documentation
    #endif
  }

  public static let table: [ConnectOption] = [
    ConnectOption(
      "timeout", .bound(atLeast: .zero, get: { $0.timeout }, set: { $0.timeout = $1 }),
      default: "none", "the deadline for everything, name resolution included"),
    ConnectOption(
      "attempt_delay",
      .span(delayRange, get: { $0.attemptDelay }, set: { $0.attemptDelay = $1 }),
      default: "learned, else 0.15",
      "the race's base delay: how long silence lasts before the next attempt starts"),
    ConnectOption(
      "minimum_delay",
      .span(delayRange, get: { $0.minimumDelay }, set: { $0.minimumDelay = $1 }),
      default: "0.01", "the floor of that delay, which halves with each attempt in flight"),
    ConnectOption(
      "attempt_timeout",
      .bound(
        atLeast: TimeSpan(nanoseconds: 1), get: { $0.attemptTimeout },
        set: { $0.attemptTimeout = $1 }),
      default: "the kernel's", "the bound on one attempt"),
    ConnectOption(
      "hedge", .bound(atLeast: .milliseconds(10), get: { $0.hedge }, set: { $0.hedge = $1 }),
      default: "none", "starts a second socket to a single remote that is silent this long"),
    ConnectOption(
      "retry", .bound(atLeast: .milliseconds(10), get: { $0.retry }, set: { $0.retry = $1 }),
      default: "none",
      """
      when every pair has failed, the list is tried again this long after the round began, until the deadline
      """),
    ConnectOption(
      "pace",
      .word(
        ["accelerating", "steady", "parallel", "sequential"], get: { Int($0.pace.rawValue) },
        set: { $0.pace = ConnectOptions.Pace(rawValue: UInt8($1))! }),
      default: "accelerating",
      """
      when the next attempt starts: after a delay that halves with each attempt in flight, after a fixed \
      delay, at once, or when the last attempt has failed
      """),
    ConnectOption(
      "order",
      .word(
        ["likely", "given", "random"], get: { Int($0.order.rawValue) },
        set: { $0.order = ConnectOptions.Order(rawValue: UInt8($1))! }),
      default: "likely",
      "which remote goes first: by chance of success and then RFC 6724, by the list, or shuffled"),
    ConnectOption(
      "seed", .whole(0...UInt64.max, get: { $0.seed }, set: { $0.seed = $1 }),
      default: "0", "the seed of the order `random`; the same seed gives the same order"),
    ConnectOption(
      "interleave", .boolean(get: { $0.interleave }, set: { $0.interleave = $1 }),
      default: "true; with the order `given` false",
      "address families take turns (RFC 8305 section 4)"),
    ConnectOption(
      "in_flight",
      .whole(1...4096, get: { UInt64(clamping: $0.inFlight) }, set: { $0.inFlight = Int($1) }),
      default: "64", "the largest number of attempts in flight"),
    ConnectOption(
      "mptcp", .boolean(get: { $0.mptcp }, set: { $0.mptcp = $1 }),
      default: "false",
      """
      uses Multipath TCP (RFC 8684) where the kernel has it, else TCP; `report.mptcp` is `"mptcp"` or \
      `"fallback"`
      """),
    ConnectOption(
      "family",
      .word(
        ["any", "inet", "inet6", "unix"], get: { families.firstIndex(of: $0.family)! },
        set: { $0.family = families[$1] }),
      default: "any", "connects only to addresses of this family"),
    ConnectOption(
      "local_addresses", .localAddresses, default: "all",
      "the addresses to connect from, in this order; `false`: only the source that the route chooses"
    ),
    ConnectOption(
      "interface", .interface, default: "any", "connects through this network interface only"),
    ConnectOption(
      "socket", .socketOptions, default: "`{nodelay = true}`",
      """
      socket options that are set on every attempt's socket before its SYN: `{tos = 16, rcvbuf = 65536}`
      """),
    ConnectOption(
      "validate", .function, default: "none",
      """
      `function(sock)` says whether the peer is the wanted one: true accepts, `true, value` makes the connect \
      return the value in place of the socket, false or nil rejects and the race goes on
      """),
    ConnectOption(
      "on_event", .function, default: "none",
      "`function(event)` is called for each event of the race, as it happens"),
    ConnectOption(
      "wait", .function, default: "blocks",
      "`function(operation)` waits, and may yield; the socket keeps it for its reads and writes"),
  ]

  private static let delayRange = TimeSpan.milliseconds(10)...TimeSpan.seconds(60)
  /// In the order of the words of `family`.
  private static let families: [Family?] = [nil, .inet, .inet6, .unix]

  /// The option with this name.
  public static func named(_ name: [UInt8]) -> ConnectOption? {
    table.first { name.equals($0.name) }
  }
}
