/// The numbers behind "the likeliest first", and the two rules that move them.
///
/// A pair connects when its local address works, its remote does, and the combination is one that
/// the network routes: chance = L·F·R. All are guesses until something happens; then a failure is
/// put down to whoever it speaks against, and silence, which speaks against nobody in particular,
/// is shared by Bayes' rule. Only the order depends on these numbers: a pair is never dropped for a
/// low one.
public enum Chance {
  /// L of a local address that nothing is known of.
  public static let localPrior = 0.98
  /// L of a Unix address's side here: it has no local address that could fail.
  public static let localOfUnix = 1.0
  /// R of a remote that nothing is known of.
  public static let remotePrior = 0.8
  /// R where this list connected before, or the kernel has metrics of finished connections.
  public static let remoteSeenWorking = 0.95
  /// R of a Unix address that nothing is known of: with L it goes before every IP address, also one
  /// that worked. It is on this machine, and says at once whether it connects.
  public static let remoteHere = 0.95
  /// R where the neighbour does not answer address resolution.
  public static let remoteNeighbourFailed = 0.2
  /// R of an endpoint that refused; L of an address that is not there or has no network.
  public static let afterDefiniteFailure = 0.01
  /// F of the source that the route itself would take.
  public static let routesChoice = 1.0
  /// F of any other local address.
  public static let alternateSource = 0.5

  /// How long a failure takes to lose half its weight.
  public static let failureHalfLife: TimeSpan = .seconds(60)

  /// R of an endpoint whose last connect in this list failed `age` ago: 0.8·(1 − 2^(−age/60 s)).
  public static func remoteAfterFailure(age: TimeSpan) -> Double {
    remotePrior * (1 - exp2(-age.seconds / failureHalfLife.seconds))
  }

  /// What is left of L and R after an attempt that says no more than "not now".
  ///
  /// P(local works | silence) = L(1−FR)/(1−LFR), and the same for the remote.
  public static func afterSilence(local: Double, combination: Double, remote: Double)
    -> (local: Double, remote: Double)
  {
    let silence = 1 - local * combination * remote
    return (
      local * (1 - combination * remote) / silence, remote * (1 - combination * local) / silence
    )
  }

  /// 2^x for x ≤ 0, without libm: halvings for the whole part, the series of e^(x·ln 2) for the
  /// rest. Exact to about 1e-15, which is far below anything an order hangs on.
  private static func exp2(_ x: Double) -> Double {
    guard x > -1_000 else { return 0 }
    let whole = Int(x)
    let rest = (x - Double(whole)) * 0.6931471805599453
    var term = 1.0
    var sum = 1.0
    var n = 1.0
    while n < 20 {
      term *= rest / n
      sum += term
      n += 1
    }
    var halvings = -whole
    while halvings > 0 {
      sum *= 0.5
      halvings -= 1
    }
    return sum
  }
}
