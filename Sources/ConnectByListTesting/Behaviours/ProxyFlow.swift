import ConnectByListCore

/// One direction of a connection through a proxy. Performs no I/O and reads no clock.
struct ProxyFlow {
  /// The most bytes that are under way. No more are read from the sender until some have been passed on.
  static let pendingMax = 1 << 20
  /// Between two slices.
  static let sliceGap = TimeSpan.milliseconds(1)
  /// Bytes are passed on in portions of this time's worth of the rate.
  static let ratePortionsPerSecond = 100

  /// Whether limits on the bytes for the client apply.
  let isTowardsClient: Bool
  private var queue = ChunkQueue()
  private var random: SplitMix64
  /// Bytes passed on.
  private(set) var passedCount = 0
  /// When the newest byte is due.
  private var lastDue = Instant(nanoseconds: .min)
  /// Before this instant the rate, or the gap between slices, lets nothing pass.
  private var opens = Instant(nanoseconds: .min)
  /// When the end of the stream is due; `nil` if it has not come.
  private var endDue: Instant?
  private var hasShut = false

  init(isTowardsClient: Bool, seed: UInt64) {
    self.isTowardsClient = isTowardsClient
    random = SplitMix64(seed: seed)
  }

  var takesBytes: Bool { endDue == nil && queue.byteCount < Self.pendingMax }

  /// Whether all bytes and the end have been passed on.
  var isDone: Bool { hasShut }

  mutating func receive(_ bytes: [UInt8], _ settings: ProxySettings, at now: Instant) {
    queue.append(bytes, due: due(settings, now))
  }

  /// The sender has ended its stream.
  mutating func end(_ settings: ProxySettings, at now: Instant) {
    if endDue == nil { endDue = due(settings, now) }
  }

  /// Not before what was received earlier: jitter changes no order.
  private mutating func due(_ settings: ProxySettings, _ now: Instant) -> Instant {
    var due = now + settings.latency
    if settings.jitter > .zero {
      // 53 bits, as a Double has: evenly distributed in 0 ..< 1.
      let share = Double(random.next() >> 11) * 0x1p-53
      due = due + TimeSpan(nanoseconds: Int64(Double(settings.jitter.nanoseconds) * share))
    }
    lastDue = max(lastDue, due)
    return lastDue
  }

  mutating func nextStep(_ settings: ProxySettings, at now: Instant) -> ServerStep {
    var limit = Int.max
    if isTowardsClient {
      if let cutAfter = settings.cutAfter {
        if passedCount >= cutAfter { return .reset }
        limit = cutAfter - passedCount
      }
      if let hangAfter = settings.hangAfter {
        if passedCount >= hangAfter { return .wait(until: .distantFuture) }
        limit = min(limit, hangAfter - passedCount)
      }
    }
    guard let due = queue.firstDue else {
      guard let endDue, !hasShut else { return .wait(until: .distantFuture) }
      if endDue > now { return .wait(until: endDue) }
      hasShut = true
      return .shut
    }
    let start = max(due, opens)
    if start > now { return .wait(until: start) }
    if let slice = settings.slice { limit = min(limit, slice) }
    if let rate = settings.rate { limit = min(limit, max(1, rate / Self.ratePortionsPerSecond)) }
    let bytes = queue.takeFirst(limit)
    passedCount += bytes.count
    if let rate = settings.rate {
      // From when it could have begun, so that a late wake-up does not lower the rate.
      opens = start + TimeSpan(nanoseconds: Int64(bytes.count) * 1_000_000_000 / Int64(rate))
    }
    if settings.slice != nil { opens = max(opens, now + Self.sliceGap) }
    return .send(bytes)
  }
}
