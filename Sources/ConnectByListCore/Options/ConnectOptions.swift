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

/// One row an option: what it is called, what it may be, and which it is. How it is set stands in
/// `ConnectOptions.take`.
public struct OptionKey: Sendable {
  public let name: StaticString
  /// What a value has to be, in words that stand after "expected".
  public let allowed: StaticText
  #if !hasFeature(Embedded)
    /// What it is when nobody says, in the script's words. The loadable module goes without.
    public let initially: StaticString
    public let meaning: StaticString
  #endif
  let field: Field

  enum Field {
    case timeout, attemptDelay, minimumDelay, attemptTimeout, pace, order, seed, hedge, interleave
    case inFlight, family, mptcp
  }

  // Inlined, so that the compiler lays the table out as data, and not as code that fills it.
  @inline(__always)
  init(
    _ field: Field, _ name: StaticString, _ allowed: StaticString, initially: StaticString,
    _ meaning: StaticString
  ) {
    self.field = field
    self.name = name
    self.allowed = StaticText(stringLiteral: allowed)
    #if !hasFeature(Embedded)
      self.initially = initially
      self.meaning = meaning
    #endif
  }

  public static let table: [OptionKey] = [
    OptionKey(
      .timeout, "timeout", "a number of seconds, 0 or more", initially: "none",
      "the deadline for everything"),
    OptionKey(
      .attemptDelay, "attempt_delay", "a number of seconds, 0.01 to 60", initially: "0.15",
      "the race's base delay"),
    OptionKey(
      .minimumDelay, "minimum_delay", "a number of seconds, 0.01 to 60", initially: "0.01",
      "the floor of the accelerating delay"),
    OptionKey(
      .attemptTimeout, "attempt_timeout", "a number of seconds above 0", initially: "none",
      "the bound on one attempt"),
    OptionKey(
      .pace, "pace", "'accelerating', 'steady', 'parallel' or 'sequential'",
      initially: "accelerating", "when the next attempt starts"),
    OptionKey(
      .order, "order", "'likely', 'given' or 'random'", initially: "likely",
      "which remote goes first"),
    OptionKey(
      .seed, "seed", "a whole number, 0 to 2^53", initially: "0",
      "what a random order is shuffled by"),
    OptionKey(
      .hedge, "hedge", "a number of seconds, 0.01 or more", initially: "none",
      "a second socket to a single remote that is silent this long"),
    OptionKey(
      .interleave, "interleave", "a boolean", initially: "true, with order 'given' false",
      "families take turns (RFC 8305 section 4)"),
    OptionKey(
      .inFlight, "in_flight", "a whole number, 1 to 4096", initially: "64", "attempts at once"),
    OptionKey(
      .family, "family", "'any', 'inet', 'inet6' or 'unix'", initially: "any",
      "only addresses of this family"),
    OptionKey(
      .mptcp, "mptcp", "a boolean", initially: "false",
      "try Multipath TCP (RFC 8684), fall back to TCP"),
  ]
}

extension OptionValue {
  /// Why a value is not taken.
  fileprivate enum Defect: Error { case type, range }

  fileprivate func boolean() throws(Defect) -> Bool {
    guard case .boolean(let on) = self else { throw .type }
    return on
  }

  @inline(never)
  fileprivate func span(
    from least: TimeSpan, to most: TimeSpan = .forever
  ) throws(Defect) -> TimeSpan {
    guard case .number(let seconds) = self else { throw .type }
    guard let span = TimeSpan(seconds: seconds), span >= least, span <= most else { throw .range }
    return span
  }

  /// For options that bound something: `nil` where the bound is none.
  @inline(never)
  fileprivate func bound(from least: TimeSpan) throws(Defect) -> TimeSpan? {
    let span = try span(from: least)
    return span == .forever ? nil : span
  }

  fileprivate func whole(_ least: Int64, _ most: Int64) throws(Defect) -> Int64 {
    guard case .number(let number) = self else { throw .type }
    guard number >= Double(least), number <= Double(most), number == Double(Int64(number)) else {
      throw .range
    }
    return Int64(number)
  }

  /// Which of the words it is, which stand with a space after each.
  fileprivate func word(of words: StaticString) throws(Defect) -> UInt8 {
    guard case .text(let text) = self else { throw .type }
    var index: UInt8 = 0
    var position = 0
    var isSame = true
    for place in 0..<words.utf8CodeUnitCount {
      let byte = words.utf8Start[place]
      if byte != UInt8(ascii: " ") {
        isSame = isSame && position < text.count && text[position] == byte
        position += 1
      } else {
        if isSame && position == text.count { return index }
        index += 1
        position = 0
        isSame = true
      }
    }
    throw .range
  }
}

extension ConnectOptions {
  /// Sets the option with this name, as scripts and scenarios name it.
  public mutating func set(_ name: [UInt8], to value: OptionValue) throws(OptionError) {
    for key in OptionKey.table where name.equals(key.name) {
      do throws(OptionValue.Defect) {
        try take(key.field, value)
        return
      } catch {
        switch error {
        case .type: throw .wrongType(expected: key.allowed)
        case .range: throw .outOfRange(allowed: key.allowed)
        }
      }
    }
    throw .unknown(nearest: Self.nearest(to: name, among: OptionKey.table.map { $0.name }))
  }

  private mutating func take(
    _ field: OptionKey.Field, _ value: OptionValue
  ) throws(OptionValue.Defect) {
    switch field {
    case .timeout: timeout = try value.bound(from: .zero)
    case .attemptDelay: attemptDelay = try value.span(from: .milliseconds(10), to: .seconds(60))
    case .minimumDelay: minimumDelay = try value.span(from: .milliseconds(10), to: .seconds(60))
    case .attemptTimeout: attemptTimeout = try value.bound(from: TimeSpan(nanoseconds: 1))
    case .pace:
      pace = Pace(rawValue: try value.word(of: "accelerating steady parallel sequential "))!
    case .order: order = Order(rawValue: try value.word(of: "likely given random "))!
    case .seed: seed = UInt64(try value.whole(0, 9_007_199_254_740_992))
    case .hedge: hedge = try value.bound(from: .milliseconds(10))
    case .interleave: interleave = try value.boolean()
    case .inFlight: inFlight = Int(try value.whole(1, 4096))
    case .family:
      switch try value.word(of: "any inet inet6 unix ") {
      case 0: family = nil
      case 1: family = .inet
      case 2: family = .inet6
      default: family = .unix
      }
    case .mptcp: mptcp = try value.boolean()
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
