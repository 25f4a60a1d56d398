/// A length of time in whole nanoseconds. The difference of two instants may be negative.
///
/// Unlike `Duration` it has 8 bytes instead of 16, and its arithmetic saturates, so a delay of a century in
/// a caller's options cannot trap.
public struct TimeSpan: Comparable, Hashable, Sendable {
  public var nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  public static let zero = TimeSpan(nanoseconds: 0)
  /// No limit. In arithmetic about 292 years.
  public static let forever = TimeSpan(nanoseconds: .max)

  public static func microseconds(_ count: Int64) -> TimeSpan { scaled(count, by: 1_000) }
  public static func milliseconds(_ count: Int64) -> TimeSpan { scaled(count, by: 1_000_000) }
  public static func seconds(_ count: Int64) -> TimeSpan { scaled(count, by: 1_000_000_000) }

  /// Converts seconds, rounding up to a nanosecond, so that no wait is shorter than was asked for.
  ///
  /// `nil` for a negative number and for NaN. Infinity and everything above 292 years are `forever`.
  public init?(seconds: Double) {
    guard seconds >= 0 else { return nil }
    let nanoseconds = seconds * 1e9
    guard nanoseconds < 9.2e18 else {
      self.init(nanoseconds: .max)
      return
    }
    // `rounded(.up)` would call libm's `ceil` on processors without an instruction for it (x86-64
    // before SSE4.1), and the module links libc only.
    let whole = Int64(nanoseconds)
    self.init(nanoseconds: Double(whole) < nanoseconds ? whole + 1 : whole)
  }

  /// The span in seconds, as Lua has times.
  public var seconds: Double { Double(nanoseconds) / 1e9 }

  public static func < (a: TimeSpan, b: TimeSpan) -> Bool { a.nanoseconds < b.nanoseconds }

  public static func + (a: TimeSpan, b: TimeSpan) -> TimeSpan {
    TimeSpan(nanoseconds: saturatingAdd(a.nanoseconds, b.nanoseconds))
  }

  public static func - (a: TimeSpan, b: TimeSpan) -> TimeSpan {
    TimeSpan(
      nanoseconds: saturatingAdd(a.nanoseconds, b.nanoseconds == .min ? .max : -b.nanoseconds))
  }

  public static func * (a: TimeSpan, factor: Int64) -> TimeSpan {
    scaled(a.nanoseconds, by: factor)
  }

  public static func / (a: TimeSpan, divisor: Int64) -> TimeSpan {
    TimeSpan(nanoseconds: a.nanoseconds / divisor)
  }

  private static func scaled(_ count: Int64, by factor: Int64) -> TimeSpan {
    let (product, overflow) = count.multipliedReportingOverflow(by: factor)
    return TimeSpan(nanoseconds: overflow ? ((count < 0) == (factor < 0) ? .max : .min) : product)
  }
}

/// A point on a monotonic clock, in nanoseconds from an unspecified origin.
///
/// The core never reads a clock: the driver, or the simulator, passes every instant in.
public struct Instant: Comparable, Hashable, Sendable {
  public var nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// Later than every other instant: a deadline that was not set.
  public static let distantFuture = Instant(nanoseconds: .max)

  public static func < (a: Instant, b: Instant) -> Bool { a.nanoseconds < b.nanoseconds }

  public static func + (a: Instant, b: TimeSpan) -> Instant {
    Instant(nanoseconds: saturatingAdd(a.nanoseconds, b.nanoseconds))
  }

  public static func - (a: Instant, b: Instant) -> TimeSpan {
    TimeSpan(
      nanoseconds: saturatingAdd(a.nanoseconds, b.nanoseconds == .min ? .max : -b.nanoseconds))
  }
}

private func saturatingAdd(_ a: Int64, _ b: Int64) -> Int64 {
  let (sum, overflow) = a.addingReportingOverflow(b)
  return overflow ? (b > 0 ? .max : .min) : sum
}
