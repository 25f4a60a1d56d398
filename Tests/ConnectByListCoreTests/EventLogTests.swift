@testable import ConnectByListCore
@testable import ConnectByListRaceWorlds
@testable import ConnectByListSimulation
import Testing

/// The event log of a race: each kind of event, the order at one instant, and the state of attempts that
/// follows from it.
@Suite struct EventLogTests {
  private let start = Instant(nanoseconds: 5_000_000_000)

  private func after(_ milliseconds: Int64) -> Instant { start + .milliseconds(milliseconds) }

  /// A race over so many remotes, in the order given, all at once.
  private func race(
    _ remotes: Int, names: Int = 0, _ change: (inout ConnectOptions) -> Void = { _ in }
  ) -> Race {
    var options = ConnectOptions()
    options.pace = .parallel
    options.order = .given
    options.locals = .routeOnly
    change(&options)
    let candidates = (0..<remotes).map {
      Candidate(Endpoint(IPAddress(v4: 0xc000_0201 + UInt32($0)), port: 80), entry: Int32($0))
    }
    let pending = (0..<names).map {
      PendingNames.Name(entry: Int32(remotes + $0), family: options.family)
    }
    return Race(plan: Plan(candidates, options: options), names: pending, at: start)
  }

  /// Takes steps until the race waits or is over.
  private func settle(_ race: Race, at now: Instant) -> RaceResult? {
    while true {
      switch race.nextStep(at: now) {
      case .wait: return nil
      case .finish(let result): return result
      case .validate(let id): race.handle(.rejected(id), at: now)
      case .start, .abandon, .needsPathInformation, .nextRound, .lookUp: break
      }
    }
  }

  private func id(_ number: Int32) -> AttemptID { AttemptID(number) }

  // MARK: attempts

  @Test func `a race that its only attempt wins has three events`() {
    let race = race(1)
    #expect(settle(race, at: start) == nil)
    race.handle(.connected(id(0)), at: after(3))
    #expect(settle(race, at: after(4)) == .won(id(0)))
    #expect(
      race.events == [
        RaceEvent(.start, id(0), at: start), RaceEvent(.connected, id(0), at: after(3)),
        RaceEvent(.won, id(0), at: after(4)),
      ])
    #expect(race.attempts[0].outcome == .connected)
    #expect(race.attempts[0].ended == after(3), "the handshake ended it, not the decision")
  }

  @Test(
    arguments: [
      (Errno.connectionRefused, RaceEvent.Kind.refused, Outcome.refused),
      (.hostUnreachable, .unreachable, .unreachable),
      (.networkUnreachable, .unreachable, .unreachable),
      (.connectionReset, .reset, .reset), (.timedOut, .timedOut, .timedOut),
      (.accessDenied, .failed, .failed),
    ])
  func `a failure is the event and the outcome of its code`(
    errno: Errno, kind: RaceEvent.Kind, outcome: Outcome
  ) {
    let race = race(1)
    #expect(settle(race, at: start) == nil)
    race.handle(.failed(id(0), errno, synchronous: false), at: after(7))
    #expect(settle(race, at: after(7)) == .lost(errno, isDeadline: false))
    #expect(race.events.map { $0.kind } == [.start, kind, .lost])
    #expect(race.events.map { $0.errno } == [nil, errno, errno])
    #expect(race.attempts[0].outcome == outcome)
    #expect(race.attempts[0].errno == errno)
    #expect(race.attempts[0].ended == after(7))
  }

  @Test func `a failure in the call that starts an attempt is its only event`() {
    let race = race(2)
    #expect(race.nextStep(at: start) == .start(id(0)))
    race.handle(.failed(id(0), .networkUnreachable, synchronous: true), at: after(1))
    #expect(settle(race, at: after(1)) == nil)
    #expect(
      race.events == [
        RaceEvent(.failed, id(0), .networkUnreachable, isSynchronous: true, at: after(1)),
        RaceEvent(.start, id(1), at: after(1)),
      ])
    #expect(race.attempts[0].outcome == .unreachable)
  }

  @Test func `a rejected connection ends with the caller's verdict`() {
    let race = race(1) { $0.validates = true }
    #expect(settle(race, at: start) == nil)
    race.handle(.connected(id(0)), at: after(2))
    #expect(settle(race, at: after(5)) == .lost(.connectionAborted, isDeadline: false))
    #expect(race.events.map { $0.kind } == [.start, .connected, .rejected, .lost])
    #expect(race.attempts[0].outcome == .rejected)
    #expect(race.attempts[0].ended == after(5))
  }

  @Test func `attempt_timeout and the deadline are the same event`() {
    let race = race(2) {
      $0.timeout = .milliseconds(40)
      $0.pace = .sequential
      $0.attemptTimeout = .milliseconds(30)
    }
    #expect(settle(race, at: start) == nil)
    #expect(settle(race, at: after(30)) == nil)
    #expect(settle(race, at: after(40)) == .lost(.timedOut, isDeadline: true))
    #expect(
      race.events == [
        RaceEvent(.start, id(0), at: start), RaceEvent(.timedOut, id(0), .timedOut, at: after(30)),
        RaceEvent(.start, id(1), at: after(30)),
        RaceEvent(.timedOut, id(1), .timedOut, at: after(40)),
        RaceEvent(.lost(.timedOut, isDeadline: true), at: after(40)),
      ])
  }

  @Test func `a loser is superseded, and what a cancel closes is cancelled`() {
    let won = race(2)
    #expect(settle(won, at: start) == nil)
    won.handle(.connected(id(1)), at: after(5))
    #expect(settle(won, at: after(5)) == .won(id(1)))
    #expect(won.events.suffix(2).map { $0.kind } == [.abandon, .won])
    #expect(won.attempts[0].outcome == .superseded)
    #expect(won.attempts[0].errno == nil, "an attempt that the race closed did not fail")

    let cancelled = race(2)
    #expect(settle(cancelled, at: start) == nil)
    cancelled.handle(.cancelled, at: after(5))
    #expect(settle(cancelled, at: after(6)) == .cancelled)
    #expect(cancelled.events.suffix(3).map { $0.kind } == [.abandon, .abandon, .cancelled])
    #expect(cancelled.events.suffix(3).map { $0.errno } == [.cancelled, .cancelled, nil])
    #expect(cancelled.attempts.map { $0.outcome } == [.cancelled, .cancelled])
    #expect(cancelled.attempts[0].errno == nil)
  }

  @Test func `a connected loser keeps no trace of a connection in its outcome`() {
    let race = race(2)
    #expect(settle(race, at: start) == nil)
    race.handle(.connected(id(1)), at: after(5))
    race.handle(.connected(id(0)), at: after(5))
    #expect(settle(race, at: after(5)) == .won(id(0)), "the lower rank wins")
    #expect(
      race.events.map { $0.kind } == [.start, .start, .connected, .connected, .abandon, .won])
    #expect(
      race.events.map { $0.attempt } == [id(0), id(1), id(1), id(0), id(1), id(0)],
      "completions in the order in which the driver reports them")
    #expect(race.attempts.map { $0.outcome } == [.connected, .superseded])
  }

  // MARK: names

  @Test func `an answer tells how many addresses it had, or its code`() {
    let race = race(0, names: 2)
    #expect(settle(race, at: start) == nil)
    let endpoint = Endpoint(IPAddress(v4: 0xc000_0263), port: 80)
    race.handle(.resolved(NameID(1), family: nil, [endpoint]), at: after(2))
    race.handle(.unresolved(NameID(0), family: nil, Errno(-2)), at: after(3))
    #expect(settle(race, at: after(3)) == nil)
    #expect(
      race.events == [
        RaceEvent(resolved: NameID(1), count: 1, at: after(2)),
        RaceEvent(unresolved: NameID(0), Errno(-2), at: after(3)),
        RaceEvent(.start, id(0), at: after(3)),
      ])
    #expect(race.events.map { $0.name } == [NameID(1), NameID(0), nil])
    #expect(race.events.map { $0.count } == [1, nil, nil])
    #expect(race.events.map { $0.errno } == [nil, Errno(-2), nil])
  }

  @Test func `one family without an address is no event while the other may have some`() {
    let race = race(0, names: 1)
    #expect(settle(race, at: start) == nil)
    race.handle(.unresolved(NameID(0), family: .inet6, Errno(-5)), at: after(1))
    #expect(settle(race, at: after(1)) == nil)
    #expect(race.events.isEmpty)
    race.handle(.unresolved(NameID(0), family: .inet, Errno(-2)), at: after(2))
    #expect(settle(race, at: after(2)) == .lost(Errno(-2), isDeadline: false))
    #expect(race.events.map { $0.kind } == [.unresolved, .lost])
  }

  /// A name with an unscoped link-local address and no link: the other family's answer from a server may come before
  /// or after it.
  @Test(arguments: [Family.inet6, .inet])
  func `addresses that cannot be used here tell why, in either order of the answers`(first: Family)
  {
    let race = race(0, names: 1)
    #expect(settle(race, at: start) == nil)
    for family in first == .inet6 ? [Family.inet6, .inet] : [.inet, .inet6] {
      let errno = family == .inet6 ? Errno.addressNotAvailable : Errno(-3)
      race.handle(.unresolved(NameID(0), family: family, errno), at: after(1))
    }
    #expect(settle(race, at: after(1)) == .lost(.addressNotAvailable, isDeadline: false))
  }

  @Test(arguments: [Family.inet, .inet6])
  func `of two failures the same one tells why, in either order of the answers`(first: Family) {
    let race = race(0, names: 1)
    #expect(settle(race, at: start) == nil)
    for family in first == .inet6 ? [Family.inet6, .inet] : [.inet, .inet6] {
      let errno = family == .inet6 ? Errno(-3) : Errno(-4)
      race.handle(.unresolved(NameID(0), family: family, errno), at: after(1))
    }
    #expect(settle(race, at: after(1)) == .lost(Errno(-3), isDeadline: false))
  }

  // MARK: the log as a whole

  @Test func `inputs that come too late are no events`() {
    let race = race(2, names: 1)
    #expect(settle(race, at: start) == nil)
    race.handle(.connected(id(0)), at: after(1))
    race.handle(.connected(id(0)), at: after(2))
    race.handle(.failed(id(0), .connectionReset, synchronous: false), at: after(2))
    #expect(settle(race, at: after(2)) == .won(id(0)))
    let events = race.events
    #expect(events.map { $0.kind } == [.start, .start, .connected, .abandon, .won])

    race.handle(.connected(id(1)), at: after(3))
    race.handle(.failed(id(1), .connectionRefused, synchronous: false), at: after(3))
    race.handle(.accepted(id(1)), at: after(3))
    race.handle(.rejected(id(0)), at: after(3))
    race.handle(.resolved(NameID(0), family: nil, []), at: after(3))
    race.handle(.cancelled, at: after(3))
    #expect(race.nextStep(at: after(4)) == .finish(.won(id(0))))
    #expect(race.events == events)
    #expect(race.attempts.map { $0.outcome } == [.connected, .superseded])
  }

  @Test func `the transcript has one line for each event, with its time and its word`() throws {
    let text = """
      name db.test ipv4 after 5ms 192.0.2.7 port 80
      name no.test fails after 6ms EAI_NONAME
      remote 192.0.2.1:80 from 10.0.0.5 refuses 12ms
      remote 192.0.2.2:80 noroute
      remote 192.0.2.3:80 from 10.0.0.5 silent
      remote 192.0.2.7:80 from 10.0.0.5 answers 200ms
      option order given
      """
    let transcript = Simulation(try Scenario(parsing: Array(text.utf8))).run()
    let race = transcript.race
    #expect(transcript.lines.count == race.events.count)
    for (event, line) in zip(race.events, transcript.lines) {
      var prefix = TextBuffer()
      prefix.append(milliseconds: event.time - race.began)
      prefix.append(" ")
      prefix.append(event.kind.word)
      #expect(line.starts(with: prefix.bytes))
    }
    let kinds = race.events.map { $0.kind }
    for kind: RaceEvent.Kind in [.resolved, .unresolved, .refused, .failed, .abandon, .connected] {
      #expect(kinds.contains(kind), "\(kind.word)")
    }
    // The remote without a route is one pair.
    let synchronous = race.events.filter { $0.isSynchronous }
    #expect(synchronous.map { $0.kind } == [.failed])
    let pairs = synchronous.map { race.attempts[Int($0.attempt!.number)].pair }
    #expect(pairs.map { race.plan.remote(of: $0).address.low & 0xff } == [2])
    #expect(pairs.map { $0.isFirst } == [true])
  }

  /// In random worlds: times never fall, an attempt starts before it ends and ends once, and its state is
  /// what its events say.
  @Test func `the state of every attempt follows from its events`() {
    for seed in 1...2_000 as ClosedRange<UInt64> {
      let scenario = WorldGenerator.world(seed: seed)
      let race = Simulation(scenario).run().race
      #expect(zip(race.events, race.events.dropFirst()).allSatisfy { $0.time <= $1.time })
      #expect(race.events.count <= 3 * race.attempts.count + 2 * scenario.names.count + 1)
      for (number, attempt) in race.attempts.enumerated() {
        let own = race.events.filter { $0.attempt == AttemptID(Int32(number)) }
        let last = own[own.count - 1]
        #expect(own[0].kind == .start || own.count == 1 && last.isSynchronous)
        #expect(own.dropFirst().allSatisfy { $0.kind != .start })
        #expect(own.dropLast().allSatisfy { $0.outcome == nil }, "it ends once")
        #expect(last.outcome == attempt.outcome)
        #expect(attempt.outcome != .pending)
        let ended = last.kind == .won ? own[own.count - 2] : last
        #expect(ended.time == attempt.ended)
      }
      let ends: [RaceEvent.Kind] = [.won, .lost, .cancelled]
      #expect(race.events.filter { ends.contains($0.kind) }.count == 1)
      #expect(ends.contains(race.events[race.events.count - 1].kind))
    }
  }
}
