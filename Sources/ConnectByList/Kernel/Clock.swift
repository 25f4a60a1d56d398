import CConnectByListPosix
import ConnectByListCore

/// The clock that all instants of this library are read from.
public enum Clock {
  /// CLOCK_MONOTONIC.
  public static func now() -> Instant { Instant(nanoseconds: cbl_posix_monotonic_ns()) }

  /// Nanoseconds since 1970: CLOCK_REALTIME.
  package static func wallNanoseconds() -> Int64 { cbl_posix_wall_clock_ns() }
}

extension TimeSpan {
  /// The timeout to give to `poll` or `epoll` for a wait of this length that must not end late.
  ///
  /// Linux lets both oversleep by 0.1 % of the timeout (0.5 % in a niced process), at most 100 ms:
  /// `select_estimate_accuracy` in fs/select.c. So a wait of 400 ms or more is shortened by 1/150, at
  /// most 110 ms, which is more than that. The caller compares the clock with its deadline anyway and
  /// waits again for the rest, whose own oversleep is then below a tenth of a millisecond. A timer
  /// descriptor would be exact too, but costs two system calls and a descriptor.
  var wakingEarly: TimeSpan {
    guard self >= .milliseconds(400), self != .forever else { return self }
    return self - min(self / 150, .milliseconds(110))
  }
}
