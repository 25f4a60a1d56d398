/// When the next attempt starts while those in flight are silent: section 4 of the contract.
enum Pace {
  /// The upper limit of a delay that comes from a measured round trip. RFC 8305 section 8, "Maximum Connection
  /// Attempt Delay".
  static let longestMeasuredDelay: TimeSpan = .seconds(2)

  /// The delay from the start of a pair to the next. `inFlight`: how many attempts are in flight, the new one included.
  ///
  /// `.forever` where silence starts nothing.
  static func delay(
    _ plan: Plan, after pair: Plan.Pair, inFlight: Int
  ) -> TimeSpan {
    switch plan.options.pace {
    case .parallel: return .zero
    case .sequential: return .forever
    case .steady: return plan.options.attemptDelay ?? ConnectOptions.defaultAttemptDelay
    case .accelerating:
      var base = plan.options.attemptDelay ?? ConnectOptions.defaultAttemptDelay
      if let roundTrip = plan.roundTrip(of: pair) {
        // RFC 6298's retransmission timeout without its minimum of one second: an answer that takes longer is
        // late.
        let measured = roundTrip.smoothed + roundTrip.variance * 4
        base = max(plan.options.minimumDelay, min(measured, longestMeasuredDelay))
      }
      let halvings = Int64(min(inFlight - 1, 62))
      return max(plan.options.minimumDelay, base / (1 << halvings))
    }
  }

  /// The longest delay that still lets every remote be tried before the deadline, with a reserve for the last
  /// one's handshake. Down to zero: it may be shorter than `minimumDelay`.
  static func share(
    now: Instant, deadline: Instant, timeout: TimeSpan, remotesLeft: Int
  ) -> TimeSpan {
    guard remotesLeft > 0 else { return .forever }
    let reserve = min(.milliseconds(250), timeout / 2)
    return max(.zero, (deadline - now - reserve) / Int64(remotesLeft))
  }
}
