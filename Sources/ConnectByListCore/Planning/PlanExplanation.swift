// Why a pair has its place in the plan, in words.

extension Plan {
  /// Why a pair comes where it does, each reason a phrase: how it connects, what is known of its remote, and
  /// the rule that put the remote after its predecessor.
  ///
  /// Chances change while a race runs; the reasons say what is true now.
  public func reasons(for pair: Pair) -> [[UInt8]] {
    let remote = remotes[Int(pair.remote)]
    let known = remote.pathInformation
    var reasons = [localReason(pair)]
    func add(_ text: StaticString) { reasons.append([UInt8](text)) }

    if case .refused(let errno) = known.route {
      var text = TextBuffer()
      text.append("no route: ")
      text.append(errno)
      reasons.append(text.bytes)
    }
    if known.neighbourFailed { add("neighbour does not answer") }
    let seen = history(of: pair)
    if let failure = seen?.failure {
      var text = TextBuffer()
      text.append(failure.errno == .connectionRefused ? "refused " : "failed ")
      text.append(rounded: began - failure.at)
      text.append(" ago")
      reasons.append(text.bytes)
    } else if seen != nil {
      add("connected before")
    }
    if let roundTrip = roundTrip(of: pair) {
      var text = TextBuffer()
      text.append(
        seen?.roundTrip == nil ? "the kernel's metrics: round trip " : "round trip ")
      text.append(rounded: roundTrip.smoothed)
      reasons.append(text.bytes)
    }
    // The rules order first pairs. Alternate sources go by chance alone.
    if pair.isFirst { reasons.append(contentsOf: orderReasons(remote)) }
    return reasons
  }

  /// How long silence of a pair starts the next, before it is divided by the attempts in flight, and why; `nil`:
  /// the pace does not go by it.
  public func delayReason(for pair: Pair) -> [UInt8]? {
    guard options.pace == .accelerating || options.pace == .steady, !isHopeless(pair) else {
      return nil
    }
    let patience = patience(of: pair)
    var text = TextBuffer()
    text.append("delay ")
    text.append(rounded: patience.base)
    text.append(": ")
    text.append(patience.reason.word)
    return text.bytes
  }

  private func localReason(_ pair: Pair) -> [UInt8] {
    if isImpossible(pair) { return [UInt8]("none of the given local addresses fits") }
    guard pair.isFirst else { return [UInt8]("another local address") }
    let known = remotes[Int(pair.remote)].pathInformation
    if known.isHere { return [UInt8]("on this machine") }
    guard pair.local >= LocalTable.firstAddress else { return [UInt8]("route's choice") }
    if pair.local == remotes[Int(pair.remote)].routesOwn { return [UInt8]("route's source") }
    if roundTrip(of: pair) != nil || history(of: pair) != nil {
      return [UInt8]("the source that worked")
    }
    return [UInt8]("first given local address that fits")
  }

  private func orderReasons(_ remote: Remote) -> [[UInt8]] {
    guard remotes.count > 1 else { return [] }
    var reasons: [[UInt8]] = []
    if remote.isTranslation, let prefix {
      var text = TextBuffer()
      text.append("NAT64 prefix ")
      text.append(prefix)
      return [text.bytes]
    }
    if remote.target.group > 0 {
      var text = TextBuffer()
      text.append("group ")
      text.append(decimal: Int(remote.target.group))
      text.append(" of its SRV records, drawn by weight")
      reasons.append(text.bytes)
    }
    if remote.isRegrouped { return reasons }
    switch options.order {
    case .given: reasons.append([UInt8]("the caller's order"))
    case .random:
      var text = TextBuffer()
      text.append("shuffled with seed ")
      text.append(decimal: options.seed)
      reasons.append(text.bytes)
    case .likely:
      if remote.predecessor >= 0 {
        let isLikelier =
          !remote.isHopeless && remote.initialChance > remote.predecessorChance
        reasons.append(
          isLikelier ? [UInt8]("evidence goes before the rules") : [UInt8](remote.rule.words))
      }
    }
    if remote.isInterleaved { reasons.append([UInt8]("families take turns")) }
    return reasons
  }
}

extension TextBuffer {
  /// A probability with three decimals, rounded.
  public mutating func append(chance: Double) {
    let thousandths = UInt64(chance * 1000 + 0.5)
    append(decimal: thousandths / 1000)
    append(byte: UInt8(ascii: "."))
    append(decimal: thousandths % 1000, minimumDigits: 3)
  }

  /// A span rounded to a unit that suits its length: seconds from 10 s on, milliseconds from 10 ms on,
  /// microseconds below.
  mutating func append(rounded span: TimeSpan) {
    let (unit, name): (Int64, StaticString) =
      span >= .seconds(10)
      ? (1_000_000_000, " s") : span >= .milliseconds(10) ? (1_000_000, " ms") : (1_000, " us")
    append(decimal: Int((span + TimeSpan(nanoseconds: unit / 2)).nanoseconds / unit))
    append(name)
  }
}
