/// What rules 1 to 9 of RFC 6724 section 6 compare of one candidate, packed so that the smaller key goes
/// first.
///
/// The RFC states each rule as a comparison of two destinations. A comparator written like that has two
/// faults. It looks up scopes, labels and policy rows again in each of n log n comparisons. And it is not an
/// order if it skips the rules whose inputs are not known. Example: Z goes before Y because Y's source has
/// the wrong scope (rule 2). The source of X is not known, and X's precedence is below Y's and above Z's.
/// Rule 6 then puts Y before X and X before Z: a cycle.
///
/// Therefore each candidate gets a key that does not depend on the others. Keys cannot form a cycle. What is
/// not known needs a value in the key:
///
/// - An unknown source counts as what the kernel nearly always chooses: an address of the destination's
///   scope and label, neither deprecated nor a home address. Between two unknown sources rules 2 to 5 do
///   not apply. Between an unknown and a known source they apply if the known one is unusual (deprecated,
///   or of another scope). A separate class for unknown sources, before or after known ones, would be a rule
///   above precedence that no RFC has.
/// - An unknown round trip comes after every known one: a measurement shows that the host has been reached
///   before.
/// - With an unknown source, rule 9 counts no common bits.
///
/// Rule 9 compares destinations of one family only. The family need not be in the key: rule 6 separates the
/// families first, since no IPv6 row of the RFC's policy table has the precedence of IPv4 (35). Where
/// /etc/gai.conf gives both families one precedence, IPv4 counts as having no bits in common: the rule as the
/// RFC has it would make cycles.
struct OrderingKey: Comparable {
  /// One byte for each of rules 1 to 8, rule 1 in the highest byte: the first byte that differs gives the
  /// rule.
  private let rules: UInt64
  /// The round trip in the upper 56 bits, rule 9 in the lowest byte.
  private let roundTripAndPrefix: UInt64

  init(_ candidate: OrderingCandidate, _ table: PolicyTable) {
    let destination = candidate.destination
    let scope = table.scope(of: destination)
    let policy = table.policy(of: destination)

    var scopeDiffers = false
    var isDeprecated = false
    var isHome = false
    var labelDiffers = false
    if let source = candidate.source {
      scopeDiffers = table.scope(of: source) != scope
      isDeprecated = candidate.sourceFlags.contains(.deprecated)
      isHome = candidate.sourceFlags.contains(.home)
      labelDiffers = table.policy(of: source).label != policy.label
    }

    var rules: UInt64 = 0
    func add(_ byte: UInt8) { rules = rules << 8 | UInt64(byte) }
    // Rule 1: avoid unusable destinations.
    add(candidate.isUsable ? 0 : 1)
    // Rule 2: prefer matching scope.
    add(scopeDiffers ? 1 : 0)
    // Rule 3: avoid deprecated addresses.
    add(isDeprecated ? 1 : 0)
    // Rule 4: prefer home addresses.
    add(isHome ? 0 : 1)
    // Rule 5: prefer matching label.
    add(labelDiffers ? 1 : 0)
    // Rule 6: prefer higher precedence.
    add(255 - policy.precedence)
    // Rule 7: prefer native transport.
    add(candidate.isNative ? 0 : 1)
    // Rule 8: prefer smaller scope.
    add(scope)
    self.rules = rules

    // Not in the RFC: prefer a shorter measured round trip. 56 bits of nanoseconds are 2.3 years; a longer
    // round trip counts as unknown.
    let unknown: Int64 = 0xff_ffff_ffff_ffff
    let roundTrip = candidate.roundTrip.map { min(max($0.nanoseconds, 0), unknown) } ?? unknown
    // Rule 9: use longest matching prefix.
    roundTripAndPrefix = UInt64(roundTrip) << 8 | UInt64(255 - candidate.commonPrefixLength)
  }

  static func < (a: OrderingKey, b: OrderingKey) -> Bool {
    a.rules != b.rules ? a.rules < b.rules : a.roundTripAndPrefix < b.roundTripAndPrefix
  }

  /// The first rule by which the two differ; `nil`: none.
  func firstDifference(from other: OrderingKey) -> OrderingRule? {
    let byte = (rules ^ other.rules).leadingZeroBitCount / 8
    if byte < 8 { return OrderingRule(rawValue: UInt8(truncatingIfNeeded: byte) + 1) }
    if roundTripAndPrefix >> 8 != other.roundTripAndPrefix >> 8 { return .measured }
    return roundTripAndPrefix != other.roundTripAndPrefix ? .longestPrefix : nil
  }
}
