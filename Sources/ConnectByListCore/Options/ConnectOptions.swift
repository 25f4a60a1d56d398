/// The options of a connect.
///
/// Each field's name, range, default and documentation for scripts is a row of `ConnectOption.table`.
/// Assigning a field checks nothing; `defect` finds a field that is out of its range.
public struct ConnectOptions: Sendable {
  /// When the next attempt starts while those in flight are silent.
  public enum Pace: UInt8, Sendable {
    /// The delay halves with each attempt in flight.
    case accelerating
    /// The delay is always `attemptDelay`.
    case steady
    /// No delay: all attempts start at once, up to `inFlight`.
    case parallel
    /// One attempt at a time: the next starts when the last has failed.
    case sequential
  }

  /// The order in which remotes are tried.
  public enum Order: UInt8, Sendable {
    /// By chance, then RFC 6724.
    case likely
    /// The order of the list.
    case given
    /// Shuffled by `seed`.
    case random
  }

  /// The local addresses to connect from.
  public enum Locals: Sendable {
    /// The source that the route chooses first, then every other compatible local address.
    case all
    /// Only the source that the route chooses.
    case routeOnly
    /// These addresses, in this order. With port 0 the kernel chooses the port.
    case these([Endpoint])
  }

  /// The bound on the whole connect, name resolution included.
  ///
  /// Default `nil`: no bound, so each attempt ends at the kernel's own limit. Allowed: 0 or more. With
  /// 0 only an attempt that completes at once succeeds. Lua key: `timeout` (seconds).
  public var timeout: TimeSpan?
  /// The race's base delay: how long it waits for silent attempts before it starts the next one.
  ///
  /// Default `nil`: learned from measured round trips and the kind of the route, else `defaultAttemptDelay`.
  /// A pair's own measured round trip goes before a delay that is set here. Allowed 10 ms … 60 s. In a model of
  /// remotes of which one in five is dead, 150 ms connects a quarter sooner than the 250 ms of RFC 8305 and sends
  /// 10 % more SYNs. Lua key: `attempt_delay` (seconds).
  public var attemptDelay: TimeSpan?
  /// The base delay if none is set and nothing is known of the path: 150 ms.
  public static let defaultAttemptDelay = TimeSpan.milliseconds(150)
  /// The floor of the accelerating delay. Only a deadline can shorten the delay further.
  ///
  /// Default 10 ms, allowed 10 ms … 60 s. Lua key: `minimum_delay` (seconds).
  public var minimumDelay: TimeSpan = .milliseconds(10)
  /// The bound on one attempt.
  ///
  /// Default `nil`: the kernel's own limit. Allowed: above 0. Lua key: `attempt_timeout` (seconds).
  public var attemptTimeout: TimeSpan?
  /// When the next attempt starts. Default `.accelerating`. Lua key: `pace`, the name of the case.
  public var pace: Pace = .accelerating
  /// The order of the remotes. Default `.likely`. Lua key: `order`, the name of the case.
  public var order: Order = .likely
  /// The seed of `order = .random`: the same seed gives the same order.
  ///
  /// Default 0, every number allowed. Lua key: `seed` (0 … 2^53).
  public var seed: UInt64 = 0
  /// After this much silence of the last remote left, the race starts a second socket to it.
  ///
  /// Default `nil`: never, because a far host would see two connections. Allowed: 10 ms or more. Lua
  /// key: `hedge` (seconds).
  public var hedge: TimeSpan?
  /// If every pair has failed, the list is tried again this long after the round began, names looked up anew,
  /// until the deadline or the cancel.
  ///
  /// Default `nil`: the connect fails. Allowed: 10 ms or more. Lua key: `retry` (seconds).
  public var retry: TimeSpan?
  /// Whether address families take turns (RFC 8305 section 4).
  ///
  /// Default `nil`: they do, except with `order = .given`. Lua key: `interleave`.
  public var interleave: Bool?
  /// The largest number of attempts in flight.
  ///
  /// Default 64, allowed 1 … 4096. Lua key: `in_flight`.
  public var inFlight: Int = 64
  /// Connect only to addresses of this family. Default `nil`: any. Lua key: `family`, `"any"` for
  /// `nil`.
  public var family: Family?
  /// The local addresses to connect from. Default `.all`. Lua key: `local_addresses`.
  public var locals: Locals = .all
  /// Whether IP attempts use Multipath TCP (RFC 8684). On a kernel without it they use TCP.
  ///
  /// Default `false`. Lua key: `mptcp`.
  public var mptcp = false
  /// Whether the caller decides if a connection may win the race (`Race.Step.validate`).
  ///
  /// Default `false`. Only for a caller that drives the operation itself; the blocking call accepts
  /// every connection.
  public var validates = false

  public init() {}

  /// `interleave` with its default applied.
  public var interleaves: Bool { interleave ?? (order != .given) }

  /// What is wrong with the first field that is out of its range, in words; `nil` if all are in range.
  ///
  /// The ranges are those of `ConnectOption.table`, whose names (`attempt_delay`) the words use.
  public var defect: TextBuffer? {
    for option in ConnectOption.table where !option.isInRange(in: self) {
      var text = TextBuffer()
      text.append("option '")
      text.append(option.name)
      text.append("' must be ")
      text.append(option.allowed.bytes)
      return text
    }
    return nil
  }
}
