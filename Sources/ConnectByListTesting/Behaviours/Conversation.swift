import ConnectByListCore

/// What an endpoint does on one connection. Performs no I/O and reads no clock: the server reports what it
/// receives, and asks for the next step.
struct Conversation {
  private enum Behaviour {
    case accepting
    case discard
    /// Echoes each byte so late.
    case echo(TimeSpan)
    /// Closes, or resets, as soon as the bytes have come or the instant has.
    case ending(afterBytes: Int, at: Instant, step: ServerStep)
    case script(ScriptRun)
  }

  /// The most bytes that an echo keeps. A client that sends and does not read is not read from beyond that.
  static let pendingMax = 1 << 20

  private var behaviour: Behaviour
  private var queue = ChunkQueue()
  private var receivedCount = 0
  private var hasEnded = false

  private init(_ behaviour: Behaviour) { self.behaviour = behaviour }

  /// The conversation of the connection with this number, from 0. `nil` for kinds that have none.
  init?(_ kind: EndpointKind, connection number: Int, at now: Instant) {
    switch kind {
    case .accepting: self.init(.accepting)
    case .discard: self.init(.discard)
    case .echo: self.init(.echo(.zero))
    case .slow(let delay): self.init(.echo(delay))
    case .closing(let when): self.init(Self.ending(.close, when, now))
    case .reset(let when): self.init(Self.ending(.reset, when, now))
    case .script(let scripts):
      guard number < scripts.count || scripts.count == 1 else { return nil }
      self.init(.script(ScriptRun(scripts[scripts.count == 1 ? 0 : number])))
    case .refused, .silent, .proxy: return nil
    }
  }

  private static func ending(
    _ step: ServerStep, _ when: EndpointKind.End, _ now: Instant
  ) -> Behaviour {
    // Without a limit it ends at once.
    let isAtOnce = when.afterBytes == nil && when.afterTime == nil
    return .ending(
      afterBytes: isAtOnce ? 0 : when.afterBytes ?? .max,
      at: when.afterTime.map { now + $0 } ?? .distantFuture, step: step)
  }

  /// What differed from a script.
  var failure: TextBuffer? {
    if case .script(let run) = behaviour { return run.failure }
    return nil
  }

  /// Whether the server reads. Where it does not, it reports the end of the client's stream nevertheless.
  var takesBytes: Bool {
    switch behaviour {
    case .accepting: false
    case .discard, .ending: true
    case .echo: queue.byteCount < Self.pendingMax
    case .script(let run): run.takesBytes
    }
  }

  /// Whether it never reads, so that the end of the client's stream has to be watched for.
  var neverReads: Bool {
    if case .accepting = behaviour { return true }
    return false
  }

  mutating func receive(_ bytes: [UInt8], at now: Instant) {
    receivedCount += bytes.count
    switch behaviour {
    case .accepting, .discard, .ending: break
    case .echo(let delay): queue.append(bytes, due: now + delay)
    case .script(var run):
      // Taken out first, so that the run's bytes are not copied.
      behaviour = .discard
      run.receive(bytes)
      behaviour = .script(run)
    }
  }

  /// The client has ended its stream, or reset the connection.
  mutating func end(byReset: Bool) {
    hasEnded = true
    if case .script(var run) = behaviour {
      run.end(byReset: byReset)
      behaviour = .script(run)
    }
  }

  mutating func nextStep(at now: Instant) -> ServerStep {
    let ending: ServerStep = hasEnded ? .close : .wait(until: .distantFuture)
    switch behaviour {
    case .accepting, .discard: return ending
    case .echo:
      guard let due = queue.firstDue else { return ending }
      return due <= now ? .send(queue.takeFirst()) : .wait(until: due)
    case .ending(let byteCount, let instant, let step):
      if receivedCount >= byteCount || instant <= now { return step }
      return hasEnded ? .close : .wait(until: instant)
    case .script(var run):
      behaviour = .discard
      let step = run.nextStep(at: now)
      behaviour = .script(run)
      return step
    }
  }
}
