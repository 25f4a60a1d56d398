/// What a caller may set for a connect: each with its default and range in `OptionKey.table`.
public struct ConnectOptions: Sendable {
  /// When the next attempt starts while those in flight are silent.
  public enum Pace: UInt8, Sendable {
    /// The delay halves with each attempt in flight.
    case accelerating
    /// The delay is always `attemptDelay`.
    case steady
    /// No delay: all at once, up to `inFlight`.
    case parallel
    /// One at a time: the next starts when the last has failed.
    case sequential
  }

  /// In which order remotes are tried.
  public enum Order: UInt8, Sendable {
    /// By chance, then RFC 6724.
    case likely
    /// As the caller has them.
    case given
    /// Shuffled by `seed`.
    case random
  }

  /// Which local addresses to connect from.
  public enum Locals: Sendable {
    /// The route's own choice first, every other compatible one after.
    case all
    /// The route's own choice only.
    case routeOnly
    /// These, in this order; a port of 0 leaves the port to the kernel.
    case these([Endpoint])
  }

  /// The bound on everything, name resolution included.
  ///
  /// Default `nil`: none; the kernel's own limits then end each attempt. 0 or more: 0 succeeds only
  /// with what completes at once. Lua key: `timeout` (seconds).
  public var timeout: TimeSpan?
  /// How long the race waits for silent attempts before it also starts the next: its base delay.
  ///
  /// Default 150 ms, allowed 10 ms … 60 s. The default is a compromise measured on a model: `connect`
  /// races with 150 ms send 10 % more SYNs than with RFC 8305's 250 ms, and connect a quarter sooner
  /// where one in five remotes is dead. Lua key: `attempt_delay` (seconds).
  public var attemptDelay: TimeSpan = .milliseconds(150)
  /// What the accelerating delay does not fall below (a deadline may still press it further).
  ///
  /// Default 10 ms, allowed 10 ms … 60 s. Lua key: `minimum_delay` (seconds).
  public var minimumDelay: TimeSpan = .milliseconds(10)
  /// The bound on one attempt.
  ///
  /// Default `nil`: the kernel's own. Above 0. Lua key: `attempt_timeout` (seconds).
  public var attemptTimeout: TimeSpan?
  /// When the next attempt starts. Default `.accelerating`. Lua key: `pace`, the case's name.
  public var pace: Pace = .accelerating
  /// Which remote goes first. Default `.likely`. Lua key: `order`, the case's name.
  public var order: Order = .likely
  /// For `order = .random`; the same seed gives the same order.
  ///
  /// Default 0, any number. Lua key: `seed` (0 … 2^53).
  public var seed: UInt64 = 0
  /// After how much silence of the last remote a second socket to it is started.
  ///
  /// Default `nil`: never, for a far host would see two connections. 10 ms or more. Lua key: `hedge`
  /// (seconds).
  public var hedge: TimeSpan?
  /// Whether families take turns (RFC 8305 section 4).
  ///
  /// Default `nil`: yes, but not with `order = .given`. Lua key: `interleave`.
  public var interleave: Bool?
  /// How many attempts may be in flight at once.
  ///
  /// Default 64, allowed 1 … 4096. Lua key: `in_flight`.
  public var inFlight: Int = 64
  /// Only entries of this family. Default `nil`: any. Lua key: `family`, `"any"` for `nil`.
  public var family: Family?
  /// Which local addresses to connect from. Default `.all`. Lua key: `local_addresses`.
  public var locals: Locals = .all
  /// Whether IP attempts are Multipath TCP's where the kernel has it (and TCP's where not).
  ///
  /// Default `false`. Lua key: `mptcp`.
  public var mptcp = false
  /// Whether a connection counts only when the caller says so (`Race.Step.validate`).
  ///
  /// Default `false`. For who drives the operation himself; the blocking call accepts all.
  public var validates = false

  public init() {}

  public var interleaves: Bool { interleave ?? (order != .given) }

  /// What is wrong with the first field that is out of its range; `nil`: nothing. The table's
  /// setters refuse the same.
  public var defect: StaticString? {
    let delays = TimeSpan.milliseconds(10)...TimeSpan.seconds(60)
    if let timeout, timeout < .zero { return "timeout is below 0" }
    if !delays.contains(attemptDelay) { return "attemptDelay is not in 10 ms to 60 s" }
    if !delays.contains(minimumDelay) { return "minimumDelay is not in 10 ms to 60 s" }
    if let attemptTimeout, attemptTimeout <= .zero { return "attemptTimeout is not above 0" }
    if let hedge, hedge < delays.lowerBound { return "hedge is below 10 ms" }
    if !(1...4096).contains(inFlight) { return "inFlight is not in 1 to 4096" }
    return nil
  }
}

/// A value as it comes from a script or a scenario.
public enum OptionValue: Equatable, Sendable {
  case boolean(Bool)
  /// Integers come as numbers too; spans of time as seconds.
  case number(Double)
  case text([UInt8])
}

/// Why an option was not taken. All of it is the caller's mistake.
public enum OptionError: Error, Equatable, Sendable {
  case unknown(nearest: StaticText?)
  case wrongType(expected: StaticText)
  case outOfRange(allowed: StaticText)
}

/// A literal that can be compared: `StaticString` itself has no `==` without Unicode tables.
public struct StaticText: Equatable, Sendable, ExpressibleByStringLiteral {
  public let text: StaticString
  public init(stringLiteral text: StaticString) { self.text = text }
  public static func == (a: StaticText, b: StaticText) -> Bool { [UInt8](a.text).equals(b.text) }
}

/// One row an option: what it is called, what it may be, and how it is set.
public struct OptionKey: Sendable {
  public let name: StaticString
  /// What a value has to be, in words that stand after "expected".
  public let allowed: StaticText
  /// What it is when nobody says, in the script's words.
  public let initially: StaticString
  public let meaning: StaticString
  let set: @Sendable (inout ConnectOptions, OptionValue) -> Outcome

  enum Outcome { case taken, wrongType, outOfRange }

  init(
    _ name: StaticString, _ allowed: StaticText, initially: StaticString, _ meaning: StaticString,
    set: @escaping @Sendable (inout ConnectOptions, OptionValue) -> Outcome
  ) {
    self.name = name
    self.allowed = allowed
    self.initially = initially
    self.meaning = meaning
    self.set = set
  }

  public static let table: [OptionKey] = [
    OptionKey(
      "timeout", "a number of seconds, 0 or more", initially: "none",
      "the deadline for everything"
    ) { options, value in
      span(value, from: .zero) { options.timeout = $0 == .forever ? nil : $0 }
    },
    OptionKey(
      "attempt_delay", "a number of seconds, 0.01 to 60", initially: "0.15",
      "the race's base delay"
    ) { options, value in
      span(value, from: .milliseconds(10), to: .seconds(60)) { options.attemptDelay = $0 }
    },
    OptionKey(
      "minimum_delay", "a number of seconds, 0.01 to 60", initially: "0.01",
      "the floor of the accelerating delay"
    ) { options, value in
      span(value, from: .milliseconds(10), to: .seconds(60)) { options.minimumDelay = $0 }
    },
    OptionKey(
      "attempt_timeout", "a number of seconds above 0", initially: "none",
      "the bound on one attempt"
    ) { options, value in
      span(value, from: TimeSpan(nanoseconds: 1)) {
        options.attemptTimeout = $0 == .forever ? nil : $0
      }
    },
    OptionKey(
      "pace", "'accelerating', 'steady', 'parallel' or 'sequential'", initially: "accelerating",
      "when the next attempt starts"
    ) { options, value in
      word(value, ["accelerating", "steady", "parallel", "sequential"]) {
        options.pace = ConnectOptions.Pace(rawValue: $0)!
      }
    },
    OptionKey(
      "order", "'likely', 'given' or 'random'", initially: "likely", "which remote goes first"
    ) { options, value in
      word(value, ["likely", "given", "random"]) {
        options.order = ConnectOptions.Order(rawValue: $0)!
      }
    },
    OptionKey(
      "seed", "a whole number, 0 to 2^53", initially: "0", "what a random order is shuffled by"
    ) { options, value in
      whole(value, 0...9_007_199_254_740_992) { options.seed = UInt64($0) }
    },
    OptionKey(
      "hedge", "a number of seconds, 0.01 or more", initially: "none",
      "a second socket to a single remote that is silent this long"
    ) { options, value in
      span(value, from: .milliseconds(10)) { options.hedge = $0 == .forever ? nil : $0 }
    },
    OptionKey(
      "interleave", "a boolean", initially: "true, with order 'given' false",
      "families take turns (RFC 8305 section 4)"
    ) { options, value in
      guard case .boolean(let on) = value else { return .wrongType }
      options.interleave = on
      return .taken
    },
    OptionKey(
      "in_flight", "a whole number, 1 to 4096", initially: "64", "attempts at once"
    ) { options, value in
      whole(value, 1...4096) { options.inFlight = Int($0) }
    },
    OptionKey(
      "family", "'any', 'inet', 'inet6' or 'unix'", initially: "any",
      "only addresses of this family"
    ) { options, value in
      word(value, ["any", "inet", "inet6", "unix"]) {
        options.family = [nil, .inet, .inet6, .unix][Int($0)]
      }
    },
    OptionKey(
      "mptcp", "a boolean", initially: "false",
      "try Multipath TCP (RFC 8684), fall back to TCP"
    ) { options, value in
      guard case .boolean(let on) = value else { return .wrongType }
      options.mptcp = on
      return .taken
    },
  ]

  private static func span(
    _ value: OptionValue, from least: TimeSpan, to most: TimeSpan = .forever,
    _ take: (TimeSpan) -> Void
  ) -> Outcome {
    guard case .number(let seconds) = value else { return .wrongType }
    guard let span = TimeSpan(seconds: seconds), span >= least, span <= most else {
      return .outOfRange
    }
    take(span)
    return .taken
  }

  private static func whole(
    _ value: OptionValue, _ range: ClosedRange<Int64>, _ take: (Int64) -> Void
  ) -> Outcome {
    guard case .number(let number) = value else { return .wrongType }
    guard number >= Double(range.lowerBound), number <= Double(range.upperBound),
      number == Double(Int64(number))
    else { return .outOfRange }
    take(Int64(number))
    return .taken
  }

  private static func word(
    _ value: OptionValue, _ words: [StaticString], _ take: (UInt8) -> Void
  ) -> Outcome {
    guard case .text(let text) = value else { return .wrongType }
    guard let index = words.firstIndex(where: { text.equals($0) }) else { return .outOfRange }
    take(UInt8(index))
    return .taken
  }
}

extension ConnectOptions {
  /// Sets the option with this name, as scripts and scenarios name it.
  public mutating func set(_ name: [UInt8], to value: OptionValue) throws(OptionError) {
    guard let key = OptionKey.table.first(where: { name.equals($0.name) }) else {
      throw .unknown(nearest: Self.nearest(to: name, among: OptionKey.table.map { $0.name }))
    }
    switch key.set(&self, value) {
    case .taken: return
    case .wrongType: throw .wrongType(expected: key.allowed)
    case .outOfRange: throw .outOfRange(allowed: key.allowed)
    }
  }

  /// The known name that `name` is most likely a slip of; `nil` where none is near.
  public static func nearest(to name: [UInt8], among names: [StaticString]) -> StaticText? {
    var best: StaticText?
    // More than a third of the letters wrong, and it is another word.
    var least = name.count / 3 + 2
    for candidate in names {
      let distance = editDistance(name, [UInt8](candidate))
      if distance < least {
        least = distance
        best = StaticText(stringLiteral: candidate)
      }
    }
    return best
  }

  /// Levenshtein's distance. Names longer than 64 bytes are nobody's slip.
  private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    guard a.count <= 64 else { return .max }
    var row = Array(0...b.count)
    for i in 0..<a.count {
      var diagonal = row[0]
      row[0] = i + 1
      for j in 0..<b.count {
        let substituted = diagonal + (a[i] == b[j] ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
      }
    }
    return row[b.count]
  }
}
