/// The estimated chance of a pair, and how events change it.
///
/// A pair connects if its local address works (L), its remote works (R), and the network routes this
/// combination (F): chance = L·F·R. All three are estimates. A failure lowers the one that it shows to be at
/// fault. A silent attempt does not show which one failed, and lowers L and R by Bayes' rule. The chance
/// decides the order only: no pair is dropped because its chance is low.
public enum Chance {
  /// L of a local address without evidence.
  public static let localPrior = 0.98
  /// L of a Unix address, which has no local address that could fail.
  public static let localOfUnix = 1.0
  /// R of a remote without evidence.
  public static let remotePrior = 0.8
  /// R of a remote that this list connected to before, or that the kernel has metrics of.
  public static let remoteSeenWorking = 0.95
  /// R of a Unix address without evidence. With L it goes before every IP address, including those that
  /// connected before: it is on this machine, and `connect` answers at once.
  public static let remoteHere = 0.95
  /// R of a remote whose next hop does not answer address resolution.
  public static let remoteNeighbourFailed = 0.2
  /// R of an endpoint that refused; L of an address that is missing, or has no network.
  public static let afterDefiniteFailure = 0.01
  /// F of the source address that the route selects.
  public static let routesChoice = 1.0
  /// F of any other local address.
  public static let alternateSource = 0.5

  /// The time in which a failure loses half of its weight.
  public static let failureHalfLife: TimeSpan = .seconds(60)

  /// R of an endpoint whose last connect in this list failed `age` ago: 0.8·(1 − 2^(−age/60 s)).
  public static func remoteAfterFailure(age: TimeSpan) -> Double {
    remotePrior * (1 - exp2(-age.seconds / failureHalfLife.seconds))
  }

  /// L and R after an attempt that was silent, or failed in a way that does not show what is at fault.
  ///
  /// Bayes' rule: P(local works | silence) = L(1 − FR)/(1 − LFR); likewise for the remote.
  public static func afterSilence(local: Double, combination: Double, remote: Double)
    -> (local: Double, remote: Double)
  {
    let silence = 1 - local * combination * remote
    return (
      changed(local, to: local * (1 - combination * remote) / silence),
      changed(remote, to: remote * (1 - combination * local) / silence)
    )
  }

  /// A change of less than one part in a million is none. A source that is surely dead would make chances that
  /// differ by about one part in 10⁹, where the order would hang on rounding.
  private static func changed(_ old: Double, to new: Double) -> Double {
    old - new < old * 1e-6 ? old : new
  }

  /// A number that orders chances in a heap; equal for chances that differ by less than one part in 10⁹ or so,
  /// since the same chance may be computed in several ways: the bit pattern without its last 22 bits, rounded.
  static func rank(_ chance: Double) -> UInt64 {
    (chance.bitPattern + 0x20_0000) >> 22
  }

  /// Whether a chance is greater than another by at least one part in 10⁹; else the two are equal.
  static func isLikelier(_ a: Double, than b: Double) -> Bool { a > b && a - b >= a * 1e-9 }

  /// 2^x for x ≤ 0, as the core has no libm: the whole part by halving, the rest by the series of
  /// e^(x·ln 2), whose 20 terms are exact to about 1e-15.
  private static func exp2(_ x: Double) -> Double {
    guard x > -1_000 else { return 0 }
    let whole = Int(x)
    let rest = (x - Double(whole)) * 0.6931471805599453
    var term = 1.0
    var sum = 1.0
    for n in 1..<20 {
      term *= rest / Double(n)
      sum += term
    }
    for _ in 0..<(-whole) { sum *= 0.5 }
    return sum
  }
}
