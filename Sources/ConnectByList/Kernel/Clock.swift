import CConnectByListPosix
import ConnectByListCore

/// The clock that everything in this library goes by.
public enum Clock {
  /// CLOCK_MONOTONIC.
  public static func now() -> Instant { Instant(nanoseconds: cbl_posix_monotonic_ns()) }
}

extension TimeSpan {
  /// How long to sleep where a wait of this length is to end on time.
  ///
  /// poll and epoll may oversleep by 0.1 % of the wait (0.5 % in a niced process, 100 ms at most:
  /// `select_estimate_accuracy` in Linux's fs/select.c). So a long wait ends early by more than
  /// that, and its caller, who looks at the clock, waits again for the rest, when a thousandth of
  /// it is nothing. A timer descriptor would do too, at the price of two system calls and a
  /// descriptor.
  var wakingEarly: TimeSpan {
    guard self >= .milliseconds(400), self != .forever else { return self }
    return self - min(self / 150, .milliseconds(110))
  }
}
