/// How a race ended.
public enum RaceResult: Equatable, Sendable {
  case won(AttemptID)
  /// Every pair failed (the code is that of the attempt that failed last), or the deadline passed.
  case lost(Errno, isDeadline: Bool)
  case cancelled
}
