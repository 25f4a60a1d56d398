/// When the next attempt starts while those in flight are silent. Section 4 of the contract.
enum Pace {
  /// RFC 8305 section 8 and a measured round trip agree on no more than this.
  static let longestMeasuredDelay: TimeSpan = .seconds(2)

  /// The delay from a start to the next, `inFlight` attempts being silent, that one included.
  ///
  /// `.forever` where silence starts nothing.
  static func delay(
    _ options: ConnectOptions, roundTrip: RemotePathInformation.RoundTrip?, inFlight: Int
  ) -> TimeSpan {
    switch options.pace {
    case .parallel: return .zero
    case .sequential: return .forever
    case .steady: return options.attemptDelay
    case .accelerating:
      var base = options.attemptDelay
      if let roundTrip {
        // RFC 6298's retransmission time-out without its one-second floor: past it, an answer is
        // late.
        let patience = roundTrip.smoothed + roundTrip.variance * 4
        base = max(options.minimumDelay, min(patience, longestMeasuredDelay))
      }
      let halvings = Int64(min(inFlight - 1, 62))
      return max(options.minimumDelay, base / (1 << halvings))
    }
  }

  /// The longest delay that still lets every remote be tried before the deadline, with a reserve
  /// for the last one's handshake. May be shorter than `minimumDelay`, down to nothing.
  static func share(
    now: Instant, deadline: Instant, timeout: TimeSpan, remotesLeft: Int
  ) -> TimeSpan {
    guard remotesLeft > 0 else { return .forever }
    let reserve = min(.milliseconds(250), timeout / 2)
    return max(.zero, (deadline - now - reserve) / Int64(remotesLeft))
  }
}
