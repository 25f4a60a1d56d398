/// A number that the keys of a hash table are mixed with when the keys come from input.
///
/// Without a secret, a list could be written whose addresses or paths all fall into one bucket, and each
/// lookup would compare with all of them. The core has no source of random numbers: the driver passes
/// the secret of its process, the simulator and the tests pass `fixed`. No result depends on the secret,
/// as no table is ever iterated.
public struct HashSecret: Sendable {
  private let low: UInt64
  private let high: UInt64

  /// - Parameters: 128 bits that input cannot predict.
  public init(low: UInt64, high: UInt64) {
    self.low = low
    self.high = high
  }

  /// For input that is trusted: scenarios and tests.
  public static let fixed = HashSecret(low: 0, high: 0)

  /// The keyed hash of a key. `Hasher` is SipHash-1-3; the secret is the beginning of its message, so the
  /// hash is unpredictable even where the seed of `Hasher` itself is known.
  package func hash(_ key: some Hashable) -> Int {
    var hasher = Hasher()
    hasher.combine(low)
    hasher.combine(high)
    hasher.combine(key)
    return hasher.finalize()
  }
}
