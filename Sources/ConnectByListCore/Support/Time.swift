/// A length of time in whole nanoseconds. May be negative where two instants are subtracted.
///
/// The core's own type and not `Duration`: 8 bytes instead of 16, and the arithmetic saturates, so
/// a delay that somebody set to a century cannot trap.
public struct TimeSpan: Comparable, Hashable, Sendable {
  public var nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  public static let zero = TimeSpan(nanoseconds: 0)
  /// Longer than any race: what "for ever" is in arithmetic. About 292 years.
  public static let forever = TimeSpan(nanoseconds: .max)

  public static func microseconds(_ count: Int64) -> TimeSpan { scaled(count, by: 1_000) }
  public static func milliseconds(_ count: Int64) -> TimeSpan { scaled(count, by: 1_000_000) }
  public static func seconds(_ count: Int64) -> TimeSpan { scaled(count, by: 1_000_000_000) }

  /// Seconds as a script gives them, rounded up to a nanosecond, so that no wait is shorter than
  /// asked.
  ///
  /// `nil` for a negative number and for NaN. Infinity and all beyond 292 years are `forever`.
  public init?(seconds: Double) {
    guard seconds >= 0 else { return nil }
    let nanoseconds = seconds * 1e9
    guard nanoseconds < 9.2e18 else {
      self.init(nanoseconds: .max)
      return
    }
    // Not `rounded(.up)`: that is a call into libm where the processor has no instruction for it.
    let whole = Int64(nanoseconds)
    self.init(nanoseconds: Double(whole) < nanoseconds ? whole + 1 : whole)
  }

  /// Seconds as a script reads them.
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

/// A point on a monotonic clock, in nanoseconds from an origin that only the clock knows.
///
/// The core never reads a clock: every instant is handed to it by whoever drives it.
public struct Instant: Comparable, Hashable, Sendable {
  public var nanoseconds: Int64

  public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// After every instant that comes: where a deadline stands that was not set.
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
